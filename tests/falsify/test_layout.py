"""Flat vectors and the instances that they stand for: there and back, what counts, and by how much a bound is missed."""

import math

import pytest
import torch

import drt
from drt.falsify.layout import Layout, layout_of, measurement, objective, usable
from drt.falsify.space import Space
from tests.instances import array, instance

LAYOUT = Layout((2, 1, 2), ("leaky_relu:0.5", "identity"), biased=True)


def test_segments_are_w_then_dw_then_x_then_biases():
    assert LAYOUT.shapes == [
        ("w", 0, (1, 2)), ("w", 1, (2, 1)), ("dw", 0, (1, 2)), ("dw", 1, (2, 1)), ("x", 0, (2,)), ("b", 0, (1,)), ("b", 1, (2,)),
    ]  # fmt: skip
    assert LAYOUT.sizes == [2, 2, 2, 2, 2, 1, 2]
    assert LAYOUT.masks.sum(0).tolist() == [1] * 13
    assert LAYOUT.masks[4].nonzero().flatten().tolist() == [8, 9]


def test_an_instance_becomes_a_vector_and_the_same_instance_again():
    theta = torch.arange(26, dtype=torch.float64).reshape(2, 13) + 1
    made = LAYOUT.instance(theta)
    assert made.net.weights[1][0].tolist() == [[3.0], [4.0]]
    assert made.x[1].tolist() == [22.0, 23.0]
    assert made.net.biases[1][0].tolist() == [12.0, 13.0]
    assert layout_of(made) == LAYOUT
    assert torch.equal(LAYOUT.flatten(made), theta)


def test_a_bias_that_is_not_there_is_zero_in_the_vector():
    net = drt.Network([array([1.0])], "identity", [array(5.0)])
    flat = Layout((1, 1), ("identity",), biased=True)
    made = drt.Instance(net, [array([0.5])], array(2.0))
    assert flat.flatten(made).tolist() == [1.0, 0.5, 2.0, 5.0]
    bare = drt.Instance(drt.Network([array([1.0])], "identity"), [array([0.5])], array(2.0))
    assert flat.flatten(bare).tolist() == [1.0, 0.5, 2.0, 0.0]


def test_what_is_no_instance_is_not_usable():
    flat = Layout((1, 1), ("identity",))
    theta = array([1.0, 0.5, 2.0], [0.0, 0.5, 2.0], [1.0, 0.0, 2.0], [1.0, 0.5, 0.0], [1.0, math.inf, 2.0])
    assert usable(theta, flat).tolist() == [True, False, True, False, False]


def test_the_objective_is_the_logarithm_of_actual_over_bound():
    claim = drt.claims["spectral.function"]
    m = measurement(claim, drt.Instance(*instance(0, (2, 2), batch=(20,))))
    gap, counts = objective(claim, m, Space())
    torch.testing.assert_close(gap, m.log_change - claim.log_value(m), rtol=1e-14, atol=0)
    assert counts.all()


@pytest.mark.parametrize(
    ("space", "counted"),
    [({}, True), ({"delta": (0.2, 1.0)}, False), ({"kappa": (1.0, 1.5)}, False), ({"kappa": (3.0, 9.0)}, False)],
)
def test_what_lies_outside_the_space_does_not_count(space, counted):
    """κ(W) = 2, δ = 0.1."""
    net = drt.Network([torch.diag(array(1.0, 2.0))], "identity")
    m = drt.measure(net, [0.1 * net.weights[0]], array(1.0, 1.0))
    assert bool(objective(drt.claims["spectral.function"], m, Space(**space))[1]) == counted


def test_a_layer_that_does_not_move_is_in_every_range_of_delta():
    net, dws, x = instance(1, (2, 2, 2))
    m = drt.measure(net, [0 * dws[0], dws[1]], x)
    assert bool(objective(drt.claims["spectral.function"], m, Space(delta=(0.05, 0.2)))[1])


def test_jacobian_claims_are_about_the_whole_network():
    m = measurement(drt.claims["spectral.jacobian"], drt.Instance(*instance(2, (2, 2, 2))))
    assert (m.quantity, m.layer) == ("jacobian", 0)
