"""Hypotheses of descents: constants and growth in closed form, margins that decide for certain, reasons with numbers."""

import math

import pytest
import torch

import drt
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.theory.hypotheses import hypotheses
from drt.theory.hypotheses_descent import (
    constant,
    growth,
    growth_with_constant,
    log_constant,
    mean_growth,
    trust,
    trust_with_constant,
)
from tests.descent_cases import case
from tests.instances import array


def scalar(y, dw, w=1.0):
    """½(w − y)² moved by dw: g = w − y, the change is |dw|/|g|."""
    return measure_descent(
        drt.Network([array([w])], "identity"), [array([dw])], array([1.0]), MeanSquaredError(array([y]))
    )


def test_the_constant_is_theorem_1_s_and_its_logarithm_does_not_overflow():
    """β/α = 4, κ = 3: (4·9)² for two layers; of forty layers, 36⁴⁰·… in logarithms."""
    w = torch.diag(array(1.0, 3.0))
    for depth in (2, 400):
        net = drt.Network([w] * depth, "leaky_relu:0.25")
        m = measure_descent(net, [0.01 * w] * depth, array([1.0, 0.0]), MeanSquaredError(array([0.0, 0.0])))
        assert float(log_constant(m)) == pytest.approx(depth * math.log(36), rel=1e-12)
        if depth == 2:
            assert float(constant(m)) == pytest.approx(36**2, rel=1e-12)
    relu = measure_descent(*case(0, "relu"))
    assert (log_constant(relu) == math.inf).all()


@pytest.mark.parametrize("depth", [1, 3, 16])
def test_growth_is_its_formula_and_its_mean_the_integral(depth):
    eta = array(1e-9, 0.1, 2.0)
    t = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    midpoints = ((1 + t[:, None] * eta) ** depth - 1).mean(0)
    torch.testing.assert_close(mean_growth(depth, eta)[1:], midpoints[1:], rtol=1e-8, atol=0)
    assert float(mean_growth(depth, eta)[0]) == pytest.approx(depth * 1e-9 / 2, rel=1e-6), "no digits are lost"
    m = measure_descent(*case(1))
    torch.testing.assert_close(growth(m), (1 + m.eta) ** 3 - 1, rtol=1e-12, atol=0)
    torch.testing.assert_close(growth_with_constant(m), constant(m) * growth(m), rtol=1e-14, atol=0)


def test_trust_is_the_product_at_each_point():
    m, t = measure_descent(*case(2)), torch.tensor([[0.0] * 3, [0.5] * 3], dtype=torch.float64)
    expected = (1 + t[..., None] * m.delta).prod(-1) - 1
    torch.testing.assert_close(trust(m, t), expected, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(trust_with_constant(m, t), constant(m) * expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("bracket", 0.99, 1.01),
        ("step-size", 0.99, 1.01),
        ("step-size-constant", 0.99, 1.01),
        ("step-size-mean", 1.99, 2.01),
    ],
)
def test_thresholds_are_where_they_are_said_to_be(name, inside, outside):
    """w = 1, y = 0, g = 1: the change is |ΔW| = η, its mean η/2, and cos θ = 1: bounds end at 1, the mean's at 2."""
    for size, met in ((inside, True), (outside, False)):
        m, h = scalar(0.0, -size), hypotheses[name]
        assert bool(h.met(m)) == met
        assert bool(h.certain(m)) == met, "far from the threshold it is certain"


@pytest.mark.parametrize(("name", "at"), [("bracket", 1.0), ("step-size", 1.0), ("step-size-mean", 2.0)])
def test_within_rounding_of_a_threshold_nothing_is_certain(name, at):
    m = scalar(0.0, -at * (1 - 1e-15))
    assert not hypotheses[name].certain(m)


@pytest.mark.parametrize(
    ("name", "m", "words"),
    [
        ("gradients", scalar(1.0, -0.5), "a layer's gradient is zero, or nothing moves"),
        ("bracket", scalar(0.0, -1.5), "layer 1: cos θ = 1, change in gradient 1.5"),
        ("step-size", scalar(0.0, -1.5), "η = 1.5, allowed are 1 (cos θ = 1)"),
        ("step-size-mean", scalar(0.0, -2.5), "η = 2.5: mean change 1.25, cos θ = 1"),
        ("trust", scalar(0.5, -0.5), "change in gradient 1 > 0.5 at t = 1"),
    ],
)
def test_reasons_give_the_numbers(name, m, words):
    assert not hypotheses[name].met(m)
    assert hypotheses[name].why(m, ()) == words


def test_one_input_or_a_linear_network():
    met = hypotheses["one-input"].met
    assert not met(measure_descent(*case(0))).any()
    assert met(measure_descent(*case(0, "identity"))).all()
    assert met(scalar(0.0, 0.5))


def test_layers_that_do_not_move_are_exempt():
    net, dws, x, loss = case(3, size=1e-3)
    dws[1] = torch.zeros_like(dws[1])
    still = measure_descent(net, [torch.zeros_like(dw) for dw in dws], x, loss)
    assert hypotheses["bracket"].met(still).all()
    assert not hypotheses["gradients"].met(still).any()
