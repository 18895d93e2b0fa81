"""Figure 1 on the page: curves, bands and laws where their numbers say; the same numbers as tables."""

import csv
import io

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures.figure1_draw import data_files, draw, draw_accuracy, draw_curves, draw_laws
from figures.figure1_summary import caption, summarise
from tests.figures.planted import ETAS, data, gone, line, run


def axes():
    return Figure().subplots()


def test_curves_are_medians_and_bands_quartiles_over_seeds():
    ax, values = axes(), np.array([[[1.0, 2.0, 0.0]], [[3.0, 4.0, 0.0]], [[2.0, 9.0, 0.0]]])
    draw_curves(ax, ETAS[:3], values)
    (curve,) = ax.lines
    assert curve.get_ydata()[:2].tolist() == [2.0, 4.0]
    assert np.isnan(curve.get_ydata()[2]), "zero has no place on a logarithmic axis"
    band = ax.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (0, 6.5)
    assert ax.get_yscale() == "log"


def test_one_seed_has_no_band():
    ax = axes()
    draw_curves(ax, ETAS[:3], np.ones((1, 4, 3)))
    assert len(ax.lines) == 4
    assert len(ax.collections) == 0


def test_accuracy_is_averaged_over_minibatches_with_a_dot_a_checkpoint():
    ax = axes()
    draw_accuracy(ax, data(run(line(1.0), line(2.0))).panels[0])
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([0.1, 0.5, 1.9 / 3, 2.7 / 4])
    assert len(ax.collections[0].get_offsets()) == 2


def test_laws_are_drawn_where_they_are():
    ax = axes()
    draw_laws(ax, ETAS, np.array([[5 * ETAS]]), 2)
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert drawn["deep relative trust"] == pytest.approx((1 + ETAS[1:]) ** 2 - 1)
    assert drawn["line, 5 η"] == pytest.approx(5 * ETAS[1:])
    assert any("Lemma 2: η = 0.414 →" in text.get_text() for text in ax.texts), "beyond the figure's right end"
    deep = axes()
    draw_laws(deep, ETAS, np.array([[5 * ETAS]]), 16)
    assert deep.lines[-1].get_xdata()[0] == pytest.approx(2 ** (1 / 16) - 1)


def test_tables_hold_every_point_and_every_minibatch():
    shown = data(run(line(5.0), gone()))
    summary = summarise(shown)
    files = data_files(shown, summary, caption(shown, summary))
    rows = {name: list(csv.DictReader(io.StringIO(files[name].decode()))) for name in files if name.endswith("csv")}
    curves = rows["figure1.csv"]
    assert len(curves) == 2 * 11
    assert float(curves[4]["change_in_gradient"]) == pytest.approx(0.2)
    assert float(curves[4]["deep_relative_trust"]) == pytest.approx(1.04**2 - 1)
    assert curves[15]["change_in_gradient"] == "", "NaN is empty"
    assert [float(r["minibatch_accuracy"]) for r in rows["figure1-accuracy.csv"]] == [0.1, 0.9, 0.9, 0.8]
    fits = {r["network"] + r["formula"]: r for r in rows["figure1-laws.csv"]}
    assert fits["2 layerscη"]["closest"] == "1"
    assert files["figure1.txt"].decode() == caption(shown, summary) + "\n"


def test_the_whole_figure_is_drawn_even_where_runs_diverged_and_gradients_vanished():
    shown = data(run(line(5.0), outcome="diverged"), run(gone(), line(5.0), seed=1))
    figure = draw(shown, caption(shown, summarise(shown)))
    assert len(figure.axes) == 3
    assert figure.axes[0].get_title() == "2 layers"
    figure.savefig(io.BytesIO(), format="png")
