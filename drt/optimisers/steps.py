"""Steps of real optimisers → how far they move the weights: what the claims about Fromage are held against.

step (5)       W + ΔW,  ΔW = −η‖W‖_F/‖g‖_F·g              LARS with lr = η, trust coefficient 1
Algorithm 1    W⁺ = p(W + ΔW),  p = 1/√(1+η²)             Fromage with lr = η
LARS as W⁺     lr = 1, and the trust coefficient and weight decay of `lars_of`
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from drt.errors import InputError
from drt.measurement.measured import Measured
from drt.measurement.quantity import STEP
from drt.numeric.caching import cached_property
from drt.numeric.spectra import UNIT
from drt.optimisers.optim import LARS, Fromage

Maker = Callable[[list[torch.nn.Parameter], Sequence[float]], torch.optim.Optimizer]


def fromage(params: list[torch.nn.Parameter], etas: Sequence[float]) -> torch.optim.Optimizer:
    """Algorithm 1, one η for each parameter."""
    return Fromage([{"params": [p], "lr": eta} for p, eta in zip(params, etas, strict=True)])


def lars(params: list[torch.nn.Parameter], etas: Sequence[float]) -> torch.optim.Optimizer:
    """Step (5), one η for each parameter."""
    groups = [{"params": [p], "lr": eta} for p, eta in zip(params, etas, strict=True)]
    return LARS(groups, lr=1.0, trust_coefficient=1.0)


@dataclass(frozen=True)
class AsLARS:
    """With which parameters LARS is Fromage with η; p = 1/√(1+η²), q = (√(1+η²) − 1)/η.

    As published, w ← w − γ·trust·‖w‖/(‖g‖ + wd‖w‖)·(g + wd·w): γ = 1, trust = pη(1+q), wd = decay·‖g‖/‖w‖, decay = q: a
    weight decay that follows the gradient. As reviewer 2 writes it, w ← w − γℓ[βw + ‖w‖/((1+β)‖g‖)·g]: β = (√(1+4q) − 1)/2,
    γℓ = (1−p)/β.
    """

    trust: Any
    decay: Any
    beta: Any
    gamma_l: Any


def lars_of(eta: Any, sqrt: Callable[[Any], Any] = math.sqrt) -> AsLARS:
    """The parameters with which LARS is Fromage with η > 0, in whatever numbers η and `sqrt` are in."""
    root = sqrt(1 + eta * eta)
    q = eta / (1 + root)  # (√(1+η²) − 1)/η without cancellation
    beta = 2 * q / (1 + sqrt(1 + 4 * q))
    return AsLARS(eta * (1 + q) / root, q, beta, eta * q / root / beta)  # 1 − p = pηq


class Steps(Measured):
    """What `measure_steps` returns: a measurement of steps, of batch (T, B), T steps of B optimisers.

    eta (T, B)           η
    cosine               cos ∠(W, g)
    size, lars_size      ‖W⁺ − W‖/‖W‖ of a Fromage step, ‖ΔW‖/‖W‖ of step (5)
    kept, grown          ‖W⁺‖/‖W‖ and ‖W + ΔW‖/‖W‖
    gap                  ‖W_LARS − W⁺‖/‖W‖ of LARS with the parameters of `lars_of`
    error                a derived bound on the rounding error of each of them
    norm_w, norm_g       ‖W‖, ‖g‖; all norms are Frobenius norms
    """

    quantity = STEP
    FIELDS: ClassVar[tuple[str, ...]] = (
        "eta", "cosine", "size", "lars_size", "kept", "grown", "gap", "error", "cosine_error", "zero_cosine",
        "formula_error", "norm_w", "norm_g",
    )  # fmt: skip
    depth = 1

    def __init__(self, weight: Tensor, gradient: Tensor, eta: Tensor, after: dict[str, Tensor], unit: float):
        self.widths = (weight.shape[-1], weight.shape[-2])
        self.weight, self.gradient, self.eta, self.after, self.unit = weight, gradient, eta, after, unit

    @property
    def batch_shape(self) -> tuple[int, ...]:
        return tuple(self.eta.shape)

    @property
    def device(self) -> torch.device:
        return self.eta.device

    @property
    def entries(self) -> int:
        """How many numbers a weight has."""
        return self.weight[0, 0].numel()

    @cached_property
    def norm_w(self) -> Float[Tensor, "T B"]:
        return torch.linalg.matrix_norm(self.weight)

    @cached_property
    def norm_g(self) -> Float[Tensor, "T B"]:
        return torch.linalg.matrix_norm(self.gradient)

    @cached_property
    def cosine(self) -> Float[Tensor, "T B"]:
        unit = self.weight / self.norm_w[..., None, None], self.gradient / self.norm_g[..., None, None]
        return (unit[0] * unit[1]).sum((-1, -2)).clamp(-1, 1)

    @property
    def cosine_error(self) -> float:
        """A bound on the rounding error of `cosine`: a sum of products of numbers that are off by a norm's error."""
        return 2 * (self.entries + 8) * UNIT

    @property
    def zero_cosine(self) -> float:
        """The rounding error of a dot product of unit vectors, in the optimiser's precision: a cosine of it counts as 0."""
        return (self.entries + 8) * self.unit

    @property
    def formula_error(self) -> float:
        """A bound on the relative rounding error of a formula of a dozen operations and roots."""
        return 8 * UNIT

    def _relative(self, matrix: Tensor) -> Float[Tensor, "T B"]:
        return torch.linalg.matrix_norm(matrix) / self.norm_w

    @cached_property
    def size(self) -> Float[Tensor, "T B"]:
        return (self._relative(self.after["fromage"] - self.weight) + self.side * self.error).clamp(min=0)

    @cached_property
    def lars_size(self) -> Float[Tensor, "T B"]:
        return self._relative(self.after["lars"] - self.weight)

    @cached_property
    def kept(self) -> Float[Tensor, "T B"]:
        return self._relative(self.after["fromage"])

    @cached_property
    def grown(self) -> Float[Tensor, "T B"]:
        return self._relative(self.after["lars"])

    @cached_property
    def gap(self) -> Float[Tensor, "T B"]:
        return self._relative(self.after["as LARS"] - self.after["fromage"])

    @property
    def error(self) -> Float[Tensor, "T B"]:
        # In units of the optimiser's precision u: the norms of n squares, nu between them, in a term of size η‖W‖; and
        # eight roundings of each entry of aW and bg, ‖aW‖ + ‖bg‖ ≤ (1+η)‖W‖. Measuring it, in float64, costs no more.
        return 2 * (self.entries + 16) * self.unit * (1 + self.eta)

    def inflated(self, side: int) -> Steps:
        view = Steps(self.weight, self.gradient, self.eta, self.after, self.unit)
        view.side = side
        return view

    def log_left(self, left: str) -> tuple[Tensor, Tensor, Tensor]:
        """Log |size − η| ("deviation"), and both its ends."""
        value = (self.size - self.eta).abs()
        ends = (value, value - self.error, value + self.error)
        logs = [torch.log(v.clamp(min=0)) for v in ends]
        return logs[0], logs[1], logs[2]

    def size_of_logarithms(self, left: object) -> Tensor:
        return torch.zeros_like(self.eta)


