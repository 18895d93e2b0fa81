"""Quantities: names, left sides, and the patterns of widths that each asks for, against the letters of their definitions."""

import itertools

import pytest

from drt.measurement.quantity import (
    DESCENT,
    FUNCTION,
    JACOBIAN,
    OF_BOUNDS,
    OF_NETWORKS,
    STEP,
    Quantity,
    is_valley,
    never_contracts,
    spares_gradients,
)

EVERY = [widths for length in (2, 3, 4, 5) for widths in itertools.product((1, 2, 3), repeat=length)]


def test_a_quantity_is_its_name():
    assert [str(q) for q in Quantity] == ["function", "jacobian", "descent", "step"]
    assert Quantity("jacobian") is JACOBIAN
    assert JACOBIAN == "jacobian"
    assert f"{DESCENT}" == "descent"
    with pytest.raises(ValueError, match="'hessian' is not a valid Quantity"):
        Quantity("hessian")


def test_what_a_bound_may_be_about():
    assert OF_NETWORKS == (FUNCTION, JACOBIAN)
    assert OF_BOUNDS == (FUNCTION, JACOBIAN, DESCENT)
    assert [next(iter(q.lefts)) for q in Quantity] == ["relative", "relative", "change", "deviation"]
    assert JACOBIAN.divisor.format(l=2) == "J_2"


def test_patterns_of_widths_are_those_of_their_definitions():
    """Every tuple of up to five widths from one to three; each pattern tells some apart."""
    for n in EVERY:
        pairs = list(itertools.pairwise(n))
        assert never_contracts(n) == all(a <= b for a, b in pairs)
        turning = any(
            all(a >= b for a, b in pairs[:k]) and all(a <= b for a, b in pairs[k:]) for k in range(len(pairs) + 1)
        )
        assert is_valley(n) == turning
        hidden = n[1:-1]
        inner = len(set(hidden)) <= 1 and (not hidden or (n[0] <= hidden[0] and n[-1] <= hidden[-1]))
        assert spares_gradients(n) == inner, n
    for pattern in (never_contracts, is_valley, spares_gradients):
        assert 0 < sum(map(pattern, EVERY)) < len(EVERY)


def test_the_rule_of_each_quantity():
    rules = {q: q.width_rule.met for q in (FUNCTION, JACOBIAN, DESCENT)}
    assert rules == {FUNCTION: never_contracts, JACOBIAN: is_valley, DESCENT: spares_gradients}
    assert STEP.width_rule is None
