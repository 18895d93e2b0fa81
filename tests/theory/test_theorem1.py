"""Theorem 1, corrected and as stated: holds, gap known, and every hypothesis needed."""

import math

import numpy as np
import pytest
import torch

import drt
from tests.instances import array, graded, instance, measured, scalars
from tests.theory.naive import check_formula, check_holds, check_overflow

FUNCTION, JACOBIAN = drt.claims["theorem1.function"], drt.claims["theorem1.jacobian"]
EYE = torch.eye(2, dtype=torch.float64)


def function(f):
    """As printed in the paper, with a β_l/α_l for every layer."""
    product = np.prod([1 + d for d in f.delta]) - 1
    return np.prod(np.divide(f.betas, f.alphas)) * f.kappa ** (2 * f.L) * product


def jacobian(f):
    ratio = np.divide(f.betas, f.alphas)
    product = np.prod([r * (1 + d) for r, d in zip(ratio, f.delta, strict=True)]) - 1
    return np.prod(ratio) * f.kappa ** (2 * f.L) * product


@pytest.mark.parametrize("suffix", ["", ".as-stated"])
def test_the_formulas_are_the_papers(suffix):
    check_formula(f"theorem1.function{suffix}", function)
    check_formula(f"theorem1.jacobian{suffix}", jacobian)


def test_the_function_holds():
    check_holds("theorem1.function", [(3, 3), (2, 2, 4), (1, 3, 3, 3)])
    check_holds("theorem1.function", [(4, 4, 4), (2, 8)], orthogonal=True)


def test_the_jacobian_holds():
    check_holds("theorem1.jacobian", [(3, 3), (4, 2, 4), (3, 2, 2, 5)])
    check_holds("theorem1.jacobian", [(4, 4, 4), (8, 2)], orthogonal=True)


@pytest.mark.parametrize("depth", [1, 2, 5, 20])
@pytest.mark.parametrize("delta", [1e-12, 0.1, 10.0])
def test_attained_by_scalars(depth, delta):
    """n = 1, φ = identity, one sign: both sides are Π(1 + δ) − 1."""
    m = scalars([2.0] * depth, [2.0 * delta] * depth)
    assert drt.check(FUNCTION, m).ratio == pytest.approx(1, abs=1e-12)
    j = drt.measure_jacobian(m.instance.net, m.instance.dweights, m.instance.x)
    assert drt.check(JACOBIAN, j).ratio == pytest.approx(1, abs=1e-12)


def test_a_sum_in_place_of_the_product_is_caught_there():
    @drt.bound()
    def added(m):
        return (m.beta / m.alpha * m.kappa**2) ** m.depth * drt.sum(m.delta)

    assert drt.check(added, scalars([1, 1], [0.5, 0.5])).outcome == "violated"
    assert drt.check(added, measured(0, (4, 4), batch=(200,))).count("violated") == 0  # sampling is not enough


def test_slopes_are_attained_by_a_change_of_sign():
    """From slope α to slope β: ratio 1 − (1 − α)/δ for the function; for the Jacobian β/α is left over."""
    alpha, delta = 0.1, 1e6
    net, dws = drt.Network([array([1.0])], drt.leaky_relu(alpha)), [array([-delta])]
    f = drt.check(FUNCTION, drt.measure(net, dws, array(-1.0)))
    assert f.ratio == pytest.approx(1 - (1 - alpha) / delta, rel=1e-9)
    j = drt.check(JACOBIAN, drt.measure_jacobian(net, dws, array(-1.0)))
    assert j.ratio == pytest.approx(alpha, rel=1e-5)


@pytest.mark.parametrize(("n", "kappa"), [(2, 3.0), (8, 3.0), (64, 2.0), (256, 2.0)])
def test_kappa_squared_needs_wide_layers(n, kappa):
    """The graded construction: κ√(((r − 1)κ² + 1)/(κ² + r − 1))·δ, which tends to κ²δ only as r → ∞."""
    v = drt.check(FUNCTION, drt.measure(*graded(kappa, n, 1e-3)))
    gain = kappa * math.sqrt(((n - 1) * kappa**2 + 1) / (kappa**2 + n - 1))
    assert v.outcome == "holds"
    assert v.lhs == pytest.approx(gain * 1e-3, rel=1e-12)
    assert v.ratio > (0.98 if n == 256 else 0)
    # One power of κ less is refuted as soon as r > 2.
    one = drt.bound()(lambda m: m.kappa * m.delta[..., 0])
    assert drt.check(one, drt.measure(*graded(kappa, n, 1e-3))).outcome == ("undecided" if n == 2 else "violated")


