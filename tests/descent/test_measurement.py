"""Descent data against automatic differentiation, against exact fractions, and without cancellation; the maximum's two sides."""

import pytest
import torch

import drt
from drt.descent.losses import CrossEntropy, MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.errors import InputError
from tests.descent_cases import LABELS, as_float, case, exact_descent, middles
from tests.instances import array


def test_exact_fractions_agree():
    """A leaky network of two layers: loss, gradients, cosines and changes, in fractions and in floats."""
    net = drt.Network([array([1.0, -2.0], [0.5, 3.0]), array([1.5, -1.0])], ["leaky_relu:0.25", "identity"])
    dweights = [array([0.1, 0.0], [1 / 7, -1 / 9]), array([0.2, 1 / 3])]
    x, y = array([-3.0, 1.0]), array([2.0])
    m, exact = measure_descent(net, dweights, x, MeanSquaredError(y)), exact_descent(net, dweights, x, y)
    assert float(m.fall) == pytest.approx(as_float(exact.loss() - exact.loss(True)), rel=1e-13)
    for mine, true in zip(m.segment.gradients, exact.gradients(), strict=True):
        assert mine.flatten().tolist() == pytest.approx([as_float(v) for v in true.entries()], rel=1e-13)
    for mine, true in ((m.step_change, exact.step_change), (m.cosines, exact.cosines), (m.norm_g, exact.norm_g)):
        assert mine.tolist() == pytest.approx(middles(true), rel=1e-12)
    assert float(m.excess) == pytest.approx(middles([exact.excess])[0], rel=1e-12)
    for lower, upper, middle in zip(m.changes.largest, m.changes.largest_upper, middles(exact.breakdown), strict=True):
        assert float(lower) * (1 - 1e-12) <= middle <= float(upper) <= float(lower) * (1 + 1e-8)


def test_a_zero_step_in_one_layer():
    net, dws, x, loss = case(4)
    dws[1] = torch.zeros_like(dws[1])
    m = measure_descent(net, dws, x, loss)
    assert (m.cosines[:, 1] == 1).all()
    assert (m.norm_step[:, 1] == 0).all()
    assert (m.step_change[:, 1] > 0).all()  # its gradient changes all the same


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": array([1.0, 2.0])}, "its last dimension must be n_0 = 4"),
        ({"loss": CrossEntropy(LABELS[:3])}, "labels has 3 entries; expected 6"),
        ({"loss": CrossEntropy(LABELS + 1)}, r"labels\[1\] = 3 is out of range; expected 0 to 2 for 3 outputs"),
        ({"loss": CrossEntropy(LABELS - 1)}, r"labels\[0\] = -1 is out of range"),
        ({"loss": MeanSquaredError(array([1.0, 2.0]))}, r"targets have shape \(1, 2\)"),
        ({"loss": 3}, "loss must be a drt loss or a function of the outputs, got 3"),
        ({"loss": lambda o: o}, r"loss must return a scalar tensor, got shape \(6, 3\)"),
        ({"loss": lambda o: 1.0}, "loss must return a scalar tensor, got 1.0"),
        ({"loss": lambda o: (o.sum() * 0 - 1).log()}, "the loss must be finite, got nan"),
        ({"dweights": []}, "dweights must have one entry for each of 3"),
    ],
)
def test_bad_input_is_named(change, words):
    parts = dict(zip(("net", "dweights", "x", "loss"), case(0), strict=True)) | change
    with pytest.raises(InputError, match=words):
        measure_descent(**parts)


@pytest.mark.parametrize("activation", ["leaky_relu:0.1", "tanh_blend:0.3"])
def test_a_layer_that_does_not_move_takes_no_part_in_the_bounds(activation):
    """Its gradient changes, by up to `largest`; ‖ΔW_l‖ = 0 times that is 0, and so are its breakdown and its mean."""
    net, dws, x, loss = case(4, activation)
    dws[1] = torch.zeros_like(dws[1])
    m = measure_descent(net, dws, x, loss)
    assert (m.changes.largest[:, 1] > 0).all()
    assert (m.changes.largest_lower[:, 1] > 0).all()
    for side in (-1, 0, 1):
        view = m.inflated(side)
        for field in (view.breakdown, view.mean_breakdown):
            assert (field[:, 1] == 0).all()
            assert (field[:, [0, 2]] > 0).all()


def test_a_field_is_that_of_the_segment():
    """Nothing is a view of another input: every field again, from the segment's own tensors."""
    net, dws, x, loss = case(6, biases=True)
    m = measure_descent(net, dws, x, loss)
    assert m.inputs == 6
    torch.testing.assert_close(m.lever, m.norm_g * m.norm_step, rtol=1e-15, atol=0)
    torch.testing.assert_close(m.excess, -m.fall - m.slope, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(m.slope, -(m.lever * m.cosines).sum(-1), rtol=1e-12, atol=1e-15)
    assert torch.equal(m.eta, m.delta.amax(-1))
    moved = drt.Network([w + dw for w, dw in zip(net.weights, dws, strict=True)], net.activations, net.biases)
    losses = [loss(n(x[:, None]).movedim(0, -2)) for n in (net, moved)]
    torch.testing.assert_close(m.fall, losses[0] - losses[1], rtol=1e-9, atol=1e-12)
