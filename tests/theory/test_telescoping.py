"""One layer replaced at a time: any widths, any φ with slopes below β."""

import numpy as np
import pytest
import torch

import drt
from tests.instances import array, instance, measured, scalars
from tests.theory.naive import check_formula, check_holds, deep_measurement

CLAIM = drt.claims["telescoping.function"]


def transcription(f):
    """Σ_l Π_{k≥l} β_k · Π_{k>l} ‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖, term by term."""
    return sum(np.prod(f.betas[k:]) * np.prod(f.wt[k + 1 :]) * f.dwh[k] for k in range(f.L))


def test_the_formula():
    check_formula("telescoping.function", transcription)


def test_it_holds_for_any_widths_and_for_relu():
    check_holds(
        "telescoping.function", [(3, 3), (4, 2, 3, 1), (5, 1)], specs=("relu", "leaky_relu:0.2", "tanh_blend:0.5")
    )


@pytest.mark.parametrize("depth", [1, 2, 10])
def test_attained_by_scalars(depth):
    assert drt.check(CLAIM, scalars([2.0] * depth, [0.5] * depth)).ratio == pytest.approx(1, abs=1e-13)


def test_terms_without_the_later_layers_are_caught():
    """Σ‖ΔW_l h_{l−1}‖: what a dropped product of ‖W̃_k‖₂ would say."""
    bare = drt.bound(hypotheses=(), left="absolute")(lambda m: drt.sum(m.norm_dwh))
    assert drt.check(bare, scalars([1, 1], [0.5, 0.5])).outcome == "violated"


def test_the_perturbed_norms_are_needed():
    """‖W_k‖ in place of ‖W̃_k‖ drops the product of two perturbations."""

    @drt.bound(hypotheses=(), left="absolute")
    def unperturbed(m):
        return m.norm_w[..., 1] * m.norm_dwh[..., 0] + m.norm_dwh[..., 1]

    assert drt.check(unperturbed, scalars([1, 1], [0.5, 0.5])).outcome == "violated"


def test_a_bias_that_moves_breaks_it():
    """With biases that stay it would hold; the hypothesis keeps away those that move."""
    net = drt.Network([array([1.0])], "identity", [array(1.0)])
    m = drt.measure(net, [array([0.1])], array(1.0), dbiases=[array(1.0)])
    assert drt.check(CLAIM, m).reason == "biases: the network has biases"
    assert drt.check(CLAIM.with_hypotheses(["-biases"]), m).outcome == "violated"


def test_sharper_than_the_product_of_norms():
    m = measured(0, (4, 3, 2), "relu", batch=(100,))
    assert (CLAIM.log_value(m) <= drt.claims["norm-product.function"].log_value(m) + 1e-12).all()


def test_a_cancelled_product_is_not_taken_for_its_rounding_error():
    """ΔW₂h₁ = 0 to within rounding, and so is the change: the residues must not decide."""
    net = drt.Network([array([0.1], [0.3]), torch.eye(2, dtype=torch.float64)], "identity")
    m = drt.measure(net, [torch.zeros(2, 1, dtype=torch.float64), array([3.0, -1.0], [0.0, 0.0])], array(1.1))
    assert drt.check(CLAIM, m).outcome == "undecided"


def test_its_logarithm_does_not_overflow():
    m = deep_measurement("function")
    assert np.isfinite(float(CLAIM.log_value(m)))
    assert np.isinf(float(CLAIM.value(m)))


def test_no_perturbation_is_a_bound_of_zero():
    net, dws, x = instance(0, (2, 3))
    m = drt.measure(net, [0 * d for d in dws], x)
    assert CLAIM.value(m) == 0
    assert CLAIM.log_value(m) == -torch.inf
