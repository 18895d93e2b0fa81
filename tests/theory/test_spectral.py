"""Bounds in spectral norms: attained with rank-one perturbations, sharper than Theorem 1, each factor needed."""

import numpy as np
import pytest
import torch

import drt
from tests.instances import array, instance, measured, scalars
from tests.theory.naive import check_formula, check_holds, check_overflow

FUNCTION, JACOBIAN = drt.claims["spectral.function"], drt.claims["spectral.jacobian"]


def function(f):
    factors = np.divide(f.betas, f.alphas) * np.array(f.kappas)
    return np.prod(factors) * (np.prod([1 + r for r in f.rho]) - 1)


def jacobian(f):
    ratio = np.divide(f.betas, f.alphas)
    return np.prod(f.kappas) * (np.prod([q * (1 + r) for q, r in zip(ratio, f.rho, strict=True)]) - 1)


def test_the_formulas():
    check_formula("spectral.function", function)
    check_formula("spectral.jacobian", jacobian)


def test_they_hold():
    check_holds("spectral.function", [(3, 3), (2, 2, 4), (1, 3, 3, 3)])
    check_holds("spectral.jacobian", [(3, 3), (4, 2, 4), (3, 2, 2, 5)])


@pytest.mark.parametrize("kappa", [1.0, 3.0, 1e4])
@pytest.mark.parametrize("rho", [1e-12, 0.1, 10.0])
def test_the_function_is_attained_by_rank_one(kappa, rho):
    """W = diag(1, κ), ΔW = κρ e₁e₁ᵀ, x = e₁: signal through s_min, error as large as ‖W‖₂ allows."""
    net = drt.Network([torch.diag(array(1.0, kappa))], "identity")
    v = drt.check(FUNCTION, drt.measure(net, [torch.diag(array(kappa * rho, 0.0))], array(1.0, 0.0)))
    assert v.lhs == pytest.approx(kappa * rho, rel=1e-12)
    assert v.ratio == pytest.approx(1, rel=1e-9)
    assert v.outcome == "undecided"


@pytest.mark.parametrize("depth", [1, 2, 10])
def test_attained_by_scalars(depth):
    m = scalars([-2.0] * depth, [-0.5] * depth)
    j = drt.measure_jacobian(m.instance.net, m.instance.dweights, m.instance.x)
    assert drt.check(FUNCTION, m).ratio == pytest.approx(1, abs=1e-13)
    assert drt.check(JACOBIAN, j).ratio == pytest.approx(1, abs=1e-13)


def test_the_jacobians_slopes_are_attained_by_a_change_of_sign():
    net = drt.Network([array([1.0])], "leaky_relu:0.1")
    v = drt.check(JACOBIAN, drt.measure_jacobian(net, [array([-1e6])], array(-1.0)))
    assert v.ratio == pytest.approx(1, rel=1e-5)


def test_a_sum_in_place_of_the_product_is_caught():
    @drt.bound(hypotheses=("transmission", "conditioning-w", "widths"))
    def added(m):
        return drt.prod(m.betas / m.alphas * m.kappa_w) * drt.sum(m.rho)

    assert drt.check(added, scalars([1, 1], [0.5, 0.5])).outcome == "violated"


@pytest.mark.parametrize("dropped", ["kappa", "slopes"])
def test_no_factor_can_go(dropped):
    """Without κ(W) the rank-one construction, without β/α a sign flip breaks it."""
    factors = {"kappa": lambda m: m.betas / m.alphas, "slopes": lambda m: m.kappa_w}[dropped]
    less = drt.bound(hypotheses=())(lambda m: drt.prod(factors(m)) * drt.product_minus_one(m.rho))
    if dropped == "kappa":
        net, dw, x = (
            drt.Network([torch.diag(array(1.0, 2.0))], "identity"),
            torch.diag(array(0.2, 0.0)),
            array(1.0, 0.0),
        )
    else:
        net, dw, x = drt.Network([array([1.0])], "leaky_relu:0.1"), array([-3.0]), array(-1.0)
    m = drt.measure(net, [dw], x)
    assert drt.check(less, m).outcome == "violated"
    assert drt.check(FUNCTION, m).outcome in ("holds", "undecided")


def test_rank_one_perturbations_are_fine():
    """Gradients are: Theorem 1 says nothing of them."""
    net, dws, x = instance(0, (3, 3, 3), "leaky_relu:0.5", batch=(30,))
    m = drt.measure(net, [d[..., :1] * d[..., :1, :] for d in dws], x)
    assert drt.check(FUNCTION, m).count("holds") == 30
    assert drt.check("theorem1.function", m).count("inapplicable") == 30


def test_conditioning_of_w_is_needed():
    """A singular W: κ = ∞, and with κ over the non-zero singular values the bound is false."""
    net = drt.Network([torch.diag(array(1.0, 0.0))], "identity")
    m = drt.measure(net, [torch.diag(array(0.0, 0.5))], array(1e-3, 1.0))
    assert drt.check(FUNCTION, m).reason.startswith("conditioning-w: κ(W_1) = ∞")
    on_the_range = drt.bound(hypotheses=())(lambda m: m.rho[..., 0])
    assert drt.check(on_the_range, m).outcome == "violated"


def test_widths_are_needed():
    m = drt.measure(drt.Network([array([1.0, 0.0])], "identity"), [array([0.0, 0.5])], array(1e-3, 1.0))
    assert drt.check(FUNCTION.with_hypotheses(["-widths"]), m).outcome == "violated"
    net = drt.Network([array([1.0], [0.0]), array([1e-3, 1.0])], "identity")
    j = drt.measure_jacobian(net, [array([0.0], [0.5]), array([0.0, 0.0])], array(1.0))
    assert drt.check(JACOBIAN.with_hypotheses(["-widths"]), j).outcome == "violated"
    assert drt.check(JACOBIAN, j).outcome == "inapplicable"


def test_transmission_is_needed():
    """A dead ReLU wakes up: f is small, f̃ is not; with β alone in place of β/α the bound is false."""
    m = drt.measure(
        drt.Network([torch.eye(2, dtype=torch.float64)], "relu"), [array([0.0, 0.0], [2.0, 0.0])], array(0.1, -0.1)
    )
    assert drt.check(FUNCTION, m).reason.startswith("transmission: α = 0.0")
    net = drt.Network([torch.eye(2, dtype=torch.float64)], "relu")
    m = drt.measure(net, [array([0.0, -0.5], [0.0, 0.0])], array(1e-3, -1.0))
    assert drt.check(drt.bound(hypotheses=())(lambda m: m.kappa_w[..., 0] * m.rho[..., 0]), m).outcome == "violated"


def test_sharper_than_theorem_1():
    m = measured(0, (3, 3, 3), "leaky_relu:0.5", batch=(100,))
    assert (FUNCTION.log_value(m) <= drt.claims["theorem1.function"].log_value(m)).all()


def test_logarithms_do_not_overflow():
    check_overflow("spectral.function")
    check_overflow("spectral.jacobian")
