"""How every figure of this project looks: its colours, its light grid without a frame, its fonts."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, GRID_LINES = "#3b4252", "#e3e6ec"
# Okabe and Ito's colours, told apart by colour-blind readers; markers tell the series apart in black and white.
BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
GREY, VIOLATION = "#999999", "#C43C00"
DASHED = (0, (4, 2))  # what theory says, beside what is measured
LABEL: dict[str, Any] = {"fontsize": 9.5, "color": INK}
TITLE: dict[str, Any] = {"fontsize": 10.5, "color": INK}
LEGEND: dict[str, Any] = {"frameon": False, "labelcolor": INK}


def bare(ax: Axes, axis: str = "both", label_size: float = 8.5, pad: float = 3) -> None:
    """A light grid along an axis, behind everything; no frame, no tick marks.

    Args:
        ax: what to make bare.
        axis: x, y or both.
        label_size: of the numbers, in points.
        pad: between numbers and axes, in points.
    """
    ax.grid(axis=axis, color=GRID_LINES, lw=0.6)  # type: ignore[arg-type]
    ax.set_axisbelow(True)
    ax.tick_params(which="both", length=0, labelsize=label_size, colors=INK, pad=pad)
    frameless(ax)


def frameless(ax: Axes) -> None:
    """No box around the axes."""
    for side in ax.spines.values():
        side.set_visible(False)


def wrap(caption: str, columns: int) -> str:
    """A caption's paragraphs, broken into lines of so many characters at most."""
    return "\n".join(textwrap.fill(line, columns) for line in caption.splitlines())


def caption(figure: Figure, text: str, left: float = 0.012, bottom: float = 0.08) -> None:
    """Write a wrapped caption at the foot of a figure.

    Args:
        figure: where to write.
        text: the caption, its lines broken already.
        left: where it starts, as a share of the width.
        bottom: where it ends, in inches above the edge.
    """
    height = figure.get_size_inches()[1]
    figure.text(left, bottom / height, text, fontsize=8, color=INK, va="bottom", linespacing=1.3)
