"""The product of the norms: any widths, any φ with slopes below β."""

import numpy as np
import pytest

import drt
from tests.instances import array, scalars
from tests.theory.naive import check_formula, check_holds, check_overflow

CLAIM = drt.claims["norm-product.function"]


def transcription(f):
    return np.prod(f.betas) * np.prod(f.w) * f.x * (np.prod([1 + r for r in f.rho]) - 1)


def test_the_formula():
    check_formula("norm-product.function", transcription)


def test_it_holds_for_any_widths_and_for_relu():
    check_holds(
        "norm-product.function", [(3, 3), (4, 2, 3, 1), (5, 1)], specs=("relu", "leaky_relu:0.2", "tanh_blend:0.5")
    )


@pytest.mark.parametrize("depth", [1, 2, 10])
@pytest.mark.parametrize("scale", [1e-80, 1.0, 1e80])
def test_attained_by_scalars(depth, scale):
    """At any scale: x, W and ΔW enter through their norms."""
    m = scalars([2.0 * scale] * depth, [0.5 * scale] * depth, x=1 / scale)
    assert drt.check(CLAIM, m).ratio == pytest.approx(1, abs=1e-12)
    assert drt.check(CLAIM, m).outcome == "undecided"


def test_a_larger_slope_is_paid_for():
    """β = 2, attained; without β^L it is caught."""
    m = scalars([1.0, 1.0], [0.5, 0.5], "piecewise_linear:/2.0")
    assert drt.check(CLAIM, m).ratio == pytest.approx(1, abs=1e-13)
    free = drt.bound(hypotheses=(), left="absolute")(
        lambda m: drt.prod(m.norm_w) * m.norm_x * drt.product_minus_one(m.rho)
    )
    assert drt.check(free, m).outcome == "violated"


def test_a_sum_in_place_of_the_product_is_caught():
    added = drt.bound(hypotheses=(), left="absolute")(lambda m: drt.prod(m.norm_w) * m.norm_x * drt.sum(m.rho))
    assert drt.check(added, scalars([1, 1], [0.5, 0.5])).outcome == "violated"


def test_biases_must_be_absent():
    """A bias of 100 makes h_1 a hundred times ‖W_1‖‖x‖, and ΔW_2 acts on h_1."""
    net = drt.Network([array([1.0]), array([1.0])], "identity", [array(100.0), None])
    m = drt.measure(net, [array([0.0]), array([0.1])], array(1.0))
    assert drt.check(CLAIM, m).reason == "biases: the network has biases"
    assert drt.check(CLAIM.with_hypotheses(["-biases"]), m).outcome == "violated"


def test_its_logarithm_does_not_overflow():
    check_overflow("norm-product.function")
