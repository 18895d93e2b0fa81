"""The attack on functions and Jacobians: what it opens with, how it plans, which of its finds reads best."""

import random

import pytest
import torch

import drt
from drt.falsify.engine import TIE
from drt.falsify.layout import Layout
from drt.falsify.networks import SMALLEST, STRATEGIES, Bred, Networks, Unit, try_constructions, try_structured
from drt.falsify.space import Space
from tests.falsify import planted

FLAT = Layout((1, 1), ("identity",))
ENGINE = Networks()
FALSE = drt.claims["theorem1.function.as-stated"]
TRUE = drt.claims["spectral.function"]


def bred(scores, theta=None, layout=FLAT):
    rows = torch.ones(len(scores), sum(layout.sizes), dtype=torch.float64) if theta is None else theta
    return Bred(layout, rows, tuple(scores), Space())


def test_openings_refute_what_is_easily_broken_and_keep_to_the_space():
    found = [f for f, _ in ENGINE.openings(FALSE, Space(depth=(1, 1), width=(1, 3)), 0)]
    assert any(find.exceeds for f in found for find in f.finds)
    for f in found:
        for find in f.finds:
            assert len(find.layout.widths) == 2
            assert max(find.layout.widths) <= 3


def test_structured_openings_are_the_smallest_networks_that_the_claim_admits():
    widths = {f.finds[0].layout.widths for f in try_structured(TRUE, Space(), 0) if f.finds}
    assert widths <= set(SMALLEST)
    assert len(widths) >= 3
    assert list(try_structured(TRUE, Space(depth=(5, 5)), 0)) == []


def test_constructions_meet_hypotheses_that_an_architecture_can_miss():
    for f in try_constructions(drt.claims["relu-model"], Space(alpha=(0.0, 1.0), depth=(1, 1))):
        for find in f.finds:
            assert set(find.layout.activations) == {"relu"}
    for f in try_constructions(TRUE, Space(depth=(1, 2))):
        assert not any(find.layout.biased for find in f.finds)


def test_a_tie_promises_nothing_and_a_near_miss_something():
    assert bred([0.0]).promise == -torch.inf
    assert bred([-0.5]).promise == -0.5
    assert (bred([2 * TIE]).exceeds, bred([TIE / 2]).exceeds) == (True, False)
    assert not bred([1.0]).violates, "a score has no rounding bound"


def test_the_plainest_of_the_good_violations_becomes_the_witness():
    """The best spans nine decades; the second, with half its margin, none; the third is too close."""
    theta = torch.tensor([[1e9, 1.0, 1.0], [2.0, 1.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    claim = drt.claims["theorem1.function"]
    assert bred([1.0, 0.6, 0.1], theta).witness(claim, None).weights[0][0][0] == 2
    assert bred([-0.1, -0.2, -0.3], theta).witness(claim, None).weights[0][0][0] == 10**9, "of what holds, the closest"


def test_half_of_the_plan_explores_and_half_breeds_from_the_best():
    units = ENGINE.plan(TRUE, Space(), [bred([-0.5])], random.Random(0), 0, 40)
    fresh, inherited = units[::2], units[1::2]
    assert [u.strategy for u in fresh[:4]] == list(STRATEGIES)
    assert all(u.start is None for u in fresh)
    assert {u.layout for u in inherited} == {FLAT}
    assert all(u.start is not None for u in inherited)
    assert len({u.seed for u in units}) == 40
    ties = ENGINE.plan(TRUE, Space(), [bred([0.0])], random.Random(0), 0, 10)
    assert all(u.start is None for u in ties), "nothing is bred from a tie"
    niches = {u.niche for u in fresh}
    assert len(niches) > 3
    assert all(n.kappa[0] >= 1 and n.kappa[1] <= 1e3 for n in niches)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_finds_what_is_false(strategy):
    layout, space = Layout((2, 2), ("identity",)), Space(kappa=(1.0, 10.0), delta=(1e-2, 1.0))
    found = ENGINE.run(planted.FALSE["nine_tenths"], Unit(strategy, layout, space, 5))
    assert found.finds[0].log_ratio > 0.05
    assert found.instances > 100
    scores = found.finds[0].scores
    assert list(scores) == sorted(scores, reverse=True)


def test_an_identity_has_nothing_to_climb():
    assert ENGINE.most_units(drt.claims["proposition1"]) == 0
    assert ENGINE.most_units(TRUE) == torch.inf
