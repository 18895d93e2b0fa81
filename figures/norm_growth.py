"""Norms of scale-invariant layers under LARS and Fromage, and what Fromage does near a minimum.

Where f(cW) = f(W), ⟨g, W⟩ = 0 and a step of LARS with relative size η multiplies ‖W‖ by √(1+η²); the prefactor of
Fromage undoes it (the paper's Figure 2). Perceptrons with batch, weight or spectral norm are trained on digits in float32
and float64. Near a minimum W* ≠ 0 a Fromage step still has relative size η: teachers and students whose least loss is 0.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from drt.errors import InputError, run_as_script
from drt.experiments.invariant import KINDS, Norms, Training, follow
from drt.experiments.stationary import PROBLEMS, Stay, slope, stay
from drt.numeric.pool import Progress, silent, workers
from drt.numeric.results import Result
from drt.optimisers.steps import fromage, lars
from drt.training.data import load_digits
from figures import common, style

OPTIMISERS = {"LARS": lars, "Fromage": fromage}
DTYPES = {"float32": torch.float32, "float64": torch.float64}
ETAS = (0.003, 0.006, 0.0125, 0.025, 0.05, 0.1)
STEPS_AVERAGED = 20
DECAY = 1e-4  # of η, over a run with decay
COLOURS = {"batch norm": style.BLUE, "weight norm": style.ORANGE, "spectral norm": style.GREEN}
MARKERS = {"linear": (style.BLUE, "o"), "network": (style.VERMILION, "s")}
Key = tuple[str, str, str]  # kind, dtype, optimiser


@dataclass(frozen=True)
class NormGrowth:
    """What the figure shows: η and the norms of every kind, dtype and optimiser; runs near a minimum, without and with decay."""

    eta: float
    norms: dict[Key, Norms]
    constant: dict[str, Stay]
    decayed: dict[str, Stay]


def _follow(kind: str, dtype: str, optimiser: str, eta: float, steps: int, seed: int) -> Norms:
    return follow(Training(kind, load_digits(), OPTIMISERS[optimiser], eta, DTYPES[dtype], seed), steps)


def data(
    eta: float, steps: int, seeds: int, seed: int, jobs: int | None = None, progress: Progress = silent
) -> NormGrowth:
    """Train everything, each run in a process with one thread.

    Args:
        eta: of the norms.
        steps: of every run.
        seeds: how many teachers near a minimum.
        seed: of the trained perceptrons.
        jobs: processes; all cores by default.
        progress: told (runs done, runs in all, what was done).
    """
    load_digits()
    keys = [(kind, dtype, optimiser) for kind in KINDS for dtype in DTYPES for optimiser in OPTIMISERS]
    decays = (1.0, DECAY ** (1 / steps))
    with workers(jobs or os.cpu_count() or 1) as pool:
        trained = [pool.submit(_follow, *key, eta, steps, seed) for key in keys]
        stays: dict[tuple[str, float], Future] = {
            (p, d): pool.submit(stay, p, ETAS, seeds, steps, d) for p in PROBLEMS for d in decays
        }
        futures: list[Future] = [*trained, *stays.values()]
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            progress(done, len(futures), "training")
        norms = {key: task.result() for key, task in zip(keys, trained, strict=True)}
        constant, decayed = ({p: stays[p, d].result() for p in PROBLEMS} for d in decays)
    return NormGrowth(eta, norms, constant, decayed)


@dataclass(frozen=True)
class NormSummary:
    """A run of a kind of layer in one dtype with one optimiser, up to the last step that had finite norms (`lasted`).

    log_growth: log ‖W_T‖/‖W_0‖ of either layer. off: by how much it is off what theory says. cosine,
    largest_cosine: |cos∠(W, g)|, median and largest. loss: mean of the last hundred steps.
    """

    kind: str
    dtype: str
    optimiser: str
    steps: int
    lasted: int
    log_growth: list[float]
    off: float
    cosine: float
    largest_cosine: float
    loss: float


@dataclass(frozen=True)
class StationarySummary:
    """What stays of the loss near a minimum: its slope against η with a 95 % interval, and its median for each η.

    drift: the factor between the means of the third and fourth quarter. start: the median loss at the start.
    least_move: of any step, over η‖W‖. decayed: the median loss at the end, for each η, where η decays.
    """

    problem: str
    slope: float
    slope_low: float
    slope_high: float
    losses: list[float]
    drift: float
    start: float
    least_move: float
    decayed: list[float]


@dataclass(frozen=True)
class NormGrowthSummary(Result):
    """The figure in numbers; float32_overflow: after how many steps of LARS float32 cannot hold ‖W‖²."""

    eta: float
    norms: list[NormSummary]
    etas: list[float]
    stationary: list[StationarySummary]
    float32_overflow: int


def summarise(d: NormGrowth) -> NormGrowthSummary:
    """The numbers of the caption and the tables."""
    rate = math.log1p(d.eta**2) / 2
    norms = []
    for (kind, dtype, optimiser), run in d.norms.items():
        growth = torch.log(run.norms[run.lasted] / run.norms[0])
        expected = run.lasted * rate if optimiser == "LARS" else 0.0
        norms.append(
            NormSummary(
                kind,
                dtype,
                optimiser,
                steps=len(run.losses),
                lasted=run.lasted,
                log_growth=growth.tolist(),
                off=float((growth - expected).abs().max()),
                cosine=float(run.cosines.abs().nanmedian()),
                largest_cosine=float(run.cosines[: run.lasted].abs().max()),
                loss=float(run.losses[max(0, run.lasted - 100) : run.lasted].mean()),
            )
        )
    stationary = []
    for problem, runs in d.constant.items():
        mean, low, high = slope(runs.etas, runs.stationary)
        eta = torch.tensor(runs.etas, dtype=torch.float64).unsqueeze(-1)
        quarter = len(runs.losses) // 4
        late = [runs.losses[i * quarter : (i + 1) * quarter].mean(0) for i in (2, 3)]
        stationary.append(
            StationarySummary(
                problem,
                slope=mean,
                slope_low=low,
                slope_high=high,
                losses=runs.stationary.median(1).values.tolist(),
                drift=float((late[1] / late[0]).log().abs().max().exp()),
                start=float(runs.losses[0].median()),
                least_move=float((runs.moves / eta).min()),
                decayed=d.decayed[problem].losses[-1].median(1).values.tolist(),
            )
        )
    start = max(float(run.norms[0].max()) for run in d.norms.values())
    overflow = math.ceil((math.log(torch.finfo(torch.float32).max) / 2 - math.log(start)) / rate)  # of ‖W‖²
    return NormGrowthSummary(d.eta, norms, list(ETAS), stationary, overflow)


def caption(s: NormGrowthSummary) -> str:
    """What was measured, and no more."""

    def largest(optimiser: str, dtype: str, kinds: Sequence[str], field: str) -> float:
        chosen = [n for n in s.norms if n.optimiser == optimiser and n.dtype == dtype and n.kind in kinds]
        return max(getattr(n, field) for n in chosen)

    steps, exact = s.norms[0].steps, KINDS[1:]
    lasted = min(n.lasted for n in s.norms if n.optimiser == "LARS" and n.dtype == "float32")
    overflow = (
        f"layers broke down in float32 after {lasted:,}, where ‖W‖² overflows"
        if lasted < steps
        else f"after about {s.float32_overflow:,} float32 cannot hold ‖W‖²"
    )
    lines = [
        f"Two scale-invariant hidden layers, trained on 5,000 MNIST digits for {steps:,} steps, η = {s.eta:g}. "
        f"LARS multiplies ‖W‖ by (1+η²)^(t/2), {(1 + s.eta**2) ** (steps / 2):.3g} in {steps:,} steps (dotted); {overflow}. "
        f"log ‖W‖ is off that by at most {largest('LARS', 'float32', KINDS, 'off'):.1e} in float32 and "
        f"{largest('LARS', 'float64', KINDS, 'off'):.1e} in float64. Fromage's log ‖W‖ changes by at most "
        f"{largest('Fromage', 'float32', KINDS, 'off'):.1e} in float32; in float64 by "
        f"{largest('Fromage', 'float64', exact, 'off'):.1e} with weight or spectral norm, and by "
        f"{largest('Fromage', 'float64', KINDS[:1], 'off'):.1e} with batch norm, whose ε makes ⟨g, W⟩ ≠ 0: |cos∠(W, g)| is up to "
        f"{largest('Fromage', 'float64', KINDS[:1], 'largest_cosine'):.0e} there, and at most "
        f"{largest('Fromage', 'float64', exact, 'largest_cosine'):.0e} otherwise.",
    ]
    lines += [
        f"Near a minimum with loss 0 ({p.problem} teachers): with constant η the loss stays, in proportion to "
        f"η^{p.slope:.2f} (95 % interval over seeds {p.slope_low:.2f} to {p.slope_high:.2f}; the means of its third "
        f"and fourth quarter differ by a factor of at most {p.drift:.2g}). No step was smaller than "
        f"{p.least_move:.3f} η‖W‖. With η decayed to {DECAY:g} η it ends between {min(p.decayed):.0e} and "
        f"{max(p.decayed):.0e}."
        for p in s.stationary
    ]
    return "\n".join(lines)


def draw(d: NormGrowth, text: str) -> Figure:
    """Norms and cosines against steps; stationary loss against η, loss against steps."""
    wrapped = style.wrap(text, 158)
    lines = wrapped.count("\n") + 1
    height = 6.6 + 0.165 * lines
    figure = Figure(figsize=(9.2, height))
    grid = figure.add_gridspec(
        2,
        2,
        left=0.08,
        right=0.985,
        top=1 - 0.3 / height,
        bottom=(0.62 + 0.165 * lines) / height,
        hspace=0.36,
        wspace=0.22,
    )
    axes = [figure.add_subplot(grid[i // 2, i % 2]) for i in range(4)]
    draw_norms(axes[0], d)
    draw_cosines(axes[1], d)
    draw_stationary(axes[2], d)
    draw_losses(axes[3], d)
    for ax in axes:
        style.bare(ax, label_size=8)
        ax.xaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_minor_locator(NullLocator())
        for label in (ax.xaxis.label, ax.yaxis.label, ax.title):
            label.set(**style.LABEL)
        ax.legend(fontsize=7.5, **style.LEGEND)
    style.caption(figure, wrapped)
    return figure


def draw_norms(ax: Axes, d: NormGrowth) -> None:
    """‖W_t‖/‖W_0‖ of the first layer in float32."""
    for (kind, dtype, optimiser), run in d.norms.items():
        if dtype == "float32":
            label, dashes = f"{optimiser}, {kind}", "-" if optimiser == "LARS" else "--"
            width = {"batch norm": 4.5, "weight norm": 2.8, "spectral norm": 1.2}[kind]  # they lie on one another
            ax.plot(run.norms[:, 0] / run.norms[0, 0], dashes, lw=width, color=COLOURS[kind], label=label)
    t = np.arange(len(next(iter(d.norms.values())).norms))
    ax.plot(t, (1 + d.eta**2) ** (t / 2), ":", color=style.INK, lw=1.4, label="(1+η²)^(t/2)")
    ax.set(
        yscale="log",
        xlabel="step t",
        ylabel="‖W_t‖ / ‖W_0‖",
        title=f"norm of an invariant layer, η = {d.eta:g}, float32",
    )


def draw_cosines(ax: Axes, d: NormGrowth) -> None:
    """|cos∠(W, g)| of both layers under Fromage: medians of 50 steps."""
    for (kind, dtype, optimiser), run in d.norms.items():
        if optimiser == "Fromage":
            size = max(1, len(run.cosines) // 60)
            parts = run.cosines.abs()[: len(run.cosines) // size * size].reshape(-1, size * 2)
            t = size * (np.arange(len(parts)) + 0.5)
            dashes = "-" if dtype == "float64" else ":"
            ax.plot(
                t,
                parts.median(1).values.clamp(min=1e-19),
                dashes,
                lw=1.4,
                color=COLOURS[kind],
                label=f"{kind}, {dtype}",
            )
    ax.set(yscale="log", xlabel="step t", ylabel="|cos∠(W, g)|", title="how orthogonal the gradient is (Fromage)")


def draw_stationary(ax: Axes, d: NormGrowth) -> None:
    """The loss that stays, each seed a dot, and the median."""
    for problem, runs in d.constant.items():
        colour, marker = MARKERS[problem]
        mean, low, high = slope(runs.etas, runs.stationary)
        label = f"{problem}: slope {mean:.2f} ({low:.2f} to {high:.2f})"
        ax.plot(runs.etas, runs.stationary, marker, ms=3, color=colour, alpha=0.35, lw=0)
        ax.plot(
            runs.etas, runs.stationary.median(1).values, "-", marker=marker, ms=5, lw=1.2, color=colour, label=label
        )
    ax.set(xscale="log", yscale="log", xlabel="η", ylabel="mean loss that stays", title="near a minimum, constant η")
    ax.set_xticks(ETAS, [f"{eta:g}" for eta in ETAS])


def draw_losses(ax: Axes, d: NormGrowth) -> None:
    """The loss of the largest and smallest η, constant and decayed, of the first problem; median over seeds."""
    problem = next(iter(d.constant))
    for runs, dashes, word in (
        (d.constant[problem], "-", "constant"),
        (d.decayed[problem], "--", f"decayed to {DECAY:g} η"),
    ):
        for i, colour in ((-1, style.VERMILION), (0, style.BLUE)):
            smooth = runs.losses[:, i].median(1).values.unfold(0, STEPS_AVERAGED, 1).mean(-1)
            ax.plot(smooth, dashes, lw=1.2, color=colour, label=f"η = {runs.etas[i]:g}, {word}")
    ax.set(
        yscale="log",
        xlabel="step t",
        ylabel=f"loss, mean of {STEPS_AVERAGED} steps",
        title=f"loss of the {problem} students",
    )


def data_files(d: NormGrowth, s: NormGrowthSummary, text: str) -> dict[str, bytes]:
    """The data as CSV, a row a step (every tenth) or an η; and the caption."""
    norms = [
        (kind, dtype, optimiser, t, *(run.norms[t] / run.norms[0]).tolist(), *(run.cosines[t].tolist()))
        for (kind, dtype, optimiser), run in d.norms.items()
        for t in range(0, len(run.cosines), 10)
    ]
    points = [
        (problem, eta, seed, float(runs.stationary[i, seed]), float(d.decayed[problem].losses[-1, i, seed]))
        for problem, runs in d.constant.items()
        for i, eta in enumerate(runs.etas)
        for seed in range(runs.stationary.shape[1])
    ]
    header = ("kind", "dtype", "optimiser", "step", "norm_1", "norm_2", "cosine_1", "cosine_2")
    rows = [[n.kind, n.dtype, n.optimiser, n.off, n.cosine, n.largest_cosine, n.loss] for n in s.norms]
    return {
        "norm-growth.csv": common.csv_file(header, norms),
        "norm-growth-summary.csv": common.csv_file(
            ("kind", "dtype", "optimiser", "log_norm_off", "median_cosine", "largest_cosine", "loss"), rows
        ),
        "fixed-point.csv": common.csv_file(("problem", "eta", "seed", "stationary_loss", "decayed_loss"), points),
        "norm-growth.txt": (text + "\n").encode(),
    }


def _parser() -> argparse.ArgumentParser:
    parser = common.parser("norm-growth", __doc__)
    parser.add_argument("--eta", type=float, default=0.1, help="relative size of the steps (0.1)")
    parser.add_argument("--steps", type=int, default=2000, help="of every run (2000)")
    parser.add_argument("--seeds", type=int, default=5, help="teachers near a minimum, 2 at least (5)")
    return parser


def main(arguments: list[str], progress: Progress | None = None) -> int:
    """Compute, draw, write; the caption on stdout."""
    options = _parser().parse_args(arguments)
    common.check_common(options)
    if not 0 < options.eta < 1:
        raise InputError(f"--eta {options.eta:g} must be between 0 and 1")
    if options.steps < 20 or options.seeds < 2:
        raise InputError(f"--steps {options.steps} must be >= 20, --seeds {options.seeds} >= 2")
    computed = data(options.eta, options.steps, options.seeds, options.seed, options.jobs, progress or silent)
    summary = summarise(computed)
    text = caption(summary)
    files = common.save(options.out, "norm-growth", draw(computed, text), data_files(computed, summary, text))
    common.report(options, {"caption": text, **summary.as_dict()}, text, files)
    return 0


if __name__ == "__main__":
    run_as_script(main)
