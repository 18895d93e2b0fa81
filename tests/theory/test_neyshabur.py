"""The linearised bound: within 1 − 1/e of attained, and each of its two hypotheses needed."""

import math

import numpy as np
import pytest

import drt
from tests.instances import measured, scalars
from tests.theory.naive import check_formula, check_holds, check_overflow

CLAIM = drt.claims["neyshabur.function"]


def transcription(f):
    return math.e * f.x * np.prod(f.w) * sum(f.rho)


def test_the_formula():
    check_formula("neyshabur.function", transcription)


def test_it_holds_for_any_widths_and_for_relu():
    check_holds(
        "neyshabur.function", [(3, 3), (4, 2, 3, 1), (5, 1)], specs=("relu", "leaky_relu:0.2"), deltas=(1e-8, 1e-3, 0.1)
    )


@pytest.mark.parametrize("depth", [1, 2, 10, 100])
def test_the_gap_is_known(depth):
    """Scalars with ρ = 1/L: ((1 + 1/L)^L − 1)/e, from 1/e at one layer to 1 − 1/e as depth grows."""
    v = drt.check(CLAIM, scalars([1.0] * depth, [1 / depth * (1 - 1e-9)] * depth))
    assert v.ratio == pytest.approx(((1 + 1 / depth) ** depth - 1) / math.e, rel=1e-6)
    assert v.outcome == "holds"
    assert v.ratio < 1 - 1 / math.e


def test_a_smaller_constant_is_caught():
    """e − 1 is what the supremum needs: 1.6 instead is too small at L = 100."""
    small = drt.bound(hypotheses=("small", "lipschitz"), left="absolute")(
        lambda m: 1.6 * m.norm_x * drt.prod(m.norm_w) * drt.sum(m.rho)
    )
    assert drt.check(small, scalars([1.0] * 100, [0.0099] * 100)).outcome == "violated"


def test_small_perturbations_are_needed():
    """ρ = 1 > 1/L at ten layers: 2¹⁰ − 1 > 10e."""
    m = scalars([1.0] * 10, [1.0] * 10)
    assert drt.check(CLAIM, m).reason == "small: ρ_1 = 1 > 1/L = 0.1"
    assert drt.check(CLAIM.with_hypotheses(["-small"]), m).outcome == "violated"


def test_slopes_below_one_are_needed():
    """β = 2 in three layers: a factor of 8 that the bound does not know."""
    m = scalars([1.0] * 3, [0.1] * 3, "piecewise_linear:/2.0")
    assert drt.check(CLAIM, m).reason == "lipschitz: β = 2.0, which must be ≤ 1"
    assert drt.check(CLAIM.with_hypotheses(["-lipschitz"]), m).outcome == "violated"


def test_implied_by_the_product_of_norms():
    m = measured(0, (3, 4, 2), "relu", delta=0.05, batch=(100,))
    assert (drt.claims["norm-product.function"].log_value(m) <= CLAIM.log_value(m)).all()


def test_its_logarithm_does_not_overflow():
    check_overflow("neyshabur.function")
