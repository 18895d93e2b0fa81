"""The figure of step sizes from real, tiny trainings, and from planted numbers."""

import csv
import json
import math

import numpy as np
import pytest
from matplotlib.image import imread

from drt.errors import InputError
from drt.experiments.audit import CheckpointRecord
from drt.experiments.step_sizes import StepSizes
from figures import step_sizes
from figures.step_sizes import power, sentences, size, summarise, text


def planted(depth, kind, condition4, loss_back, log10_constant=math.nan):
    lemma2 = 2 ** (1 / depth) - 1
    return CheckpointRecord(depth, kind, "fromage", 0, 4), StepSizes(lemma2, log10_constant, condition4, loss_back, 1)


RESULTS = [
    planted(2, "plain", 0.01, 0.02, -5.0),
    planted(2, "plain", 0.02, 0.04, -7.0),
    planted(2, "plain", 0.5, math.inf, -6.0),
    planted(16, "plain", 0.001, 0.004, -130.0),
    planted(16, "batch norm", math.inf, math.inf),
    (CheckpointRecord(16, "batch norm", "fromage", 0, 16, "diverged"), None),
]


def test_the_summary_is_that_of_planted_numbers():
    summary = summarise(RESULTS, 7)
    shallow, deep, normalised = summary.networks
    assert shallow.condition4 == [0.01, 0.02, 0.5]
    assert shallow.loss_back == [0.02, 0.04, math.inf]
    assert shallow.log10_constant == [-7, -6, -5]
    assert shallow.optimism["condition4"] == pytest.approx((math.sqrt(2) - 1) / 0.02)
    assert shallow.allowed == 1
    assert deep.allowed == 0
    assert (normalised.checkpoints, normalised.of) == (1, 2)
    assert math.isnan(normalised.log10_constant[1])
    assert summary.room == 2  # of 2, 2, 4, ∞ the lower median
    assert (summary.measured, summary.missing) == (5, {"diverged": 1})


def test_the_words_follow_the_numbers():
    said = sentences(summarise(RESULTS, 7))
    assert said[0].startswith(
        "Lemma 2's η is below both real ones at 2 of 5 checkpoints; the η at which the loss is back is 2 "
    )
    assert said[1].startswith(
        "Plain, from 2 to 16 layers, in the median: Lemma 2's η is from 21 to 44 times the one at which"
    )
    assert "With the constant it falls from 10⁻⁶ (2 layers) to 10⁻¹³⁰ (16)." in said
    assert "Not measured at 1 checkpoints: diverged." in said
    assert said[-1] == "Interrupted: 1 of 7 checkpoints are missing."


def test_the_table_fits_the_terminal():
    lines = text(summarise(RESULTS, 6)).splitlines()
    assert max(map(len, lines)) <= 100
    row = next(line for line in lines if line.startswith("16  plain"))
    assert row.split() == ["16", "plain", "1/1", "0.0443", "10⁻¹³⁰", "0.001", "(0.001–0.001)", "0.004", "(0.004–0.004)",
                           "44", "11"]  # fmt: skip
    assert ">.99 (>.99–>.99)" in text(summarise(RESULTS, 6))


def test_numbers_are_short():
    assert [size(v) for v in (0.00342, math.inf, math.nan)] == ["0.0034", ">.99", "–"]
    assert [power(v) for v in (-56.6, -math.inf, math.nan)] == ["10⁻⁵⁷", "0", "–"]


def test_the_command_writes_every_file_whole(tmp_path, capsys):
    options = ["--width", "10", "--steps", "16", "--seeds", "1", "--jobs", "1", "--depth", "2", "--json"]
    options += ["--network", "plain,batch norm"]
    assert step_sizes.main([*options, "--out", str(tmp_path)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {p.name for p in tmp_path.iterdir()} == {
        "step-sizes.csv",
        "step-sizes.txt",
        "step-sizes.pdf",
        "step-sizes.png",
    }
    with (tmp_path / "step-sizes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 4 == result["measured"]
    assert [(r["network"], r["step"]) for r in rows[:5]] == [
        ("plain", "0"), ("plain", "1"), ("plain", "4"), ("plain", "16"), ("batch norm", "0"),
    ]  # fmt: skip
    for r in rows:
        assert float(r["lemma2"]) == pytest.approx(2 ** (1 / int(r["layers"])) - 1, rel=1e-6)
        assert float(r["condition4_fails"]) < float(r["loss_back"])  # Lemma 1
        assert (r["log10_with_constant"] == "") == (r["network"] != "plain")
        assert 1 <= int(r["in_layer"]) <= int(r["layers"])
    own = sorted(float(r["condition4_fails"]) for r in rows if (r["layers"], r["network"]) == ("2", "plain"))
    row = next(n for n in result["networks"] if (n["depth"], n["kind"]) == (2, "plain"))
    assert row["condition4"] == pytest.approx([own[0], own[1], own[3]], rel=1e-6)
    picture = imread(tmp_path / "step-sizes.png")
    assert picture.shape[0] > 800
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 50
    assert (tmp_path / "step-sizes.pdf").read_bytes().startswith(b"%PDF")


def test_bad_options_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="optimiser='lion' is not known; expected one of fromage, sgd, adam, lars"):
        step_sizes.main(["--optimiser", "lion"])
    with pytest.raises(InputError, match="depth must be an integer >= 2 for a plain network, got depth=0"):
        step_sizes.main(["--depth", "0,3"])
