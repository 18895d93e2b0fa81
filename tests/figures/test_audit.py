"""The audit's command on real, tiny trainings: every file agrees with the numbers that are printed."""

import csv
import json

import pytest
from matplotlib.image import imread

from drt.errors import InputError
from drt.experiments import measured_runs
from figures import audit
from tests.in_process import workers

TINY = ["--width", "10", "--steps", "16", "--seeds", "1", "--jobs", "1"]


def test_the_command_writes_every_file_whole(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(measured_runs, "workers", workers)
    options = ["--depth", "2,3", "--optimiser", "fromage", "--layer", "2", "--json", "--out", str(tmp_path)]
    assert audit.main([*TINY, *options]) == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert {p.name for p in tmp_path.iterdir()} == {
        "audit.csv", "audit-slices.csv", "audit.txt", "audit.pdf", "audit.png",
    }  # fmt: skip
    assert "audit.pdf" in err
    with (tmp_path / "audit.csv").open() as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "audit-slices.csv").open() as file:
        points = list(csv.DictReader(file))
    assert len(rows) == 5 * 3 == result["expected"] == result["measured"]
    assert [r["step"] for r in rows[:3]] == ["1", "4", "16"]
    assert len(points) == 15 * 25
    first = [p for p in points if all(p[k] == rows[0][k] for k in ("layers", "network", "optimiser", "seed", "step"))]
    ratios = [float(p["change_in_gradient"]) / ((1 + float(p["eta"])) ** 2 - 1) for p in first]
    assert max(ratios) == pytest.approx(float(rows[0]["largest_factor"]), rel=1e-5)
    assert sum(r > 1 for r in ratios) == int(rows[0]["exceeded"])
    assert sum(int(r["exceeded"]) for r in rows) == result["exceeded"]
    assert all(r["effective_depth"] == r["effective_depth_shape"] for r in rows)
    assert all(float(r["linear_error"]) >= float(r["power_error"]) - 1e-6 for r in rows)
    assert "gradient of layer 2" in result["caption"]
    assert "by Fromage; 1 seed; after 1, 4 and 16 steps" in result["caption"]
    assert imread(tmp_path / "audit.png").shape[0] > 1000
    assert (tmp_path / "audit.pdf").read_bytes().startswith(b"%PDF")


def test_an_interrupt_keeps_what_there_is(tmp_path, capsys):
    """3 runs on one process: 3 trainings, then 3 slices of the first run; the interrupt comes at the second run's."""

    def progress(done, total, what):
        assert total == 12
        if done == 8:
            raise KeyboardInterrupt

    options = ["--seeds", "3", "--depth", "2", "--network", "plain", "--optimiser", "sgd", "--out", str(tmp_path)]
    assert audit.main([*TINY, *options], progress) == 0
    out, err = capsys.readouterr()
    assert "drt: interrupted; the figure shows what was done" in err
    assert "Interrupted: 6 of 9 checkpoints are missing." in out
    assert (tmp_path / "audit.pdf").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--depth", "two"], "--depth two must be whole numbers, e.g. 2,16"),
        (["--depth", "1"], "depth must be an integer >= 2 for a plain network, got depth=1"),
        (["--depth", "2", "--network", "residual"], "two layers have no skip connection"),
        (["--network", "recurrent"], "kind='recurrent' is not known; expected one of plain, residual, batch norm"),
        (["--optimiser", "lion"], "optimiser='lion' is not known; expected one of fromage, sgd, adam, lars"),
        (["--layer", "3"], "layer must be from 1 to 2, the layers of every network; got layer=3"),
        (["--seeds", "0"], "--seeds 0 must be >= 1"),
        (["--steps", "15"], "--steps 15 >= 16"),
        (["--width", "0"], r"hidden\[0\] must be an integer >= 1"),
        (["--data", "no-such-folder"], "source='no-such-folder' does not exist"),
        (["--jobs", "0"], "--jobs 0 must be > 0"),
        (["--out", "/dev/null"], "--out '/dev/null' must be a folder"),
    ],
)
def test_bad_options_are_named(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words):
        audit.main(arguments)
