"""The largest change over the segment: between its two sides, against a fine grid and exact suprema."""

import pytest
import torch
from flint import ctx

import drt
from drt.descent import changes
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from tests.descent_cases import ACTIVATIONS, case, exact_descent, gaussian


def test_the_exact_supremum_contains_a_fine_grid():
    """Where the gradient jumps inside the segment and grows until its end."""
    for seed in range(10):
        *tensors, x, y = gaussian(seed, (3, 2), (1, 3), (3, 2), (1, 3), (1, 2), (1, 1))
        net = drt.Network(tensors[:2], ["leaky_relu:0.25", "identity"])
        m = measure_descent(net, tensors[2:], x, MeanSquaredError(y))
        grid = m.segment.along(torch.linspace(0, 1, 501, dtype=torch.float64)[1:]).change.amax(0)
        with ctx.workprec(128):
            for k, bound in enumerate(exact_descent(net, tensors[2:], x, y).breakdown):
                value = bound.entries.item()
                assert float(value.upper()) >= float(grid[k]) * (1 - 1e-12)
                assert float(value.lower()) <= float(m.changes.largest_upper[k]) * (1 + 1e-12)
                assert float(value.lower()) >= float(grid[k]) * 0.95


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_maximum_lies_between_its_sides(activation, loss):
    """A grid of 2,001 points is never above the upper bound; the evaluated maximum never below the grid's by more than 1 %."""
    m = measure_descent(*case(2, activation, loss, size=0.03))
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)[1:, None].expand(-1, 3)
    grid = m.segment.along(t).change.amax(0)
    alive = m.norm_g > 0
    assert (grid <= m.changes.largest_upper)[alive].all()
    assert (m.changes.largest <= m.changes.largest_upper)[alive].all()
    assert (m.changes.largest >= 0.99 * grid)[alive].all()
    assert torch.isfinite(m.changes.largest_upper[alive]).all()
    if activation != "relu":  # where a layer of ReLUs wakes, the next layer's pre-activations leave 0 together
        assert (m.changes.largest_upper <= (1 + 1e-5) * m.changes.largest).all()


def test_a_change_is_not_known_better_than_its_gradients(monkeypatch):
    """With errors as large as the gradients nothing is known of the change, and Lemma 1 is not decided by it."""
    m = measure_descent(*case(2, "leaky_relu:0.1", size=0.3))
    assert (m.changes.largest_lower > 0.999 * m.changes.largest).any(-1).all()  # at the t that costs the most
    coarse = measure_descent(*case(2, "leaky_relu:0.1", size=0.3))
    errors = [e._replace(gradients=coarse.norm_g * 10) for e in coarse.changes.rounded.errors]
    monkeypatch.setitem(coarse.changes.rounded.__dict__, "errors", tuple(errors))
    monkeypatch.setattr(changes, "errors_at", lambda s, t: errors[1])
    assert (coarse.changes.largest_lower == 0).all()
    assert (coarse.inflated(-1).cosines == -1).all()
    assert (coarse.inflated(1).cosines == 1).all()
