"""How large a step may be: the η of Lemma 2, the η with its constant, and those at which things really go wrong.

Perceptrons of 2 to 32 layers are trained on MNIST digits. At each checkpoint, along the gradient direction: the η that
Lemma 2 allows, without and with the constant that it neglects; the η at which condition (4) first fails; and the η at
which the loss is first back at its start. See `drt.experiments.step_sizes`.
"""

from __future__ import annotations

import argparse
import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from torch import Tensor, nn

from drt.descent.losses import CrossEntropy
from drt.errors import run_as_script
from drt.experiments.audit import KINDS, CheckpointRecord, measured_points
from drt.experiments.step_sizes import StepSizes, step_sizes
from drt.numeric.formatting import power_of_ten
from drt.numeric.pool import Progress, silent
from drt.numeric.results import Result
from figures import common, style, trained
from figures.audit_words import short

Results = Sequence[tuple[CheckpointRecord, StepSizes | None]]
REAL = {
    "condition4": ("condition (4) fails", style.BLUE, "o"),
    "loss_back": ("loss back at its start", style.ORANGE, "s"),
}


def measure(model: nn.Sequential, images: Tensor, labels: Tensor) -> StepSizes:
    """The step sizes of a checkpoint, under the cross-entropy."""
    return step_sizes(model, images, CrossEntropy(labels))


@dataclass(frozen=True)
class NetworkStepSizes:
    """All checkpoints of one depth and kind: [least, median, largest] of each η; log10_constant NaN where there is none.

    checkpoints: measured, of so many. optimism: medians of Lemma 2's η over the two real ones: above 1 it allows what goes
    wrong. allowed: checkpoints at which Lemma 2's η is below both.
    """

    depth: int
    kind: str
    checkpoints: int
    of: int
    lemma2: float
    log10_constant: list[float]
    condition4: list[float]
    loss_back: list[float]
    optimism: dict[str, float]
    allowed: int


@dataclass(frozen=True)
class StepSizesSummary(Result):
    """The figure in numbers; expected: checkpoints planned; missing: those without any, by the reason.

    room: the median of the η at which the loss is back over the one at which condition (4) fails.
    """

    expected: int
    measured: int
    missing: dict[str, int]
    room: float
    networks: list[NetworkStepSizes]


def summarise(results: Results, expected: int) -> StepSizesSummary:
    """The numbers, a row for each depth and kind."""
    nets = sorted({(p.depth, list(KINDS).index(p.kind), p.kind) for p, _ in results})
    return StepSizesSummary(
        expected=expected,
        measured=sum(s is not None for _, s in results),
        missing=dict(Counter(p.status for p, s in results if s is None).most_common()),
        room=_median(np.array([s.loss_back / s.condition4 for _, s in results if s and s.condition4 < math.inf])),
        networks=[_network(depth, kind, results) for depth, _, kind in nets],
    )


def _network(depth: int, kind: str, results: Results) -> NetworkStepSizes:
    own = [s for p, s in results if (p.depth, p.kind) == (depth, kind)]
    found = [s for s in own if s is not None]
    lemma2 = 2 ** (1 / depth) - 1
    spreads = {name: _spread([getattr(s, name) for s in found]) for name in ("log10_constant", *REAL)}
    return NetworkStepSizes(
        depth,
        kind,
        checkpoints=len(found),
        of=len(own),
        lemma2=lemma2,
        **spreads,
        optimism={name: lemma2 / spreads[name][1] for name in REAL},
        allowed=sum(s.lemma2 < min(s.condition4, s.loss_back) for s in found),
    )


def _spread(values: Sequence[float]) -> list[float]:
    """Least, median and largest; NaN of nothing."""
    found = np.array(values or [np.nan])
    return [float(found.min()), _median(found), float(found.max())]


