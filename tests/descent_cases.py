"""Descents for tests: a small network, its step and inputs; the same in exact numbers."""

import torch
from flint import fmpq

import drt
from drt.descent.losses import CrossEntropy, MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.exact.descent import ExactDescent
from drt.exact.network import ExactNetwork
from drt.exact.surds import ball
from drt.witness.witness import Witness

LABELS = torch.tensor([0, 2, 1, 0, 2, 2])
ACTIVATIONS = ["identity", "relu", "leaky_relu:0.1", "negated:leaky_relu:0.3", "tanh_blend:0.3", "softplus_blend:0.2"]


def gaussian(seed, *shapes):
    rng = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=rng, dtype=torch.float64) for shape in shapes]


def case(seed=0, activation="leaky_relu:0.1", loss="mse", size=0.1, batch=(3,), biases=False):
    """A network 4-5-5-3, its step, six inputs."""
    shapes = [(*batch, 5, 4), (*batch, 5, 5), (*batch, 3, 5)]
    *tensors, x, y, b = gaussian(seed, *shapes, *shapes, (6, 4), (6, 3), (5,))
    net = drt.Network(tensors[:3], activation, [b, None, b[:3]] if biases else None)
    losses = {
        "mse": MeanSquaredError(y),
        "cross-entropy": CrossEntropy(LABELS),
        "custom": lambda o: torch.nn.functional.cross_entropy(o, LABELS),
    }
    return net, [size * dw for dw in tensors[3:]], x, losses[loss]


def exact_descent(net, dweights, x, y):
    """The same in fractions: net at one input (1, n_0) with target (1, n_L)."""
    witness = Witness.from_floats("lemma1", net, dweights, x[0], target=y[0])
    return ExactDescent(ExactNetwork(witness), 0, 128, True)


def as_float(q):
    return int(q.p) / int(q.q)


def middles(balls):
    return [float(ball(v.entries.item()).mid()) for v in balls]


def rational_rows(matrix):
    return [[fmpq(*v.as_integer_ratio()) for v in row] for row in matrix.tolist()]


def contained(square, bound):
    return square <= fmpq(*bound.as_integer_ratio()) ** 2


def measured(net, dweights, x, y):
    return measure_descent(net, dweights, x, MeanSquaredError(y))
