"""Theorem 1 with fewer powers of κ: attained as layers widen, never above Theorem 1, and no fewer powers will do."""

import math

import numpy as np
import pytest
import torch

import drt
from tests.instances import array, graded, instance, measured, scalars
from tests.theory.naive import check_formula, check_holds, check_overflow

FUNCTION, JACOBIAN = drt.claims["kappa.function"], drt.claims["kappa.jacobian"]


def function(f):
    product = np.prod([1 + f.kappa_w_dw * d for d in f.delta]) - 1
    return np.prod(np.divide(f.betas, f.alphas)) * f.kappa_w_dw**f.L * product


def jacobian(f):
    ratio = np.divide(f.betas, f.alphas)
    return f.kappa_w_dw ** (2 * f.L) * (np.prod([r * (1 + d) for r, d in zip(ratio, f.delta, strict=True)]) - 1)


def test_the_formulas():
    check_formula("kappa.function", function)
    check_formula("kappa.jacobian", jacobian)


def test_they_hold():
    check_holds("kappa.function", [(3, 3), (2, 2, 4), (1, 3, 3, 3)])
    check_holds("kappa.jacobian", [(3, 3), (4, 2, 4), (3, 2, 2, 5)])


@pytest.mark.parametrize("delta", [1e-10, 1e-3])
def test_the_function_is_attained_as_layers_widen(delta):
    """W = diag(1, κ, …, κ), ΔW ∝ diag(κ, 1, …, 1), x = e₁: κδ at rank 2, towards the bound κ²δ as the rank grows."""
    ratios = [drt.check(FUNCTION, drt.measure(*graded(2.0, n, delta))).ratio for n in (2, 16, 256)]
    assert ratios == pytest.approx([math.sqrt((4 * (n - 1) + 1) / (4 + n - 1)) / 2 for n in (2, 16, 256)], rel=1e-9)
    assert ratios[0] == pytest.approx(0.5)
    assert ratios[2] > 0.99


@pytest.mark.parametrize("depth", [1, 3])
def test_attained_by_scalars(depth):
    m = scalars([2.0] * depth, [0.5] * depth)
    j = drt.measure_jacobian(m.instance.net, m.instance.dweights, m.instance.x)
    assert drt.check(FUNCTION, m).ratio == pytest.approx(1, abs=1e-13)
    assert drt.check(JACOBIAN, j).ratio == pytest.approx(1, abs=1e-13)


def test_the_jacobian_is_attained_by_a_change_of_slope():
    """(1 + δ − α)/α against (δ − 1 + α)/α: no β/α is left over, unlike in Theorem 1."""
    net = drt.Network([array([1.0])], "leaky_relu:0.1")
    v = drt.check(JACOBIAN, drt.measure_jacobian(net, [array([-1e6])], array(-1.0)))
    assert v.ratio == pytest.approx(1, rel=1e-5)


def test_never_above_theorem_1():
    for seed, widths in enumerate([(3, 3), (2, 2, 4), (1, 3, 3, 3)]):
        for delta in (1e-9, 0.1, 10.0):
            f, js = drt.measure_all(drt.Instance(*instance(seed, widths, "leaky_relu:0.3", delta, batch=(100,))))
            assert (FUNCTION.log_value(f) <= drt.claims["theorem1.function"].log_value(f) + 1e-12).all()
            for j in js:
                assert (JACOBIAN.log_value(j) <= drt.claims["theorem1.jacobian"].log_value(j) + 1e-12).all()


def test_a_sum_in_place_of_the_product_is_caught():
    @drt.bound(hypotheses=("transmission", "conditioning-w-dw", "widths"))
    def added(m):
        return drt.sum(m.delta)

    assert drt.check(added, scalars([1, 1], [0.5, 0.5])).outcome == "violated"


def test_the_perturbed_matrix_may_be_singular():
    """W̃ = 0: the function is gone, a change of exactly 1, and the bound still holds."""
    eye = torch.eye(3, dtype=torch.float64)
    m = drt.measure(drt.Network([eye, 2 * eye], "identity"), [-eye, eye], array(1.0, 2.0, 3.0))
    assert drt.check(FUNCTION, m)
    assert drt.check("theorem1.function", m).outcome == "inapplicable"


def test_conditioning_of_the_perturbation_is_needed():
    eye = torch.eye(16, dtype=torch.float64)
    dw = torch.zeros_like(eye)
    dw[0, 0] = 0.1
    m = drt.measure(drt.Network([eye], "identity"), [dw], eye[0])
    assert drt.check(FUNCTION, m).reason.startswith("conditioning-w-dw: κ(ΔW_1) = ∞")
    of_w = drt.bound(hypotheses=())(lambda m: m.kappa_w[..., 0] ** 2 * m.delta[..., 0])
    assert drt.check(of_w, m).outcome == "violated"


def test_widths_are_needed():
    net = drt.Network([array([1.0, 0.0])], "identity")
    m = drt.measure(net, [array([0.0, 0.5])], array(1e-3, 1.0))
    assert drt.check(FUNCTION.with_hypotheses(["-widths"]), m).outcome == "violated"
    assert "widths 2-1 contract" in drt.check(FUNCTION, m).reason
    assert drt.check(FUNCTION, measured(0, (4, 2))).outcome == "inapplicable"


def test_logarithms_do_not_overflow():
    check_overflow("kappa.function")
    check_overflow("kappa.jacobian")
