"""Data of Figure 1: the paper's checkpoints, and slices of networks that were really trained."""

import numpy as np
import pytest

from drt.experiments import measured_runs
from figures import figure1
from figures.figure1_data import title
from tests.in_process import workers

ETAS = (0.0, 0.01, 0.1)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(measured_runs, "workers", workers)
    configs = [figure1.config(2, False, width=24, steps_per_epoch=20)]
    return figure1.data(configs, seeds=(0, 1), inputs=200, processes=1, etas=ETAS)


def test_checkpoints_are_the_papers():
    shallow, deep = figure1.config(2, False, steps_per_epoch=240), figure1.config(16, False, steps_per_epoch=240)
    assert shallow.checkpoints == (0, 12, 24, 48, 96, 240, 720, 1200, 1680, 2160)
    assert deep.checkpoints == tuple(range(0, 2400, 240))
    assert figure1.config(16, True).checkpoints == (0, 3, 6, 12, 24, 60, 180, 300, 420, 540)


def test_data_are_slices_of_trained_networks(small):
    panel = small.panels[0]
    assert panel.stack("changes").shape == (2, 10, 3)
    assert panel.stack("rho").shape == (2, 10, 2)
    assert (panel.stack("changes")[..., 0] == 0).all()
    assert np.isfinite(panel.stack("losses")).all()
    assert np.mean(panel.runs[0].accuracies[-8:]) > 0.8
    assert not np.array_equal(panel.stack("losses")[0], panel.stack("losses")[1])


def test_it_says_which_digits_and_how_many(small):
    assert (small.digits, small.inputs) == ("5,000 MNIST digits", 200)
    assert small.panels[0].depth == 2
    assert title(figure1.config(16, True)) == "16 layers, residual"
