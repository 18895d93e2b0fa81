"""A segment against automatic differentiation and against quadrature; small steps lose no digits."""

import mpmath
import numpy as np
import pytest
import torch

import drt
from drt.descent.losses import Custom, MeanSquaredError
from drt.descent.measurement import measure_descent
from tests.descent_cases import (
    ACTIVATIONS,
    case,
)
from tests.instances import array


def by_autograd(net, dweights, x, loss, t):
    weights = [(w + t * dw).requires_grad_() for w, dw in zip(net.weights, dweights, strict=True)]
    h = x
    for w, b, phi in zip(weights, net.biases, net.activations, strict=True):
        h = phi(h @ w.mT + (0 if b is None else b))
    value = (loss if hasattr(loss, "difference") else Custom(loss))(h)
    return value.detach(), torch.autograd.grad(value.sum(), weights)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("loss", ["mse", "cross-entropy", "custom"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_and_their_changes_are_those_of_autograd(activation, loss, biases):
    parts = case(1, activation, loss, biases=biases)
    m = measure_descent(*parts)
    value, gradients = by_autograd(*parts, 0.0)
    for t in (0.3, 1.0):
        found = m.segment.along(torch.full((1, 3), t, dtype=torch.float64))
        moved, there = by_autograd(*parts, t)
        torch.testing.assert_close(found.loss_change[0], moved - value, rtol=1e-10, atol=1e-13)
        for g, g0, dg, g1 in zip(m.segment.gradients, gradients, found.gradient_changes, there, strict=True):
            torch.testing.assert_close(g, g0, rtol=1e-10, atol=1e-13)
            torch.testing.assert_close(dg[0], g1 - g0, rtol=1e-10, atol=1e-13)
    sizes = [g.norm(dim=(-1, -2)) * d.norm(dim=(-1, -2)) for g, d in zip(gradients, parts[1], strict=True)]
    inner = [-(g * d).sum((-1, -2)) / size for g, d, size in zip(gradients, parts[1], sizes, strict=True)]
    torch.testing.assert_close(m.cosines, torch.stack(inner, -1), equal_nan=True)  # dead ReLUs have no gradient
    torch.testing.assert_close(m.slope, sum((g * d).sum((-1, -2)) for g, d in zip(gradients, parts[1], strict=True)))


def test_small_steps_lose_no_digits():
    """f = w₂w₁x, 𝓛 = ½(f − y)², w = (2, 3), x = 1, y = 5: all changes are polynomials in δ; relative error 1e-14 at 1e-9."""
    d = 1e-9
    net = drt.Network([array([2.0]), array([3.0])], "identity")
    m = measure_descent(net, [array([d]), array([d])], array([1.0]), MeanSquaredError(array([5.0])))
    with mpmath.workdps(40):
        d = mpmath.mpf(d)
        r, r1 = 6 - 5, (2 + d) * (3 + d) - 5
        assert float(-m.fall) == pytest.approx(float((r1**2 - r**2) / 2), rel=1e-14)
        assert m.step_change.tolist() == pytest.approx(
            [float((r1 * (3 + d) - 3) / 3), float((r1 * (2 + d) - 2) / 2)], rel=1e-14
        )


@pytest.mark.parametrize("activation", ["identity", "tanh_blend:0.3"])
def test_lemma_1_as_an_identity(activation):
    """𝓛(1) − 𝓛(0) = ∫₀¹ Σ⟨g_l(t), ΔW_l⟩ dt by quadrature; 20 nodes against 10 say how well."""

    parts = case(3, activation, "cross-entropy", size=0.05)
    m = measure_descent(*parts)
    integrals = []
    for count in (10, 20):
        nodes, weights = np.polynomial.legendre.leggauss(count)
        t = torch.from_numpy((nodes + 1) / 2)[:, None].expand(-1, 3)
        changes = m.segment.along(t).gradient_changes
        slope = sum((c * dw).sum((-1, -2)) for c, dw in zip(changes, parts[1], strict=True))
        integrals.append((torch.from_numpy(weights / 2)[:, None] * slope).sum(0))
    error = (integrals[1] - integrals[0]).abs() + 1e-15
    assert ((m.excess - integrals[1]).abs() <= 10 * error).all()
    assert (error < 1e-8 * integrals[1].abs()).all()


def test_gamma_of_many_inputs_is_that_of_the_end_to_end_gradient():
    """M = Σ_i ∂𝓛/∂f_i·x_iᵀ, by differentiating 𝓛(f(x) + Ax) with respect to A at 0."""
    net, dweights, x, loss = case(5, "identity", "cross-entropy", size=0.3)

    def end_to_end(weights):
        a = torch.zeros(3, 3, 4, dtype=torch.float64, requires_grad=True)
        h = x
        for w in weights:
            h = h @ w.mT
        return torch.autograd.grad(loss(h + x @ a.mT).sum(), a)[0]

    before = end_to_end(net.weights)
    after = end_to_end([w + dw for w, dw in zip(net.weights, dweights, strict=True)])
    expected = (after - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)
    torch.testing.assert_close(measure_descent(net, dweights, x, loss).gamma, expected, rtol=1e-10, atol=0)
