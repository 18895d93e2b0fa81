"""The exact pieces of a segment: breakpoints and suprema against closed forms and brute force; trust where it holds and fails."""

import pytest
from flint import arb, ctx, fmpq, fmpq_poly

import drt
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.exact import segment as exact_segment
from drt.exact.descent import ExactDescent
from drt.exact.hypotheses import unmet
from drt.exact.network import ExactNetwork
from drt.exact.segment import Point, _roots_between
from drt.exact.surds import Undecided, ball
from drt.witness.witness import Witness
from tests.descent_cases import (
    exact_descent,
    gaussian,
)
from tests.instances import array

PHIS = ["leaky_relu:0.25", "leaky_relu:0.05", "relu", "negated:leaky_relu:0.3", "piecewise_linear:-0.5,0.3/0.5,1,0.25"]


def scalar(target):
    """f = wx with w = x = 1, ΔW = ½: g = 1 − y, g(t) − g = t/2, δ = ½."""
    dw = fmpq(1, 2)
    witness = Witness(
        "lemma2", "", "descent", 0, ("identity",), (((fmpq(1),),),), (((dw,),),), (fmpq(1),), target=(target,)
    )
    return ExactDescent(ExactNetwork(witness), 0, 128, False)


def test_a_kink_in_the_middle():
    """w₂φ(w₁x), w₁: 1 → −1 with slope ½ below 0: g_1 is 11 − 2t, then ½(10 + ½(1 − 2t)); it jumps at ½ from 10 to 5."""
    net = drt.Network([array([1.0]), array([1.0])], ["leaky_relu:0.5", "identity"])
    step = exact_descent(net, [array([-2.0]), array([0.0])], array([1.0]), array([-10.0]))
    with ctx.workprec(128):
        first, second = step.pieces
        assert second.start.enclosure() == arb(fmpq(1, 2)) or second.start.enclosure().contains(fmpq(1, 2))
        assert first.changes[0] == fmpq_poly([0, 0, 4])
        assert second.changes[0](fmpq(1)) == (11 - fmpq(19, 4)) ** 2
        assert abs(ball(step.breakdown[0].entries.item()) - arb(fmpq(25, 44))) < 1e-30  # 25/4 of 11, at t = 1


def test_roots_at_the_ends_and_double_roots_are_told_apart():
    t = fmpq_poly([0, 1])
    zero, one = Point(t, 0), Point(t - 1, 0)
    found = _roots_between(t * (t - 1) * (3 * t - 1) ** 2 * (t * t - 2) * (t * t - fmpq(1, 2)), zero, one)
    with ctx.workprec(128):
        assert [float(p.enclosure().mid()) for p in found] == pytest.approx([1 / 3, 0.5**0.5])
        assert _roots_between((3 * t - 1) * (t * t - fmpq(1, 2)), *found) == []


def test_two_units_that_pass_together_make_one_breakpoint():
    net = drt.Network([array([1.0], [2.0]), array([1.0, 1.0])], ["leaky_relu:0.5", "identity"])
    step = exact_descent(net, [array([-2.0], [-4.0]), array([0.0, 0.0])], array([1.0]), array([-10.0]))
    assert len(step.pieces) == 2


@pytest.mark.parametrize("activation", PHIS)
def test_the_supremum_lies_between_what_is_evaluated_and_what_intervals_allow(activation):
    """Against rational points of the segment, evaluated one by one, and against the float code's two sides, to 1e-4."""
    compared = 0
    for seed in range(10):
        depth = 1 + seed % 4
        *parts, x, y = gaussian(seed, *[(3, 3)] * (2 * depth), (1, 3), (1, 3))
        net, steps = drt.Network(parts[:depth], activation), [(0.03, 0.3, 1.0)[seed % 3] * d for d in parts[depth:]]
        m = measure_descent(net, steps, x, MeanSquaredError(y))
        if not (m.norm_g > 0).all():  # ReLUs that are off
            continue
        with ctx.workprec(128):
            step = exact_descent(net, steps, x, y)
            points = [step._changes(arb(fmpq(k, 97))) for k in range(1, 98)]
            for layer, sup in enumerate(ball(b.entries.item()) for b in step.breakdown):
                evaluated = max(float(changes[layer].lower()) for changes in points)
                assert evaluated <= float(sup.upper())
                assert float(m.changes.largest_lower[layer]) <= float(sup.upper())
                assert float(sup.lower()) <= float(m.changes.largest_upper[layer])
                if activation != "relu":
                    assert float(m.changes.largest_upper[layer]) <= float(sup.upper()) * (1 + 1e-4)
                    compared += 1
    assert compared > 10 or activation == "relu"


@pytest.mark.parametrize(
    ("target", "met"), [(fmpq(5, 2), True), (fmpq(3, 2), False), (fmpq(-1, 2), True), (fmpq(2), True)]
)
def test_trust_of_a_scalar(target, met):
    """‖g(t) − g‖/‖g‖ = tδ/|1 − y| ≤ tδ just where |1 − y| ≥ 1."""
    with ctx.workprec(128):
        reason = unmet(("trust",), scalar(target))
    assert reason == ("" if met else "trust: deep relative trust fails on the segment")


def test_an_irrational_tie_is_undecided():
    """f = (w_1x, w_2x), both sides t/√2: no precision tells balls that they are equal. (A rational tie, y = 2 above, is met.)"""
    net = drt.Network([array([1.0], [1.0])], "identity")
    step = exact_descent(net, [array([1.0], [0.0])], array([1.0]), array([2.0, 2.0]))
    with ctx.workprec(128), pytest.raises(Undecided, match="trust is too close to tell"):
        unmet(("trust",), step)


def test_too_large_networks_fall_back_to_intervals(monkeypatch):
    *parts, x, y = gaussian(3, *[(3, 3)] * 4, (1, 3), (1, 3))
    net = drt.Network(parts[:2], "leaky_relu:0.25")
    with ctx.workprec(128):
        sharp = [ball(b.entries.item()) for b in exact_descent(net, parts[2:], x, y).breakdown]
        monkeypatch.setattr(exact_segment, "LARGEST_DEGREE", 1)
        step = exact_descent(net, parts[2:], x, y)
        assert step.pieces is None
        for a, b in zip(sharp, step.breakdown, strict=True):
            assert ball(b.entries.item()).contains(a)
            assert ball(b.entries.item()).rad() > 1e-6
        with pytest.raises(Undecided, match="certified where φ is piecewise linear"):
            unmet(("trust",), step)
