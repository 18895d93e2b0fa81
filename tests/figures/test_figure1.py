"""Figure 1 from real, small training runs: what is computed, what is written, what the caption may say."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from matplotlib.image import imread

from drt.errors import InputError
from drt.experiments.measured_runs import check_classes
from drt.training.data import load_digits
from figures import figure1
from figures.figure1_summary import Figure1Summary, caption, summarise

ETAS = tuple(i / 100 for i in range(11))


@pytest.fixture(scope="module")
def small():
    configs = [
        figure1.config(depth, residual, width=24, steps_per_epoch=20) for depth, residual in ((2, False), (5, False))
    ]
    return figure1.data(configs, seeds=(0, 1), inputs=200, processes=1, etas=ETAS)


def test_checkpoints_are_the_papers():
    shallow, deep = figure1.config(2, False, steps_per_epoch=240), figure1.config(16, False, steps_per_epoch=240)
    assert shallow.checkpoints == (0, 12, 24, 48, 96, 240, 720, 1200, 1680, 2160)
    assert deep.checkpoints == tuple(range(0, 2400, 240))
    assert figure1.config(16, True).checkpoints == (0, 3, 6, 12, 24, 60, 180, 300, 420, 540)


def test_data_are_slices_of_trained_networks(small):
    panel = small.panels[0]
    assert panel.stack("changes").shape == (2, 10, 11)
    assert panel.stack("rho").shape == (2, 10, 2)
    assert (panel.stack("changes")[..., 0] == 0).all()
    assert np.isfinite(panel.stack("losses")).all()
    assert np.mean(panel.runs[0].accuracies[-8:]) > 0.8
    assert not np.array_equal(panel.stack("losses")[0], panel.stack("losses")[1])


def test_the_summary_counts_what_the_curves_show(small):
    for panel, p in zip(small.panels, summarise(small).panels, strict=True):
        changes = panel.stack("changes")[..., 1:]
        trust = (1 + small.etas[1:]) ** panel.depth - 1
        assert p.points == 200
        assert p.exceeded == (changes > trust).sum() > 150
        assert p.factor[1] == pytest.approx(np.median(changes[..., -1] / trust[-1]))
        assert p.curves == sum(p.closest.values()) == 20
        assert p.errors["effective depth"] < p.errors["deep relative trust"]
        assert p.eta_lemma2 == pytest.approx(2 ** (1 / panel.depth) - 1)


def test_the_caption_says_what_the_data_support(small):
    summary = summarise(small)
    text = caption(small, summary)
    assert "trained by Fromage on 5,000 MNIST digits, 20 steps an epoch" in text
    assert "Medians over 2 seeds" in text
    p = summary.panels[0]
    assert f"deep relative trust is exceeded at {p.exceeded} of 200 points" in text
    planted = dataclasses.replace(p, exceeded=0, errors=dict(p.errors, linear=0.0, power=0.1))
    changed = caption(small, Figure1Summary([planted]))
    assert "exceeded at 0 of 200 points" in changed
    assert "Closest law of one parameter: cη (error 0.00 decades), and of two" in changed


def test_diverged_seeds_and_vanished_gradients_are_told(small):
    panel = small.panels[0]
    run = panel.runs[0]
    cut = dataclasses.replace(run, outcome="diverged", checkpoints=run.checkpoints[:4], slices=run.slices[:4])
    dead = [dataclasses.replace(s, changes=s.changes * np.nan) for s in panel.runs[1].slices[:1]]
    other = dataclasses.replace(panel.runs[1], slices=(*dead, *panel.runs[1].slices[1:]))
    data = dataclasses.replace(small, panels=(dataclasses.replace(panel, runs=(cut, other)),))
    summary = summarise(data)
    assert summary.panels[0].curves == 13
    text = caption(data, summary)
    assert "runs that diverged: 1" in text
    assert "checkpoints have no gradient to follow" in text
    figure1.draw(data, text).savefig("/dev/null", format="png")


def test_the_command_writes_every_file_whole(tmp_path, capsys):
    arguments = [
        "--depth",
        "3",
        "--width",
        "16",
        "--steps",
        "20",
        "--digits",
        "100",
        "--jobs",
        "1",
        "--optimiser",
        "sgd",
    ]
    assert figure1.main([*arguments, "--layer", "2", "--json", "--out", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert result["panels"][0]["depth"] == 3
    assert "trained by Sgd" in result["caption"]
    names = {"figure1.csv", "figure1-accuracy.csv", "figure1-laws.csv", "figure1.pdf", "figure1.png", "figure1.txt"}
    assert {p.name for p in tmp_path.iterdir()} == names
    assert "figure1.pdf" in err
    with (tmp_path / "figure1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10 * 100
    assert [r["eta"] for r in rows[:3]] == ["0", "0.001", "0.002"]
    assert float(rows[99]["deep_relative_trust"]) == pytest.approx(1.099**3 - 1, rel=1e-6)
    exceeded = sum(float(r["change_in_gradient"]) > float(r["deep_relative_trust"]) for r in rows if r["eta"] != "0")
    assert exceeded == result["panels"][0]["exceeded"]
    picture = imread(tmp_path / "figure1.png")
    assert picture.shape[0] > 1000
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 100
    assert (tmp_path / "figure1.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--depth", "two"], "--depth two must be whole numbers"),
        (["--depth", "2", "--layer", "3"], "--depth 2 with --layer 3"),
        (["--depth", "2", "--residual"], "each must have at least 3"),
        (["--seeds", "0"], "--seeds 0 must be >= 1"),
        (["--seed", "-1"], "--seed -1 must be a whole number from 0"),
        (["--jobs", "0"], "--jobs 0 must be > 0"),
        (["--steps", "19"], "--steps 19 must be >= 20"),
        (["--epochs", "5"], "--epochs 5 must be >= 10"),
        (["--activation", "gelu"], "activation='gelu' is not known"),
        (["--width", "0"], r"hidden\[0\] must be an integer >= 1"),
        (["--lr", "-1"], "lr must be a finite number > 0"),
        (["--optimiser", "lion"], "invalid choice: 'lion'"),
        (["--data", "no-such-folder"], "source='no-such-folder' does not exist"),
        (["--out", "/dev/null"], "--out '/dev/null' must be a folder"),
    ],
)
def test_bad_options_are_named(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words):
        figure1.main(arguments)


def test_data_with_one_class_or_without_labels_are_named():
    digits = load_digits()
    with pytest.raises(InputError, match="digits='mnist5k' has one class, 3; training needs at least two"):
        check_classes(dataclasses.replace(digits, labels=digits.labels * 0 + 3))
    with pytest.raises(InputError, match="has no labels"):
        check_classes(dataclasses.replace(digits, labels=None))