def _median(values: np.ndarray) -> float:
    """The lower median: ∞ is a value like any other, and is not averaged."""
    return float(np.sort(values)[(len(values) - 1) // 2]) if len(values) else np.nan


def text(summary: StepSizesSummary) -> str:
    """The table and the sentences, 100 columns wide; ranges are over checkpoints and seeds."""
    lines = [
        " L  network   checked Lemma 2   with C  condition (4) fails       loss is back          Lemma 2 over",
        "                                                                                         (4)   loss",
    ]
    for row in summary.networks:
        c = row.log10_constant[1]
        cells = [f"{size(getattr(row, n)[1])} ({size(getattr(row, n)[0])}–{size(getattr(row, n)[2])})" for n in REAL]
        ratios = "".join(f"{short(row.optimism[n]):>7}" for n in REAL)
        checked = f"{row.checkpoints}/{row.of}"
        lines.append(
            f"{row.depth:>2}  {row.kind:<10}{checked:>7} {row.lemma2:>6.4f}"
            f"  {power(c):>8}  {cells[0]:<24}  {cells[1]:<20}{ratios}"
        )
    return "\n".join([*lines, "", *(textwrap.fill(line, 100) for line in sentences(summary))])


def size(eta: float) -> str:
    """0.0034; >.99 where the whole grid shows no crossing; – for NaN."""
    return ">.99" if eta == math.inf else "–" if math.isnan(eta) else f"{eta:.2g}"


def power(log10: float) -> str:
    """10⁻⁵⁷; 0 where the constant is infinite; – for NaN."""
    return "–" if math.isnan(log10) else "0" if log10 == -math.inf else power_of_ten(log10)


def sentences(summary: StepSizesSummary) -> list[str]:
    """What the data support."""
    rows = [row for row in summary.networks if row.checkpoints]
    allowed, count = (sum(getattr(row, name) for row in rows) for name in ("allowed", "checkpoints"))
    said = [
        f"Lemma 2's η is below both real ones at {allowed} of {count} checkpoints; the η at which the loss is back is "
        f"{short(summary.room)} times the one at which condition (4) fails, in the median."
    ]
    for kind in KINDS:
        own = [row for row in rows if row.kind == kind]
        if own:
            ends = [f"{short(own[0].optimism[n])} to {short(own[-1].optimism[n])}" for n in REAL]
            said.append(
                f"{kind.capitalize()}, from {own[0].depth} to {own[-1].depth} layers, in the median: Lemma 2's η is from "
                f"{ends[0]} times the one at which condition (4) fails, and from {ends[1]} times that at which the loss is back."
            )
    constants = [row for row in rows if not math.isnan(row.log10_constant[1])]
    if constants:
        first, last = constants[0], constants[-1]
        said.append(
            f"With the constant it falls from {power(first.log10_constant[1])} ({first.depth} layers) "
            f"to {power(last.log10_constant[1])} ({last.depth})."
        )
    return said + trained.missing(summary, "Not measured")


def draw(results: Results, summary: StepSizesSummary, caption: str) -> Figure:
    """A panel a kind: every checkpoint's η against depth; then the η with the constant, in decades."""
    kinds = [kind for kind in KINDS if any(row.kind == kind for row in summary.networks)]
    text = style.wrap(caption, 168)
    size = (10.2, 4.2 + 0.155 * (text.count("\n") + 1))
    figure = Figure(figsize=size)
    height = {"top": 1 - 0.35 / size[1], "bottom": 1 - 3.65 / size[1]}
    grid = figure.add_gridspec(1, len(kinds), left=0.075, right=0.745, wspace=0.1, **height)
    first: Axes | None = None
    for column, kind in enumerate(kinds):
        ax = figure.add_subplot(grid[column], sharey=first)
        draw_kind(ax, results, summary, kind)
        if first is None:
            ax.set_ylabel("relative size η of the step", **style.LABEL)
            ax.legend(fontsize=7.5, **style.LEGEND, loc="lower left", handlelength=1.8)
            first = ax
        else:
            ax.tick_params(labelleft=False)
    draw_constant(figure.add_subplot(figure.add_gridspec(1, 1, left=0.82, right=0.985, **height)[0]), summary)
    style.caption(figure, text, bottom=0.09)
    return figure


def draw_kind(ax: Axes, results: Results, summary: StepSizesSummary, kind: str) -> None:
    """Lemma 2's η, and the two real ones: a dot a checkpoint, a line through the medians; those beyond the grid at 1.

    Args:
        ax: where to draw.
        results: every checkpoint with its step sizes.
        summary: of the results.
        kind: of the networks in this panel.
    """
    rows = [row for row in summary.networks if row.kind == kind and row.checkpoints]
    depths = [row.depth for row in rows]
    ax.plot(depths, [row.lemma2 for row in rows], color="black", lw=1.6, ls=style.DASHED, label="Lemma 2 allows")
    for name, (label, colour, marker) in REAL.items():
        apart = 1.06 if name == "loss_back" else 1 / 1.06
        dots = [(p.depth * apart, min(getattr(s, name), 1)) for p, s in results if s is not None and p.kind == kind]
        if dots:
            at, etas = zip(*dots, strict=True)
            ax.scatter(at, etas, s=12, color=colour, marker=marker, alpha=0.35, lw=0)
        medians = [min(getattr(row, name)[1], 1) for row in rows]
        ax.plot([d * apart for d in depths], medians, color=colour, marker=marker, ms=5, lw=1.3, label=label)
    ax.set_yscale("log")
    ax.set_title(kind, **style.TITLE)
    trained.against_depth(ax, (row.depth for row in summary.networks))


def draw_constant(ax: Axes, summary: StepSizesSummary) -> None:
    """log₁₀ of the η with the constant, median and range."""
    rows = [row for row in summary.networks if row.kind == "plain" and row.checkpoints]
    if rows:
        low, middle, high = np.array([row.log10_constant for row in rows]).T
        ax.errorbar([row.depth for row in rows], middle, (middle - low, high - middle), color=style.PURPLE, marker="D",
                    ms=5, lw=1.3, elinewidth=1, capsize=2)  # fmt: skip
    ax.set_title("plain, with the constant", **style.TITLE)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, position: power_of_ten(value)))
    trained.against_depth(ax, (row.depth for row in summary.networks))


