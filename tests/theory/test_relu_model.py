"""Theorem 1 with α = β = ½ for ReLU: a model, refuted by two neurons."""

import numpy as np
import pytest
import torch

import drt
from tests.instances import array, instance, measured, scalars
from tests.theory.naive import check_overflow, facts

FUNCTION, JACOBIAN = drt.claims["relu-model"], drt.claims["relu-model.jacobian"]
# Conditioned as well as can be: W = I, ΔW a quarter turn scaled by δ, so κ(W̃) = 1 too.
NET = drt.Network([torch.eye(2, dtype=torch.float64)], "relu")
TURN = 0.1 * array([0.0, -1.0], [1.0, 0.0])


def test_the_formulas():
    """κ^{2L}[Π(1 + δ) − 1]: β/α = 1 put in."""
    net, dws, x = instance(4, (2, 3, 4), "relu", batch=())
    for claim, m in ((FUNCTION, drt.measure(net, dws, x)), (JACOBIAN, drt.measure_jacobian(net, dws, x))):
        f = facts(net, dws, x)
        expected = f.kappa ** (2 * f.L) * (np.prod([1 + d for d in f.delta]) - 1)
        assert float(claim.value(m)) == pytest.approx(expected, rel=1e-9)
        assert float(claim.log_value(m)) == pytest.approx(np.log(expected), rel=1e-9)


def test_two_neurons_refute_it_for_the_function():
    """The live neuron is nearly dead, the perturbation feeds it from the dead one: 100 against 0.1."""
    v = drt.check(FUNCTION, drt.measure(NET, [TURN], array(1e-3, -1.0)))
    assert v.outcome == "violated"
    assert (v.lhs, v.rhs) == pytest.approx((100, 0.1))


def test_two_neurons_refute_it_for_the_jacobian():
    """A neuron wakes up: J gains a row as large as the one it had, 1 against 0.1."""
    v = drt.check(JACOBIAN, drt.measure_jacobian(NET, [TURN], array(1.0, -1e-3)))
    assert v.outcome == "violated"
    assert (v.lhs, v.rhs) == pytest.approx((np.sqrt(1 + 2 * 0.01), 0.1), rel=1e-2)


def test_it_often_holds_all_the_same():
    """Random networks do not refute it: what makes it a tempting model."""
    verdicts = drt.check(FUNCTION, measured(0, (4, 4, 4), "relu", batch=(500,)))
    assert verdicts.count("violated") == 0
    assert verdicts.count("holds") > 400


@pytest.mark.parametrize("activation", ["leaky_relu:0.5", ["identity", "identity"], ["relu", "leaky_relu:0.5"]])
def test_it_is_about_relu_only(activation):
    v = drt.check(FUNCTION, measured(0, (2, 2, 2), activation))
    assert v.outcome == "inapplicable"


def test_a_linear_last_layer_is_allowed():
    assert drt.check(FUNCTION, measured(0, (2, 3, 3), ["relu", "identity"], delta=1e-3)).outcome == "holds"


def test_attained_where_nothing_is_dead():
    """Positive scalars: ReLU is the identity there."""
    assert drt.check(FUNCTION, scalars([1, 1], [0.5, 0.5], "relu")).ratio == pytest.approx(1, abs=1e-13)


def test_logarithms_do_not_overflow():
    check_overflow("relu-model")
    check_overflow("relu-model.jacobian")
