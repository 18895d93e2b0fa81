"""The heat maps: what is written in the cells, which cells are orange, the script."""

import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from drt.errors import InputError
from drt.sharpness.cells import Cell
from drt.sharpness.sharpness import CellGrid, Sharpness
from figures.sharpness import ABOVE, colours, data, draw, draw_panel, main, number, save


def cell(kappa, delta, sharpness, width=2):
    values = (1, width, kappa, 1.0, delta, sharpness, sharpness, 1.0, "holds")
    return Cell(*values)


def result_of(*cells, claim="c", statement="s"):
    return Sharpness(
        claim=claim, statement=statement, seed=0, cells=cells, violations=0, interrupted=False, seconds=0.0, best=None
    )


CELLS = [cell(1.0, 0.1, 1.0), cell(1.0, 1.0, 0.999), cell(2.0, 0.1, 3.25e-4), cell(2.0, 1.0, 1.7)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (1 - 1e-12, "1"),
        (0.999, ".99"),
        (0.25, ".25"),
        (0.1 - 1e-16, ".10"),
        (0.01, ".010"),
        (0.0357, ".035"),
        (3.25e-4, "3e−4"),
        (1.7, "1.70"),
        (0, "0"),
    ],
)
def test_numbers_are_rounded_down(value, text):
    assert number(value) == text


def test_a_panel_shows_kappa_upwards_and_delta_to_the_right():
    ax = Figure().subplots()
    draw_panel(ax, CELLS)
    texts = {t.get_position(): t.get_text() for t in ax.texts}
    assert texts == {(0.5, 0.5): "1", (1.5, 0.5): ".99", (0.5, 1.5): "3e−4", (1.5, 1.5): "1.70"}
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0.1", "1"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["1", "2"]
    assert ax.collections[0].get_array().shape == (2, 2)


def test_only_what_exceeds_the_bound_is_orange():
    scale, norm = colours(CELLS)
    assert scale(norm(1.7)) == to_rgba(ABOVE)
    assert all(scale(norm(v)) != to_rgba(ABOVE) for v in (1.0, 0.999, 3.25e-4))


def test_one_panel_for_each_depth_ratio_and_width():
    page = draw(result_of(*CELLS, cell(1.0, 0.1, 0.5, width=3)))
    assert [ax.get_title() for ax in page.axes[:2]] == ["n = 2", "n = 3"]
    assert page.axes[0].get_ylabel().startswith("L = 1\nβ/α = 1")


def test_computes_and_saves(tmp_path):
    grid = CellGrid(depth=(1,), width=(2,), kappa=(2.0,), ratio=(1.0,), delta=(0.1,))
    result = data("kappa.function", grid, budget=0.1)
    assert result.cells[0].sharpness == pytest.approx(0.5, rel=0.01)
    for path in save(result, tmp_path):
        assert path.read_bytes()[:4] in (b"%PDF", b"\x89PNG")
    # Fonts as outlines that readers can search and copy (TrueType), not as drawings of glyphs (Type 3).
    assert b"/Subtype /Type0" in (tmp_path / "sharpness-kappa.function.pdf").read_bytes()


def test_script(tmp_path, capsys):
    options = [
        "--kappa",
        "2",
        "--ratio",
        "1",
        "--delta",
        "0.1",
        "--depth",
        "1",
        "--width",
        "2",
        "--budget",
        "0.1",
        "--out",
    ]
    assert main(["kappa.function", *options, str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == 4
    assert "1 cells, 0 violate the claim" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"--kappa 0.5 must be from 1"):
        main(["kappa.function", "--kappa", "0.5"])
