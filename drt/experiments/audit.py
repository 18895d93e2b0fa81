"""The audit of deep relative trust: how the gradients of trained networks really break down.

Perceptrons of several depths, plain, residual and batch-normalised, are trained by several optimisers. At each checkpoint
the relative change in the gradient is measured along the gradient direction (`drt.experiments.gradient_slice`) and compared

    with (1+η)^L − 1      exceeded where the ratio is above 1; the largest ratio is the least constant C with which
                          C[(1+η)^L − 1] holds on the slice
    with every law        of `drt.experiments.laws`, by the root mean square of log₁₀(measured/law)
    for L_eff             of the law C[(1+η)^{L_eff} − 1], with the interval of `drt.experiments.laws.interval`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from torch import Tensor, nn

from drt.errors import InputError
from drt.experiments import laws
from drt.experiments.gradient_slice import slice_along_gradient
from drt.experiments.measured_runs import measured_runs
from drt.numeric.pool import Progress, silent
from drt.training.training import RATES, TrainingConfig

T = TypeVar("T")
KINDS: dict[str, dict] = {"plain": {}, "residual": {"residual": True}, "batch norm": {"normalisation": "batch"}}
DEPTHS = (2, 3, 8, 16, 32)
CHECKPOINTS = (15, 60, 240)
ETAS = tuple(float(eta) for eta in np.geomspace(1e-3, 0.1, 25))
DIGITS_MEASURED = 1000  # the gradients of a checkpoint are over the first so many


@dataclass(frozen=True)
class CheckpointRecord:
    """A checkpoint of a trained network: status is "measured", or says why nothing was measured there."""

    depth: int
    kind: str
    optimiser: str
    seed: int
    step: int
    status: str = "measured"
    loss: float = np.nan
    accuracy: float = np.nan


@dataclass(frozen=True)
class Breakdown:
    """The relative change in a gradient at each η of a slice, and what the laws make of it.

    changes, ratio (E,): the change, and over (1+η)^L − 1; fits: every law; interval: of L_eff.
    """

    changes: np.ndarray
    ratio: np.ndarray
    fits: dict[str, laws.Fit]
    interval: tuple[float, float]

    @property
    def effective_depth(self) -> laws.Fit:
        """The fit of C[(1+η)^{L_eff} − 1]; its shape is L_eff."""
        return self.fits["effective depth"]

    @property
    def constant(self) -> float:
        """The least C with which C[(1+η)^L − 1] holds at every η measured."""
        return float(np.nanmax(self.ratio))


def breakdown(etas: Sequence[float], changes: np.ndarray, rho: np.ndarray) -> Breakdown:
    """What a slice shows of a network with as many layers as `rho` has entries.

    Raises:
        InputError: an η outside (0, 1); fewer than four finite changes > 0, as where the gradient is zero.
    """
    eta = np.asarray(etas, dtype=float)
    if not ((eta > 0) & (eta < 1)).all():
        raise InputError(f"etas must be in (0, 1), got {list(etas)}")
    fits = laws.fit_all(eta, changes, rho)
    if not fits:
        raise InputError("the gradient does not change at four η: it is zero, or not finite away from the start")
    ratio = np.where(np.isfinite(changes), changes, np.nan) / np.expm1(len(rho) * np.log1p(eta))
    return Breakdown(changes, ratio, fits, laws.interval(fits["effective depth"], eta, changes, rho))


def config(depth: int, kind: str, optimiser: str = "fromage", seed: int = 0, **options: object) -> TrainingConfig:
    """How a network of the audit is trained; `options` are those of `TrainingConfig`, and its width.

    Args:
        depth: L.
        kind: one of KINDS.
        optimiser: one of RATES, with the learning rate there.
        seed: of weights and minibatches.
        **options: other fields of `TrainingConfig`; width: of the hidden layers.

    Raises:
        InputError: depth < 2, or < 3 for a residual network; a kind or an optimiser that is not known.
    """
    least = 3 if kind == "residual" else 2  # the first hidden layer has no skip connection
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < least:
        raise InputError(f"depth must be an integer >= {least} for a {kind} network, got depth={depth!r}")
    for name, value, known in (("kind", kind, KINDS), ("optimiser", optimiser, RATES)):
        if value not in known:
            raise InputError(f"{name}={value!r} is not known; expected one of {', '.join(known)}")
    width = options.pop("width", 64)
    chosen = {"lr": RATES[optimiser], "epochs": 4, "checkpoints": CHECKPOINTS, **KINDS[kind], **options}
    return TrainingConfig((width,) * (depth - 1), optimiser=optimiser, seed=seed, **chosen)  # type: ignore[arg-type]


def configs(
    depths: Sequence[int], kinds: Sequence[str], optimisers: Sequence[str], seeds: Sequence[int], **options: object
) -> list[tuple[str, TrainingConfig]]:
    """(kind, config) of every combination; two layers have no skip connection, so no residual network.

    Args:
        depths: L.
        kinds: of KINDS.
        optimisers: of RATES.
        seeds: of weights and minibatches.
        **options: as for `config`.

    Raises:
        InputError: as for `config`.
    """
    nets = [(depth, kind) for depth in depths for kind in kinds if (depth, kind) != (2, "residual")]
    return [
        (kind, config(depth, kind, o, seed, **options)) for depth, kind in nets for o in optimisers for seed in seeds
    ]


def audit(
    nets: Sequence[tuple[str, TrainingConfig]],
    etas: Sequence[float] = ETAS,
    layer: int = 1,
    source: str = "mnist5k",
    processes: int | None = None,
    progress: Progress = silent,
) -> Iterator[tuple[CheckpointRecord, Breakdown | None]]:
    """Every checkpoint of every network with its breakdown, None where there is none, as each run is done.

    Args:
        nets: (kind, config), as `configs` gives them.
        etas: η of the slices.
        layer: whose gradient is watched, from 1.
        source: the digits, as for `load_digits`.
        processes: all cores by default.
        progress: told (tasks done, tasks in all, what was done).

    Raises:
        InputError: an η outside (0, 1); a layer that some network does not have; as for `measured_runs`.
    """
    breakdown(etas, np.asarray(etas), np.ones(1))  # before the training, not after
    shallowest = min(len(c.hidden) + 1 for _, c in nets)
    if not 1 <= layer <= shallowest:
        raise InputError(f"layer must be from 1 to {shallowest}, the layers of every network; got layer={layer}")
    return measured_points(nets, partial(_breakdown, etas=etas, layer=layer), source, processes, progress)


def measured_points(
    nets: Sequence[tuple[str, TrainingConfig]],
    measure: Callable[[nn.Sequential, Tensor, Tensor], T],
    source: str = "mnist5k",
    processes: int | None = None,
    progress: Progress = silent,
) -> Iterator[tuple[CheckpointRecord, T | None]]:
    """`measured_runs`, a point a checkpoint: also where the run had diverged, or nothing could be measured.

    Args:
        nets: (kind, config), as `configs` gives them.
        measure: a function of (model, images, labels) that other processes can import.
        source: the digits, as for `load_digits`.
        processes: all cores by default.
        progress: told (tasks done, tasks in all, what was done).

    Raises:
        InputError: as for `measured_runs`.
    """
    attempt = partial(_attempt, measure=measure)
    for i, run, measured in measured_runs([c for _, c in nets], attempt, source, processes, progress):
        kind, c = nets[i]
        name = (len(c.hidden) + 1, kind, str(c.optimiser), c.seed)
        for checkpoint, (value, why) in zip(run.checkpoints, measured, strict=True):
            yield (
                CheckpointRecord(*name, checkpoint.step, why or "measured", checkpoint.loss, checkpoint.accuracy),
                value,
            )
        for step in (c.checkpoints or ())[len(run.checkpoints) :]:
            yield CheckpointRecord(*name, step, run.outcome), None


def _attempt(
    model: nn.Sequential, images: Tensor, labels: Tensor, measure: Callable[[nn.Sequential, Tensor, Tensor], T]
) -> tuple[T | None, str]:
    try:
        return measure(model, images[:DIGITS_MEASURED], labels[:DIGITS_MEASURED]), ""
    except InputError as error:
        return None, str(error)


def _breakdown(model: nn.Sequential, images: Tensor, labels: Tensor, etas: Sequence[float], layer: int) -> Breakdown:
    found = slice_along_gradient(model, images, labels, etas, layer)
    return breakdown(etas, found.changes.double().numpy(), found.rho.double().numpy())
