"""How an instance is planned: what ranks and changes of W a hypothesis admits, and what makes up for a silent layer."""

import dataclasses

import pytest
import torch
from flint import fmpq
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from drt.network.activations import identity, leaky_relu, relu
from drt.strategies.factors import Factors, frame
from drt.strategies.plans import THRESHOLD_ROOM, Layer, Plan, _activation, _kept_alive, planned
from tests.instances import array

# The shape checker of our test suite looks at a random entry of each list.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
PLAN = Plan(frozenset(), None, False, (1, 3), (1, 3), st.just(leaky_relu(0.5)), (1.0, 4.0), (0.0, 1.0))


def plan(*names, **changes):
    return dataclasses.replace(PLAN, hypotheses=frozenset(names), **changes)


def diagonal(*values):
    n = len(values)
    return Factors(frame(n), tuple(map(fmpq, values)), frame(n))


def drawn(strategy, examples=60):
    found = []
    settings(phases=[Phase.generate], max_examples=examples)(given(strategy)(lambda example: found.append(example)))()
    return found


@pytest.mark.parametrize(
    ("names", "of_w", "of_change"),
    [
        ((), {1, 2, 3}, {1, 2, 3}),
        (("conditioning",), {3}, {3}),
        (("conditioning-w-dw",), {3}, {3}),
        (("conditioning-w",), {3}, {1, 2, 3}),
    ],
)
def test_full_rank_is_drawn_where_a_hypothesis_asks_for_it(names, of_w, of_change):
    assert set(drawn(plan(*names).rank(3, of_change=False))) == of_w
    assert set(drawn(plan(*names).rank(3, of_change=True))) == of_change


def test_small_is_rho_at_most_one_over_depth():
    w = diagonal(1, 2)
    assert plan("small").admits(w, diagonal(0, fmpq(999, 1000)), depth=2)
    assert not plan("small").admits(w, diagonal(0, 1), depth=2), "equality leaves no room for rounding"
    assert plan().admits(w, diagonal(0, 100), depth=2)
    assert 0 < THRESHOLD_ROOM < 1e-9


def test_conditioning_asks_for_a_kappa_of_the_sum_within_the_range():
    w = diagonal(1, 2)
    for change, admitted in (((1, 6), True), ((1, 7), False), ((-1, 0), False), ((-1, -2), False), ((0, 0), True)):
        signed = Factors(frame(2), tuple(fmpq(abs(c)) for c in change), frame(2))
        if min(change) < 0:
            signed = signed.negated()
        assert plan("conditioning").admits(w, signed, 1) == admitted
        assert plan("conditioning-w-dw").admits(w, signed, 1)


def test_activations_are_the_one_below_or_another():
    other = leaky_relu(0.5)
    assert set(drawn(_activation(plan("scalars"), relu(), False))) == {identity()}
    assert {a.spec for a in drawn(_activation(plan("relu"), relu(), True))} == {"relu", "identity"}
    assert {a.spec for a in drawn(_activation(plan("relu"), relu(), False))} == {"relu"}
    assert {a.spec for a in drawn(_activation(plan("relu"), None, True))} == {"relu"}, (
        "the only layer is not the identity"
    )
    assert {a.spec for a in drawn(_activation(plan(), identity(), False))} == {"identity", other.spec}


def test_a_layer_that_would_be_silent_gets_another_matrix_of_the_same_kappa():
    """W of rank one kills h; ReLU silences −I; a bias makes up for what no matrix does."""
    below = Layer(array(0.0, 1.0), torch.eye(2, dtype=torch.float64))
    killing = Factors(frame(2), (fmpq(3), fmpq(0)), frame(2))
    assert not (killing.matrix().values @ below.h).any()
    w, b, (h, _) = _kept_alive(plan(), killing, None, identity(), below)
    assert b is None
    assert h.norm() > 1
    assert sorted(w.singular) == sorted(killing.singular)
    negative = diagonal(1, 1).negated()
    w, _, (h, jacobian) = _kept_alive(plan(), negative, None, relu(), below)
    assert h.norm() > 0
    assert jacobian.norm() > 0
    w, b, (h, _) = _kept_alive(plan(), diagonal(1, 1), array(-9.0, -9.0), relu(), below)
    assert h.norm() > 0
    assert (b >= 0).all()


def test_what_is_heard_is_left_as_it_is():
    below, bias = Layer(array(1.0, 1.0), torch.eye(2, dtype=torch.float64)), array(0.5, 0.5)
    w, b, _ = _kept_alive(plan(), diagonal(1, 2), bias, identity(), below)
    assert torch.equal(w.matrix().values, diagonal(1, 2).matrix().values)
    assert b is bias


def test_planned_instances_have_their_depth_width_and_delta():
    for made in drawn(planned(plan("biases", depth=(2, 2), width=(2, 3), delta=(0.25, 0.5))), 15):
        assert made.net.depth == 2
        assert set(made.net.widths) <= {2, 3}
        assert not made.net.has_biases
        for w, dw in zip(made.net.weights, made.dweights, strict=True):
            delta = torch.linalg.matrix_norm(dw) / torch.linalg.matrix_norm(w)
            assert 0.25 * (1 - 1e-12) <= delta <= 0.5 * (1 + 1e-12)
    assert any(made.net.has_biases for made in drawn(planned(plan()), 15))


def never_contracting(widths):
    return list(widths) == sorted(widths)


def valley(widths):
    mirrored = widths[::-1]
    return any(
        never_contracting(mirrored[len(widths) - 1 - k :]) and never_contracting(widths[k:]) for k in range(len(widths))
    )


@pytest.mark.parametrize(("pattern", "right"), [("function", never_contracting), ("jacobian", valley)])
def test_widths_follow_the_pattern(pattern, right):
    seen = {made.net.widths for made in drawn(planned(plan(pattern=pattern)), 25)}
    assert all(right(n) for n in seen)
    assert len(seen) > 5
