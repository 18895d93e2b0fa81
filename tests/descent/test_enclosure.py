"""Enclosures over intervals of t: never below what is attained, sharp, and seen to fail."""

import pytest
import torch

import drt
from drt.descent import enclosure
from drt.descent.chords import Chord
from drt.descent.enclosure import halved, largest_changes, largest_rates, norm_lower_bound, norm_upper_bound
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from tests.descent_cases import case
from tests.instances import array


def test_a_kink_inside_the_segment_is_seen_by_the_upper_bound():
    """w₂φ(w₁x), w₁: 1 → −1 with slope ½ below 0: g_1 jumps at t = ½, and its supremum is there or at t = 1."""
    net = drt.Network([array([1.0]), array([1.0])], ["leaky_relu:0.5", "identity"])
    m = measure_descent(net, [array([-2.0]), array([0.0])], array([1.0]), MeanSquaredError(array([-10.0])))
    # g_1(t) = s(1 − 2t)·(s·(1 − 2t) + 10)-like: 11 − 2t before the kink, then ½(10 + ½(1 − 2t)).
    assert m.norm_g[0] == pytest.approx(11)
    assert m.step_change[0] == pytest.approx((11 - 0.5 * 9.5) / 11)
    assert m.changes.breakpoints.tolist() == pytest.approx([0.5], abs=1e-15)
    assert m.changes.largest_upper[0] == pytest.approx((11 - 0.5 * 9.5) / 11, rel=1e-8)
    assert m.changes.largest_upper[0] >= (11 - 0.5 * 9.5) / 11


def test_planted_narrow_intervals_are_caught(monkeypatch):
    """Were radii forgotten, the upper bound would fall below what is attained."""

    m = measure_descent(*case(2, "leaky_relu:0.1", size=0.3))
    real = enclosure.states
    monkeypatch.setattr(enclosure, "states", lambda s, left, right: real(s, (left + right) / 2, (left + right) / 2))
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)[1:, None].expand(-1, 3)
    low = torch.zeros((1, 3), dtype=torch.float64)
    assert (largest_changes(m.changes.enclosure, low, low + 1)[0] < m.segment.along(t).change.amax(0)).any()


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


def test_an_interval_with_a_kink_is_bounded_by_the_larger_side():
    """Over [0, 1] with one kink at ½: the change is 2t/11 with the old slope, up to 25/44 with the new one."""
    net = drt.Network([array([1.0]), array([1.0])], ["leaky_relu:0.5", "identity"])
    m = measure_descent(net, [array([-2.0]), array([0.0])], array([1.0]), MeanSquaredError(array([-10.0])))
    zero = torch.zeros(1, dtype=torch.float64)
    for left, right in ((0.0, 1.0), (0.25, 0.75), (0.49, 0.51)):
        t = torch.linspace(left, right, 200, dtype=torch.float64)[1:]
        seen = m.segment.along(t).change.amax(0)
        assert (seen <= largest_changes(m.changes.enclosure, zero + left, zero + right)[0] * (1 + 1e-12)).all()


@pytest.mark.parametrize("activation", ["leaky_relu:0.1", "tanh_blend:0.01", "piecewise_linear:-0.5,0.3/0.5,1,0.25"])
@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
def test_changes_over_any_interval_stay_below_their_bound(activation, loss):
    """Intervals of every length, with no kink, one or several: 60 points of each."""
    for seed in range(3):
        m = measure_descent(*case(seed, activation, loss, size=0.5))
        for left, right in ((0.0, 1.0), (0.2, 0.7), (0.5, 0.55), (0.9, 0.9001), (0.3, 0.3)):
            ends = [torch.full((1, 3), v, dtype=torch.float64) for v in (left, right)]
            t = torch.linspace(left, right, 60, dtype=torch.float64)[:, None].expand(-1, 3)
            seen, bound = m.segment.along(t).change.amax(0), largest_changes(m.changes.enclosure, *ends)[0]
            assert (seen <= bound * (1 + 1e-12)).all()
            if right - left < 1e-3:
                assert (bound <= seen * 1.01 + 1e-9).all()


def test_halves_are_those_of_the_chosen_intervals():
    left, right = array([0.0], [0.5]), array([0.5], [1.0])
    low, high = halved(left, right, torch.tensor([[1]]))
    assert low.flatten().tolist() == [0.5, 0.75]
    assert high.flatten().tolist() == [0.75, 1.0]


def test_norms_are_bounded_on_both_sides():
    """Along a chord from (3, 4) to (0, 0) norms fall from 5; a constant off by (0.3, 0.4) has at least 4.5."""
    zero = torch.zeros(1, 2, dtype=torch.float64)
    there = array([3.0, 4.0])
    assert float(norm_upper_bound(Chord(there, zero, zero, zero))) == pytest.approx(5, rel=1e-14)
    assert float(norm_lower_bound(Chord(there, there, zero, 0.1 * there))) == pytest.approx(4.5, rel=1e-14)
    assert float(norm_lower_bound(Chord(there, there, zero, 2 * there))) == 0