def test_a_wide_layer_breaks_the_function_as_stated():
    """H3 is needed: W = (1 0) is perfectly conditioned and still kills a direction. Ratio 500 against 0.5."""
    m = drt.measure(drt.Network([array([1.0, 0.0])], "identity"), [array([0.0, 0.5])], array(1e-3, 1.0))
    v = drt.check("theorem1.function.as-stated", m)
    assert v.outcome == "violated"
    assert (v.lhs, v.rhs) == pytest.approx((500, 0.5))
    assert drt.check(FUNCTION, m).reason == "widths: widths 2-1 contract, but n_0 ≤ n_1 ≤ … ≤ n_L is asked"


def test_a_bulge_breaks_the_jacobian_as_stated():
    """1-2-1: J_0 = W_2 W_1 nearly vanishes though every κ is 1."""
    net = drt.Network([array([1.0], [0.0]), array([1e-3, 1.0])], "identity")
    j = drt.measure_jacobian(net, [array([0.0], [0.5]), array([0.0, 0.0])], array(1.0))
    assert j.kappa == pytest.approx(1)
    v = drt.check("theorem1.jacobian.as-stated", j)
    assert v.outcome == "violated"
    assert v.lhs == pytest.approx(500)
    assert "1-2-1 do not form a valley" in drt.check(JACOBIAN, j).reason


def test_conditioning_of_the_perturbation_is_needed():
    """W = I_16, ΔW = 0.1 e₁e₁ᵀ, x = e₁: 0.1 > 0.030 with the κ of W."""
    eye = torch.eye(16, dtype=torch.float64)
    dw = torch.zeros_like(eye)
    dw[0, 0] = 0.1
    m = drt.measure(drt.Network([eye], "identity"), [dw], eye[0])

    @drt.bound(hypotheses=("transmission", "widths"))
    def with_kappa_of_w(m):
        return (m.beta / m.alpha * drt.maximum(m.kappa_w) ** 2) ** m.depth * drt.product_minus_one(m.delta)

    v = drt.check(with_kappa_of_w, m)
    assert v.outcome == "violated"
    assert (round(v.lhs, 12), round(v.rhs, 12)) == (0.1, 0.025)
    assert drt.check(FUNCTION, m).reason.startswith("conditioning: κ(ΔW_1) = ∞")
    # Without the hypothesis κ is infinite, and so is the bound: it says nothing.
    assert drt.check(FUNCTION.with_hypotheses(["-conditioning"]), m).outcome == "undecided"


def test_transmission_is_needed():
    """With β/α = 1 put in, a kink breaks it: κ = 1, and the bound is δ."""
    bent = drt.bound(hypotheses=("conditioning", "widths"))(lambda m: m.kappa**2 * m.delta[..., 0])
    net = drt.Network([EYE], "leaky_relu:0.01")
    m = drt.measure(net, [array([0.0, -2.0], [2.0, 0.0])], array(-1.0, -1.0))
    assert drt.check(bent, m).outcome == "violated"
    assert drt.check(FUNCTION, m).outcome == "holds"


def test_biases_must_be_absent():
    """W = 1, b = −0.999: the output nearly cancels, δ knows nothing of it."""
    net = drt.Network([array([1.0])], "identity", [array(-0.999)])
    m = drt.measure(net, [array([0.01])], array(1.0))
    assert drt.check(FUNCTION, m).reason == "biases: the network has biases"
    assert drt.check(FUNCTION.with_hypotheses(["-biases"]), m).outcome == "violated"


def test_logarithms_do_not_overflow():
    for claim in ("theorem1.function", "theorem1.jacobian"):
        check_overflow(claim)


def test_the_jacobians_bound_does_not_vanish_with_the_perturbation():
    """β > α: slopes may jump at any perturbation, so something is left at ΔW = 0."""
    net, dws, x = instance(0, (2, 2), "leaky_relu:0.5")
    j = drt.measure_jacobian(net, [0 * d for d in dws], x)
    assert j.change == 0
    assert float(JACOBIAN.value(j)) >= 2
