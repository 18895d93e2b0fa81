"""A chain of layers along a line of weights: loss and gradient against automatic differentiation, block by block."""

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from drt.errors import InputError
from drt.experiments import chain_gradient
from drt.experiments.chain_gradient import ChainGradient, layers_of
from drt.network.activations import tanh_blend
from drt.training.training import Residual


def linear(m, n, seed, bias=False):
    layer = nn.Linear(n, m, bias=bias).double()
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=rng, dtype=torch.float64))
    return layer


def model_of(kind):
    blend = tanh_blend(0.3).module()
    middle = {
        "leaky": [linear(4, 4, 1), nn.LeakyReLU(0.1)],
        "biased": [linear(4, 4, 1, bias=True), nn.ReLU()],
        "curved": [linear(4, 4, 1), blend],
        "residual": [Residual(linear(4, 4, 1), nn.LeakyReLU(0.3))],
        "curved residual": [Residual(linear(4, 4, 1), blend)],
    }[kind]
    return nn.Sequential(linear(4, 3, 0, kind == "biased"), nn.LeakyReLU(0.5), *middle, linear(2, 4, 2), nn.Identity())


KINDS = ["leaky", "biased", "curved", "residual", "curved residual"]


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_loss_and_gradient_are_those_of_autograd_at_every_point_of_the_line(kind, layer, monkeypatch):
    """Seven inputs in blocks of three; points out of order, as memory is used again."""
    monkeypatch.setattr(chain_gradient, "ENTRIES_PER_BLOCK", 3 * 4)
    model = model_of(kind)
    rng = torch.Generator().manual_seed(9)
    x, labels = torch.randn(7, 3, generator=rng, dtype=torch.float64), torch.tensor([0, 1, 1, 0, 0, 1, 0])
    directions = {n: torch.randn(p.shape, generator=rng, dtype=torch.float64) for n, p in model.named_parameters()}
    swept = ChainGradient(model, directions, x, labels, layer)
    assert [len(block[0]) for block in swept.blocks] == [3, 3, 1]
    watched = [n for n, p in model.named_parameters() if p.ndim == 2][layer - 1]
    for eta in (0.3, 0.0, -1.5, 0.3):
        moved = {n: (p.detach() + eta * directions[n]).requires_grad_() for n, p in model.named_parameters()}
        expected = cross_entropy(functional_call(model, moved, x), labels)
        expected.backward()
        loss, gradient = swept.evaluate(eta)
        assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-13)
        torch.testing.assert_close(gradient, moved[watched].grad, rtol=1e-11, atol=1e-13)


def test_parts_are_the_layers_with_their_activations():
    found = layers_of(model_of("residual"))
    assert [(layer.out_features, phi.spec, residual) for layer, phi, residual in found] == [
        (4, "leaky_relu:0.5", False),
        (4, "leaky_relu:0.3", True),
        (2, "identity", False),
    ]


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Linear(2, 2)),  # no activation
        nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.ReLU()),
        nn.Sequential(nn.ReLU()),
        nn.Sequential(),
        nn.Sequential(Residual(nn.Linear(2, 2), nn.ReLU())),  # nothing comes before it
    ],
    ids=["bare", "normalised", "no layer", "empty", "residual first"],
)
def test_what_is_no_chain_has_no_parts(model):
    assert layers_of(model) is None


def test_a_chain_is_needed():
    with pytest.raises((InputError, ValueError)):
        ChainGradient(nn.Sequential(nn.ReLU()), {}, torch.ones(1, 2), torch.tensor([0]), 1)
