"""The audit's figure from real, tiny trainings: its numbers are those of the slices, its words no more than they say."""

import csv
import json

import numpy as np
import pytest
from matplotlib.image import imread

from drt.errors import InputError
from drt.experiments.audit import ETAS, CheckpointRecord, breakdown
from figures import audit, trained
from figures.audit_summary import summarise
from figures.audit_words import layers, sentences, share, short, text

TINY = ["--width", "10", "--steps", "16", "--seeds", "1", "--jobs", "1"]
ETA = np.array(ETAS)


def slices(depth, kind, effective_depth, factor, seed=0):
    change = factor * np.expm1(effective_depth * np.log1p(ETA))
    return [
        (
            CheckpointRecord(depth, kind, "sgd", seed, step, "measured", 0.5, 0.8),
            breakdown(ETAS, change, np.linspace(2, 5, depth)),
        )
        for step in (1, 4)
    ]


@pytest.fixture(scope="module")
def planted():
    """Plain networks of 4 layers: E = 8 with C = 2 and, of another seed, E = 10 with C = 3; a residual one E = 6, C = 1."""
    results = [*slices(4, "plain", 8, 2.0), *slices(4, "plain", 10, 3.0, seed=1), *slices(4, "residual", 6, 1.0)]
    return [*results, (CheckpointRecord(4, "batch norm", "sgd", 0, 1, "diverged"), None)]


def test_the_summary_is_that_of_planted_laws(planted):
    summary = summarise(planted, 7)
    plain, residual, normalised = summary.networks
    assert (plain.slices, plain.of, plain.found.exceeded, plain.found.points) == (4, 4, 100, 100)
    assert plain.found.effective_depth == pytest.approx([9, 8, 10], rel=1e-3)
    assert residual.found.effective_depth == pytest.approx([6, 6, 6], rel=1e-3)
    assert plain.found.two[0] == "effective depth"
    # The ratio of C[(1+η)^E − 1] to (1+η)^4 − 1 is largest at the largest η.
    least = [c * (1.1**e - 1) / (1.1**4 - 1) for e, c in ((8, 2), (10, 3), (6, 1))]
    assert plain.found.constant == pytest.approx(np.mean(least[:2]))
    assert plain.found.factor[1] == pytest.approx(least[1])
    assert normalised.as_dict() == {"depth": 4, "kind": "batch norm", "slices": 0, "of": 1}
    pair = summary.against_plain["residual"]
    assert (pair.pairs, pair.shallower, pair.less) == (2, 2, 2)
    assert pair.by_depth == {4: [2, 2]}
    assert summary.resolved == 6
    assert pair.effective_depth == pytest.approx([6, 8], rel=1e-3)
    assert pair.constant_ratio == pytest.approx(least[2] / least[0])
    assert summary.laws["plain"]["effective depth"].closest == 4
    assert summary.missing == {"diverged": 1}


def test_the_words_follow_the_numbers(planted):
    said = " ".join(sentences(summarise(planted, 9)))
    assert "is exceeded at 150 of 150 points of 6 slices." in said
    assert "Residual against plain, 2 pairs: L_eff is lower in 2 (2 of 2 at 4 layers; median 6 against 8)" in said
    assert "No slice at 1 checkpoints: diverged." in said
    assert "Interrupted: 2 of 9 checkpoints are missing." in said
    below = [*slices(4, "plain", 3, 0.5), *slices(4, "residual", 6, 1.0)]
    said = " ".join(sentences(summarise(below, 4)))
    assert "is exceeded at 50 of 100 points" in said
    assert "L_eff is lower in 0 (0 of 2 at 4 layers; median 6 against 3), the least C in 0" in said
    assert "Interrupted" not in said


def test_flat_slices_are_counted_and_their_depth_is_below_one():
    """Of two depths below 1 neither is lower."""
    flat = [*slices(4, "plain", 0.5, 1.0), *slices(4, "residual", 0.2, 1.0)]
    pair = summarise(flat, 4).against_plain["residual"]
    assert (pair.pairs, pair.shallower) == (2, 0)
    summary = summarise(flat[:2], 2)
    assert summary.networks[0].found.flat == 2
    assert "<1 (<1–" in text(summary)
    assert "grow more slowly than a line: 2 plain." in text(summary)


def test_the_tables_fit_the_terminal(planted):
    lines = text(summarise(planted, 7)).splitlines()
    assert max(map(len, lines)) <= 100
    assert any(line.startswith(" 4  batch norm   0/1  nothing measured") for line in lines)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (short(57.3), "57"), (short(4812.0), "4,800"), (short(0.0134), "0.013"), (short(np.inf), "∞"), (short(np.nan), "–"),
        (layers(0.2), "<1"), (layers(1.0), "1"), (layers(62.8), "63"),
        (share(25, 25), "100 %"), (share(2999, 3000), "99.9 %"), (share(3, 4), "3/4"), (share(0, 30), "0.0 %"),
    ],
)  # fmt: skip
def test_numbers_are_short(written, text):
    assert written == text


def test_the_command_writes_every_file_whole(tmp_path, capsys):
    options = ["--depth", "2,3", "--optimiser", "fromage,adam", "--layer", "2", "--json", "--out", str(tmp_path)]
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
    assert len(rows) == 5 * 2 * 3 == result["expected"] == result["measured"]
    assert [r["step"] for r in rows[:3]] == ["1", "4", "16"]
    assert len(points) == 30 * 25
    first = [p for p in points if all(p[k] == rows[0][k] for k in ("layers", "network", "optimiser", "seed", "step"))]
    ratios = [float(p["change_in_gradient"]) / ((1 + float(p["eta"])) ** 2 - 1) for p in first]
    assert max(ratios) == pytest.approx(float(rows[0]["largest_factor"]), rel=1e-5)
    assert sum(r > 1 for r in ratios) == int(rows[0]["exceeded"])
    assert sum(int(r["exceeded"]) for r in rows) == result["exceeded"]
    assert all(r["effective_depth"] == r["effective_depth_shape"] for r in rows)
    assert all(float(r["linear_error"]) >= float(r["power_error"]) - 1e-6 for r in rows)
    assert "gradient of layer 2" in result["caption"]
    assert "by Fromage, Adam; 1 seed; after 1, 4 and 16 steps" in result["caption"]
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


def test_an_interrupt_before_the_first_result_is_one():
    def interrupted(results):
        yield from results
        raise KeyboardInterrupt

    assert trained.collect(interrupted([1, 2])) == ([1, 2], True)
    assert trained.collect([1, 2]) == ([1, 2], False)
    with pytest.raises(KeyboardInterrupt):
        trained.collect(interrupted([]))


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
