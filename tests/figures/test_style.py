"""One style: every colour has its one place, and what `bare` and `caption` promise is what is drawn."""

import re
from pathlib import Path

from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import drt
import figures
from figures import style


def test_colours_are_named_in_one_place_only():
    """Besides the dark of a heat map's cells, which are no background for INK."""
    found = []
    for package in (figures, drt):
        for path in Path(package.__file__).parent.rglob("*.py"):
            if path.name != "style.py":
                found += [(path.name, code) for code in re.findall(r"[\"']#[0-9A-Fa-f]{6}[\"']", path.read_text())]
    assert found == [("sharpness.py", '"#10182b"')]


def test_bare_axes_have_a_grid_and_no_frame():
    figure = Figure()
    ax = figure.subplots()
    ax.plot([0, 1], [0, 1])
    style.bare(ax, "x", label_size=7)
    assert not any(side.get_visible() for side in ax.spines.values())
    assert ax.xaxis.get_gridlines()[0].get_visible()
    assert not ax.yaxis.get_gridlines()[0].get_visible()
    assert to_hex(ax.xaxis.get_gridlines()[0].get_color()) == style.GRID_LINES
    label = ax.get_xticklabels()[0]
    assert (label.get_fontsize(), to_hex(label.get_color())) == (7, style.INK)
    assert ax.xaxis.get_ticklines()[0].get_markersize() == 0


def test_a_caption_keeps_its_paragraphs_and_stands_at_the_foot():
    text = style.wrap("one two three\nfour", 8)
    assert text.splitlines() == ["one two", "three", "four"]
    figure = Figure(figsize=(4, 2))
    style.caption(figure, text, left=0.1, bottom=0.5)
    (written,) = figure.texts
    assert (written.get_text(), written.get_position()) == (text, (0.1, 0.25))
