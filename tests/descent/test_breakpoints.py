"""Breakpoints in floating point, against closed forms and against exact arithmetic."""

import pytest
import torch
from flint import ctx

import drt
from drt.descent import breakpoints as module
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from tests.descent_cases import (
    case,
    exact_descent,
    gaussian,
)
from tests.instances import array


def test_closed_form():
    """z = 1 − 2t passes 0 at ½; z = 1 − 4t at ¼."""
    net = drt.Network([array([1.0], [1.0]), array([1.0, 1.0])], "leaky_relu:0.5")
    steps = [array([-2.0], [-4.0]), array([0.0, 0.0])]
    m = measure_descent(net, steps, array([1.0]), MeanSquaredError(array([-10.0])))
    # The output 1 − 2t + 1 − 4t passes 0 between them, where it is ½(1 − 4t) + 1 − 2t = 3/2 − 4t.
    assert m.changes.breakpoints.tolist() == pytest.approx([0.25, 0.375, 0.5], abs=1e-15)


@pytest.mark.parametrize(
    "activation", ["leaky_relu:0.25", "relu", "negated:leaky_relu:0.3", "piecewise_linear:-0.5,0.3/0.5,1,0.25"]
)
def test_they_are_those_of_exact_arithmetic(activation):
    found = 0
    for seed in range(12):
        *parts, x, y = gaussian(seed, *[(3, 3)] * 6, (1, 3), (1, 3))
        net, steps = (
            drt.Network(parts[:3], activation, [array([0.3, -0.2, 0.1])[0], None, None]),
            [0.5 * d for d in parts[3:]],
        )
        m = measure_descent(net, steps, x, MeanSquaredError(y))
        with ctx.workprec(128):
            exact = [float(p.start.enclosure().mid()) for p in exact_descent(net, steps, x, y).pieces[1:]]
        mine = sorted(
            {round(t, 12) for t in m.changes.breakpoints.tolist()}
        )  # units of a layer may pass theirs together
        assert mine == pytest.approx(exact, abs=1e-11)
        found += len(exact)
    assert found > 10


def test_a_batch_has_those_of_its_members():
    net, steps, x, loss = case(2, "leaky_relu:0.1", size=0.3, biases=True)
    together = measure_descent(net, steps, x, loss).changes.breakpoints
    for k in range(3):
        alone = drt.Network([w[k] for w in net.weights], net.activations, net.biases)
        single = measure_descent(alone, [dw[k] for dw in steps], x, loss).changes.breakpoints
        torch.testing.assert_close(together[: len(single), k], single, rtol=0, atol=1e-14)
        assert (together[len(single) :, k] == 1).all()


def test_smooth_networks_and_large_ones_have_none(monkeypatch):
    assert len(measure_descent(*case(2, "tanh_blend:0.3")).changes.breakpoints) == 0
    monkeypatch.setattr(module, "MOST_GRID_ENTRIES", 10)
    assert len(measure_descent(*case(2, size=0.3)).changes.breakpoints) == 0
