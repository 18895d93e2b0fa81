"""Rounding errors of gradients, in floats and in fractions of the same numbers: below their bounds, near a kink, too."""

import pytest
import torch

import drt
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from tests.descent_cases import contained, exact_descent, gaussian, rational_rows
from tests.instances import array


def _errors_and_bounds(depth, seed, near_kink=False):
    """‖ĝ_l − g_l‖² in fractions, the bound, and ‖ĝ_l‖, at both ends; near a kink: z_2 in one unit, for all inputs."""
    shapes = [(6, 6)] * (depth - 1) + [(3, 6)]
    *parts, x, y = gaussian(seed, *shapes, *shapes, (1, 6), (1, 3))
    weights, steps = parts[:depth], [0.01 * dw for dw in parts[depth:]]
    phis = ["leaky_relu:0.25"] * (depth - 1) + ["identity"]
    if near_kink:
        weights[0][1] = weights[0][0] * (1 + 2**-52)
        weights[1][0] = array([1.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    net = drt.Network(weights, phis)
    m, exact = measure_descent(net, steps, x, MeanSquaredError(y)), exact_descent(net, steps, x, y)
    moved = [g + dg[0] for g, dg in zip(m.segment.gradients, m.segment.end.gradient_changes, strict=True)]
    for side, floats in enumerate((m.segment.gradients, moved)):
        for layer, (mine, true) in enumerate(zip(floats, exact.gradients(bool(side)), strict=True)):
            entries = zip(rational_rows(mine), true.tolist(), strict=True)
            square = sum((a - b) ** 2 for row, other in entries for a, b in zip(row, other, strict=True))
            yield square, float(m.changes.rounded.errors[side].gradients[layer]), float(m.norm_g[layer])


@pytest.mark.parametrize("depth", [2, 8, 16])
def test_rounding_errors_stay_below_their_bound(depth):
    """In floats and in fractions of the same numbers; the bound leaves digits at 16 layers, too."""
    for seed in range(5):
        for square, bound, size in _errors_and_bounds(depth, seed):
            assert contained(square, bound)
            assert bound < 1e-3 * size


def test_rounding_errors_near_a_kink_stay_below_their_bound():
    for seed in range(20):
        assert all(contained(square, bound) for square, bound, _ in _errors_and_bounds(3, seed, near_kink=True))


def test_planted_a_kink_forgotten_is_caught(monkeypatch):
    """z_2 is zero but for rounding: floats and fractions may see different slopes, which a bound without kinks misses."""
    from drt.network.activations import PiecewiseLinear

    monkeypatch.setattr(PiecewiseLinear, "slope_variation", lambda self, z, radius: torch.zeros_like(z))
    found = [contained(s, b) for seed in range(20) for s, b, _ in _errors_and_bounds(3, seed, near_kink=True)]
    assert not all(found)
