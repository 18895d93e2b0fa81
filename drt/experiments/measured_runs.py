"""Networks trained and measured at their checkpoints, on one-thread processes: slices are the data of Figure 1."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TypeVar

import numpy as np
from torch import Tensor, nn

from drt.errors import InputError
from drt.experiments.gradient_slice import Slice, slice_along_gradient
from drt.numeric.pool import Progress, silent, workers
from drt.training.data import Digits, load_digits
from drt.training.training import Checkpoint, Run, TrainingConfig, make_model, train

T = TypeVar("T")
_digits = lru_cache(maxsize=2)(load_digits)


@dataclass(frozen=True)
class SlicedRun:
    """A training run with a slice at each of its checkpoints (whose weights are dropped)."""

    config: TrainingConfig
    outcome: str
    accuracies: tuple[float, ...]
    checkpoints: tuple[Checkpoint, ...]
    slices: tuple[Slice, ...]

    @property
    def changes(self) -> np.ndarray:
        """Relative change in gradient (C, E)."""
        return np.array([s.changes.tolist() for s in self.slices])

    @property
    def losses(self) -> np.ndarray:
        """Loss (C, E)."""
        return np.array([s.losses.tolist() for s in self.slices])

    @property
    def rho(self) -> np.ndarray:
        """‖ΔW_k‖₂/‖W_k‖₂ at η = 1 (C, L)."""
        return np.array([s.rho.tolist() for s in self.slices])


def measured_runs(
    configs: Sequence[TrainingConfig],
    measure: Callable[[nn.Sequential, Tensor, Tensor], T],
    source: str = "mnist5k",
    processes: int | None = None,
    progress: Progress = silent,
) -> Iterator[tuple[int, Run, tuple[T, ...]]]:
    """Train every config on the digits (their order: its seed) and measure its model at each checkpoint.

    Yields (index of the config, its run without the checkpoints' weights, what was measured at each) as each is done.

    Args:
        configs: what to train.
        measure: a function of (model, images, labels) that other processes can import.
        source: the digits, as for `load_digits`.
        processes: all cores by default.
        progress: told (tasks done, tasks in all, what was done).

    Raises:
        InputError: as for `train` and `measure`; data with fewer than two classes.
    """
    check_classes(_digits(source, 0))
    total, done = sum(1 + len(c.checkpoints or ()) for c in configs), 0
    runs: dict[int, Run] = {}
    measured: dict[int, dict[int, T]] = {}
    with workers(processes or os.cpu_count() or 1) as pool:
        # The deep ones first: they take longest.
        order = sorted(range(len(configs)), key=lambda i: -len(configs[i].hidden))
        pending: dict[Future, tuple[int, int | None]] = {
            pool.submit(_train, configs[i], source): (i, None) for i in order
        }
        while pending:
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                i, k = pending.pop(future)
                if k is None:
                    runs[i], measured[i] = future.result(), {}
                    for at, checkpoint in enumerate(runs[i].checkpoints):
                        pending[pool.submit(_measure, configs[i], checkpoint, source, measure)] = (i, at)
                else:
                    measured[i][k] = future.result()
                done += 1
                progress(done, total, f"{len(configs[i].hidden) + 1} layers")
                if len(measured[i]) == len(runs[i].checkpoints):
                    kept = tuple(replace(c, state={}) for c in runs[i].checkpoints)
                    yield i, replace(runs.pop(i), checkpoints=kept), tuple(v for _, v in sorted(measured[i].items()))


def sliced_runs(
    configs: Sequence[TrainingConfig],
    etas: Sequence[float],
    source: str = "mnist5k",
    inputs: int | None = 1000,
    layer: int = 1,
    processes: int | None = None,
    progress: Progress = silent,
) -> list[SlicedRun]:
    """`measured_runs`, a slice at each checkpoint; the result has the order of the configs.

    Args:
        configs: what to train.
        etas: η of the slices.
        source: the digits, as for `load_digits`.
        inputs: slices are taken over the first so many digits; over all if None.
        layer: whose gradient is watched.
        processes: all cores by default.
        progress: told (tasks done, tasks in all, what was done).

    Raises:
        InputError: as for `train` and `slice_along_gradient`; data with fewer than two classes.
    """
    measure = partial(_slice, inputs=inputs, etas=etas, layer=layer)
    done = sorted(measured_runs(configs, measure, source, processes, progress), key=lambda item: item[0])
    return [SlicedRun(configs[i], run.outcome, run.accuracies, run.checkpoints, parts) for i, run, parts in done]


def check_classes(digits: Digits) -> None:
    """Raise InputError unless the digits have labels of at least two classes, numbered from 0."""
    if digits.labels is None:
        raise InputError(f"digits={digits.name!r} has no labels; training needs them")
    classes = digits.labels.unique()
    if len(classes) < 2:
        raise InputError(f"digits={digits.name!r} has one class, {int(classes[0])}; training needs at least two")


def _train(config: TrainingConfig, source: str) -> Run:
    return train(config, _digits(source, config.seed))


def _measure(
    config: TrainingConfig, checkpoint: Checkpoint, source: str, measure: Callable[[nn.Sequential, Tensor, Tensor], T]
) -> T:
    digits = _digits(source, config.seed)
    assert digits.labels is not None
    model = make_model(config, digits.images.shape[1], max(10, int(digits.labels.max()) + 1))
    model.load_state_dict(checkpoint.state)
    return measure(model, digits.images, digits.labels)


def _slice(
    model: nn.Sequential, images: Tensor, labels: Tensor, inputs: int | None, etas: Sequence[float], layer: int
) -> Slice:
    return slice_along_gradient(model, images[:inputs], labels[:inputs], etas, layer)
