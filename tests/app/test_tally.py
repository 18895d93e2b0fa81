"""Verdicts gathered over pieces of the inputs: counts, medians, the worst input, hypotheses that fail."""

import math

import pytest

import drt
from drt.app.tally import ClaimVerdicts, Failure, Sides, Tally
from drt.theory.outcome import Outcome
from drt.theory.verdict import Verdicts
from tests.instances import array

# f = x₁ + x₂ with ΔW = (½, 0): the change ½|x₁|/|x₁ + x₂| is what the inputs make of it.
NET, DW = drt.Network([array([1.0, 1.0])], "identity"), [array([0.5, 0.0])]
INPUTS = array([1.0, 1.0], [1.0, 0.0], [1.0, -0.75], [0.0, 1.0], [1.0, -1.0])


@drt.bound(hypotheses=("nonzero",))
def half(m):
    """The change is at most ½."""
    return 0.5


def tallied(*pieces):
    tally, start = Tally(), 0
    for piece in pieces:
        tally.add(Verdicts(half, drt.measure(NET, DW, piece)), start)
        start += len(piece)
    return tally


@pytest.mark.parametrize("cuts", [(5,), (2, 3), (1, 1, 1, 1, 1)])
def test_pieces_add_up_to_the_whole(cuts):
    """Changes ¼, ½, 2, 0 and none: f is zero at the last."""
    tally = tallied(*INPUTS.split(list(cuts)))
    r = tally.record(3)
    assert (r.layer, r.holds, r.violated, r.inapplicable, r.undecided) == (3, 2, 1, 1, 1)
    assert r.count(Outcome.VIOLATED) == 1
    assert (r.worst.input, r.worst.actual, r.worst.bound) == (2, pytest.approx(2), pytest.approx(0.5))
    assert r.worst.looseness == pytest.approx(-math.log10(4))
    assert r.median.actual == pytest.approx(0.25)
    assert r.failed == [Failure("nonzero", "f(x) is zero or out of range", 4, 1)]
    (violation,) = tally.violations("half", 3)
    assert (violation.claim, violation.input, violation.layer) == ("half", 2, 3)
    assert violation.log10_ratio == pytest.approx(math.log10(4))


def test_a_hypothesis_that_fails_again_keeps_its_first_input():
    zero = INPUTS[4:]
    r = tallied(INPUTS[:2], zero, zero, INPUTS[:1], zero).record(None)
    assert r.failed == [Failure("nonzero", "f(x) is zero or out of range", 2, 3)]


def test_where_nothing_applies_there_are_no_sides():
    r = tallied(INPUTS[4:]).record(None)
    assert (r.median, r.worst, r.inapplicable) == (None, None, 1)


def test_zero_against_zero_is_attained_and_no_nan():
    zero = drt.bound(hypotheses=())(lambda m: 0 * m.change)
    tally = Tally()
    tally.add(Verdicts(zero, drt.measure(NET, DW, INPUTS[3:4])), 0)
    assert tally.record(None).worst.looseness == 0


def test_sides_that_overflow_are_none():
    sides = Sides.of(array(1000.0)[0], array(-math.inf)[0], array(math.inf)[0])
    assert (sides.actual, sides.bound, sides.looseness) == (None, 0.0, None)


def test_a_claim_has_the_gravest_outcome_of_its_layers_and_the_layer_where_it_is_worst():
    near, far = tallied(INPUTS[:1]).record(0), tallied(INPUTS[2:3]).record(1)
    verdicts = ClaimVerdicts.of(half, [near, far])
    assert (verdicts.outcome, verdicts.worst_layer) == (Outcome.VIOLATED, 1)
    assert verdicts.worst is far
