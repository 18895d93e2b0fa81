"""Heat maps of a claim's sharpness: where its constant is real and where it is slack.

One panel for each L, β/α (rows) and n (columns); κ upwards, δ to the right. Colour and number: the largest certified
actual/bound, rounded down, 1 where the bound is attained; orange above 1, where the claim is false.

python -m figures.sharpness theorem1.function --budget 120 --out results
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from drt.errors import Exit, check_positive, run_as_script
from drt.falsify.target import load_claim
from drt.sharpness.cells import Cell
from drt.sharpness.sharpness import CellGrid, Sharpness, sharpness, write
from figures import common, style

AXES = ("kappa", "ratio", "delta", "depth", "width")  # of the grid

PALE, DARK, ABOVE = "white", "#10182b", style.ORANGE  # on the colour map's greys style.INK would be illegible
ATTAINED = 1e-9  # of 1: a value this close to it is rounding
TITLE_COLUMNS = 13  # characters of 9 points to an inch
DARKEST = 1e-4  # slacker cells share the darkest colour


def data(claim: str, grid: CellGrid | None = None, budget: float = 120.0, seed: int = 0, jobs: int = 1) -> Sharpness:
    """The sharpness of a claim in every cell of a grid.

    Args:
        claim: its id, or path.py:function.
        grid: the cells; all by default.
        budget: units of work for all cells together.
        seed: of the search.
        jobs: processes.
    """
    return sharpness(load_claim(claim), grid or CellGrid(), budget, seed, jobs)


def number(value: float) -> str:
    """Two digits, one below 10⁻², rounded down: .25, .035, 6e−4; 1 where attained."""
    if abs(value - 1) <= ATTAINED:
        return "1"
    if value == 0:
        return "0"
    value *= 1 + 1e-9  # 0.1 − 10⁻¹⁶ is .10
    exponent = math.floor(math.log10(value))
    if exponent < -2:
        return f"{math.floor(value / 10.0**exponent)}e−{-exponent}"
    digits = 3 if exponent == -2 else 2
    return f"{math.floor(value * 10**digits) / 10**digits:.{digits}f}".removeprefix("0")


def colours(cells: Sequence[Cell]) -> tuple[Any, LogNorm]:
    """A colour map that colour-blind readers and grey printers can tell, light where the bound is attained; and its scale."""
    scale = mpl.colormaps["cividis"].with_extremes(over=ABOVE)
    lowest = min(row.sharpness for row in cells)
    return scale, LogNorm(min(max(lowest, DARKEST), 0.1), 1 + ATTAINED, clip=False)


def draw_panel(ax: Axes, cells: Sequence[Cell], scale: Any = None, norm: LogNorm | None = None) -> None:
    """One panel: the cells of one L, n and β/α.

    Args:
        ax: where to draw.
        cells: of the panel.
        scale: the colour map; like `norm` from `colours` of all panels' cells, or of these alone.
        norm: from sharpness to the colour map.
    """
    if norm is None:
        scale, norm = colours(cells)
    kappas, deltas = (sorted({getattr(row, key) for row in cells}) for key in ("kappa", "delta"))
    values = [[math.nan] * len(deltas) for _ in kappas]
    for row in cells:
        i, j, value = kappas.index(row.kappa), deltas.index(row.delta), row.sharpness
        values[i][j] = max(value, norm.vmin or 0.0)
        light = norm(values[i][j]) > 0.55
        ax.text(j + 0.5, i + 0.5, number(value), ha="center", va="center", fontsize=6.5, color=DARK if light else PALE)
    ax.pcolormesh(values, cmap=scale, norm=norm, edgecolors=PALE, linewidth=0.6)
    ax.set_xticks([j + 0.5 for j in range(len(deltas))], [f"{v:g}" for v in deltas], fontsize=6.5)
    ax.set_yticks([i + 0.5 for i in range(len(kappas))], [f"{v:g}" for v in kappas], fontsize=6.5)
    ax.tick_params(length=0, pad=2, colors=style.INK)
    style.frameless(ax)


def draw(result: Sharpness) -> Figure:
    """All panels of a result, on one page."""
    cells = result.cells
    rows = list(dict.fromkeys((row.depth, row.beta_over_alpha) for row in cells))
    widths = list(dict.fromkeys(row.width for row in cells))
    high, wide = len({row.kappa for row in cells}), len({row.delta for row in cells})
    size = (1.5 + len(widths) * (0.3 + 0.36 * wide), 1.3 + len(rows) * (0.22 + 0.2 * high))
    page = Figure(figsize=(max(size[0], 4.5), max(size[1], 2.6)), layout="constrained")
    grid = page.subplots(len(rows), len(widths), squeeze=False, sharex=True, sharey=True)
    scale, norm = colours(cells)
    for i, (depth, ratio) in enumerate(rows):
        for j, width in enumerate(widths):
            ax = grid[i][j]
            panel = [r for r in cells if (r.depth, r.beta_over_alpha, r.width) == (depth, ratio, width)]
            if not panel:  # interrupted before
                ax.set_axis_off()
                continue
            draw_panel(ax, panel, scale, norm)
            if i == 0:
                ax.set_title(f"n = {width}", fontsize=8, color=style.INK)
            if j == 0:
                ax.set_ylabel(f"L = {depth}\nβ/α = {ratio:g}\n\nκ", fontsize=7, color=style.INK)
            if i == len(rows) - 1:
                ax.set_xlabel("δ", fontsize=8, color=style.INK, labelpad=1)
    bar = page.colorbar(mpl.cm.ScalarMappable(norm, scale), ax=grid, location="bottom", shrink=0.6, aspect=45, pad=0.01)
    bar.set_label("largest certified actual change / bound", fontsize=8, color=style.INK)
    bar.ax.tick_params(labelsize=7, colors=style.INK)
    bar.outline.set_visible(False)  # type: ignore[operator]
    title = style.wrap(f"Sharpness of {result.claim}\n{result.statement}", int(TITLE_COLUMNS * page.get_figwidth()))
    page.suptitle(title, fontsize=9, color=style.INK)
    return page


def save(result: Sharpness, folder: Path) -> list[Path]:
    """Write PDF and PNG; their paths."""
    return common.save(folder, f"sharpness-{result.claim}", draw(result), {})


def main(arguments: list[str]) -> int:
    """Compute and draw; exit code 1 if a cell's network violates the claim."""
    parser = common.parser("sharpness", __doc__, prog="python -m figures.sharpness")
    parser.add_argument("claim", help="a claim's id, or path.py:function")
    for name in AXES:
        parser.add_argument(f"--{name}", help=f"values with commas between{', β/α' if name == 'ratio' else ''}")
    parser.add_argument("--budget", type=float, default=120.0, help="units of work for all cells together (120)")
    options = parser.parse_args(arguments)
    grid = CellGrid.from_text(**{name: getattr(options, name) for name in AXES})
    check_positive("budget", options.budget)
    common.check_common(options)
    result = data(options.claim, grid, options.budget, options.seed, options.jobs or os.cpu_count() or 1)
    paths = [*write(result, options.out), *(save(result, options.out) if result.cells else [])]
    counts = f"{len(result.cells)} cells, {result.violations} violate the claim"
    common.report(options, result.as_dict(), counts, paths)
    return Exit.VIOLATED if result.violations else Exit.HELD


if __name__ == "__main__":
    run_as_script(main)
