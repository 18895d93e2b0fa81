"""A descent in exact numbers: scalars by hand, the supremum and the mean on a segment, curved φ in enclosures."""

import math

import pytest
from flint import arb, ctx, fmpq

from drt.exact.certify import TWINS
from drt.exact.hypotheses import unmet
from drt.exact.network import ExactNetwork
from drt.exact.surds import Undecided, ball
from drt.measurement.quantity import DESCENT
from tests.exact.cases import witness


def descent(weights, dweights, x, target, activation="identity", exact=True):
    w = witness("lemma1", weights, dweights, x, activation, target=target)
    return TWINS[DESCENT](ExactNetwork(w), 0, 128, exact)


def entries(balls):
    return [ball(v) for v in balls.entries.flat]


def test_two_scalars_by_hand():
    """f = w₂w₁x, w = (1, 2) → (2, 2), x = 1, y = 1: g_1 = 2, g_2 = 1; at the end e = 3, g_1 = 6, g_2 = 6."""
    m = descent([[[1]], [[2]]], [[[1]], [[0]]], [1], [1])
    assert m.loss() == fmpq(1, 2)
    assert m.loss(moved=True) == fmpq(9, 2)
    assert [g.entries() for g in m.gradients()] == [[2], [1]]
    assert [g.entries() for g in m.gradients(moved=True)] == [[6], [6]]
    assert [v.as_rational() for v in m.norm_g.entries] == [2, 1]
    assert [v.as_rational() for v in m.norm_step.entries] == [1, 0]
    assert [v.as_rational() for v in m.cosines.entries] == [-1, 1], "1 for a layer that does not move"
    assert [v.as_rational() for v in m.step_change.entries] == [2, 5]
    assert m.excess == 4 - 2
    assert m.eta == 1
    assert m.gamma == 2


def test_a_layer_that_does_not_move_has_a_breakdown_of_zero():
    """g_2 changes by 5 on the way, g_1 by 2; ‖ΔW_2‖ = 0 takes it out of every bound."""
    m = descent([[[1]], [[2]]], [[[1]], [[0]]], [1], [1])
    with ctx.workprec(128):
        first, second = entries(m.breakdown)
        assert first.overlaps(arb(2))
        assert second.is_zero()
        first, second = entries(m.mean_breakdown)
        assert first.overlaps(arb(1))
        assert second.is_zero()


@pytest.mark.parametrize(
    ("spec", "step"), [("tanh_blend:0.5", "1/2"), ("tanh_blend:0.5", "-1/3"), ("softplus_blend:0.25", "1/2")]
)
def test_a_curved_supremum_is_enclosed_from_both_sides(spec, step):
    """One scalar: where the change grows along the segment, its supremum is the change at the end, known on its own."""
    m = descent([[[1]]], [[[step]]], [1], [5], spec, exact=False)
    with ctx.workprec(128):
        (supremum,), (end,) = entries(m.breakdown), entries(m.step_change)
        grid = [m._changes(arb(fmpq(k, 50)))[0] for k in range(51)]
        assert all(before.lower() < after.upper() for before, after in zip(grid, grid[1:], strict=False))
        assert supremum.lower() <= end.upper()
        assert supremum.upper() >= end.lower()
        assert supremum.contains(end.mid())
        assert supremum.rad() < 1e-2 * end.mid()


def test_a_curved_mean_is_not_enclosed_and_says_so():
    m = descent([[[1]]], [[[1]]], [1], [5], "tanh_blend:0.5", exact=False)
    with ctx.workprec(128), pytest.raises(Undecided, match="is enclosed where φ is piecewise linear"):
        _ = m.mean_breakdown


def test_a_gradient_that_is_zero_has_no_relative_change():
    m = descent([[[1]]], [[[1]]], [1], [1])
    with pytest.raises(Undecided, match="a gradient is not told from zero"):
        _ = m.step_change


def test_an_excess_may_be_negative_and_a_left_side_may_not():
    """½(w − y)² is convex, w₂w₁ is not: a saddle has an excess below 0, of which bounds from above say nothing."""
    m = descent([[[1]], [[1]]], [[["1/10"]], [["-1/10"]]], [1], [10])
    assert m.excess > 0
    assert m.left("excess").entries.item() == m.excess.entries.item()
    m = descent([[[1]], [[1]]], [[["1/10"]], [["1/10"]]], [1], [10])
    # f = 1.21: 𝓛 falls from ½·9² to ½·8.79², by 1.86795; the slope is −1.8.
    assert m.fall == fmpq(186795, 100000)
    assert m.slope == fmpq(-18, 10)
    assert m.excess == fmpq(-6795, 100000)
    assert m.left("excess") == 0


def test_exact_numbers_and_balls_agree():
    parts = (
        [[["1/2", -1], [2, 1]], [[1, 3]]],
        [[["1/10", 0], [0, "1/9"]], [[0, "1/7"]]],
        [1, "1/3"],
        [2],
        "leaky_relu:0.25",
    )
    exact, balls = descent(*parts), descent(*parts, exact=False)
    with ctx.workprec(128):
        for name in ("norm_g", "norm_step", "lever", "cosines", "eta", "excess", "step_change", "gamma", "breakdown"):
            for a, b in zip(entries(getattr(exact, name)), entries(getattr(balls, name)), strict=True):
                assert a.overlaps(b), name
                assert b.rad() < 1e-20, name


def test_trust_that_fails_behind_a_breakpoint_alone_is_seen():
    """A small unit (1/64, −10/64 at the end) is cut off at t = 1/10, where g_1 jumps by 3/64 and tδ allows 1/64.

    At t = 1, where δ allows 10/64, all is well again: both sides must be those of the same t on every piece.
    """
    small = "1/64"
    m = descent(
        [[[small], [1]], [["6/64", 1]]],
        [[["-10/64"], [0]], [["6/64000", "1/1000"]]],
        [1],
        [-100_000],
        ("leaky_relu:0.5", "identity"),
    )
    with ctx.workprec(128):
        at = m.pieces[1].start.enclosure()
        assert len(m.pieces) == 2
        assert at.overlaps(arb(fmpq(1, 10)))
        allowed = [(1 + t * ball(d)) for t in (at, arb(1)) for d in m.delta.entries]
        changes = [m._changes(t)[0] for t in (at + fmpq(1, 1000), arb(1))]
        assert changes[0] > allowed[0] * allowed[1] - 1
        assert changes[1] < allowed[2] * allowed[3] - 1
        assert changes[0] < sum(map(ball, m.delta.entries)), "what δ allows at t = 1 would hide it"
        assert unmet(("trust",), m) == "trust: deep relative trust fails on the segment"


def test_a_rotation_has_an_irrational_cosine():
    """g = (1, 1)·e at W = (1, 1), ΔW along e₁: cos θ = −1/√2, exactly."""
    m = descent([[[1, 1]]], [[[1, 0]]], [1, 1], [1])
    assert (m.cosines[0] * m.cosines[0]) == fmpq(1, 2)
    assert float(ball(m.cosines.entries[0]).mid()) == pytest.approx(-math.sqrt(0.5), rel=1e-15)
