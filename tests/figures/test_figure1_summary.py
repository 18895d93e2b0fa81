"""Figure 1 in numbers and words, of slices made by known laws."""

from dataclasses import replace

import numpy as np
import pytest

from figures.figure1_summary import Figure1Summary, caption, summarise
from tests.figures.planted import ETAS, data, depth, gone, line, run, sliced

TRUST = (1 + ETAS) ** 2 - 1


def of(*runs):
    (panel,) = summarise(data(*runs)).panels
    return panel


def test_it_counts_what_the_curves_show():
    """Change 5η and η against (1 + η)² − 1 = 2η + η²: above at all ten points, and at none."""
    p = of(run(line(5.0), line(1.0)))
    assert (p.curves, p.zero_gradients, p.points, p.exceeded) == (2, 0, 20, 10)
    assert p.factor == pytest.approx([0.1 / 0.21, np.mean([0.1, 0.5]) / 0.21, 0.5 / 0.21])
    assert p.closest == {"linear": 2}
    assert p.errors["linear"] == pytest.approx(0, abs=1e-12)
    assert p.eta_lemma2 == pytest.approx(np.sqrt(2) - 1)
    assert p.accuracy == pytest.approx(np.mean([0.1, 0.9, 0.9, 0.8]))


def test_a_planted_depth_and_scale_come_back():
    p = of(run(depth(0.5, 30.0)))
    assert p.errors["effective depth"] < 1e-3
    assert p.closest == {"effective depth": 1}
    scaled = of(run(sliced((1 + 7 * ETAS) ** 2 - 1)))
    assert scaled.scale == pytest.approx(7, rel=1e-3)
    spectral = of(run(sliced((1 + 4 * 2 * ETAS) * (1 + 4 * 3 * ETAS) - 1)))
    assert spectral.spectral_scale == pytest.approx(4, rel=1e-3)


def test_where_the_change_reaches_one_and_the_loss_its_start_again():
    p = of(run(line(20.0), line(20.0)))
    assert p.eta_change_one == pytest.approx(0.05)
    assert p.eta_loss_back == pytest.approx(0.05)
    assert np.isnan(of(run(line(1.0))).eta_change_one)


def test_medians_are_over_all_seeds_and_checkpoints():
    p = of(run(line(1.0), line(3.0)), run(line(9.0), seed=1))
    assert p.factor[1] == pytest.approx(0.3 / 0.21)
    assert (p.curves, p.zero_gradients) == (3, 1), "a checkpoint that the second seed did not reach"


def test_the_caption_says_what_the_data_support():
    shown = data(run(line(5.0)), run(line(5.0), seed=1))
    summary = summarise(shown)
    text = caption(shown, summary)
    assert "24 wide, leaky_relu:0.1, no biases, trained by Fromage on 5,000 MNIST digits, 20 steps an epoch" in text
    assert "over 200 digits" in text
    assert "Medians over 2 seeds" in text
    assert "deep relative trust is exceeded at 20 of 20 points, 2.4 times in the median at the largest η" in text
    assert "Closest law of one parameter: cη (error 0.00 decades), and of two" in text
    assert "diverged" not in text
    assert "no gradient" not in text
    errors = dict.fromkeys(summary.panels[0].errors, 0.6) | {"linear": 0.5, "power": 0.1, "scaled": 0.2}
    none = replace(summary.panels[0], exceeded=0, errors=errors)
    changed = caption(shown, Figure1Summary([none]))
    assert "exceeded at 0 of 20 points" in changed
    assert "(1+cη)ᴸ − 1 (error 0.20 decades) against 0.50 for the line, of two: Cηᵖ (0.10)" in changed


def test_diverged_seeds_and_vanished_gradients_are_told():
    shown = data(run(line(5.0), outcome="diverged"), run(gone(), line(5.0), seed=1))
    summary = summarise(shown)
    assert (summary.panels[0].curves, summary.panels[0].outcomes) == (2, {"diverged": 1, "finished": 1})
    text = caption(shown, summary)
    assert "runs that diverged: 1." in text
    assert "2 checkpoints have no gradient to follow" in text


def test_a_network_without_curves_is_left_out():
    assert summarise(data(run(outcome="diverged"))).panels == []
