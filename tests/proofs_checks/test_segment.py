"""The loss along a segment: closed forms of scalars, finite differences, exact sums of linear networks, prescribed draws."""

from fractions import Fraction

import pytest
import torch

from proofs_checks.segment import Segment, draw, draw_trusting
from tests.instances import array


def scalar(w, dw, y, x=1.0, loss="squared"):
    return Segment([array([[w]])], [array([[dw]])], array([[x]]), array([[y]]), "identity", loss)


def test_one_scalar_by_hand():
    """½(w − y)² at w = 1, y = ¾, ΔW = −½: g = ¼, g(t) − g = −t/2, the loss goes from 1/32 to 1/32."""
    s = scalar(1.0, -0.5, 0.75)
    assert s.at_start[0].item() == 0.25
    assert s.fall.item() == 0
    assert s.slope.item() == -0.125
    assert s.cosines.item() == 1
    assert [float(n) for n in s.norms] == [0.25, 0.5, 1.0]
    t, w, change = s.along()
    torch.testing.assert_close(change[0].flatten(), -t / 2, rtol=1e-14, atol=1e-16)
    torch.testing.assert_close(s.breakdown.flatten(), 2 * t, rtol=1e-14, atol=1e-15)
    assert float(w.sum()) == pytest.approx(1, rel=1e-14)


def test_the_linear_loss_is_its_own_gradient():
    s = scalar(2.0, 1.0, 3.0, x=5.0, loss="linear")
    assert (s.loss(s.weights).item(), s.fall.item(), s.at_start[0].item()) == (30, -15, 15)
    assert s.breakdown.abs().max().item() == 0


@pytest.mark.parametrize("activation", ["identity", "tanh_blend:0.5"])
def test_gradients_are_slopes_of_the_loss(activation):
    """Central differences of 𝓛(W + tΔW): Σ⟨g_l(t), ΔW_l⟩."""
    s, h = draw(4, 3, 3, 0.5, 0, activation), 1e-5
    for t in (0.0, 0.4, 1.0):
        ends = [s.loss([w + (t + d) * dw for w, dw in zip(s.weights, s.dweights, strict=True)]) for d in (-h, h)]
        products = [(g[0] * dw).sum((-1, -2)) for g, dw in zip(s.gradients(array(t)), s.dweights, strict=True)]
        torch.testing.assert_close(sum(products), (ends[1] - ends[0]) / (2 * h), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("activation", "tolerance"), [("identity", 1e-13), ("tanh_blend:0.5", 1e-9)])
def test_the_loss_is_the_integral_of_its_slope(activation, tolerance):
    """−fall − Σ⟨g, ΔW⟩ = ∫Σ⟨g(t) − g, ΔW⟩dt: exact for polynomials, an estimate of 24 nodes for curved φ."""
    s = draw(8, 4, 3, 0.5, 1, activation)
    _, w, change = s.along()
    integrand = sum((c * dw).sum((-1, -2)) for c, dw in zip(change, s.dweights, strict=True))
    torch.testing.assert_close((w[:, None] * integrand).sum(0), -s.fall - s.slope, rtol=tolerance, atol=1e-12)


def test_the_rounding_bound_is_above_the_error_and_not_far():
    """𝓛(W) − 𝓛(W + ΔW) of a linear network in exact rationals."""
    s = draw(1, 3, 3, 1e-6, 2)
    ws, dws = ([[[Fraction(v) for v in row] for row in m[0].tolist()] for m in g] for g in (s.weights, s.dweights))
    inputs, targets = ([[Fraction(v) for v in row] for row in m[0].tolist()] for m in (s.x, s.y))

    def loss(moved):
        total = Fraction(0)
        for x, y in zip(inputs, targets, strict=True):
            h = x
            for w, dw in zip(ws, dws, strict=True):
                rows = [[a + moved * b for a, b in zip(r, d, strict=True)] for r, d in zip(w, dw, strict=True)]
                h = [sum(a * b for a, b in zip(r, h, strict=True)) for r in rows]
            total += sum((a - b) ** 2 for a, b in zip(h, y, strict=True)) / 2
        return total

    error = abs(Fraction(s.fall.item()) - (loss(0) - loss(1)))
    assert error <= Fraction(s.rounding.item()) < Fraction(s.loss(s.weights).item()) * Fraction(1, 10**11)


def test_draws_have_the_size_asked_for_and_go_half_along_the_gradient():
    s = draw(16, 3, 4, 0.25, 3)
    torch.testing.assert_close(
        s.norms[1] / s.norms[2], torch.full((16, 3), 0.25, dtype=torch.float64), rtol=1e-13, atol=0
    )
    assert (s.cosines > 0.3).all()
    assert (s.cosines < 0.99).all()
    assert torch.equal(draw(16, 3, 4, 0.25, 3).weights[0], s.weights[0])
    assert s.eta.tolist() == [0.25] * 16


@pytest.mark.parametrize("activation", ["identity", "leaky_relu:0.5"])
def test_trusting_draws_meet_deep_relative_trust_with_equality_of_both_scalars(activation):
    """Products of scalars, a linear loss: g_l(t)/g_l = Π_{k≠l}(1 − tδ_k), so the change is below Π(1 + tδ_k) − 1 and η-small."""
    s = draw_trusting(8, 3, 0.2, 4, activation)
    delta = s.norms[1] / s.norms[2]
    assert (delta <= s.eta[:, None]).all()
    t, _, _ = s.along()
    for layer in range(3):
        others = [k for k in range(3) if k != layer]
        expected = 1 - torch.stack([1 - t[:, None] * delta[:, k] for k in others]).prod(0)
        torch.testing.assert_close(s.breakdown[..., layer], expected, rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(s.cosines, torch.ones(8, 3, dtype=torch.float64))
