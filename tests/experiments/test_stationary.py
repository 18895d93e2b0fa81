"""Fromage near a minimum: it hovers at a loss that grows with η², every step of relative size η; with decay it converges."""

import pytest
import torch

from drt.errors import InputError
from drt.experiments.stationary import slope, stay

ETAS = (0.0125, 0.025, 0.05)


@pytest.fixture(scope="module")
def runs():
    return {decay: stay("linear", ETAS, 3, 600, decay) for decay in (1.0, 1e-3 ** (1 / 600))}


def test_a_constant_rate_never_settles(runs):
    run = runs[1.0]
    eta = torch.tensor(ETAS, dtype=torch.float64).unsqueeze(-1)
    least = (1 + eta) / torch.sqrt(1 + eta**2) - 1
    assert run.losses.shape == (600, 3, 3)
    assert (run.moves >= least * (1 - 1e-12)).all()
    assert (run.moves > 0.9 * eta).all()
    assert (run.stationary < 0.1 * run.losses[0]).all()
    assert (run.losses[-50:].mean(0) > 0.3 * run.losses[-300:-50].mean(0)).all()


def test_the_loss_that_stays_grows_with_the_square(runs):
    """At distance η‖W*‖ a quadratic is η² high."""
    mean, low, high = slope(ETAS, runs[1.0].stationary)
    assert low < mean < high
    assert mean == pytest.approx(2, abs=0.3)


def test_with_decay_it_converges(runs):
    constant, decayed = runs.values()
    assert (decayed.losses[-1] < 1e-3 * constant.stationary).all()


def test_slope_and_interval_by_hand():
    """Three seeds of exact power laws: 2, 2.1, 2.2; s = 0.1, t = 4.3027."""
    eta = torch.tensor(ETAS, dtype=torch.float64).unsqueeze(-1)
    mean, low, high = slope(ETAS, 3 * eta ** torch.tensor([2.0, 2.1, 2.2], dtype=torch.float64))
    assert (mean, low, high) == pytest.approx((2.1, 2.1 - 4.3027 * 0.1 / 3**0.5, 2.1 + 4.3027 * 0.1 / 3**0.5), abs=1e-5)


def test_an_unknown_problem_is_named():
    with pytest.raises(InputError, match="problem='cubic' must be one of linear, network"):
        stay("cubic", ETAS, 2, 10)
