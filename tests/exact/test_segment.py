"""The exact pieces of a segment: breakpoints and suprema against closed forms and brute force; trust where it holds and fails."""

import pytest
import torch
from flint import arb, ctx, fmpq, fmpq_poly

import drt
from drt.descent.chords import Chord, activate
from drt.descent.enclosure import largest_rates
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.descent.trust import certainly_trusted
from drt.exact import segment as exact_segment
from drt.exact.descent import ExactDescent
from drt.exact.hypotheses import unmet
from drt.exact.network import ExactNetwork
from drt.exact.segment import Point, _roots_between
from drt.exact.surds import Undecided, ball
from drt.witness.witness import Witness
from tests.descent.test_measurement import case, exact_step, gaussian
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
    step = exact_step(net, [array([-2.0]), array([0.0])], array([1.0]), array([-10.0]))
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
    step = exact_step(net, [array([-2.0], [-4.0]), array([0.0, 0.0])], array([1.0]), array([-10.0]))
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
            step = exact_step(net, steps, x, y)
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
    step = exact_step(net, [array([1.0], [0.0])], array([1.0]), array([2.0, 2.0]))
    with ctx.workprec(128), pytest.raises(Undecided, match="trust is too close to tell"):
        unmet(("trust",), step)


def test_both_ways_agree_on_trust():
    """In floats it is certain only where it is proved exactly; and it is certain at once or twice in three of those cases."""
    certain = proved = 0
    for seed in range(60):
        depth, far = 1 + seed % 3, (1, 30)[seed % 2]
        *parts, x, y = gaussian(seed, *[(2, 2)] * (2 * depth), (1, 2), (1, 2))
        net, steps = drt.Network(parts[:depth], PHIS[seed % 2]), [(0.03, 0.3, 1.0)[seed % 3] * d for d in parts[depth:]]
        m = measure_descent(net, steps, x, MeanSquaredError(far * y))
        mine = bool(certainly_trusted(m, torch.zeros((), dtype=torch.float64)))
        with ctx.workprec(128):
            exact = unmet(("trust",), exact_step(net, steps, x, far * y)) == ""
        assert exact or not mine
        certain, proved = certain + mine, proved + exact
    assert 10 < proved < 50
    assert certain > 0.9 * proved


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("activation", ["leaky_relu:0.25", "tanh_blend:0.3", "softplus_blend:0.2"])
def test_certain_trust_survives_a_fine_grid(activation, loss):
    """Six inputs, smooth φ, softmax: where trust is certain, 2,000 points agree; it is in most of the clear cases."""
    certain = clear = 0
    for seed in range(8):
        m = measure_descent(*case(seed, activation, loss, size=0.02))
        log_c = torch.full((3,), 1.5, dtype=torch.float64)
        trusted = certainly_trusted(m, log_c)
        t = torch.logspace(-6, 0, 2000, dtype=torch.float64)[:, None].expand(-1, 3)
        log_trust = drt.log_product_minus_one(t.unsqueeze(-1) * m.delta) + log_c
        gap = (m.segment.along(t).change.amax(-1).log() - log_trust).amax(0)
        assert (gap[trusted] <= 1e-9).all()
        certain, clear = certain + int(trusted.sum()), clear + int((gap < -0.2).sum())
    assert 0.5 * clear < certain < 24


def test_planted_rates_forgotten_are_caught(monkeypatch):
    """Were the first interval's rate 0, trust would be certain of what fails near t = 0 only."""
    from drt.descent import trust as descent_trust

    net = drt.Network([array([1.0])], "identity")
    m = measure_descent(net, [array([0.5])], array([1.0]), MeanSquaredError(array([1.5])))
    zero = torch.zeros((), dtype=torch.float64)
    assert not certainly_trusted(m, zero)
    monkeypatch.setattr(descent_trust, "largest_rates", lambda e, end: 0 * m.changes.largest)
    monkeypatch.setattr(
        descent_trust, "largest_changes", lambda e, left, right: 0 * m.changes.largest.expand(len(left), 1)
    )
    assert certainly_trusted(m, zero)


