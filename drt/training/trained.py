"""Networks trained on real digits as instances: their checkpoints, and how they are perturbed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from drt.descent.losses import CrossEntropy
from drt.descent.measurement import Descent, measure_descent
from drt.measurement.instance import Instance
from drt.network.network import Network
from drt.optimisers.optim import Fromage
from drt.optimisers.steps import Steps, measure_steps
from drt.training.data import Digits
from drt.training.training import Checkpoint, Run, TrainingConfig, make_model

# Depth and hidden φ of the networks that the main job trains. ReLU is there for `relu-model`.
NETWORKS = ((2, "leaky_relu:0.1"), (3, "leaky_relu:0.1"), (8, "leaky_relu:0.1"), (16, "leaky_relu:0.1"), (3, "relu"))
HIDDEN_WIDTH = 64
RELATIVE_SIZES = (1e-3, 1e-2, 1e-1)  # δ of the gradient direction and of noise
DIGITS_PER_NETWORK = 32  # digits that a network is measured on, and that a loss and its gradients are taken over


@dataclass(frozen=True)
class Perturbed:
    """One instance of a trained network: what it is, and whether it is the whole network or its hidden layers."""

    network: str
    step: int
    perturbation: str
    instance: Instance


def config_of(depth: int, activation: str, quick: bool, seed: int) -> TrainingConfig:
    """Width 64, He initialisation, no biases, Fromage 0.01: what trains at every depth. Checkpoints: start, middle, end.

    Args:
        depth: L.
        activation: φ of the hidden layers, as text; the last layer is linear.
        quick: 160 steps rather than 600.
        seed: of the initial weights and of the order of the minibatches.
    """
    epochs, steps = (4, 40) if quick else (10, 60)
    return TrainingConfig(
        (HIDDEN_WIDTH,) * (depth - 1),
        activation,
        steps_per_epoch=steps,
        epochs=epochs,
        checkpoints=(0, steps, epochs * steps),
        seed=seed,
    )


def instances(run: Run, digits: Digits, seed: int, inputs: int = DIGITS_PER_NETWORK) -> Iterator[Perturbed]:
    """Every checkpoint of a run, perturbed in three ways, at digits it was trained on.

    step: the optimiser's next step; gradient: ΔW_l = −η‖W_l‖_F/‖g_l‖_F·g_l with the full batch's g_l; noise: Gaussian,
    ‖ΔW_l‖_F = η‖W_l‖_F. Where there are hidden layers of one width, f is also taken from h_1 to h_{L−1} alone: such a part
    never contracts, as Theorem 1 asks.

    Args:
        run: the training run.
        digits: what it was trained on, with labels.
        seed: of the noise.
        inputs: how many digits each instance is measured at.
    """
    assert digits.labels is not None
    depth, label = len(run.config.hidden) + 1, name_of(run.config)
    x = digits.images[:inputs].double()
    for checkpoint in run.checkpoints:
        model = make_model(run.config, digits.images.shape[1], 10)
        model.load_state_dict(checkpoint.state)
        net = Network.from_torch(model)
        for name, dweights in _perturbations(model, checkpoint, digits, seed):
            yield Perturbed(label, checkpoint.step, name, Instance(net, dweights, x))
            if depth > 2:
                inner = Network(net.weights[1:-1], list(net.activations[1:-1]))
                h = net.hidden_states(x)[1]
                yield Perturbed(f"{label}, hidden", checkpoint.step, name, Instance(inner, dweights[1:-1], h))


def descents(run: Run, digits: Digits, seed: int, inputs: int = DIGITS_PER_NETWORK) -> Iterator[Descent]:
    """Every checkpoint of a run, moved against its gradient on some digits and at random, at each of RELATIVE_SIZES.

    Args:
        run: the training run.
        digits: what it was trained on, with labels.
        seed: of the random directions.
        inputs: how many digits the loss is taken over.
    """
    assert digits.labels is not None
    x, loss = digits.images[:inputs].double(), CrossEntropy(digits.labels[:inputs])
    for checkpoint in run.checkpoints:
        model = make_model(run.config, digits.images.shape[1], 10)
        model.load_state_dict(checkpoint.state)
        net = Network.from_torch(model)
        rng = torch.Generator().manual_seed(seed + checkpoint.step)
        gradients = measure_descent(net, [torch.zeros_like(w) for w in net.weights], x, loss).segment.gradients
        noise = [torch.randn(w.shape, generator=rng, dtype=torch.float64) for w in net.weights]
        for eta in RELATIVE_SIZES:
            for direction in ([-g for g in gradients], noise):
                steps = [_sized(d, w, eta) for d, w in zip(direction, net.weights, strict=True)]
                yield measure_descent(net, steps, x, loss)


def steps_of(run: Run, digits: Digits) -> Iterator[Steps]:
    """Steps of Fromage and LARS at every checkpoint, each layer with its full-batch gradient, at each of RELATIVE_SIZES."""
    for checkpoint in run.checkpoints:
        model = make_model(run.config, digits.images.shape[1], 10)
        model.load_state_dict(checkpoint.state)
        loss = cross_entropy(model(digits.images[:DIGITS_PER_NETWORK]), digits.labels[:DIGITS_PER_NETWORK])  # type: ignore[index]
        weights = list(model.parameters())
        for w, g in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            if g.isfinite().all() and g.any():  # a network whose ReLUs are all off has no gradient
                weight, gradient = (t.detach().expand(1, len(RELATIVE_SIZES), -1, -1) for t in (w, g))
                yield measure_steps(weight, gradient, torch.tensor(RELATIVE_SIZES, dtype=torch.float64))


def _perturbations(
    model: torch.nn.Sequential, checkpoint: Checkpoint, digits: Digits, seed: int
) -> Iterator[tuple[str, list[Tensor]]]:
    weights = list(model.parameters())
    before = [w.detach().clone() for w in weights]
    rng = torch.Generator().manual_seed(seed + checkpoint.step)

    def gradients(rows: slice) -> list[Tensor]:
        labels = digits.labels
        assert labels is not None
        return list(torch.autograd.grad(cross_entropy(model(digits.images[rows]), labels[rows]), weights))

    full = gradients(slice(0, 1000))
    for w, g in zip(weights, gradients(slice(0, 250)), strict=True):
        w.grad = g
    Fromage(weights, lr=0.01).step()
    yield "step", [w.detach().double() - b.double() for w, b in zip(weights, before, strict=True)]
    for eta in RELATIVE_SIZES:
        yield f"gradient {eta:g}", [_sized(-g, b, eta) for g, b in zip(full, before, strict=True)]
        noise = [torch.randn(b.shape, generator=rng, dtype=torch.float64) for b in before]
        yield f"noise {eta:g}", [_sized(n, b, eta) for n, b in zip(noise, before, strict=True)]


def _sized(direction: Tensor, w: Tensor, eta: float) -> Tensor:
    """The direction, scaled to Frobenius norm η‖W‖_F; zero stays zero."""
    direction, norm = direction.double(), float(direction.double().norm())
    return direction * (eta * float(w.double().norm()) / norm if norm > 0 and math.isfinite(norm) else 0.0)


def name_of(config: TrainingConfig) -> str:
    """How the network is called in reports."""
    return f"{len(config.hidden) + 1} layers, {config.activations[0].spec}"
