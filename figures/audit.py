"""The audit of deep relative trust on trained networks: by how much it is exceeded, and which law holds instead.

Perceptrons of 2 to 32 layers, plain, residual and batch-normalised, are trained on MNIST digits by Fromage, SGD, Adam and
LARS. At each checkpoint the relative change in a layer's gradient, along the gradient direction, is held against
(1+η)^L − 1 and against other laws; C[(1+η)^{L_eff} − 1] gives an effective depth. See `drt.experiments.audit`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from drt.errors import run_as_script
from drt.experiments import laws
from drt.experiments.audit import ETAS, KINDS, audit
from drt.numeric.pool import Progress, silent
from figures import common, style, trained
from figures.audit_summary import AuditSummary, Results, summarise
from figures.audit_words import sentences, text

COLOURS = {"plain": style.BLUE, "residual": style.ORANGE, "batch norm": style.GREEN}
DRAWN_BELOW_ONE = 0.5  # where effective depths below 1 are drawn
MARKERS = {"plain": "o", "residual": "s", "batch norm": "^"}


def draw(results: Results, summary: AuditSummary, caption: str, layer: int) -> Figure:
    """Above, a kind a panel: the change over deep relative trust. Below: L_eff and the least C against L, errors of laws.

    Args:
        results: every checkpoint with its breakdown.
        summary: of the results.
        caption: below it all.
        layer: whose gradient was watched.
    """
    text = style.wrap(caption, 168)
    size = (10.2, 7.5 + 0.155 * (text.count("\n") + 1))
    figure = Figure(figsize=size)
    above = 1 - 0.35 / size[1]
    kinds = list(summary.laws)
    ratio = figure.add_gridspec(
        1, len(kinds), left=0.075, right=0.985, top=above, bottom=1 - 3.15 / size[1], wspace=0.08
    )
    below = {"top": 1 - 3.95 / size[1], "bottom": 1 - 6.95 / size[1]}
    depth = figure.add_gridspec(1, 2, left=0.075, right=0.6, wspace=0.3, **below)
    error = figure.add_gridspec(1, 1, left=0.785, right=0.985, **below)
    first: Axes | None = None
    for column, kind in enumerate(kinds):
        ax = figure.add_subplot(ratio[column], sharex=first, sharey=first)
        draw_ratio(ax, results, kind, summary)
        if first is None:
            ax.set_ylabel(f"change in gradient {layer} over (1+η)ᴸ − 1", **style.LABEL)
            first = ax
        else:
            ax.tick_params(labelleft=False)
    draw_depths(figure.add_subplot(depth[0]), summary, kinds)
    draw_constants(figure.add_subplot(depth[1]), summary, kinds)
    draw_errors(figure.add_subplot(error[0]), summary, kinds)
    style.caption(figure, text, bottom=0.09)
    return figure


def draw_ratio(ax: Axes, results: Results, kind: str, summary: AuditSummary) -> None:
    """The change over (1+η)^L − 1 against η: median and quartiles over all slices of a depth.

    Args:
        ax: where to draw.
        results: every slice.
        kind: of network, as `summary.networks` names it.
        summary: of those slices.
    """
    depths = sorted({row.depth for row in summary.networks})
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(depths)))
    for depth, colour in zip(depths, colours, strict=True):
        own = [b.ratio for p, b in results if b is not None and (p.depth, p.kind) == (depth, kind)]
        if own:
            low, middle, high = np.nanquantile(own, (0.25, 0.5, 0.75), axis=0)
            etas = np.asarray(summary.etas)
            ax.fill_between(etas, low, high, color=colour, alpha=0.16, lw=0)
            ax.plot(etas, middle, color=colour, lw=1.5, label=f"L = {depth}")
    ax.axhline(1, color="black", lw=1.2, ls=style.DASHED)
    ax.set(xscale="log", yscale="log", title=kind)
    ax.set_xlabel("relative size η of the perturbation", **style.LABEL)
    if kind == next(iter(summary.laws)):
        ax.legend(fontsize=8, **style.LEGEND, loc="upper left", handlelength=1.6)
    ax.title.set(**style.TITLE)
    style.bare(ax)


def _series(summary: AuditSummary, kind: str, field: str) -> tuple[list[float], list]:
    """Depths, drawn a little apart for each kind, and a field of their rows."""
    apart = 1.05 ** (list(KINDS).index(kind) - 1)
    rows = [(row.depth, row.found) for row in summary.networks if row.kind == kind and row.found]
    return [depth * apart for depth, _ in rows], [getattr(found, field) for _, found in rows]


def draw_depths(ax: Axes, summary: AuditSummary, kinds: Sequence[str]) -> None:
    """L_eff against L, with its interval; dashed: L_eff = L. Below 1 it has no meaning, and is drawn at the foot."""
    for kind in kinds:
        depths, values = _series(summary, kind, "effective_depth")
        middle, low, high = np.clip(np.array(values).T, DRAWN_BELOW_ONE, 1e4)
        ax.errorbar(depths, middle, (middle - low, high - middle), color=COLOURS[kind], marker=MARKERS[kind], ms=5,
                    lw=1.2, elinewidth=1, capsize=2, label=kind)  # fmt: skip
    ends = np.array([row.depth for row in summary.networks])
    ax.plot([ends.min(), ends.max()], [ends.min(), ends.max()], color="black", lw=1.2, ls=style.DASHED)
    ax.set_yscale("log")
    top = ax.get_ylim()[1]
    ax.set_yticks([DRAWN_BELOW_ONE, *(t for t in (1, 3, 10, 30, 100, 300, 1000) if t < top)])
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, position: "<1" if value < 1 else f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(DRAWN_BELOW_ONE / 1.2, top)
    ax.legend(fontsize=8, **style.LEGEND, loc="upper left", handlelength=1.6)
    ax.set_ylabel("effective depth", **style.LABEL)
    trained.against_depth(ax, (row.depth for row in summary.networks))


def draw_constants(ax: Axes, summary: AuditSummary, kinds: Sequence[str]) -> None:
    """The least C with which C[(1+η)^L − 1] holds on a slice, median, against L."""
    for kind in kinds:
        ax.plot(*_series(summary, kind, "constant"), color=COLOURS[kind], marker=MARKERS[kind], ms=5, lw=1.2)
    ax.set_yscale("log")
    ax.axhline(1, color="black", lw=1.2, ls=style.DASHED)
    ax.set_ylabel("least C with change ≤ C[(1+η)ᴸ − 1]", **style.LABEL)
    trained.against_depth(ax, (row.depth for row in summary.networks))


def draw_errors(ax: Axes, summary: AuditSummary, kinds: Sequence[str]) -> None:
    """The median error of each law, in decades."""
    names = list(laws.LAWS)[::-1]
    for shift, kind in zip((0.18, 0, -0.18), kinds, strict=False):
        errors = [summary.laws[kind][name].error for name in names]
        ax.plot(errors, np.arange(len(names)) + shift, ls="", marker=MARKERS[kind], ms=5, color=COLOURS[kind])
    ax.set_yticks(range(len(names)), [laws.LAWS[name].formula for name in names])
    ax.set_xlim(0, None)
    ax.set_xlabel("error of the law, decades", **style.LABEL)
    style.bare(ax)


def data_files(results: Results, summary: AuditSummary, caption: str) -> dict[str, bytes]:
    """audit.csv: a row a checkpoint, with every law; audit-slices.csv: every η; audit.txt: the caption."""
    head = ("layers", "network", "optimiser", "seed", "step")
    columns = [*head, "status", "loss", "accuracy", "points", "exceeded", "median_factor", "largest_factor",
               "effective_depth", "effective_depth_low", "effective_depth_high", "effective_depth_C"]  # fmt: skip
    for name in laws.LAWS:
        stem = name.replace(" ", "_")
        columns += [f"{stem}_factor", f"{stem}_shape", f"{stem}_error", f"{stem}_r2"]
    rows, slices = [], []
    for p, b in results:
        key = (p.depth, p.kind, p.optimiser, p.seed, p.step)
        row: list = [*key, p.status, p.loss, p.accuracy]
        if b is not None:
            used = b.ratio[np.isfinite(b.ratio)]
            best = b.effective_depth
            row += [
                len(used),
                int((used > 1).sum()),
                float(np.median(used)),
                b.constant,
                best.shape,
                *b.interval,
                best.factor,
            ]
            row += [v for f in b.fits.values() for v in (f.factor, f.shape, f.error, f.r2)]
            slices += [(*key, *map(float, v)) for v in zip(summary.etas, b.changes, b.ratio, strict=True)]
        rows.append(row + [""] * (len(columns) - len(row)))
    return {
        "audit.csv": common.csv_file(columns, rows),
        "audit-slices.csv": common.csv_file((*head, "eta", "change_in_gradient", "over_deep_relative_trust"), slices),
        "audit.txt": (caption + "\n").encode(),
    }


def caption(summary: AuditSummary, nets: trained.Nets, options: argparse.Namespace) -> str:
    """What is shown, and what it supports."""
    shown = (
        f"Perceptrons ({trained.described(nets, options)}). Above: relative change in the gradient of layer {options.layer}, "
        f"over 1,000 digits (batch norm with their own statistics), when every layer "
        f"moves against its gradient by the relative size η, divided by deep relative "
        f"trust, (1+η)ᴸ − 1; medians and quartiles over optimisers, seeds and checkpoints. Below: the effective depth E "
        f"(L_eff) of C[(1+η)ᴱ − 1], fitted on {ETAS[0]:g} ≤ η ≤ {ETAS[-1]:g}, its median and 0.95 interval (bootstrap over "
        f"runs), dashed E = L; the least C with which deep relative trust holds on a slice, in the median; and each law's "
        f"error, the root mean square of log₁₀(measured/law), in the median."
    )
    return "\n".join([shown, " ".join(sentences(summary))])


def main(arguments: list[str], progress: Progress | None = None) -> int:
    """Compute, draw, write; the tables on stdout."""
    parser = trained.parser("audit", __doc__, optimisers="fromage,sgd,adam,lars", seeds=3)
    parser.add_argument("--layer", type=int, default=1, help="whose gradient is watched (1)")
    options = parser.parse_args(arguments)
    nets = trained.networks(options, start=False)
    results = trained.gathered(audit(nets, ETAS, options.layer, options.data, options.jobs, progress or silent))
    summary = summarise(results, trained.expected(nets))
    words = caption(summary, nets, options)
    files = common.save(
        options.out, "audit", draw(results, summary, words, options.layer), data_files(results, summary, words)
    )
    common.report(options, {"caption": words, **summary.as_dict()}, text(summary), files)
    return 0


if __name__ == "__main__":
    run_as_script(main)
