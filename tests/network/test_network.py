"""Jacobians against autograd, conversion from and to torch, batches against loops."""

import numpy as np
import pytest
import torch

import drt
from tests.instances import ALL, array, generator, instance, normal

WIDTHS = [(3, 3), (2, 4, 6), (6, 3, 2), (5, 2, 4), (2, 5, 3), (1, 1, 1, 1), (4, 1, 3)]


def torch_phi(spec):
    """φ by torch's own modules where it has one: dead units put pre-activations at the kink, where conventions matter."""
    if spec.startswith("negated:"):
        return lambda z: -torch_phi(spec.removeprefix("negated:"))(z)
    return drt.parse_activation(spec).module()


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("spec", ALL)
def test_jacobians_are_those_of_autograd(spec, widths):
    """J_0 … J_L in one sweep (Proposition 1), every width pattern, every φ."""
    net, _, x = instance(len(widths), widths, spec)
    states, jacobians = net.hidden_states(x), net.jacobians(x)
    assert [tuple(j.shape) for j in jacobians] == [(widths[-1], n) for n in widths]
    for layer in range(len(widths)):

        def above(h, layer=layer):
            for k in range(layer + 1, net.depth + 1):
                h = torch_phi(spec)(h @ net.weights[k - 1].mT)
            return h

        expected = torch.autograd.functional.jacobian(above, states[layer])
        torch.testing.assert_close(jacobians[layer], expected, rtol=1e-13, atol=1e-14)


def test_the_jacobian_at_the_output_is_the_identity():
    net, _, x = instance(0, (3, 2), batch=(4,))
    assert torch.equal(net.jacobians(x)[-1], torch.eye(2, dtype=torch.float64).expand(4, 2, 2))


def test_layers_may_differ_and_have_biases():
    """By hand: a leaky layer with a bias, then a linear one without."""
    net = drt.Network(
        [array([2.0], [1.0]), array([1.0, -3.0])], ["leaky_relu:0.5", drt.identity], [array(-1.0, 0.0), None]
    )
    assert net(array(-1.0)).tolist() == [-1.5 + 1.5]
    assert net(array(2.0)).tolist() == [3.0 - 6.0]
    assert net.jacobians(array(-1.0))[0].tolist() == [[0.5 * 2 - 3 * 0.5]]
    assert (net.alpha, net.beta, net.widths, net.depth, net.has_biases) == (0.5, 1.0, (1, 2, 1), 2, True)


@pytest.mark.parametrize(
    ("weights", "inputs", "batch"), [((), (7,), (7,)), ((5,), (), (5,)), ((5, 1), (7,), (5, 7)), ((5,), (5,), (5,))]
)
def test_batches_agree_with_a_loop(weights, inputs, batch):
    """Shared W for many x, many W for one x, and both."""
    net, _, _ = instance(1, (3, 4, 2), batch=weights)
    x = normal(generator(2), *inputs, 3)
    out, jacobians = net(x), net.jacobians(x)
    assert out.shape == (*batch, 2)
    for index in np.ndindex(*batch):
        ws = [w.expand(*batch, *w.shape[-2:])[index] for w in net.weights]
        one = drt.Network(ws, "leaky_relu:0.5")
        xi = x.expand(*batch, 3)[index]
        torch.testing.assert_close(out[index], one(xi), rtol=1e-14, atol=1e-15)
        for a, b in zip(jacobians, one.jacobians(xi), strict=True):
            torch.testing.assert_close(a[index], b, rtol=1e-14, atol=1e-15)


def test_batches_of_biases_are_batches_of_networks():
    net = drt.Network([array([1.0])], "identity", [array([1.0], [2.0])])
    assert net.batch_shape == (2,)
    assert net(array(1.0)).tolist() == [[2.0], [3.0]]


@pytest.mark.parametrize("spec", [*ALL, "piecewise_linear:0.0/3.0,1.0"])
@pytest.mark.parametrize("bias", [False, True])
def test_torch_and_back(spec, bias):
    """The same numbers out of the torch modules, the same network back from them."""
    net, _, x = instance(3, (3, 4, 2), spec)
    net = drt.Network(net.weights, [spec, "identity"], [array(*range(4)) / 7, None] if bias else None)
    model = net.to_torch()
    torch.testing.assert_close(model(x), net(x), rtol=1e-14, atol=1e-15)
    back = drt.Network.from_torch(model)
    assert [a.spec for a in back.activations] == [spec, "identity"]
    assert all(torch.equal(a, b) for a, b in zip(net.weights, back.weights, strict=True))
    assert torch.equal(back(x), net(x))
    assert back.has_biases == bias


def test_from_torch_copies_as_float64_and_fills_in_the_identity():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LeakyReLU(0.1), torch.nn.Linear(3, 1, bias=False))
    net = drt.Network.from_torch(model)
    assert [a.spec for a in net.activations] == ["leaky_relu:0.1", "identity"]
    x = array(1.0, -2.0)
    torch.testing.assert_close(net(x), model.double()(x).detach(), rtol=1e-6, atol=1e-7)
    before = net.weights[0].clone()
    with torch.no_grad():
        model[0].weight.zero_()
    assert torch.equal(net.weights[0], before)
    assert net.weights[0].dtype == torch.float64


def test_arrays_lists_and_float32_are_taken_as_float64():
    expected = drt.Network([array([1.5, 2.0])], "identity")(array(1.0, 1.0))
    for w in (np.array([[1.5, 2.0]]), [[1.5, 2.0]], torch.tensor([[1.5, 2.0]]), np.array([[1.5, 2.0]], np.float32)):
        assert torch.equal(drt.Network([w], "identity")(np.ones(2)), expected)


def test_its_repr_says_what_it_is():
    net, _, _ = instance(0, (2, 3), batch=(4,))
    assert repr(net) == "Network(widths=(2, 3), activation=leaky_relu:0.5, batch=(4,))"
