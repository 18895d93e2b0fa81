"""Layers whose scale does not matter: f(cW) = f(W), so that ⟨g, W⟩ = 0, and what optimisers do to their norms.

batch norm      (z − mean)/√(var + ε) of z = Wh; invariant up to ε
weight norm     w_i/‖w_i‖ in place of each row w_i
spectral norm   W/uᵀWv, u and v from power iteration
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parametrizations

from drt.errors import InputError
from drt.optimisers.steps import Maker, Steps, measure_steps
from drt.optimisers.steps import fromage as as_algorithm_1
from drt.training.data import Digits

KINDS = ("batch norm", "weight norm", "spectral norm")
HIDDEN_WIDTH, BATCH_SIZE = 32, 64


def _layer(kind: str, inputs: int, outputs: int) -> tuple[nn.Module, Tensor]:
    """The layer, and its weight of which only the direction matters."""
    linear = nn.Linear(inputs, outputs, bias=False)
    if kind == "batch norm":
        return nn.Sequential(linear, nn.BatchNorm1d(outputs, affine=False)), linear.weight
    if kind in ("weight norm", "spectral norm"):
        normalised = (parametrizations.weight_norm if kind == "weight norm" else parametrizations.spectral_norm)(linear)
        own = dict(normalised.named_parameters())
        if kind == "spectral norm":
            return normalised, own["parametrizations.weight.original"]
        own["parametrizations.weight.original0"].requires_grad_(False)  # the rows' norms, which do matter
        return normalised, own["parametrizations.weight.original1"]
    raise InputError(f"kind={kind!r} must be one of {', '.join(KINDS)}")


class Training:
    """A perceptron on digits, two invariant hidden layers and a linear one, trained step by step.

    Args:
        kind: one of KINDS. digits: what is learned. make: the optimiser, as for `measure_steps`. eta: η, for all layers.
        dtype: of weights and images. seed: of weights and minibatches.

    Raises:
        InputError: an unknown kind.
    """

    def __init__(self, kind: str, digits: Digits, make: Maker, eta: float, dtype: torch.dtype, seed: int):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inputs = digits.images.shape[1]
            layers = [_layer(kind, n, HIDDEN_WIDTH) for n in (inputs, HIDDEN_WIDTH)]
            parts = [part for layer, _ in layers for part in (layer, nn.LeakyReLU(0.1))]
            self.model = nn.Sequential(*parts, nn.Linear(HIDDEN_WIDTH, 10, bias=False)).to(dtype)
        self.invariant = [weight for _, weight in layers]
        self.images, self.labels = digits.images.to(dtype), digits.labels
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = make(trained, [eta] * len(trained))
        self._rng = torch.Generator().manual_seed(seed)

    def gradients(self) -> float:
        """Every parameter's gradient on the next minibatch; its loss."""
        rows = torch.randint(len(self.images), (BATCH_SIZE,), generator=self._rng)
        self.optimiser.zero_grad()
        assert self.labels is not None
        loss = cross_entropy(self.model(self.images[rows]), self.labels[rows])
        loss.backward()
        return float(loss.detach())


@dataclass(frozen=True)
class Norms:
    """What happened to the invariant layers: norms (S+1, 2) from before the first step, cos∠(W, g) (S, 2), losses (S,)."""

    norms: Float[Tensor, "S+1 2"]
    cosines: Float[Tensor, "S 2"]
    losses: Float[Tensor, " S"]

    @property
    def lasted(self) -> int:
        """How many steps had gradients, non-zero and finite, and left all norms finite."""
        fine = torch.isfinite(self.cosines).all(-1) & torch.isfinite(self.norms[1:]).all(-1)
        return int(fine.long().cumprod(0).sum())


def follow(training: Training, steps: int) -> Norms:
    """Train for so many steps and keep the norms, measured in float64."""
    norms, cosines, losses = [], [], []
    for _ in range(steps):
        losses.append(training.gradients())
        pairs = [(w.detach().double(), w.grad.double()) for w in training.invariant]  # type: ignore[union-attr]
        sizes = [(torch.linalg.matrix_norm(w), torch.linalg.matrix_norm(g)) for w, g in pairs]
        norms.append(torch.stack([w for w, _ in sizes]))
        cosines.append(torch.stack([(w / a * (g / b)).sum() for (w, g), (a, b) in zip(pairs, sizes, strict=True)]))
        training.optimiser.step()
    norms.append(torch.stack([torch.linalg.matrix_norm(w.detach().double()) for w in training.invariant]))
    return Norms(torch.stack(norms), torch.stack(cosines), torch.tensor(losses, dtype=torch.float64))


def steps_of(digits: Digits, seed: int, eta: float = 0.1) -> Iterator[Steps]:
    """Two consecutive steps of each invariant layer of each kind, in float32 and float64."""
    for kind in KINDS:
        for dtype in (torch.float32, torch.float64):
            training = Training(kind, digits, as_algorithm_1, eta, dtype, seed)
            pairs = []
            for _ in range(2):
                training.gradients()
                pairs.append([(w.detach().clone(), w.grad.clone()) for w in training.invariant])  # type: ignore[union-attr]
                training.optimiser.step()
            for layer in range(2):
                weight, gradient = (torch.stack([pair[layer][i] for pair in pairs])[:, None] for i in (0, 1))
                yield measure_steps(weight, gradient, torch.tensor([eta], dtype=torch.float64))