def test_too_large_networks_fall_back_to_intervals(monkeypatch):
    *parts, x, y = gaussian(3, *[(3, 3)] * 4, (1, 3), (1, 3))
    net = drt.Network(parts[:2], "leaky_relu:0.25")
    with ctx.workprec(128):
        sharp = [ball(b.entries.item()) for b in exact_step(net, parts[2:], x, y).breakdown]
        monkeypatch.setattr(exact_segment, "LARGEST_DEGREE", 1)
        step = exact_step(net, parts[2:], x, y)
        assert step.pieces is None
        for a, b in zip(sharp, step.breakdown, strict=True):
            assert ball(b.entries.item()).contains(a)
            assert ball(b.entries.item()).rad() > 1e-6
        with pytest.raises(Undecided, match="certified where φ is piecewise linear"):
            unmet(("trust",), step)


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("activation", ["identity", "tanh_blend:0.1", "softplus_blend:0.1"])
def test_rates_near_the_start_are_bounded_and_sharp(activation, loss):
    """change_l(t)/t at 200 points t ≤ 10⁻⁶, 10⁻² and 1: never above the bound, which is reached to 1 % for small t."""
    for seed in range(6):
        m = measure_descent(*case(seed, activation, loss, size=0.5))
        for end in (1e-6, 1e-2, 1.0):
            t = end * (torch.arange(200, dtype=torch.float64) + 1).reshape(-1, 1).expand(-1, 3) / 200
            seen = (m.segment.along(t).change / t.unsqueeze(-1)).amax(0)
            bound = largest_rates(m.changes.enclosure, torch.full((3,), end, dtype=torch.float64))
            assert (seen <= bound * (1 + 1e-11)).all()
            if end < 1e-2:
                assert (bound <= 1.01 * seen).all()


@pytest.mark.parametrize("activation", ["tanh_blend:0.01", "softplus_blend:0.01"])
def test_the_secant_slope_lies_in_the_hull_of_slopes_but_not_at_its_end(activation):
    """[φ(z₁) − φ(z₀)]/(z₁ − z₀) is a mean of slopes: what rates multiply by, and what the slope at z₁ is not."""
    phi = drt.parse_activation(activation)
    low, high = (torch.linspace(a, b, 50, dtype=torch.float64) for a, b in ((-3, 0.5), (-2.5, 3)))
    zero = torch.zeros_like(low)
    slopes = activate(phi, Chord(low, high, zero, zero))[1].all
    for share in (0.1, 0.5, 1.0):
        step = share * (high - low)
        secant = phi.difference(low, step) / step
        assert ((secant - slopes.hull.a).abs() <= slopes.hull.e + 1e-15).all()
    there = slopes.b  # the chord's value at s = 1, where its curvature allows nothing
    assert ((secant - there).abs() > slopes.e + 1e-3).any()


def test_planted_slopes_at_t_for_secant_slopes_are_caught(monkeypatch):
    """Two scalar layers of tanh, t ≤ ½: the rate is bounded; with φ'(z(t)) for the secant slope the bound is too small."""
    rng = torch.Generator().manual_seed(361)
    *parts, x, y, scale = (torch.randn(s, generator=rng, dtype=torch.float64) for s in [(64, 1, 1)] * 6 + [(1,)])
    net, steps = drt.Network([2 * w for w in parts[:2]], "tanh_blend:0.01"), [3 * d for d in parts[2:]]
    m = measure_descent(net, steps, x, MeanSquaredError(y * 10**scale))
    t = (torch.arange(400, dtype=torch.float64) + 1).reshape(-1, 1).expand(-1, 64) / 800
    seen, end = (m.segment.along(t).change / t.unsqueeze(-1)).amax(0), torch.full((64,), 0.5, dtype=torch.float64)
    assert (seen <= largest_rates(m.changes.enclosure, end) * (1 + 1e-9)).all()
    monkeypatch.setattr(Chord, "hull", property(lambda self: self))
    assert (seen > largest_rates(m.changes.enclosure, end) * (1 + 1e-4)).any()
