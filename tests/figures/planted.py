"""Figure 1's data made of laws: what a summary must find in them is known."""

import numpy as np
import torch

from drt.experiments.gradient_slice import Slice
from drt.experiments.measured_runs import SlicedRun
from drt.training.training import Checkpoint, TrainingConfig
from figures.figure1_data import Data, Panel

ETAS = np.array([i / 100 for i in range(11)])


def sliced(change, rho=(2.0, 3.0), loss=None):
    """A slice with this change at each η; the loss falls to half and is back at η = 0.05 unless it is given."""
    loss = 1 - np.abs(ETAS) * 20 * (0.05 - ETAS) / 0.05 if loss is None else loss
    numbers = (torch.tensor(np.asarray(v), dtype=torch.float64) for v in (ETAS, loss, change, rho))
    return Slice(*numbers)


def run(*slices, seed=0, outcome="finished", depth=2, **options):
    config = TrainingConfig((24,) * (depth - 1), steps_per_epoch=20, seed=seed, **options)
    checkpoints = tuple(Checkpoint(10 * k, k, {}, 1.0, 0.5) for k in range(len(slices)))
    return SlicedRun(config, outcome, (0.1, 0.9, 0.9, 0.8), checkpoints, slices)


def data(*runs, title="2 layers"):
    return Data((Panel(title, runs, 1),), ETAS, "5,000 MNIST digits", 200)


def line(c):
    return sliced(c * ETAS)


def depth(c, effective):
    return sliced(c * np.expm1(effective * np.log1p(ETAS)))


def gone():
    """A network whose gradient is zero."""
    return sliced(np.full(len(ETAS), np.nan))
