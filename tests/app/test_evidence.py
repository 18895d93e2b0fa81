"""Evidence: verdicts counted by outcome and reason; what tasks found adds up."""

import math
from collections import Counter

import pytest
import torch

import drt
from drt.app.evidence import POINTS_PER_BATCH, Evidence, hold, hold_all
from drt.theory.registry import claims, of_network
from drt.theory.verdict import Verdicts
from tests.instances import array, generator, instance, normal


def batch():
    """Three scalar layers: within the bound ½·change ≤ …, above it, and one whose input is killed by a wide layer."""
    return drt.measure(drt.Network([array([1.0])], "identity"), [array([0.5])], normal(generator(0), 12, 1))


@drt.bound(hypotheses=())
def half(m):
    """Half of the change: always violated."""
    return m.change / 2


@drt.bound(hypotheses=())
def tenfold(m):
    """Ten times the change."""
    return 10 * m.change


def test_outcomes_are_counted_and_the_largest_ratio_kept():
    evidence = Evidence()
    evidence.add(Verdicts(half, batch()))
    assert (evidence.instances, evidence.violations, evidence.undecided) == (12, 12, 0)
    assert evidence.max_log_ratio == pytest.approx(math.log(2))
    evidence.add(Verdicts(tenfold, batch()))
    assert (evidence.instances, evidence.violations) == (24, 12)
    assert evidence.max_log_ratio == pytest.approx(math.log(2))
    assert evidence.looseness[1] == pytest.approx([-math.log10(2)] * 12 + [1.0] * 12)
    assert evidence.all_looseness == evidence.looseness[1]


def test_points_are_a_few_of_each_batch_in_decades():
    evidence = Evidence()
    evidence.add(Verdicts(tenfold, batch()))
    assert len(evidence.points) == POINTS_PER_BATCH
    assert evidence.points[0] == (1, pytest.approx(math.log10(0.5)), pytest.approx(math.log10(5)))


def test_an_excess_within_rounding_is_shown_as_none():
    """A tie: the float ratio may be above 1 by rounding, which is no violation."""
    net, dws, x = instance(0, (3, 3), batch=(50,))
    m = drt.measure(net, dws, x)
    same = drt.bound(hypotheses=())(lambda m: m.change * (1 - 2e-16))
    evidence = Evidence()
    evidence.add(Verdicts(same, m))
    assert (evidence.violations, evidence.undecided) == (0, 50)
    assert evidence.max_log_ratio <= 0
    assert min(evidence.all_looseness) >= 0


def test_what_does_not_apply_is_counted_by_its_reason():
    net, dws, x = instance(1, (3, 2), batch=(4,))
    evidence = Evidence()
    evidence.add(Verdicts(claims["spectral.function"], drt.measure(net, dws, x)))
    assert evidence.inapplicable == Counter({"widths: widths 3-2 contract, but n_0 ≤ n_1 ≤ … ≤ n_L is asked": 4})
    assert evidence.points == []
    assert evidence.max_log_ratio == -math.inf


def test_findings_of_two_tasks_are_those_of_both():
    one, two, both = Evidence(), Evidence(), Evidence()
    for evidence, claim in ((one, half), (two, tenfold), (both, half), (both, tenfold)):
        evidence.add(Verdicts(claim, batch()))
    one.merge(two)
    assert one == both


def test_every_claim_of_a_network_is_held_at_the_first_the_middle_and_the_last_layer():
    found = {}
    net, dws, x = instance(2, (2,) * 6, batch=(7,))
    hold_all(drt.Instance(net, dws, x), found)
    assert set(found) == {claim.id for claim in of_network()}
    for claim in of_network():
        assert found[claim.id].instances == (7 if claim.quantity == "function" else 3 * 7)
    assert set(found["spectral.jacobian"].looseness) == {5, 3, 1}, "J_0, J_2 and J_4 are of so many layers"


def test_holding_again_adds_to_what_is_there():
    found = {}
    for _ in range(2):
        hold([tenfold], batch(), found)
    assert found["tenfold"].instances == 24
    assert torch.tensor(found["tenfold"].all_looseness).min() > 0.99
