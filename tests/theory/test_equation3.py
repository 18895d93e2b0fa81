"""Equation 3, two scalars: attained for Δa/a, Δb/b ≥ 0."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drt
from tests.instances import measured, scalars
from tests.theory.naive import deep_measurement

sizes = st.floats(1e-3, 1e3)
signed = st.builds(lambda a, s: a * s, sizes, st.sampled_from([-1.0, 1.0]))


@settings(max_examples=40)
@given(signed, signed, signed, signed)
def test_it_holds(a, b, da, db):
    m = scalars([a, b], [da, db])
    v = drt.check("equation3", m)
    assert v.outcome == ("undecided" if da / a > 0 and db / b > 0 else "holds")  # a tie, or strictly less
    assert math.isclose(v.lhs, abs((a + da) * (b + db) - a * b) / abs(a * b), rel_tol=1e-6)
    assert math.isclose(v.rhs, (1 + abs(da / a)) * (1 + abs(db / b)) - 1, rel_tol=1e-9)


@settings(max_examples=40)
@given(signed, signed, sizes, sizes)
def test_it_is_attained_by_relative_changes_of_one_sign(a, b, p, q):
    v = drt.check("equation3", scalars([a, b], [a * p, b * q]))
    assert v.ratio == pytest.approx(1, abs=1e-13)


def test_a_sum_in_place_of_the_product_is_caught():
    """(1 + p)(1 + q) − 1 exceeds p + q by pq."""

    @drt.bound(hypotheses=("scalars",))
    def added(m):
        return drt.sum(m.delta)

    assert drt.check(added, scalars([1, 1], [0.1, 0.1])).outcome == "violated"


def test_it_is_about_two_scalars_only():
    assert "widths 1-2-1 with leaky_relu:0.5, not two scalars" in drt.check("equation3", measured(0, (1, 2, 1))).reason
    assert "not two scalars" in drt.check("equation3", scalars([1], [1])).reason


def test_it_fails_without_that_hypothesis():
    """For matrices κ is needed."""
    anywhere = drt.claims["equation3"].with_hypotheses(["-scalars"])
    assert drt.check(anywhere, measured(1, (4, 4), delta=0.1, batch=(200,))).count("violated") > 0


def test_its_logarithm():
    m = scalars([1, 1], [1e-9, 1e-9])
    claim = drt.claims["equation3"]
    assert float(claim.log_value(m)) == pytest.approx(math.log(2e-9), rel=1e-9)
    assert math.isfinite(float(claim.log_value(deep_measurement("function"))))
