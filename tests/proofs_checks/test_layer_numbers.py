"""The layers' numbers in logarithms: their values, their order, and errors that reach the true ones."""

import math

import pytest
import torch
from flint import arb

import drt
from proofs_checks.layer_numbers import layer_numbers
from tests import high_precision as hp
from tests.instances import instance

SPECS = ["leaky_relu:0.5", "piecewise_linear:0.0/0.25,2.0", "identity"]


@pytest.mark.parametrize("scale", [1e-120, 1.0, 1e120])
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_they_are_the_logarithms_of_what_they_say_to_within_their_errors(order, scale):
    net, dws, x = instance(0, (2, 3, 3, 4), SPECS, 0.1, scale=scale)
    numbers = layer_numbers(drt.measure(net, dws, x), order)
    with hp.precision():
        for column, k in enumerate(order):
            w, dw = hp.matrix(net.weights[k]), hp.matrix(dws[k])
            (s_max, s_min), (d_max, _) = (hp.extreme_singular_values(v) for v in (net.weights[k], dws[k]))
            alpha, beta = [(arb(0.5), arb(1)), (arb(0.25), arb(2)), (arb(1), arb(1))][k]
            true = {
                "α": alpha,
                "β": beta,
                "‖W‖": s_max,
                "‖ΔW‖": d_max,
                "s": s_min,
                "δ": hp.norm(dw) / hp.norm(w),
                "‖W‖+‖ΔW‖": s_max + d_max,
            }
            for name, value in true.items():
                found = numbers[name]
                off = abs(value.log() - float(found.value[column]))
                assert off <= float(found.error[column]) < 1e-9, name
            if alpha != beta:
                assert math.exp(float(numbers["β−α"].value[column])) == pytest.approx(float(beta - alpha))
    assert numbers["β−α"].value[order.index(2)] == -math.inf


def test_a_jacobian_has_the_numbers_of_the_layers_above_it():
    net, dws, x = instance(1, (3, 3, 2, 4), SPECS, 0.1)
    whole, above = layer_numbers(drt.measure(net, dws, x), [0, 1, 2]), drt.measure_jacobian(net, dws, x, layer=1)
    part = layer_numbers(above, [1, 0])
    for name, numbers in part.items():
        torch.testing.assert_close(numbers.value, whole[name].value[[2, 1]], rtol=1e-14, atol=0)
        assert numbers.value.shape == numbers.error.shape == (2,)


def test_a_matrix_that_may_be_singular_has_an_s_min_without_lower_end():
    net = drt.Network([[[1.0, 1.0], [1.0, 1.0]]], "identity")
    s = layer_numbers(drt.measure(net, [torch.eye(2, dtype=torch.float64)], [1.0, 0.0]), [0])["s"]
    assert s.error.item() == math.inf
