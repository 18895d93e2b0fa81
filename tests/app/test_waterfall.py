"""The waterfalls of a network's bounds on the page and in the terminal: nothing is lost between them and the numbers."""

from io import StringIO

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from rich.cells import cell_len
from rich.console import Console

import drt
from drt.app.waterfall import COLOURS, bars, draw_waterfalls, waterfall_figure, waterfall_table
from drt.measurement.instance import Instance
from drt.measurement.sampling import Recipe, generator, normal
from proofs_checks.slack import PARTS, waterfalls


@pytest.fixture(scope="module")
def taken_apart():
    """The bounds of one network at 16 inputs."""
    recipe = Recipe((3, 4, 5), "leaky_relu:0.2", kappa=3.0, delta=0.1).draw(1, generator(0))
    net = drt.Network([w[0] for w in recipe.net.weights], "leaky_relu:0.2")
    return waterfalls(Instance(net, [dw[0] for dw in recipe.dweights], normal((16, 3), generator(1))))


def test_table_fits_100_columns(taken_apart):
    console = Console(file=StringIO(), width=100)
    console.print(waterfall_table(taken_apart))
    lines = console.file.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= 100
    assert any(line.startswith("theorem1.jacobian (J_0)") for line in lines)
    row = next(line for line in lines if line.startswith("telescoping.function"))
    assert row.split()[-1] == f"{next(w.total for w in taken_apart if w.claim == 'telescoping.function'):.2f}"


def test_bars_stack_the_parts(taken_apart):
    for w in taken_apart:
        stacked = list(bars(w))
        assert sum(length for _, _, length in stacked) == pytest.approx(w.total, abs=1e-4)
        assert all(b[0] == pytest.approx(a[0] + a[2], abs=1e-6) for a, b in zip(stacked, stacked[1:], strict=False))


def test_drawing_shows_every_bound_and_part_in_its_colour(taken_apart):
    ax = Figure().subplots()
    draw_waterfalls(ax, taken_apart)
    assert [label.get_text() for label in ax.get_yticklabels()] == [w.claim for w in taken_apart]
    drawn = {to_hex(patch.get_facecolor()) for patch in ax.patches}
    assert drawn == {colour.lower() for colour in COLOURS.values()}
    assert list(COLOURS) == list(PARTS)
    assert waterfall_figure(taken_apart).get_size_inches()[1] > 3
