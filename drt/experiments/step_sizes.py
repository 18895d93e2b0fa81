"""How far a network may move against its full-batch gradient: what Lemma 2 allows, and what really happens.

    W_l(η) = W_l − η·‖W_l‖_F/‖g_l‖_F·g_l in every layer, so that cos θ_l = 1

    lemma2        2^{1/L} − 1: the η below which Lemma 2 says that the loss falls
    constant      (1 + 1/C)^{1/L} − 1: the same with the constant that it neglects, C = (β/α·κ²)^L, κ = max_l κ(W_l)
    condition4    the first η at which max_l ‖g_l(W(η)) − g_l(W)‖_F/‖g_l(W)‖_F ≥ 1, where condition (4) fails
    loss_back     the first η > 0 at which 𝓛(W(η)) ≥ 𝓛(W)

The last two are found on a grid from below, then by bisection. At the value found the condition fails, and the loss is
back; a crossing that comes and goes between two points of the grid is missed. So both values are on the high side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from drt.descent.losses import Loss, as_loss
from drt.descent.measurement import measure_descent
from drt.errors import InputError
from drt.experiments.chain_gradient import layers_of
from drt.experiments.gradient_slice import against_gradient, gradients_along
from drt.network.network import Network
from drt.theory.hypotheses_descent import log_constant

ETAS = tuple(float(eta) for eta in np.geomspace(1e-5, 0.99, 41))  # a third apart
CROSSING_PRECISION = 1e-3  # relative, of the interval that a crossing is bisected to
LOSS_ROUNDING = 1e-12  # of a loss: 2,000 additions in float64, five times over


@dataclass(frozen=True)
class StepSizes:
    """The four η of this module; layer: the first in which condition (4) fails, None if none does.

    log10_constant is the logarithm of `constant`, which may be far below what a float can hold; NaN where Theorem 1 says
    nothing of the network (skip connections, normalisation). condition4 and loss_back are ∞ where the whole grid shows none.
    """

    lemma2: float
    log10_constant: float
    condition4: float
    loss_back: float
    layer: int | None


def step_sizes(
    model: nn.Sequential,
    x: Float[Tensor, "N n_0"],
    loss: Loss | Callable[[Tensor], Tensor],
    etas: Sequence[float] = ETAS,
) -> StepSizes:
    """The step sizes of a model of `make_model`, in float64.

    Args:
        model: a chain of Linear, activation, normalising and `Residual` modules; it is put into float64.
        x: the inputs that the loss is taken over.
        loss: a `drt.descent.losses` loss, or a function of the outputs that returns a scalar.
        etas: the grid, rising, in (0, 1).

    Raises:
        InputError: a grid that does not rise or leaves (0, 1); labels out of range; a loss or a gradient that is not
            finite; a layer whose gradient is zero.
    """
    if not len(etas) or not all(low < high for low, high in zip((0.0, *etas), (*etas, 1.0), strict=True)):
        raise InputError(f"etas must rise within (0, 1), got {list(etas)}")
    model.to(torch.float64)
    x, loss = x.double(), as_loss(loss)
    names = [name for name, p in model.named_parameters() if p.ndim == 2]
    loss.check(len(x), model.get_parameter(names[-1]).shape[0])
    directions = against_gradient(model, x, loss)
    for layer, name in enumerate(names, start=1):
        if not directions[name].any():
            raise InputError(f"the gradient of layer {layer} is zero: there is no direction to follow")
    along = gradients_along(model, directions, x, loss, names)
    start, gradients = along(0.0)

    @cache
    def at(eta: float) -> tuple[float, np.ndarray]:
        value, moved = along(eta)
        changes = [((new - old).norm() / old.norm()).item() for new, old in zip(moved, gradients, strict=True)]
        return value.item(), np.array(changes)

    # Negated, so that NaN, from weights that overflow, counts as failed.
    condition4 = first(lambda eta: not at(eta)[1].max() < 1, etas)
    risen = start.item() + LOSS_ROUNDING * (1 + abs(start.item()))
    return StepSizes(
        2 ** (1 / len(names)) - 1,
        _log10_constant(model, directions, x, loss, names),
        condition4,
        first(lambda eta: not at(eta)[0] < risen, etas),
        int(at(condition4)[1].argmax()) + 1 if condition4 < math.inf else None,
    )


def first(crossed: Callable[[float], bool], etas: Sequence[float]) -> float:
    """Where a condition of η becomes true: the first η of a rising grid where it is, bisected down; ∞ if there is none."""
    low = 0.0
    for high in etas:
        if crossed(high):
            break
        low = high
    else:
        return math.inf
    while 0 < low * (1 + CROSSING_PRECISION) < high:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if crossed(middle) else (middle, high)
    return high


def log10_allowed(log_c: float, depth: int) -> float:
    """log₁₀[(1 + 1/C)^{1/L} − 1] from log C, of any size."""
    if log_c > 40:  # log(1 + 1/C) = 1/C and e^x − 1 = x, to the last digit
        return -(log_c + math.log(depth)) / math.log(10)
    return math.log10(math.expm1(math.log1p(math.exp(-log_c)) / depth))


def _log10_constant(
    model: nn.Sequential, directions: dict[str, Tensor], x: Tensor, loss: Loss, names: Sequence[str]
) -> float:
    chain = layers_of(model)
    if chain is None or any(residual for _, _, residual in chain):
        return math.nan
    m = measure_descent(Network.from_torch(model), [directions[name] for name in names], x, loss)
    return log10_allowed(log_constant(m).item(), m.depth)
