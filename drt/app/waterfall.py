"""Where the looseness of bounds arises (`proofs_checks.slack`), shown: a table for the terminal, bars for the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from drt.numeric.spectra import UNIT
from figures import style
from proofs_checks.slack import PARTS, Waterfall

COLOURS = dict(zip(PARTS, (style.BLUE, style.ORANGE, style.PURPLE, style.GREEN, style.SKY, style.GREY), strict=True))
VISIBLE = UNIT**0.5  # in orders of magnitude: a shorter bar is rounding


def waterfall_table(waterfalls: Sequence[Waterfall]) -> Table:
    """At most 100 columns: a row a bound, a column a part, in orders of magnitude."""
    table = Table(
        title="Where the looseness arises: log10(bound/actual), by part of the proof, at the median input",
        title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0), pad_edge=False, width=100,
    )  # fmt: skip
    table.add_column("claim", no_wrap=True)
    for name in (*PARTS, "together"):
        table.add_column(name, justify="right", no_wrap=True)
    for w in waterfalls:
        shares = (f"{w.parts[part]:.2f}" if part in w.parts else "" for part in PARTS)
        of_jacobian = "" if w.claim.endswith("function") else " (J_0)"
        table.add_row(w.claim + of_jacobian, *shares, f"{w.total:.2f}")
    return table


def draw_waterfalls(ax: Axes, waterfalls: Sequence[Waterfall]) -> None:
    """A bar a bound, from the actual change to the bound in orders of magnitude; a colour a part of the proof."""
    for row, waterfall in enumerate(waterfalls):
        for left, part, length in bars(waterfall):
            ax.barh(row, length, left=left, height=0.62, color=COLOURS[part], lw=0)
        ax.text(waterfall.total, row, f" {waterfall.total:.1f}", va="center", fontsize=9, color=style.INK)
    ax.set_yticks(range(len(waterfalls)), [w.claim for w in waterfalls])
    ax.set(xlabel="orders of magnitude between the actual change and the bound", ylim=(len(waterfalls) - 0.4, -0.6))
    ax.set_xlim(0, 1.1 * max(1.0, *(w.total for w in waterfalls)))
    handles = [ax.barh(0, 0, color=colour, label=part) for part, colour in COLOURS.items()]
    ax.legend(handles=handles, fontsize=8, frameon=False, loc="lower right")
    style.bare(ax, "x", label_size=10, pad=3.5)
    ax.tick_params(axis="y", labelsize=9)


def bars(waterfall: Waterfall) -> Iterator[tuple[float, str, float]]:
    """(start, part, length) of each bar of a waterfall; a length below rounding is left out."""
    left = 0.0
    for part in PARTS:
        length = waterfall.parts.get(part, 0.0)
        if length > VISIBLE:
            yield left, part, length
        left += length


def waterfall_figure(waterfalls: Sequence[Waterfall]) -> Figure:
    """`draw_waterfalls` on a figure as high as it has bounds."""
    figure = Figure(figsize=(9.0, 0.9 + 0.34 * len(waterfalls)), layout="constrained")
    draw_waterfalls(figure.subplots(), waterfalls)
    return figure
