"""Inputs to look at a network with: digits where they fit, normal numbers elsewhere, every row of a file."""

import numpy as np
import pytest
import torch

from drt.errors import InputError
from drt.training.data import load_digits
from drt.training.inputs import INPUTS_CHECKED, inputs_for
from tests.instances import instance


def network(*widths):
    return instance(0, widths)[0]


def test_inputs_are_digits_where_they_fit():
    x = inputs_for(network(784, 2), None, seed=3)
    assert torch.equal(x, load_digits("mnist5k", 3).images[:256].double())
    assert torch.equal(inputs_for(network(784, 2), "mnist5k", seed=3), x)


def test_inputs_are_normal_numbers_otherwise():
    net = network(3, 2)
    x = inputs_for(net, None, 5)
    assert x.shape == (INPUTS_CHECKED, 3)
    assert x.dtype == torch.float64
    # The mean of 768 standard normal numbers, and of their squares: within four standard deviations.
    assert abs(float(x.mean())) < 4 / 768**0.5
    assert abs(float(x.square().mean()) - 1) < 4 * (2 / 768) ** 0.5
    assert torch.equal(inputs_for(net, None, 5), x)
    assert not torch.equal(x, inputs_for(net, None, 6))


def test_every_row_of_a_file_is_an_input(tmp_path):
    rows = np.random.default_rng(0).standard_normal((300, 3))
    np.save(tmp_path / "x.npy", rows)
    assert np.array_equal(inputs_for(network(3, 2), str(tmp_path / "x.npy")).numpy(), rows)


def test_inputs_of_another_width_are_refused():
    with pytest.raises(InputError, match=r"data='mnist5k' has inputs of 784 numbers; expected n_0 = 3"):
        inputs_for(network(3, 2), "mnist5k")
