"""The terms that add up to the change: against a transcription with numpy, for functions and Jacobians."""

import math

import numpy as np
import pytest
import torch

import drt
from proofs_checks.path import measured, order_of, slopes_of
from tests import high_precision as hp
from tests.instances import instance, scalars

SLOPE = 0.3


def leaky(z):
    return np.where(z > 0, z, SLOPE * z)


def slope(z):
    return np.where(z > 0, 1.0, SLOPE)


def states(ws, x):
    h, z = [x], []
    for w in ws:
        z.append(w @ h[-1])
        h.append(leaky(z[-1]))
    return h, z


def arrays(net, dws, x):
    ws, dws = ([v.numpy() for v in group] for group in (net.weights, dws))
    return ws, dws, [w + d for w, d in zip(ws, dws, strict=True)], x.numpy()


def terms_of_the_function(net, dws, x):
    """D_L W̃_L ··· D_{l+1} W̃_{l+1} D_l ΔW_l h_{l−1}, D the secant slopes."""
    ws, dws, wts, x = arrays(net, dws, x)
    (h, z), (ht, zt) = states(ws, x), states(wts, x)
    secant = [(a - b) / (p - q) for a, b, p, q in zip(ht[1:], h[1:], zt, z, strict=True)]
    found = []
    for k in range(len(ws)):
        v = secant[k] * (dws[k] @ h[k])
        for j in range(k + 1, len(ws)):
            v = secant[j] * (wts[j] @ v)
        found.append(v)
    np.testing.assert_allclose(sum(found), ht[-1] - h[-1], rtol=1e-12)
    return found, h[-1]


def terms_of_the_jacobian(net, dws, x, order):
    """Two terms a layer, from the floor of the valley: Φ̃'ΔW and (Φ̃' − Φ')W in the place of Φ'W."""
    ws, dws, wts, x = arrays(net, dws, x)
    (_, z), (_, zt) = states(ws, x), states(wts, x)
    before = [slope(v)[:, None] * w for v, w in zip(z, ws, strict=True)]
    after = [slope(v)[:, None] * w for v, w in zip(zt, wts, strict=True)]
    added = [slope(v)[:, None] * d for v, d in zip(zt, dws, strict=True)]
    turned = [(slope(v) - slope(u))[:, None] * w for u, v, w in zip(z, zt, ws, strict=True)]
    found = []
    for position, (k, _) in enumerate(order):
        later = {j for j, _ in order[position + 1 :]}
        for own in (added[k], turned[k]):
            product = np.eye(len(x))
            for j in range(len(ws)):
                product = (own if j == k else after[j] if j in later else before[j]) @ product
            found.append(product)
    j = np.linalg.multi_dot(before[::-1])
    np.testing.assert_allclose(sum(found), np.linalg.multi_dot(after[::-1]) - j, rtol=1e-12, atol=1e-12)
    return found, j


@pytest.mark.parametrize("delta", [1e-3, 2.0])
@pytest.mark.parametrize("relative", [True, False])
def test_terms_of_the_function_are_what_each_layer_adds(delta, relative):
    net, dws, x = instance(3, (2, 3, 3, 4), f"leaky_relu:{SLOPE}", delta)
    m = drt.measure(net, dws, x)
    found, f = terms_of_the_function(net, dws, x)
    terms = measured(m, relative)
    logs = terms.gains.value.sum(-1) + terms.constant.value
    size = np.linalg.norm(f) if relative else 1.0
    assert logs.exp().tolist() == pytest.approx([np.linalg.norm(v) / size for v in found], rel=1e-11)
    assert terms.kind.tolist() == [0, 0, 0]
    assert terms.log_value.exp().item() == pytest.approx(sum(np.linalg.norm(v) for v in found) / size, rel=1e-11)
    assert terms.log_value.value >= (m.log_change if relative else m.log_norm_df)


@pytest.mark.parametrize(
    ("widths", "order"),
    [
        ((4, 3, 2, 3), [(2, True), (1, False), (0, False)]),
        ((2, 3, 4), [(0, True), (1, True)]),
        ((4, 3, 2), [(1, False), (0, False)]),
    ],
)
def test_terms_of_the_jacobian_start_at_the_floor_of_the_valley(widths, order):
    net, dws, x = instance(4, widths, f"leaky_relu:{SLOPE}", 1.0)
    m = drt.measure_jacobian(net, dws, x)
    assert order_of(m) == order
    found, j = terms_of_the_jacobian(net, dws, x, order)
    terms = measured(m, True)
    logs = terms.gains.value.sum(-1) + terms.constant.value
    assert logs.exp().tolist() == pytest.approx([np.linalg.norm(v) / np.linalg.norm(j) for v in found], rel=1e-11)
    assert terms.kind.tolist() == [0, 1] * len(order)
    assert terms.order == tuple(k for k, _ in order)


def test_of_scalars_nothing_is_lost():
    """Terms of one sign: their sum is the change, and gains are δ, 1 + δ and 1 to the last digits."""
    m = scalars([3.0, 2.0], [0.3, 0.7])
    terms = measured(m, True)
    assert terms.log_value.exp().item() == pytest.approx(float(m.change), rel=1e-14)
    assert terms.gains.value.exp().flatten().tolist() == pytest.approx([0.1, 1.35, 1.0, 0.35], rel=1e-14)


@pytest.mark.parametrize("spec", ["leaky_relu:0.3", "tanh_blend:0.2", "negated:softplus_blend:0.4"])
@pytest.mark.parametrize("quantity", ["function", "jacobian"])
def test_slopes_are_known_to_within_their_errors(spec, quantity):
    """φ(z)/z and [φ(z̃) − φ(z)]/(z̃ − z), or φ'(z) and φ'(z̃) and their difference, against 360 digits."""
    net, dws, x = instance(5, (3, 4), spec, 0.2)
    m = drt.measure(net, dws, x) if quantity == "function" else drt.measure_jacobian(net, dws, x)
    found = slopes_of(m, 0)
    with hp.precision():
        z = (hp.matrix(net.weights[0]) * hp.column(x)).entries()
        zt = ((hp.matrix(net.weights[0]) + hp.matrix(dws[0])) * hp.column(x)).entries()
        for i, (a, b) in enumerate(zip(z, zt, strict=True)):
            if quantity == "function":
                true = [hp.phi(spec, a) / a, (hp.phi(spec, b) - hp.phi(spec, a)) / (b - a)]
            else:
                true = [hp.slope(spec, a), hp.slope(spec, b), hp.slope(spec, b) - hp.slope(spec, a)]
            for diagonal, value in zip(found, true, strict=quantity == "jacobian"):
                assert abs(value - float(diagonal.slopes[i])) <= float(diagonal.error[i])
                assert float(diagonal.error[i]) < 1e-11


def test_a_layer_that_does_not_move_adds_nothing():
    net, dws, x = instance(6, (3, 3, 3), "leaky_relu:0.3", 0.1)
    m = drt.measure(net, [dws[0], 0 * dws[1]], x)
    terms = measured(m, True)
    assert terms.gains.value.sum(-1)[1].item() == -math.inf
    assert torch.isfinite(terms.log_value.value)
    assert torch.isfinite(terms.log_value.error)