def data_files(results: Results, caption: str) -> dict[str, bytes]:
    """step-sizes.csv: a row a checkpoint; step-sizes.txt: the caption."""
    head = ("layers", "network", "optimiser", "seed", "step", "status", "loss", "accuracy")
    rows = []
    for p, s in results:
        values = (s.lemma2, s.log10_constant, s.condition4, s.layer, s.loss_back) if s else [""] * 5
        rows.append((*vars(p).values(), *values))
    columns = (*head, "lemma2", "log10_with_constant", "condition4_fails", "in_layer", "loss_back")
    return {"step-sizes.csv": common.csv_file(columns, rows), "step-sizes.txt": (caption + "\n").encode()}


def caption(summary: StepSizesSummary, nets: trained.Nets, options: argparse.Namespace) -> str:
    """What is shown, and what it supports."""
    shown = (
        f"Perceptrons ({trained.described(nets, options)}). All layers move "
        f"against the gradient over 1,000 digits (batch norm with their own statistics) by the "
        f"relative size η, so that cos θ = 1. Dashed: 2^(1/L) − 1, the η below which Lemma 2 lets the loss fall. Dots: the "
        f"first η at which condition (4) fails in some layer, and at which the loss is back at its start, a dot a checkpoint, "
        f"lines through medians; found from below on a grid, so on the high side; at 1 where there is none below 0.99. "
        f"Right: (1 + 1/C)^(1/L) − 1 with the constant C = (β/α·κ²)ᴸ that Lemma 2 neglects, median and range."
    )
    return "\n".join([shown, " ".join(sentences(summary))])


def main(arguments: list[str], progress: Progress | None = None) -> int:
    """Compute, draw, write; the table on stdout."""
    options = trained.parser("step-sizes", __doc__, optimisers="fromage", seeds=3).parse_args(arguments)
    nets = trained.networks(options, start=True)
    results = trained.gathered(measured_points(nets, measure, options.data, options.jobs, progress or silent))
    summary = summarise(results, trained.expected(nets))
    words = caption(summary, nets, options)
    files = common.save(options.out, "step-sizes", draw(results, summary, words), data_files(results, words))
    common.report(options, {"caption": words, **summary.as_dict()}, text(summary), files)
    return 0


if __name__ == "__main__":
    run_as_script(main)
