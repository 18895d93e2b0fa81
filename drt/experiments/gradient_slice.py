"""Slices of Figure 1: loss and gradient of a trained network along its own, fixed, gradient direction.

    W_k(η) = W_k − η·‖W_k‖_F/‖g_k‖_F·g_k   in every layer k (biases, where there are any, likewise)
    change(η) = ‖g_l(W(η)) − g_l(W)‖_F/‖g_l(W)‖_F

Against a full backward pass for every η: only layer l's gradient is multiplied out; W_1(η)x is affine in η, so it costs
no product; and every hidden state is written into memory that is in the cache already (see `drt.experiments.chain_gradient`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from scipy.sparse.linalg import svds
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from drt.errors import InputError
from drt.experiments.chain_gradient import ChainGradient, layers_of

FULL_SVD_UP_TO = 192  # rows or columns, up to which all singular values cost less
Evaluate = Callable[[float], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Slice:
    """Loss and relative change in gradient at each η; the change is NaN where the gradient is zero at η = 0.

    rho (L,): ‖ΔW_k‖₂/‖W_k‖₂ for η = 1, where ‖ΔW_k‖_F/‖W_k‖_F = 1; 0 for a layer whose gradient is zero.
    """

    etas: Float[Tensor, " E"]
    losses: Float[Tensor, " E"]
    changes: Float[Tensor, " E"]
    rho: Float[Tensor, " L"]


def slice_along_gradient(
    model: nn.Sequential, x: Float[Tensor, "N n_0"], labels: Int64[Tensor, " N"], etas: Sequence[float], layer: int = 1
) -> Slice:
    """The slice of a model of `make_model`, in the precision of x, under the mean cross-entropy of all inputs.

    Args:
        model: a chain of Linear, activation, normalising and `Residual` modules; it is put into the precision of x.
        x: the inputs that loss and gradient are taken over.
        labels: their classes.
        etas: relative sizes of the perturbation, finite and ≥ 0.
        layer: l, whose gradient is watched, from 1.

    Raises:
        InputError: a layer out of range, an η that is negative or not finite, a loss or gradient that is not finite at
            η = 0.
    """
    sizes = torch.as_tensor(etas, dtype=x.dtype)
    if not (sizes >= 0).all() or not torch.isfinite(sizes).all():
        raise InputError(f"etas must be finite and >= 0, got {list(etas)}")
    weights = [name for name, p in model.named_parameters() if p.ndim == 2]
    if isinstance(layer, bool) or not isinstance(layer, int) or not 1 <= layer <= len(weights):
        raise InputError(f"layer must be an integer from 1 to {len(weights)}, got layer={layer!r}")
    model.to(x.dtype)

    def loss(logits: Tensor) -> Tensor:
        return cross_entropy(logits, labels)

    directions = against_gradient(model, x, loss)
    if layers_of(model) is not None:
        evaluate: Evaluate = ChainGradient(model, directions, x, labels, layer).evaluate
    else:
        by_autograd = gradients_along(model, directions, x, loss, [weights[layer - 1]])

        def evaluate(eta: float) -> tuple[Tensor, Tensor]:
            value, (gradient,) = by_autograd(eta)
            return value, gradient

    before = evaluate(0.0)[1].clone()
    norm = before.norm()
    losses, changes = torch.empty_like(sizes), torch.empty_like(sizes)
    for i, eta in enumerate(sizes.tolist()):
        losses[i], gradient = evaluate(eta)
        changes[i] = (gradient - before).norm() / norm  # 0/0 = NaN for a zero gradient
    rho = [_spectral_norm(directions[name]) / _spectral_norm(model.get_parameter(name).detach()) for name in weights]
    return Slice(sizes, losses, changes, torch.stack(rho))


def against_gradient(model: nn.Module, x: Tensor, loss: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """−‖p‖/‖g‖·g for each parameter p, where g is the gradient of loss(model(x)); 0 where the gradient is.

    Raises:
        InputError: a loss or a gradient that is not finite.
    """
    parameters = dict(model.named_parameters())
    value = loss(model(x))
    if not torch.isfinite(value):
        raise InputError(f"the loss must be finite, got {value.item()}: a diverged checkpoint has no slice")
    directions = {}
    for (name, p), g in zip(parameters.items(), torch.autograd.grad(value, list(parameters.values())), strict=True):
        norm = g.norm()
        if not torch.isfinite(norm):
            raise InputError(f"the gradient of {name} must be finite, got norm {norm.item()}: it has no slice")
        directions[name] = -(p.detach().norm() / norm) * g if norm > 0 else torch.zeros_like(g)
    return directions


def gradients_along(
    model: nn.Module,
    directions: dict[str, Tensor],
    x: Tensor,
    loss: Callable[[Tensor], Tensor],
    watched: Sequence[str],
) -> Callable[[float], tuple[Tensor, tuple[Tensor, ...]]]:
    """η ↦ loss(model(x)) at p + η·direction for every parameter p, and its gradients in those watched; for any model.

    Args:
        model: whose parameters are moved.
        directions: of every parameter, by its name.
        x: (N, n_0), the inputs.
        loss: a function of the outputs that returns a scalar.
        watched: names of parameters.
    """

    def evaluate(eta: float) -> tuple[Tensor, tuple[Tensor, ...]]:
        moved = {name: p.detach() + eta * directions[name] for name, p in model.named_parameters()}
        leaves = [moved[name].requires_grad_() for name in watched]
        value = loss(functional_call(model, moved, x))
        return value.detach(), torch.autograd.grad(value, leaves)

    return evaluate


def _spectral_norm(matrix: Tensor) -> Tensor:
    """‖A‖₂, of a large matrix by Lanczos' method: a fraction of the time of all its singular values."""
    if min(matrix.shape) <= FULL_SVD_UP_TO or not matrix.any():
        return torch.linalg.matrix_norm(matrix, 2)
    start = np.ones(min(matrix.shape), dtype=matrix.cpu().numpy().dtype)  # else a random vector
    (value,) = svds(matrix.cpu().numpy(), k=1, v0=start, return_singular_vectors=False)
    return matrix.new_tensor(value)
