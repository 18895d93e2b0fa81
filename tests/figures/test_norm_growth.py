"""The figure of norms from real, short runs: what is computed, written and said."""

import csv
import json
from dataclasses import replace

import pytest
from matplotlib.image import imread

from drt.errors import InputError
from figures import norm_growth


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figure")
    computed = norm_growth.data(0.1, 60, 2, 0, jobs=2)
    summary = norm_growth.summarise(computed)
    text = norm_growth.caption(summary)
    norm_growth.common.save(
        folder, "norm-growth", norm_growth.draw(computed, text), norm_growth.data_files(computed, summary, text)
    )
    return computed, summary, text, folder


def test_the_summary_says_how_norms_grew(written):
    summary = written[1]
    assert len(summary.norms) == 12
    for entry in summary.norms:
        growth = 30 * 0.00995033 if entry.optimiser == "LARS" else 0.0  # log(1.01)
        assert entry.log_growth == pytest.approx([growth] * 2, abs=1e-4)
        assert entry.off < {"batch norm": 1e-3, "weight norm": 1e-5, "spectral norm": 1e-5}[entry.kind]
        if entry.dtype == "float64" and entry.kind != "batch norm":
            assert entry.off < 1e-13
            assert entry.largest_cosine < 1e-15
    # ‖W₀‖ ≈ 3.3: 1.8·10¹⁹ is 43.2 natural logarithms away, 0.004975 a step.
    assert summary.float32_overflow == pytest.approx(8_680, abs=50)


def test_the_caption_follows_the_numbers(written):
    _, summary, text, _ = written
    assert "for 60 steps, η = 0.1. LARS multiplies ‖W‖ by (1+η²)^(t/2), 1.35 in 60 steps" in text
    assert f"η^{summary.stationary[0].slope:.2f}" in text
    assert "float32 cannot hold" in text
    planted = replace(summary, norms=[replace(n, off=0.5) for n in summary.norms])
    assert "Fromage's log ‖W‖ changes by at most 5.0e-01 in float32" in norm_growth.caption(planted)


def test_an_overflow_is_told_and_drawn(tmp_path, capsys):
    """η = 0.99: ‖W‖² leaves float32 after log(3.4·10³⁸/‖W₀‖²)/log(1.98) ≈ 126 steps.

    Layers sum squares of parts of W (rows, or Wv); of single entries, 1/25,088 of ‖W‖², they would overflow 15 steps later.
    Batch normalisation squares Wx, and ‖x‖² is at most 1,830 for these digits: 11 steps earlier.
    """
    options = ["--eta", "0.99", "--steps", "150", "--seeds", "2", "--json", "--out", str(tmp_path)]
    assert norm_growth.main(options) == 0
    summary = json.loads(capsys.readouterr()[0])
    lasted = {n["lasted"] for n in summary["norms"] if n["optimiser"] == "LARS" and n["dtype"] == "float32"}
    assert all(115 <= n <= 142 for n in lasted), lasted
    assert f"broke down in float32 after {min(lasted)}," in summary["caption"]
    assert {n["lasted"] for n in summary["norms"] if n["optimiser"] == "Fromage"} == {150}


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_every_file_is_written(written):
    folder = written[3]
    names = {"norm-growth.csv", "norm-growth-summary.csv", "fixed-point.csv", "norm-growth.txt"}
    assert {p.name for p in folder.iterdir()} == names | {"norm-growth.pdf", "norm-growth.png"}
    rows = read(folder / "norm-growth.csv")
    assert len(rows) == 12 * 6
    grown = [
        r
        for r in rows
        if (r["kind"], r["dtype"], r["optimiser"], r["step"]) == ("weight norm", "float64", "LARS", "50")
    ]
    assert float(grown[0]["norm_1"]) == pytest.approx(1.01**25, rel=1e-6)
    assert len(read(folder / "fixed-point.csv")) == 2 * 6 * 2
    assert imread(folder / "norm-growth.png").shape[0] > 1000


def test_the_command_prints_one_object(tmp_path, capsys):
    assert norm_growth.main(["--steps", "20", "--seeds", "2", "--json", "--out", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert {"caption", "eta", "norms", "stationary"} <= set(json.loads(out))
    assert "norm-growth.pdf" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--eta", "1.5"], "--eta 1.5 must be between 0 and 1"),
        (["--eta", "nan"], "--eta nan must be between 0 and 1"),
        (["--steps", "5"], "--steps 5 must be >= 20, --seeds 5 >= 2"),
        (["--seeds", "1"], "--seeds 1 >= 2"),
        (["--jobs", "0"], "--jobs 0 must be > 0"),
    ],
)
def test_bad_options_are_named(arguments, words, tmp_path):
    with pytest.raises(InputError, match=words):
        norm_growth.main([*arguments, "--out", str(tmp_path)])
