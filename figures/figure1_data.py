"""What Figure 1 shows: trained networks and their slices along the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from drt.experiments.measured_runs import SlicedRun, sliced_runs
from drt.numeric.pool import Progress, silent
from drt.training.data import load_digits
from drt.training.training import TrainingConfig

ETAS = tuple(i / 1000 for i in range(100))
# The paper's checkpoints of a network that learns most of it in the first epoch: in 240ths of that epoch, then whole epochs.
EARLY_CHECKPOINTS = (0, 12, 24, 48, 96)
LATER_EPOCHS = (1, 3, 5, 7, 9)


@dataclass(frozen=True)
class Panel:
    """One network: its runs, one for each seed, all with the same checkpoints."""

    title: str
    runs: tuple[SlicedRun, ...]
    layer: int

    @property
    def config(self) -> TrainingConfig:
        """Of the first seed."""
        return self.runs[0].config

    @property
    def depth(self) -> int:
        """L."""
        return len(self.config.hidden) + 1

    def stack(self, field: str) -> np.ndarray:
        """A field of the runs, (seeds, checkpoints, …); NaN at the checkpoints that a diverged run did not reach."""
        parts = [getattr(run, field) for run in self.runs if run.slices]
        each = parts[0].shape[1:] if parts else (0,)
        stacked = np.full((len(parts), max(map(len, parts), default=0), *each), np.nan)
        for into, part in zip(stacked, parts, strict=True):
            into[: len(part)] = part
        return stacked


@dataclass(frozen=True)
class Data:
    """What Figure 1 shows: panels, the η of the slices, and what the digits are."""

    panels: tuple[Panel, ...]
    etas: np.ndarray
    digits: str
    inputs: int


def config(depth: int, residual: bool, **options: object) -> TrainingConfig:
    """How one of the figure's networks is trained, with the paper's ten checkpoints for its kind."""
    width = options.pop("width", 128)
    made = TrainingConfig((width,) * (depth - 1), residual=residual, **options)  # type: ignore[arg-type]
    steps = made.steps_per_epoch
    if depth > 3 and not residual:
        due = tuple(range(0, 10 * steps, steps))
    else:
        due = (*(e * steps // 240 for e in EARLY_CHECKPOINTS), *(e * steps for e in LATER_EPOCHS))
    return replace(made, checkpoints=due)


def data(
    configs: Sequence[TrainingConfig],
    seeds: Sequence[int] = (0,),
    source: str = "mnist5k",
    inputs: int | None = 1000,
    layer: int = 1,
    processes: int | None = None,
    etas: Sequence[float] = ETAS,
    progress: Progress = silent,
) -> Data:
    """Train and slice every network with every seed.

    Args:
        configs: how each network is trained, whatever the seed.
        seeds: the seeds.
        source: digits, as for `drt.training.data.load_digits`.
        inputs: how many of them the loss is taken over; None for all.
        layer: whose gradient is watched, from 1.
        processes: how many to use; None for one a core.
        etas: the η of the slices.
        progress: is told what is done.
    """
    wanted = [replace(c, seed=seed) for c in configs for seed in seeds]
    runs = sliced_runs(wanted, etas, source, inputs, layer, processes, progress)
    n = len(seeds)
    panels = [Panel(title(c), tuple(runs[i * n : (i + 1) * n]), layer) for i, c in enumerate(configs)]
    digits = load_digits(source, seeds[0])
    name = "5,000 MNIST digits" if digits.name == "mnist5k" else f"{len(digits):,} digits of {digits.name}"
    return Data(tuple(panels), np.array(etas), name, min(inputs or len(digits), len(digits)))


def title(config: TrainingConfig) -> str:
    """16 layers, residual."""
    return f"{len(config.hidden) + 1} layers" + ", residual" * config.residual
