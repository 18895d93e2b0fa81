"""The report's figures: pure `draw…(ax, data)` functions, and a figure as SVG text that fits inside an HTML page.

Everything is drawn in decimal logarithms on linear axes, so that 1e-300 and 1e300 fit one figure.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

# Okabe and Ito's colours, told apart by colour-blind readers; the markers tell them apart in black and white.
ORIGINS = {
    "random": ("#0072B2", "o"),
    "trained": ("#009E73", "^"),
    "extremal": ("#E69F00", "s"),
    "attack": ("#CC79A7", "D"),
}
VIOLATION, INK, GRID = "#C43C00", "#3b4252", "#e3e6ec"
VISIBLE = 1e-6  # in log10: a point this little above the diagonal attains the bound, up to rounding
ORDERS = (-300, -100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100, 300, 1000)  # of looseness: the ticks
Point = Sequence  # origin, depth, log10 actual, log10 bound


def power_of_ten(exponent: float) -> str:
    """10⁻³ for −3; 1 for 0 and 10 for 1."""
    exponent = round(exponent)
    return {0: "1", 1: "10"}.get(exponent, "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")))


def draw_comparison(ax: Axes, points: Iterable[Point], violated: bool) -> None:
    """Actual change against bound, one marker an instance, coloured by origin; above the diagonal the claim is violated.

    Both axes share their limits, unless one of them would then use less than a third of its length.

    Args:
        ax: where to draw.
        points: [origin, depth, log10 actual, log10 bound], finite; at least one.
        violated: whether the claim has violations: then points above the diagonal are ringed.
    """
    points = list(points)
    bounds, actuals = [p[3] for p in points], [p[2] for p in points]
    both = _limits([*bounds, *actuals])
    x_limits, y_limits = (_own_or_shared(_limits(values), both) for values in (bounds, actuals))
    ax.fill_between(both, both, [max(both[1], y_limits[1])] * 2, color=VIOLATION, alpha=0.07, lw=0, zorder=0)
    ax.plot(both, both, color=INK, lw=1.1, zorder=1, label="actual = bound")
    for origin, (colour, marker) in ORIGINS.items():
        chosen = [(p[3], p[2]) for p in points if p[0] == origin]
        if chosen:
            x, y = zip(*chosen, strict=True)
            ax.scatter(x, y, 17, colour, marker, alpha=0.75, lw=0.4, edgecolor="white", zorder=2, label=origin)
    above = [(p[3], p[2]) for p in points if violated and p[2] > p[3] + VISIBLE]
    if above:
        x, y = zip(*above, strict=True)
        ax.scatter(x, y, 52, "none", "o", lw=1.0, edgecolor=VIOLATION, zorder=3, label="violation")
    ax.set(xlim=x_limits, ylim=y_limits, box_aspect=1, xlabel="bound", ylabel="actual change")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 3, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, position: power_of_ten(value)))
    _plain(ax)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, frameon=False, fontsize=9, labelcolor=INK,
              handletextpad=0.3, columnspacing=1.1, borderaxespad=0.2)  # fmt: skip


def _limits(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = max(0.05 * (high - low), (1 - (high - low)) / 2, 0.05)  # one decade at least
    return low - pad, high + pad


def _own_or_shared(own: tuple[float, float], both: tuple[float, float]) -> tuple[float, float]:
    return own if own[1] - own[0] < (both[1] - both[0]) / 3 else both


def draw_looseness(ax: Axes, looseness: Mapping[str, Sequence], limits: tuple[float, float]) -> None:
    """log10(bound/actual) against depth, median and quartiles, for each origin.

    The vertical axis is asinh: even orders of magnitude near 0 (attained), then even powers of orders.

    Args:
        ax: where to draw.
        looseness: origin → rows [depth, lower quartile, median, upper quartile].
        limits: of the vertical axis, the same for every bound.
    """
    depths = sorted({row[0] for rows in looseness.values() for row in rows})
    for origin, rows in looseness.items():
        if rows:
            depth, low, middle, high = zip(*sorted(rows), strict=True)
            colour, marker = ORIGINS[origin]
            ax.fill_between(depth, low, high, color=colour, alpha=0.2, lw=0)
            ax.plot(depth, middle, color=colour, marker=marker, ms=4, lw=1.5, label=origin)
    ax.axhline(0, color=INK, lw=0.8, zorder=1)
    ax.set_xscale("log", base=2)
    ax.set_yscale("asinh", linear_width=1)
    ax.set(ylim=limits, xlim=(depths[0] / 1.2, depths[-1] * 1.2), xlabel="depth")
    powers = [2**i for i in range(12) if depths[0] <= 2**i <= depths[-1]]
    ax.xaxis.set_major_locator(FixedLocator(powers or depths))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, position: f"{value:g}"))
    ax.yaxis.set_major_locator(FixedLocator(ORDERS))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, position: power_of_ten(value)))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    _plain(ax)


def looseness_limits(rows: Iterable[Sequence[float]]) -> tuple[float, float]:
    """Limits that hold the quartiles of all rows, and 0, with a little air on the asinh scale."""
    values = [v for row in rows for v in row[1:]]
    low, high = (math.asinh(v) for v in (min(values, default=0), max(values, default=0)))
    low, high = min(low, 0), max(high, 1)
    air = 0.06 * (high - low)
    return math.sinh(low - air), math.sinh(high + air)


def _plain(ax: Axes) -> None:
    ax.grid(color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(length=0, labelsize=9, colors=INK, pad=4)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set(fontsize=10, color=INK)
    for side in ax.spines.values():
        side.set_visible(False)


def comparison_figure(points: Iterable[Point], violated: bool) -> Figure:
    """`draw_comparison` on a page-sized figure."""
    figure = Figure(figsize=(4.5, 4.7), layout="constrained")
    draw_comparison(figure.subplots(), points, violated)
    return figure


def looseness_figure(looseness: Mapping[str, Sequence], limits: tuple[float, float]) -> Figure:
    """`draw_looseness` on a figure small enough for many of them to stand side by side."""
    figure = Figure(figsize=(2.7, 2.2), layout="constrained")
    draw_looseness(figure.subplots(), looseness, limits)
    return figure


def svg(figure: Figure, name: str, description: str) -> str:
    """The figure as one `<svg>` element: text stays text, ids start with `name`, no namespaces, nothing external."""
    stream = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(
            stream, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = stream.getvalue()
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text[text.index("<svg") :])
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    label = description.translate(str.maketrans({"&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;"}))
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
