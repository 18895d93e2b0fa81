"""The report's figures: what is drawn where, over any range, and SVG that can stand in a page."""

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from drt.app import plots
from tests.app.made import Page, record


def axes():
    return Figure().subplots()


def test_comparison_puts_bound_across_and_actual_up():
    ax = axes()
    plots.draw_comparison(ax, [["random", 1, -3.0, -1.0], ["trained", 1, 2.0, 4.0]], violated=False)
    drawn = {c.get_label(): c for c in ax.collections if c.get_label() in plots.ORIGINS}
    assert drawn["random"].get_offsets().tolist() == [[-1.0, -3.0]]
    assert drawn["trained"].get_offsets().tolist() == [[4.0, 2.0]]
    assert to_hex(drawn["random"].get_facecolor()[0]) == "#0072b2"
    (line,) = ax.lines
    assert line.get_xdata().tolist() == line.get_ydata().tolist() == list(ax.get_xlim()) == list(ax.get_ylim())
    assert ax.get_xlim()[0] < -3.0
    assert ax.get_xlim()[1] > 4.0
    assert (ax.get_xscale(), ax.get_xlabel(), ax.get_ylabel()) == ("linear", "bound", "actual change")


@pytest.mark.parametrize("violated", [True, False])
def test_violations_are_ringed_where_the_claim_has_any(violated):
    ax = axes()
    points = [["attack", 1, 2.0, 1.0], ["random", 1, 1.0 + 1e-9, 1.0], ["random", 1, 0.0, 1.0]]
    plots.draw_comparison(ax, points, violated)
    rings = [c for c in ax.collections if c.get_label() == "violation"]
    assert [r.get_offsets().tolist() for r in rings] == ([[[1.0, 2.0]]] if violated else [])


def test_huge_ranges_stay_readable():
    ax = axes()
    plots.draw_comparison(
        ax, [["random", 1, -300.0, -300.0], ["random", 1, 0.0, 1.0], ["random", 1, 2.0, 300.0]], False
    )
    ax.figure.canvas.draw()
    assert (ax.get_xscale(), ax.get_yscale()) == ("asinh", "asinh")
    labels = [t.get_text() for t in ax.get_xticklabels()]
    assert {"10⁻³⁰⁰", "10⁻¹⁰", "1", "10³", "10³⁰⁰"} <= set(labels)
    pixels = ax.transData.transform([(0.0, 0.0), (3.0, 0.0)])
    assert pixels[1, 0] - pixels[0, 0] > 10  # three decades around 1 are told apart among six hundred


def test_one_point_has_a_decade_around_it():
    ax = axes()
    plots.draw_comparison(ax, [["random", 1, 2.0, 2.0]], violated=False)
    assert ax.get_xlim() == pytest.approx((1.45, 2.55))


def test_looseness_draws_medians_and_quartiles():
    ax = axes()
    random, trained = [[4, 2.0, 5.0, 9.0], [1, 1.0, 2.0, 3.0]], [[2, 30.0, 31.0, 40.0]]
    plots.draw_looseness(ax, {"random": random, "trained": trained}, [*random, *trained, [16, -2.0, 200.0, 250.0]])
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["random"].get_xdata().tolist() == [1, 4]
    assert lines["random"].get_ydata().tolist() == [2.0, 5.0]
    assert lines["trained"].get_ydata().tolist() == [31.0]
    assert ax.collections[0].get_paths()[0].vertices[:, 1].max() == 9.0
    assert ax.get_ylim()[0] < -2.0
    assert ax.get_ylim()[1] > 250.0
    assert ax.get_xlim()[1] > 16


def test_svg_ids_carry_the_name():
    text = plots.svg(plots.comparison_figure(record().points, False), "c7", 'a < "b"')
    page = Page(text)
    assert page.ids
    assert all(i.startswith("c7-") for i in page.ids)
    assert text.startswith('<svg role="img" aria-label="a &lt; &quot;b&quot;"')
    assert "xmlns" not in text
    assert "bound" in page.text
