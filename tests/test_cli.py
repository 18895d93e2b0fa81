"""The command line: exit codes, one line for bad input, JSON, and nothing half-written."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.cells import cell_len

import drt
from drt.cli import main
from drt.measurement.sampling import Recipe, generator
from drt.network.storage import save_network


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process: (exit code, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["drt", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return call


@pytest.fixture
def pair(tmp_path):
    """Two saved networks, 4-4-4."""
    instance = Recipe((4, 4, 4), "leaky_relu:0.5", delta=0.01).draw(1, generator(1))
    before = drt.Network([w[0] for w in instance.net.weights], "leaky_relu:0.5")
    moved = [w[0] + dw[0] for w, dw in zip(instance.net.weights, instance.dweights, strict=True)]
    paths = tmp_path / "before.safetensors", tmp_path / "after.safetensors"
    save_network(paths[0], before)
    save_network(paths[1], drt.Network(moved, "leaky_relu:0.5"))
    return paths


def test_help_and_import_do_not_load_torch():
    code = "import sys, drt, drt.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_version_and_help(run):
    assert run("--version") == (0, f"{drt.__version__}\n", "")
    code, out, _ = run("--help")
    assert code == 0
    assert "falsify" in out


def test_claims_lists_every_claim(run):
    code, out, _ = run("claims", "--json")
    assert code == 0
    rows = json.loads(out)["claims"]
    assert {row["id"] for row in rows} == set(drt.claims)
    assert {"kind", "status", "statement", "source"} <= set(rows[0])
    assert max(map(cell_len, run("claims")[1].splitlines())) <= 100


def test_falsify_prints_one_object_and_exits_1_when_refuted(run, tmp_path):
    code, out, _ = run("falsify", "relu-model", "--json", "--jobs", 1, "--out", tmp_path)
    outcome = json.loads(out)
    assert code == 1
    fields = "claim status certified ratio log_ratio depth widths alpha beta kappa seconds instances witness"
    assert set(fields.split()) <= set(outcome)
    assert (outcome["status"], outcome["certified"]) == ("refuted", True)
    code, out, _ = run("certify", tmp_path / outcome["witness"])
    assert code == 1
    assert "violated" in out
    assert json.loads(run("certify", tmp_path / outcome["witness"], "--json")[1])["answer"] == "violated"


def test_falsify_survived_exits_0(run, tmp_path):
    code, out, _ = run("falsify", "equation3", "--budget", 1, "--jobs", 1, "--out", tmp_path)
    assert code == 0
    assert "survived: attained, never exceeded" in out


def test_check_prints_layers_and_verdicts(run, pair, tmp_path):
    code, out, _ = run("check", *pair, "--json", "--out", tmp_path / "out")
    assert code == 0
    result = json.loads(out)
    assert [layer["layer"] for layer in result["layers"]] == [1, 2]
    assert result["layers"][0]["delta"] == pytest.approx(0.01, rel=1e-6)
    assert json.loads((tmp_path / "out" / "check.json").read_text()) == result
    code, out, _ = run("check", *pair)
    assert code == 0
    assert "theorem1.function" in out
    assert max(map(cell_len, out.splitlines())) <= 100


class Bomb:
    """Unpickling it creates a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def bad_inputs(folder: Path) -> list[tuple[list[object], str]]:
    """(arguments, words of the one line on stderr)."""
    bomb, fired = folder / "bomb.pt", folder / "fired"
    bomb.write_bytes(pickle.dumps(Bomb(fired)))
    torn = folder / "torn.safetensors"
    torn.write_bytes((folder / "before.safetensors").read_bytes()[:200])
    text = folder / "note.txt"
    text.write_text("not a network")
    np.save(folder / "narrow.npy", np.ones((5, 3)))
    np.save(folder / "nan.npy", np.full((5, 4), np.nan))
    wide = folder / "wide.safetensors"
    save_network(wide, drt.Network([torch.ones(4, 5, dtype=torch.float64)], "identity"))
    (folder / "loose.json").write_text("{}")
    blocked = folder / "file"
    blocked.write_text("in the way")
    a, b = folder / "before.safetensors", folder / "after.safetensors"
    return [
        (["nonsense"], "No such command 'nonsense'"),
        (["verify", "--nonsense"], "No such option: --nonsense"),
        (["verify", "--seed", "one"], "'--seed'"),
        (["verify", "--seed", "-1"], "--seed -1 must be a whole number from 0"),
        (["verify", "--budget", "0"], "--budget 0 must be > 0"),
        (["verify", "--budget", "nan"], "--budget nan must be > 0"),
        (["verify", "--jobs", "0"], "--jobs 0 must be > 0"),
        (["verify", "--out", blocked], "must be a folder that can be written"),
        (["falsify"], "Missing argument"),
        (["falsify", "theorem9"], "claim 'theorem9' is not known; expected one of"),
        (["falsify", f"{folder}/none.py:f"], "is not a file"),
        (["falsify", f"{text}:f"], "must be a Python file"),
        (["falsify", "equation3", "--budget", "-1"], "--budget -1 must be > 0"),
        (["falsify", "equation3", "--depth", "5:2"], "depth=5:2 must be a range LOW:HIGH"),
        (["falsify", "equation3", "--depth", "0"], "depth=0:0 must be a range"),
        (["falsify", "equation3", "--kappa", "0.5"], "kappa=0.5:0.5 must be a range"),
        (["falsify", "equation3", "--alpha", "2", "--beta", "1"], "alpha=2 must not exceed beta=1"),
        (["falsify", "equation3", "--alpha", "-1:1"], "alpha=-1:1 must be a range"),
        (["falsify", "equation3", "--delta", "x"], "--delta 'x' must be LOW:HIGH"),
        (["falsify", "equation3", "--widths", "1,,2"], "--widths '1,,2' must be whole numbers"),
        (["falsify", "equation3", "--hypotheses", "luck"], "hypothesis 'luck' is not known"),
        (["falsify", "equation3", "--hypotheses=-relu"], "equation3 has no such hypothesis"),
        (["falsify", "equation3", "--out", blocked / "x"], "must be a folder that can be written"),
        (["certify", folder / "none.json"], "cannot be read"),
        (["certify", folder], "is a directory, expected a witness file"),
        (["certify", folder / "loose.json"], 'must be "drt-witness"'),
        (["certify", text], "is not JSON"),
        (["check", a], "Missing argument"),
        (["check", a, folder / "none.safetensors"], "none.safetensors"),
        (["check", a, folder], "is not a file; expected a network"),
        (["check", a, torn], "torn.safetensors"),
        (["check", a, text], "note.txt"),
        (["check", a, bomb], "bomb.pt"),
        (["check", a, wide], "before has 2 layers, after has 1"),
        (["check", a, b, "--activation", "softmax"], "activation='softmax' is not known"),
        (["check", a, b, "--activation", "leaky_relu:-1"], "leaky_relu needs a slope 0 < a <= 1, got a=-1"),
        (["check", a, b, "--data", folder / "narrow.npy"], "expected n_0 = 4"),
        (["check", a, b, "--data", folder / "nan.npy"], "finite"),
        (["check", a, b, "--data", folder / "none.npy"], "none.npy"),
        (["check", a, b, "--data", "mnist5k"], "expected n_0 = 4"),
        (["check", a, b, "--seed", "-5"], "--seed -5 must be a whole number"),
    ]


def test_bad_input_is_one_line_and_exit_code_2(run, pair, tmp_path):
    cases = bad_inputs(tmp_path)
    assert len(cases) >= 40
    for arguments, words in cases:
        code, out, err = run(*arguments)
        assert (code, out) == (2, ""), arguments
        assert words in err, (arguments, err)
        assert err.count("\n") == 1, (arguments, err)
        assert "Traceback" not in err
    assert not (tmp_path / "fired").exists()  # the pickle's code did not run
