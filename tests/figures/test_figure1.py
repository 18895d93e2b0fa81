"""The command for Figure 1 on a real, small training run: every file agrees with the numbers that are printed."""

import csv
import json
from functools import partial

import pytest
from matplotlib.image import imread

from drt.errors import InputError
from drt.experiments import measured_runs
from figures import figure1
from tests.in_process import workers


def test_the_command_writes_every_file_whole(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(measured_runs, "workers", workers)
    monkeypatch.setattr(figure1, "data", partial(figure1.data, etas=tuple(i / 100 for i in range(11))))
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
    assert len(rows) == 10 * 11
    assert [r["eta"] for r in rows[:3]] == ["0", "0.01", "0.02"]
    assert float(rows[10]["deep_relative_trust"]) == pytest.approx(1.1**3 - 1, rel=1e-6)
    exceeded = sum(float(r["change_in_gradient"]) > float(r["deep_relative_trust"]) for r in rows if r["eta"] != "0")
    assert exceeded == result["panels"][0]["exceeded"]
    picture = imread(tmp_path / "figure1.png")
    assert picture.shape[0] > 1000
    assert picture.reshape(-1, picture.shape[2])[::101].std(0).max() > 0.05, "something is drawn"
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