def measure_steps(
    weight: Float[Tensor, "T B m n"],
    gradient: Float[Tensor, "T B m n"],
    eta: Float[Tensor, " B"],
    fromage: Maker = fromage,
    lars: Maker = lars,
) -> Steps:
    """T steps of B optimisers, each from the weight given for it: what they leave of earlier steps is their state alone.

    Args:
        weight: W, non-zero, float32 or float64, which the optimisers then work in.
        gradient: g, non-zero, of the same dtype.
        eta: η > 0.
        fromage: makes the optimiser of Algorithm 1 of B parameters and their η, each in a group of its own.
        lars: the same for step (5); its groups have the options lr, trust_coefficient and weight_decay.

    Raises:
        InputError: shapes or dtypes that do not match, a weight, gradient or η out of range.
    """
    if weight.shape != gradient.shape or weight.ndim != 4 or eta.shape != weight.shape[1:2]:
        shapes = ", ".join(f"{n} {tuple(t.shape)}" for n, t in (("gradient", gradient), ("eta", eta)))
        raise InputError(
            f"weight must be (T, B, m, n), gradient as well, eta (B,); got weight {tuple(weight.shape)}, {shapes}"
        )
    if weight.dtype not in (torch.float32, torch.float64) or gradient.dtype != weight.dtype:
        raise InputError(
            f"weight and gradient must both be float32 or float64, got {weight.dtype} and {gradient.dtype}"
        )
    for name, t in (("weight", weight), ("gradient", gradient)):
        size = torch.linalg.matrix_norm(t.double())
        if not (torch.isfinite(size) & (size > 0)).all():
            raise InputError(f"{name} must be non-zero and finite")
    if not (torch.isfinite(eta) & (eta > 0)).all():
        raise InputError(f"eta must be numbers > 0, got {eta.tolist()}")
    norms = [torch.linalg.matrix_norm(t.double()) for t in (weight, gradient)]
    options = [lars_of(e) for e in eta.tolist()]

    def as_lars(step: int, optimiser: torch.optim.Optimizer) -> None:
        for i, (group, o) in enumerate(zip(optimiser.param_groups, options, strict=True)):
            decay = o.decay * float(norms[1][step, i] / norms[0][step, i])
            group |= {"lr": 1.0, "trust_coefficient": o.trust, "weight_decay": decay}

    after = {
        "fromage": _run(fromage, weight, gradient, eta),
        "lars": _run(lars, weight, gradient, eta),
        "as LARS": _run(lars, weight, gradient, eta, as_lars),
    }
    unit = torch.finfo(weight.dtype).eps / 2
    return Steps(weight.double(), gradient.double(), eta.double().expand(weight.shape[:2]), after, unit)


def _run(
    make: Maker,
    weight: Tensor,
    gradient: Tensor,
    eta: Tensor,
    before: Callable[[int, torch.optim.Optimizer], None] = lambda step, optimiser: None,
) -> Float[Tensor, "T B m n"]:
    """The weights after each step, in float64."""
    params = [torch.nn.Parameter(w.clone()) for w in weight[0]]
    optimiser, after = make(params, eta.tolist()), []
    for step, (ws, gs) in enumerate(zip(weight, gradient, strict=True)):
        before(step, optimiser)
        for p, w, g in zip(params, ws, gs, strict=True):
            p.data.copy_(w)
            p.grad = g.clone()
        optimiser.step()
        after.append(torch.stack([p.detach() for p in params]).double())
    return torch.stack(after)
