"""What the figures about trained networks share: the options that say which, and results that survive an interrupt."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Protocol, TypeVar

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from drt.errors import InputError, Parser
from drt.experiments.audit import DEPTHS, KINDS, CheckpointRecord, configs
from drt.training.training import RATES, TrainingConfig
from figures import common, style

T = TypeVar("T")
NAMES = {"fromage": "Fromage", "sgd": "SGD", "adam": "Adam", "lars": "LARS"}
Nets = list[tuple[str, TrainingConfig]]


class Summary(Protocol):
    """What every summary counts: checkpoints planned, measured, and missing by the reason."""

    @property
    def expected(self) -> int: ...
    @property
    def measured(self) -> int: ...
    @property
    def missing(self) -> dict[str, int]: ...


def parser(name: str, description: str | None, optimisers: str, seeds: int) -> Parser:
    """The shared options of figures, and those of the networks.

    Args:
        name: of the figure.
        description: for --help.
        optimisers: trained by default, commas between.
        seeds: how many by default.
    """
    made = common.parser(name, description)
    depths, kinds = ",".join(map(str, DEPTHS)), ",".join(KINDS)
    made.add_argument("--depth", default=depths, help=f"layers ({depths})")
    made.add_argument("--network", default=kinds, help=f"kinds of network ({kinds})")
    made.add_argument("--optimiser", default=optimisers, help=f"of {','.join(RATES)} ({optimisers})")
    made.add_argument("--width", type=int, default=64, help="of the hidden layers (64)")
    made.add_argument("--steps", type=int, default=240, help="N, of training; measured after N/16, N/4 and N (240)")
    made.add_argument("--seeds", type=int, default=seeds, help=f"N seeds ({seeds})")
    made.add_argument("--data", default="mnist5k", help="mnist5k, or a folder of MNIST IDX files (mnist5k)")
    return made


def networks(options: argparse.Namespace, start: bool) -> Nets:
    """The networks that the options ask for; with `start`, measured at their start too.

    Raises:
        InputError: an option out of range.
    """
    common.check_common(options)
    try:
        depths = [int(depth) for depth in options.depth.split(",")]
    except ValueError:
        raise InputError(f"--depth {options.depth} must be whole numbers, e.g. 2,16") from None
    if options.seeds < 1 or options.steps < 16:
        raise InputError(f"--seeds {options.seeds} must be >= 1, --steps {options.steps} >= 16")
    seeds = range(options.seed, options.seed + options.seeds)
    n = options.steps // 4
    due = (*((0,) if start else ()), n // 4, n, 4 * n)
    nets = configs(
        depths, options.network.split(","), options.optimiser.split(","), seeds, width=options.width, steps_per_epoch=n,
        checkpoints=due,
    )  # fmt: skip
    if not nets:
        raise InputError(f"--depth {options.depth} --network {options.network}: two layers have no skip connection")
    return nets


def collect(results: Iterable[T]) -> tuple[list[T], bool]:
    """All results, or those that there were when the user interrupted, and whether that was so.

    Raises:
        KeyboardInterrupt: there were none.
    """
    kept = []
    try:
        for result in results:
            kept.append(result)
    except KeyboardInterrupt:
        if not kept:
            raise
        print("drt: interrupted; the figure shows what was done", file=sys.stderr)
        return kept, True
    return kept, False


def gathered(results: Iterable[tuple[CheckpointRecord, T | None]]) -> list[tuple[CheckpointRecord, T | None]]:
    """`collect`, by depth, kind, optimiser, seed and step.

    Raises:
        InputError: nothing was measured anywhere.
        KeyboardInterrupt: as for `collect`.
    """
    kept, _ = collect(results)
    if all(measured is None for _, measured in kept):
        raise InputError(f"nothing was measured at {len(kept)} checkpoints: {kept[0][0].status}")
    return sorted(kept, key=lambda item: _order(item[0]))


def _order(point: CheckpointRecord) -> tuple:
    return point.depth, list(KINDS).index(point.kind), point.optimiser, point.seed, point.step


def expected(nets: Nets) -> int:
    """How many checkpoints there are to measure."""
    return sum(len(c.checkpoints or ()) for _, c in nets)


def missing(summary: Summary, what: str) -> list[str]:
    """How many checkpoints have nothing to show, and why; `what` begins the sentence."""
    left = summary.expected - summary.measured - sum(summary.missing.values())
    said = [f"{what} at {count} checkpoints: {why}." for why, count in summary.missing.items()]
    return said + ([f"Interrupted: {left} of {summary.expected} checkpoints are missing."] if left else [])


def described(nets: Nets, options: argparse.Namespace) -> str:
    """What was trained, and how, in one sentence."""
    c, steps = nets[0][1], sorted({step for _, c in nets for step in c.checkpoints or ()})
    names = ", ".join(dict.fromkeys(NAMES[str(c.optimiser)] for _, c in nets))
    at = f"{', '.join(map(str, steps[:-1]))} and {steps[-1]}"
    digits = "5,000 MNIST digits" if options.data == "mnist5k" else f"the digits of {options.data}"
    seeds = f"{options.seeds} seed{'s' * (options.seeds > 1)}"
    return f"{c.hidden[0]} wide, {c.activations[0].spec}, no biases, trained on {digits} by {names}; {seeds}; after {at} steps"


def against_depth(ax: Axes, depths: Iterable[int]) -> None:
    """The horizontal axis: these depths, even in their logarithms."""
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(sorted(set(depths))))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, position: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("layers L", **style.LABEL)
    style.bare(ax)
