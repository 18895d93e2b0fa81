"""The difference of two networks on its way: states, Jacobians and scales against subtraction where subtraction is exact."""

import math

import pytest
import torch

import drt
from drt.measurement.propagate import LOSES_DIGITS_BELOW, backward, forward, log_norm, scale_layers
from tests.instances import ALL, array, instance


def passes(net, dws, x, dbiases=None):
    layers = scale_layers(net, dws, dbiases or (None,) * net.depth)
    states = forward(net, layers, x)
    return layers, states, backward(net, layers, states)


def moved(net, dws, dbiases=None):
    biases = (
        [None if b is None else b + db for b, db in zip(net.biases, dbiases, strict=True)] if dbiases else net.biases
    )
    return drt.Network([w + d for w, d in zip(net.weights, dws, strict=True)], net.activations, biases)


@pytest.mark.parametrize("spec", ALL)
def test_states_and_jacobians_differ_by_what_is_propagated(spec):
    """δ = 0.3: subtraction has all its digits, too."""
    net, dws, x = instance(0, (3, 4, 2, 3), spec, 0.3)
    _, states, sweep = passes(net, dws, x)
    h, ht = net.hidden_states(x), moved(net, dws).hidden_states(x)
    for k, (before, after) in enumerate(zip(h, ht, strict=True)):
        assert states.log_h[k].exp().item() == pytest.approx(before.norm().item(), rel=1e-13)
        assert states.log_dh[k].exp().item() == pytest.approx((after - before).norm().item(), rel=1e-12, abs=1e-300)
        assert states.log_change[k].exp().item() == pytest.approx(
            ((after - before).norm() / before.norm()).item(), rel=1e-12
        )
    expected = [(d @ v).norm().item() for d, v in zip(dws, h, strict=False)]
    assert states.log_dwh.exp().tolist() == pytest.approx(expected, rel=1e-13)
    pairs = zip(net.jacobians(x), moved(net, dws).jacobians(x), sweep.j, sweep.dj, sweep.exponent, strict=True)
    for before, after, j, dj, e in pairs:
        torch.testing.assert_close(j * 2.0 ** e.item(), before, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(dj * 2.0 ** e.item(), after - before, rtol=1e-11, atol=1e-13)


def test_biases_and_their_moves_are_part_of_it():
    net, dws, x = instance(1, (2, 3, 2), "tanh_blend:0.2", 0.2)
    net = drt.Network(net.weights, net.activations, [array(0.5, -1.0, 0.2), array(0.1, 0.3)])
    dbiases = [array(0.1, 0.0, -0.2), array(0.0, 0.05)]
    _, states, _ = passes(net, dws, x, dbiases)
    after = moved(net, dws, dbiases)(x)
    assert states.log_dh[-1].exp().item() == pytest.approx((after - net(x)).norm().item(), rel=1e-12)


@pytest.mark.parametrize("exponent", [-200, 150])
def test_scales_are_taken_out_and_kept_apart(exponent):
    """Depth 10, each layer 2^±200: norms of 2^±2000 that no float holds, to the last digits of their logarithm."""
    net, dws, x = instance(2, (3,) * 11, "leaky_relu:0.5", 0.1)
    scaled = drt.Network([w * 2.0**exponent for w in net.weights], net.activations)
    layers, states, sweep = passes(scaled, [d * 2.0**exponent for d in dws], x)
    plain, plain_states, _ = passes(net, dws, x)
    shift = exponent * math.log(2)
    for layer, same in zip(layers, plain, strict=True):
        assert 2.0**-64 < layer.w.norm() < 2.0**64
        torch.testing.assert_close(layer.wt, layer.w + layer.dw, rtol=0, atol=0)
        ratio = layer.w.norm() / same.w.norm() * 2.0 ** (layer.exponent - exponent).item()
        assert ratio.item() == pytest.approx(1, rel=1e-15)
    expected = plain_states.log_h + shift * torch.arange(11, dtype=torch.float64)
    torch.testing.assert_close(states.log_h, expected, rtol=1e-14, atol=0)
    torch.testing.assert_close(states.log_change, plain_states.log_change, rtol=1e-13, atol=0)
    assert all(torch.isfinite(j).all() and 2.0**-64 < j.norm() < 2.0**64 for j in sweep.j)
    assert not any(bool(v) for v in states.lost)


OVERFLOWS = {
    "z beyond range where φ is curved": ([[1e200]], [[1e190]], 1e200, "softplus_blend:0.5"),
    "Δz alone": ([[1.0]], [[1e300]], 1e20, "tanh_blend:0.5"),
    "ΔW beyond range in W's scale": ([[1e-200]], [[1e200]], 1.0, "identity"),
}
UNDERFLOWS = {
    "ΔW far below W": ([[1.0]], [[1e-170]], 1.0, "identity"),
    "z at true scale": ([[1e-160]], [[1e-170]], 1e-160, "tanh_blend:0.5"),
    "Δz at true scale": ([[1.0]], [[1e-60]], 1e-300, "tanh_blend:0.5"),
}


@pytest.mark.parametrize(
    ("w", "dw", "x", "spec"), [*OVERFLOWS.values(), *UNDERFLOWS.values()], ids=[*OVERFLOWS, *UNDERFLOWS]
)
def test_a_layer_in_which_digits_are_lost_says_so(w, dw, x, spec):
    """Whether by underflow or because a pre-activation is no number any more."""
    net = drt.Network([array(*w), array([1.0])], [spec, "identity"])
    _, states, _ = passes(net, [array(*dw), array([0.0])], array(x))
    assert bool(states.lost[0])
    fine = drt.Network([array([1.0]), array([1.0])], [spec, "identity"])
    _, states, _ = passes(fine, [array([0.1]), array([0.0])], array(1.0))
    assert [bool(v) for v in states.lost] == [False, False]


@pytest.mark.parametrize(("bias", "dbias"), [(1e200, 1e-200), (0.0, 5e-324)])
def test_a_bias_move_that_vanishes_in_the_scale_of_its_layer_is_lost(bias, dbias):
    net = drt.Network([array([1e200])], "identity", [array(bias)])
    _, states, _ = passes(net, [array([0.0])], array(1.0), [array(dbias)])
    assert bool(states.lost[0])


def test_zero_has_a_logarithm():
    assert log_norm(array([0.0, 0.0], [3.0, 4.0])).tolist() == [-math.inf, pytest.approx(math.log(5))]
    assert 0 < LOSES_DIGITS_BELOW**2 < 5e-300
