"""Proposition 1: the Jacobian product is the derivative, within derived rounding bounds."""

import math

import pytest
import torch

import drt
from tests.instances import ALL, array, generator, instance, normal

WIDTHS = [(3, 3), (2, 4, 6), (6, 3, 2), (2, 5, 3), (1, 1, 1)]


@pytest.mark.parametrize("spec", ALL)
def test_it_holds(spec):
    for seed, widths in enumerate(WIDTHS):
        net, dws, x = instance(seed, widths, spec, batch=(50,))
        for layer in range(net.depth):
            verdicts = drt.check("proposition1", drt.measure_jacobian(net, dws, x, layer=layer))
            assert verdicts.count("violated") == verdicts.count("undecided") == 0
            assert verdicts.count("holds") > 0


def test_it_holds_with_biases():
    net, dws, x = instance(0, (3, 4, 2), "leaky_relu:0.1")
    net = drt.Network(net.weights, net.activations, [normal(generator(1), 4), None])
    assert drt.check("proposition1", drt.measure_jacobian(net, dws, x))


def test_its_bound_leaves_no_room():
    """A rounding bound: a relative discrepancy of 1e-12 would be seen."""
    m = drt.measure_jacobian(*instance(0, (4, 4, 4), "tanh_blend:0.5", orthogonal=True))
    claim = drt.claims["proposition1"]
    assert 1e-16 < float(claim.value(m)) < 1e-12
    assert float(claim.log_value(m)) == pytest.approx(math.log(float(claim.value(m))))


def test_at_a_kink_it_does_not_apply():
    """φ has no derivative there: autograd and closed form may take different slopes."""
    net = drt.Network([torch.eye(2, dtype=torch.float64)], "leaky_relu:0.1")
    v = drt.check("proposition1", drt.measure_jacobian(net, [torch.zeros(2, 2)], array(1.0, 0.0)))
    assert v.outcome == "inapplicable"
    assert v.reason.startswith("differentiable: a pre-activation is within its rounding error of a kink")


@pytest.mark.parametrize("wrong", ["forgets a slope", "is off by 1e-9", "is one layer too short"])
def test_a_wrong_jacobian_is_caught(monkeypatch, wrong):
    net, dws, x = instance(0, (3, 3, 3), "leaky_relu:0.1")
    right = net.jacobians(x)
    replaced = {
        "forgets a slope": lambda x: [net.weights[1] @ net.weights[0], *right[1:]],
        "is off by 1e-9": lambda x: [right[0] * (1 + 1e-9), *right[1:]],
        "is one layer too short": lambda x: [right[1], *right[1:]],
    }[wrong]
    m = drt.measure_jacobian(net, dws, x)
    monkeypatch.setattr(net, "jacobians", replaced)
    assert drt.check("proposition1", m).outcome == "violated"
