"""Figure 1 on the page, and as tables."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from drt.experiments import laws
from drt.numeric.formatting import number
from figures import common, style
from figures.figure1_data import Data, Panel
from figures.figure1_summary import Figure1Summary

LIMITS = (1e-2, 1e6)
MINIBATCHES_AVERAGED = 5  # minibatches whose accuracies are averaged


def draw(data: Data, caption: str) -> Figure:
    """A column a network: accuracy, loss, change in gradient; the caption below."""
    columns = len(data.panels)
    width = max(2.75 * columns + 0.6, 4.6)
    text = style.wrap(caption, int(width * 17.3))
    lines = text.count("\n") + 1
    height = 6.0 + 0.165 * lines
    figure = Figure(figsize=(width, height))
    bottom = (0.58 + 0.165 * lines) / height
    grid = figure.add_gridspec(
        3, columns, height_ratios=(0.75, 1, 1.25), left=0.62 / width, right=1 - 0.12 / width, top=1 - 0.3 / height,
        bottom=bottom, hspace=0.24, wspace=0.1,
    )  # fmt: skip
    for column, panel in enumerate(data.panels):
        top, middle, low = (figure.add_subplot(grid[row, column]) for row in range(3))
        draw_accuracy(top, panel)
        draw_curves(middle, data.etas, panel.stack("losses"))
        changes = panel.stack("changes")
        draw_curves(low, data.etas, changes)
        draw_laws(low, data.etas, changes, panel.depth)
        top.set_title(panel.title, **style.TITLE)
        top.set_xlabel("step", fontsize=8.5, color=style.INK, labelpad=1)
        middle.tick_params(labelbottom=False)
        low.set_xlabel("relative size η of the perturbation", **style.LABEL)
        for ax, label in ((top, "training accuracy"), (middle, "loss"), (low, f"change in gradient {panel.layer}")):
            if column:
                ax.tick_params(labelleft=False)
            else:
                ax.set_ylabel(label, **style.LABEL)
    figure.align_ylabels()
    style.caption(figure, text, left=0.12 / width)
    return figure


def draw_accuracy(ax: Axes, panel: Panel) -> None:
    """Moving average over minibatches, median and quartiles over seeds; each checkpoint a dot in the colour of its curves."""
    steps = max(len(run.accuracies) for run in panel.runs)
    smooth = np.full((len(panel.runs), max(steps, 1)), np.nan)
    for into, run in zip(smooth, panel.runs, strict=True):
        done = np.cumsum([0.0, *run.accuracies])
        ends = np.arange(1, len(done))
        starts = np.maximum(ends - MINIBATCHES_AVERAGED, 0)
        into[: len(ends)] = (done[ends] - done[starts]) / (ends - starts)
    low, middle, high = _quartiles(smooth)
    at = np.arange(1, smooth.shape[1] + 1)
    if len(panel.runs) > 1:
        ax.fill_between(at, low, high, color=style.INK, alpha=0.15, lw=0)
    ax.plot(at, middle, color=style.INK, lw=0.8)
    due = [c.step for c in max((run.checkpoints for run in panel.runs), key=len)]
    here = [middle[min(max(s - 1, 0), len(middle) - 1)] for s in due]
    ax.scatter(due, here, s=22, c=_colours(len(due)), edgecolor="white", lw=0.5, zorder=3)
    ax.set(ylim=(0, 1.06), xlim=(-0.02 * steps, 1.02 * steps), yticks=(0, 0.5, 1))
    style.bare(ax)


def draw_curves(ax: Axes, etas: np.ndarray, values: np.ndarray) -> None:
    """A viridis line a checkpoint, its median and quartiles over seeds; values (seeds, checkpoints, η)."""
    with np.errstate(all="ignore"):
        for k, colour in enumerate(_colours(values.shape[1])):
            low, middle, high = _quartiles(values[:, k])
            if len(values) > 1:
                ax.fill_between(etas, low, high, color=colour, alpha=0.13, lw=0)
            ax.plot(etas, np.where(middle > 0, middle, np.nan), color=colour, lw=1.3)
    ax.set_yscale("log")
    ax.set(ylim=LIMITS, xlim=(0, 0.1))
    ax.yaxis.set_major_locator(LogLocator(10, numticks=12))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_yticks([10.0**e for e in range(-2, 7, 2)])
    ax.set_xticks([0, 0.02, 0.04, 0.06, 0.08, 0.1], ["0", ".02", ".04", ".06", ".08", ".1"])
    style.bare(ax)


def draw_laws(ax: Axes, etas: np.ndarray, changes: np.ndarray, depth: int) -> None:
    """Deep relative trust, Lemma 2's η, and the line closest to the median of all curves.

    Args:
        ax: where to draw.
        etas: η (E,).
        changes: relative change of the gradient (…, E).
        depth: L.
    """
    eta = etas[etas > 0]
    ax.plot(eta, np.expm1(depth * np.log1p(eta)), color="black", lw=1.6, ls=style.DASHED, label="deep relative trust")
    middle = _quartiles(changes.reshape(-1, changes.shape[-1]))[1]
    line = laws.fit("linear", etas, middle, np.ones(depth))
    if line is not None:
        ax.plot(
            eta,
            line.factor * eta,
            color=style.VIOLATION,
            lw=1.6,
            ls=":",
            label=f"line, {number(float(f'{line.factor:.2g}'))} η",
        )
    lemma2 = 2 ** (1 / depth) - 1
    if lemma2 <= etas[-1]:
        ax.axvline(lemma2, ymax=0.78, color="black", lw=0.8)
        ax.text(lemma2, 1.6e-2, " Lemma 2", fontsize=7.5, color=style.INK)
    else:
        ax.text(0.0985, 1.6e-2, f"Lemma 2: η = {lemma2:.3f} →", fontsize=7.5, color=style.INK, ha="right")
    ax.legend(loc="upper left", fontsize=7.5, **style.LEGEND, handlelength=2.2, borderaxespad=0.2)


def data_files(data: Data, summary: Figure1Summary, caption: str) -> dict[str, bytes]:
    """figure1.csv: the curves; figure1-accuracy.csv: every minibatch; figure1-laws.csv: medians of fits; figure1.txt."""
    curves, accuracies = [], []
    for panel in data.panels:
        trust = np.expm1(panel.depth * np.log1p(data.etas))
        for run in panel.runs:
            name = (panel.title, run.config.seed)
            accuracies += [(*name, step, a) for step, a in enumerate(run.accuracies, start=1)]
            for checkpoint, part in zip(run.checkpoints, run.slices, strict=True):
                columns = (part.losses.tolist(), part.changes.tolist(), trust.tolist())
                curves += [
                    (*name, checkpoint.step, float(eta), *row) for eta, *row in zip(data.etas, *columns, strict=True)
                ]
    rows = [
        (p.title, law, laws.LAWS[law].formula, laws.LAWS[law].parameters, error, p.closest.get(law, 0))
        for p in summary.panels
        for law, error in p.errors.items()
    ]
    head = ("network", "seed", "step")
    return {
        "figure1.csv": common.csv_file((*head, "eta", "loss", "change_in_gradient", "deep_relative_trust"), curves),
        "figure1-accuracy.csv": common.csv_file((*head, "minibatch_accuracy"), accuracies),
        "figure1-laws.csv": common.csv_file(
            ("network", "law", "formula", "parameters", "median_error", "closest"), rows
        ),
        "figure1.txt": (caption + "\n").encode(),
    }


def _quartiles(values: np.ndarray) -> np.ndarray:
    """Quartiles along the first axis, NaN left out."""
    if not len(values) or np.isnan(values).all(0).any():
        filled = np.where(np.isnan(values).all(0), 0.0, values)
        result = np.nanquantile(filled, (0.25, 0.5, 0.75), axis=0)
        return np.where(np.isnan(values).all(0), np.nan, result)
    return np.nanquantile(values, (0.25, 0.5, 0.75), axis=0)


def _colours(count: int) -> np.ndarray:
    return mpl.colormaps["viridis"](np.linspace(0, 0.94, max(count, 1)))[:count]
