"""The report's figures: pure `draw…(ax, data)` functions, and a figure as SVG text that fits inside an HTML page.

Everything is drawn in decimal logarithms on linear axes, so that 1e-300 and 1e300 fit one figure.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from drt.numeric.formatting import power_of_ten
from figures import style

ORIGINS = {
    "random": (style.BLUE, "o"),
    "trained": (style.GREEN, "^"),
    "extremal": (style.ORANGE, "s"),
    "attack": (style.PURPLE, "D"),
}
VISIBLE_EXCESS = 1e-6  # in log10: a point this little above the diagonal attains the bound, up to rounding
COMPRESSED_FROM, EVEN_DECADES = 30, 3  # decades: from which span axes are compressed, and how many around 1 stay even
COMPRESSED_TICKS = (-1000, -300, -100, -30, -10, -3, 0, 3, 10, 30, 100, 300, 1000)
Compared = Sequence  # an instance: origin, depth, log10 actual, log10 bound


def draw_comparison(ax: Axes, points: Iterable[Compared], violated: bool) -> None:
    """Actual change against bound, one marker an instance, coloured by origin; above the diagonal the claim is violated.

    Both axes are logarithmic, with the same limits. Beyond COMPRESSED_FROM orders of magnitude both are compressed alike, away
    from 1: asinh of the exponent.

    Args:
        ax: where to draw.
        points: [origin, depth, log10 actual, log10 bound], finite; at least one.
        violated: whether the claim has violations: then points above the diagonal are ringed.
    """
    points = list(points)
    bounds, actuals = [p[3] for p in points], [p[2] for p in points]
    span = max(*bounds, *actuals) - min(*bounds, *actuals)
    scale = Scale(EVEN_DECADES if span > COMPRESSED_FROM else 0.0)
    both = scale.limits([*bounds, *actuals])
    ax.fill_between(both, both, [both[1]] * 2, color=style.VIOLATION, alpha=0.07, lw=0, zorder=0)
    ax.plot(both, both, color=style.INK, lw=1.1, zorder=1)
    ax.text(
        0.025, 0.975, "violated: actual > bound", transform=ax.transAxes, va="top", fontsize=9, color=style.VIOLATION
    )
    for origin, (colour, marker) in ORIGINS.items():
        chosen = [(p[3], p[2]) for p in points if p[0] == origin]
        if chosen:
            x, y = zip(*chosen, strict=True)
            ax.scatter(
                x, y, s=17, c=colour, marker=marker, alpha=0.75, lw=0.4, edgecolor="white", zorder=2, label=origin
            )
    above = [(p[3], p[2]) for p in points if violated and p[2] > p[3] + VISIBLE_EXCESS]
    if above:
        x, y = zip(*above, strict=True)
        ax.scatter(x, y, s=52, c="none", lw=1.0, edgecolor=style.VIOLATION, zorder=3, label="violation")
    ax.set(xlabel="bound", ylabel="actual change", box_aspect=1)
    for axis, set_scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
        if scale.width:
            set_scale("asinh", linear_width=scale.width)
        axis.set_major_locator(FixedLocator(COMPRESSED_TICKS) if scale.width else _whole_decades())
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, position: power_of_ten(value)))
    ax.set(xlim=both, ylim=both)
    _finish(ax)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=5, frameon=False, fontsize=9, labelcolor=style.INK,
              handlelength=0.9, handletextpad=0.35, columnspacing=0.9, borderaxespad=0.2)  # fmt: skip


def _whole_decades() -> MaxNLocator:
    return MaxNLocator(nbins=6, integer=True, steps=[1, 2, 3, 5, 10])


@dataclass(frozen=True)
class Scale:
    """Linear (width 0), or asinh with this linear width; in decades."""

    width: float

    def forward(self, x: float) -> float:
        return math.asinh(x / self.width) if self.width else x

    def inverse(self, x: float) -> float:
        return self.width * math.sinh(x) if self.width else x

    def limits(self, values: Sequence[float]) -> tuple[float, float]:
        """Limits with a little air on this scale, one decade at least."""
        low, high = min(values), max(values)
        pad = max(0.0, (1 - (high - low)) / 2)
        low, high = self.forward(low - pad), self.forward(high + pad)
        air = 0.05 * (high - low)
        return self.inverse(low - air), self.inverse(high + air)


def draw_looseness(ax: Axes, looseness: Mapping[str, Sequence], rows: Sequence[Sequence[float]]) -> None:
    """log10(bound/actual) against depth, median and quartiles, for each origin.

    The vertical axis is asinh: even orders of magnitude near 0 (attained), then even powers of orders.

    Args:
        ax: where to draw.
        looseness: origin → rows [depth, lower quartile, median, upper quartile].
        rows: those of every bound that is shown beside this one: they set the limits.
    """
    depths = sorted({row[0] for row in rows})
    for origin, own in looseness.items():
        if own:
            depth, low, middle, high = zip(*sorted(own), strict=True)
            colour, marker = ORIGINS[origin]
            ax.fill_between(depth, low, high, color=colour, alpha=0.2, lw=0)
            ax.plot(depth, middle, color=colour, marker=marker, ms=4, lw=1.5, label=origin)
    ax.axhline(0, color=style.INK, lw=0.8, zorder=1)
    ax.set_xscale("log", base=2)
    ax.set_yscale("asinh", linear_width=1)
    limits = Scale(1).limits([0, *(v for row in rows for v in row[1:])])
    ax.set(ylim=limits, xlim=(depths[0] / 1.2, depths[-1] * 1.2), xlabel="depth")
    powers = [2**i for i in range(12) if depths[0] <= 2**i <= depths[-1]]
    ax.xaxis.set_major_locator(FixedLocator(powers or depths))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, position: f"{value:g}"))
    ax.yaxis.set_major_locator(FixedLocator([-1, 1, *COMPRESSED_TICKS]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, position: power_of_ten(value)))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    _finish(ax)


def _finish(ax: Axes) -> None:
    style.bare(ax, label_size=9, pad=4)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set(fontsize=10, color=style.INK)


def comparison_figure(points: Iterable[Compared], violated: bool) -> Figure:
    """`draw_comparison` on a page-sized figure."""
    figure = Figure(figsize=(4.5, 4.7), layout="constrained")
    draw_comparison(figure.subplots(), points, violated)
    return figure


def looseness_figure(looseness: Mapping[str, Sequence], rows: Sequence[Sequence[float]]) -> Figure:
    """`draw_looseness` on a figure small enough for many of them to stand side by side."""
    figure = Figure(figsize=(2.7, 2.2), layout="constrained")
    draw_looseness(figure.subplots(), looseness, rows)
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
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(description)}" ', 1)
