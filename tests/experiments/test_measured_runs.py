"""Runs trained and measured by tasks: what a loop in this one finds, in the order of the configs."""

import dataclasses

import numpy as np
import pytest
import torch

from drt.errors import InputError
from drt.experiments import measured_runs
from drt.experiments.gradient_slice import slice_along_gradient
from drt.experiments.measured_runs import check_classes, sliced_runs
from drt.training.data import Digits, load_digits
from drt.training.training import TrainingConfig, make_model, train
from tests.in_process import workers

ETAS = (0.0, 0.01, 0.1)
SHALLOW = TrainingConfig((8,), steps_per_epoch=5, epochs=1, checkpoints=(0, 5))
DEEP = TrainingConfig((8, 8), steps_per_epoch=5, epochs=1, checkpoints=(5,), seed=3)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setattr(measured_runs, "workers", workers)


def test_slices_are_those_of_a_plain_loop_in_the_order_of_the_configs():
    """Each config has its own seed, and with it its own order of digits."""
    told = []
    found = sliced_runs((SHALLOW, DEEP), ETAS, inputs=50, processes=1, progress=lambda *what: told.append(what))
    assert [r.config for r in found] == [SHALLOW, DEEP]
    for run in found:
        digits = load_digits("mnist5k", run.config.seed)
        plain = train(run.config, digits)
        assert run.accuracies == tuple(plain.accuracies)
        assert [c.step for c in run.checkpoints] == list(run.config.checkpoints)
        assert all(c.state == {} for c in run.checkpoints), "weights are dropped"
        model = make_model(run.config, 784, 10)
        for k, checkpoint in enumerate(plain.checkpoints):
            model.load_state_dict(checkpoint.state)
            expected = slice_along_gradient(model, digits.images[:50], digits.labels[:50], ETAS, 1)
            np.testing.assert_array_equal(run.changes[k], expected.changes.numpy())
            np.testing.assert_array_equal(run.losses[k], expected.losses.numpy())
            np.testing.assert_array_equal(run.rho[k], expected.rho.numpy())
    assert found[0].changes.shape == (2, len(ETAS))
    assert [(done, total) for done, total, _ in told] == [(k, 5) for k in range(1, 6)]
    assert sorted(what for _, _, what in told) == ["2 layers"] * 3 + ["3 layers"] * 2


def digits_of(labels):
    return Digits(torch.zeros(len(labels or [0]), 2), None if labels is None else torch.tensor(labels), "mine")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (None, "digits='mine' has no labels; training needs them"),
        ([3, 3], "digits='mine' has one class, 3; training needs"),
    ],
)
def test_digits_that_nothing_can_be_learned_from_are_named(labels, words):
    with pytest.raises(InputError, match=words):
        check_classes(digits_of(labels))
    check_classes(digits_of([0, 1]))


def test_a_run_that_cannot_be_sliced_says_why():
    with pytest.raises(InputError, match="layer must be an integer from 1 to 2, got layer=9"):
        sliced_runs((dataclasses.replace(SHALLOW, checkpoints=(0,)),), ETAS, inputs=9, layer=9, processes=1)
