"""Multilayer perceptrons trained on digits, with the checkpoints that Figure 1 of the paper is measured at."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from typing import Literal

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from scipy.optimize import brentq
from torch import Tensor
from torch.nn import functional

from drt.errors import InputError
from drt.network.activations import Activation, as_activation, identity
from drt.optimisers.optim import LARS, Fromage
from drt.training.data import Digits

_OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "fromage": Fromage,
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "lars": lambda params, lr: LARS(params, lr, trust_coefficient=1.0),  # then lr is the relative size of a step
}
RATES = {"fromage": 0.01, "sgd": 0.05, "adam": 0.001, "lars": 0.01}  # the networks of Figure 1 learn at them
_DIGITS_MEASURED = 1000


@dataclass(frozen=True)
class TrainingConfig:
    """What to train, and how. The defaults are those of Figure 1 on 5,000 digits, with 2 layers.

    Attributes:
        hidden: widths n_1 … n_{L−1}; an L-layer perceptron has L − 1 of them.
        activation: one φ for all hidden layers (the last layer is then linear), or one for each of the L layers.
        biases: whether layers have biases.
        residual: hidden layers after the first compute h + φ(Wh); all of `hidden` must be equal.
        normalisation: "batch": each hidden layer computes φ(N(Wh)), N(z) = (z − mean)/√(variance + 1e-5) over the inputs at
            hand, in training and measuring alike: without running averages and without a scale and a shift of its own,
            so that W is all there is to perturb. Not with `residual`.
        initialisation: "he": W ~ N(0, gain²/n_{l−1}) with E[φ(gain·Z)²] = 1, Z ~ N(0, 1): √(2/(1 + a²)) for a leaky
            ReLU of slope a, 1 for a linear layer; "torch": W ~ U(±1/√n_{l−1}), PyTorch's default. None: "he", but
            "torch" for residual networks, whose hidden states "he" doubles layer by layer. Biases ~ U(±1/√n_{l−1}).
        seed: of the initial weights and of the order of the minibatches.
        optimiser: "fromage", "sgd", "adam", "lars" (trust coefficient 1), or a function of (parameters, lr).
        lr, decay: the learning rate in epoch e is lr · decay^e.
        batch, steps_per_epoch, epochs: minibatches come from fresh permutations of the digits, the rest of each dropped.
        checkpoints: numbers of steps done at which the state is kept; None: the start of every epoch, and the end.
        threads: of torch while training; another number rounds differently, and training amplifies that.
    """

    hidden: Sequence[int] = (128,)
    activation: Activation | str | Callable[[], Activation] | Sequence = "leaky_relu:0.1"
    biases: bool = False
    residual: bool = False
    normalisation: Literal["batch"] | None = None
    initialisation: Literal["he", "torch"] | None = None
    seed: int = 0
    optimiser: str | Callable[..., torch.optim.Optimizer] = "fromage"
    lr: float = 0.01
    decay: float = 0.9
    batch: int = 250
    steps_per_epoch: int = 60
    epochs: int = 10
    checkpoints: Sequence[int] | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("batch", "steps_per_epoch", "epochs", "threads"):
            _check_count(name, getattr(self, name))
        for i, width in enumerate(self.hidden):
            _check_count(f"hidden[{i}]", width)
        for name in ("lr", "decay"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} must be a finite number > 0, got {name}={getattr(self, name)!r}")
        if self.residual and len(set(self.hidden)) != 1:
            raise InputError(f"residual networks need equal hidden widths, at least one; got hidden={self.hidden}")
        if self.normalisation not in (None, "batch"):
            raise InputError(f"normalisation must be 'batch' or None, got {self.normalisation!r}")
        if self.normalisation and (self.residual or self.batch < 2):
            raise InputError(
                f"normalisation={self.normalisation!r} needs residual=False and batch >= 2, "
                f"got residual={self.residual}, batch={self.batch}"
            )
        if self.initialisation not in (None, "he", "torch"):
            raise InputError(f"initialisation must be 'he', 'torch' or None, got {self.initialisation!r}")
        if not callable(self.optimiser) and self.optimiser not in _OPTIMISERS:
            raise InputError(f"optimiser={self.optimiser!r} is not known; expected one of {', '.join(_OPTIMISERS)}")
        for step in self.checkpoints or ():
            if not (isinstance(step, int) and 0 <= step <= self.steps):
                raise InputError(f"checkpoints must be steps from 0 to {self.steps}, got {step!r}")
        _ = self.activations

    @property
    def steps(self) -> int:
        """How many steps there are in all."""
        return self.epochs * self.steps_per_epoch

    @property
    def activations(self) -> tuple[Activation, ...]:
        """φ_1 … φ_L.

        Raises:
            InputError: not one, and not L.
        """
        depth = len(self.hidden) + 1
        if not isinstance(self.activation, list | tuple):
            return (as_activation(self.activation),) * (depth - 1) + (identity(),)  # type: ignore[arg-type]
        if len(self.activation) != depth:
            raise InputError(f"activation must be one, or {depth} for {depth} layers; got {len(self.activation)}")
        return tuple(map(as_activation, self.activation))


@dataclass(frozen=True)
class Checkpoint:
    """The weights after `step` steps, with the loss and accuracy they have on the first 1,000 digits."""

    step: int
    epoch: int
    state: dict[str, Tensor]
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Run:
    """A training run: the model at its end, its checkpoints, and loss and accuracy of every minibatch before its step.

    `outcome` says how it ended; "diverged" (a loss that is not finite) and "interrupted" runs keep what they have.
    """

    model: torch.nn.Sequential
    checkpoints: tuple[Checkpoint, ...]
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    config: TrainingConfig
    outcome: Literal["finished", "diverged", "interrupted"]


class Residual(torch.nn.Module):
    """h ↦ h + φ(Wh)."""

    linear: torch.nn.Linear
    activation: torch.nn.Module

    def __init__(self, linear: torch.nn.Linear, activation: torch.nn.Module):
        super().__init__()
        self.linear, self.activation = linear, activation

    def forward(self, h: Tensor) -> Tensor:
        """The output h + φ(Wh)."""
        return h + self.activation(self.linear(h))


def make_model(config: TrainingConfig, n_0: int, n_L: int) -> torch.nn.Sequential:
    """An untrained float32 network: Linear, φ_1, Linear, φ_2, …; hidden layers after the first in `Residual`, if asked.

    Where the config normalises, a BatchNorm1d stands between each hidden Linear and its φ.

    torch's global random state is neither read nor changed.
    """
    rng = torch.Generator().manual_seed(config.seed)
    widths = (n_0, *config.hidden, n_L)
    he = (config.initialisation or ("torch" if config.residual else "he")) == "he"
    modules: list[torch.nn.Module] = []
    for layer, phi in enumerate(config.activations, start=1):
        fan_in, fan_out = widths[layer - 1 : layer + 1]
        linear = torch.nn.utils.skip_init(torch.nn.Linear, fan_in, fan_out, bias=config.biases, dtype=torch.float32)
        bound = 1 / math.sqrt(fan_in)
        with torch.no_grad():
            if he:
                linear.weight.normal_(0, _gain(phi) * bound, generator=rng)
            else:
                linear.weight.uniform_(-bound, bound, generator=rng)
            if config.biases:
                linear.bias.uniform_(-bound, bound, generator=rng)
        hidden = layer < len(widths) - 1
        if config.residual and hidden and layer > 1:
            modules.append(Residual(linear, phi.module()))
        elif config.normalisation and hidden:
            norm = torch.nn.BatchNorm1d(fan_out, affine=False, track_running_stats=False)
            modules += [linear, norm, phi.module()]
        else:
            modules += [linear, phi.module()]
    return torch.nn.Sequential(*modules)


def train(config: TrainingConfig, digits: Digits) -> Run:
    """Minimise the cross-entropy of a network of `config` on the digits, on the device that they are on.

    The same config and digits give the same run, bit for bit, on one machine.

    Raises:
        InputError: digits without labels, or fewer than one minibatch.
    """
    if digits.labels is None:
        raise InputError(f"digits={digits.name!r} has no labels; training needs them")
    if len(digits) < config.batch:
        raise InputError(f"batch={config.batch} is larger than digits={digits.name!r}, which has {len(digits)}")
    images, labels = digits.images.float(), digits.labels
    model = make_model(config, images.shape[1], max(10, int(labels.max()) + 1)).to(images.device)
    make = _OPTIMISERS[config.optimiser] if isinstance(config.optimiser, str) else config.optimiser
    optimiser = make(model.parameters(), lr=config.lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimiser, config.decay)
    due = range(0, config.steps + 1, config.steps_per_epoch) if config.checkpoints is None else config.checkpoints
    checkpoints: list[Checkpoint] = []
    losses: list[float] = []
    accuracies: list[float] = []
    outcome: Literal["finished", "diverged", "interrupted"] = "finished"
    order = _minibatches(len(digits), config)
    try:
        with _threads(config.threads), _progress() as progress:
            task = progress.add_task(f"training {len(config.hidden) + 1} layers", total=config.steps)
            for step in range(config.steps + 1):
                if step in due or step == config.steps:  # at the end always: the last step may have been the fatal one
                    checkpoint = _checkpoint(model, step, config, images[:_DIGITS_MEASURED], labels[:_DIGITS_MEASURED])
                    if not math.isfinite(checkpoint.loss):
                        outcome = "diverged"
                        break
                    if step in due:
                        checkpoints.append(checkpoint)
                if step == config.steps:
                    break
                rows = next(order).to(images.device)
                logits = model(images[rows])
                loss = functional.cross_entropy(logits, labels[rows])
                if not torch.isfinite(loss):
                    outcome = "diverged"
                    break
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                losses.append(loss.item())
                accuracies.append(_accuracy(logits, labels[rows]))
                if (step + 1) % config.steps_per_epoch == 0:
                    scheduler.step()
                progress.advance(task)
    except KeyboardInterrupt:
        outcome = "interrupted"
    return Run(model, tuple(checkpoints), tuple(losses), tuple(accuracies), config, outcome)


@torch.no_grad()
def _checkpoint(
    model: torch.nn.Module, step: int, config: TrainingConfig, images: Tensor, labels: Tensor
) -> Checkpoint:
    logits = model(images)
    loss = functional.cross_entropy(logits, labels).item()
    state = {name: t.detach().cpu().clone() for name, t in model.state_dict().items()}
    return Checkpoint(step, step // config.steps_per_epoch, state, loss, _accuracy(logits, labels))


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    return (logits.argmax(1) == labels).double().mean().item()


def _minibatches(n: int, config: TrainingConfig) -> Iterator[Tensor]:
    rng = torch.Generator().manual_seed(config.seed)
    while True:
        order = torch.randperm(n, generator=rng)
        yield from order[: n - n % config.batch].split(config.batch)


def _gain(phi: Activation) -> float:
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)  # exact for leaky ReLUs: φ(z)² + φ(−z)² is a square
    weights = weights / weights.sum()

    def excess(gain: float) -> float:
        return float(weights @ phi(torch.from_numpy(gain * nodes)).numpy() ** 2) - 1

    high = 1 / phi.beta
    while excess(high) < 0:
        high *= 2
    return brentq(excess, 0, high, xtol=1e-12)


def _progress() -> Progress:
    terminal = sys.stderr.isatty() and parent_process() is None  # workers would write over one another
    return Progress(console=Console(stderr=True), disable=not terminal, transient=True)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _check_count(name: str, value: object) -> None:
    if not (isinstance(value, int) and value >= 1):
        raise InputError(f"{name} must be an integer >= 1, got {name}={value!r}")
