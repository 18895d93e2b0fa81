"""The whole of `drt falsify`: known verdicts, readable counterexamples, ranges respected, the same result for a seed."""

import json
import math
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import count

import pytest

import drt
from drt.errors import InputError
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space, space_from_text
from drt.falsify.target import Target, load_claim
from drt.witness.witness import load_witness

PLANTED = "tests/falsify/planted.py"


@pytest.mark.parametrize(
    "claim_id", [c.id for c in drt.claims.values() if c.known == "false" and c.quantity in ("function", "jacobian")]
)
def test_claims_that_theory_calls_false_are_refuted(claim_id):
    outcome = falsify(Target(claim_id), Space(), budget=10, jobs=1)
    assert (outcome.status, outcome.certified, outcome.answer) == ("refuted", True, "violated")


@pytest.mark.parametrize("claim_id", ["theorem1.function", "spectral.jacobian", "telescoping.function", "equation3"])
def test_claims_that_theory_calls_true_survive_and_are_attained(claim_id):
    outcome = falsify(Target(claim_id), Space(), budget=3, jobs=1)
    assert (outcome.status, outcome.answer) == ("survived", "attained")
    assert outcome.ratio == pytest.approx(1, abs=1e-12)


def test_falling_width_shrinks_to_what_a_person_would_write():
    """Theorem 1 (a) as stated: L = 1, W = (1 0), small whole numbers or simple fractions."""
    outcome = falsify(Target("theorem1.function.as-stated"), Space(), budget=10, jobs=1)
    assert outcome.widths == (2, 1)
    assert "W₁ = [1 0]" in outcome.counterexample
    assert "but the bound is" in outcome.counterexample


def test_counterexample_stays_in_the_ranges_asked_about():
    """Nothing is shrunk out of the depth, width, κ and δ that were asked about."""
    space = Space(depth=(3, 3), width=(2, 4), kappa=(2.0, 5.0), delta=(1e-3, 1e-1))
    outcome = falsify(Target("relu-model"), space, budget=10, jobs=1)
    assert outcome.status == "refuted"
    assert outcome.depth == 3
    assert all(2 <= n <= 4 for n in outcome.widths)
    assert outcome.kappa >= 2 * (1 - 1e-9)


def test_dropped_hypothesis_is_found_out():
    """κ over ΔW is needed: without it W = I, ΔW of rank one breaks the bound in Frobenius norms, κ of W alone being 1."""
    target = load_claim("theorem1.function").with_changes(["-widths"])
    assert falsify(target, Space(), budget=10, jobs=1).status == "refuted"
    assert falsify(target, Space(widths=(2, 1)), budget=10, jobs=1).widths == (2, 1)


def test_script_needs_numpy_only_and_shows_both_sides(tmp_path):
    outcome = falsify(Target("theorem1.jacobian.as-stated"), Space(), budget=10, jobs=1, folder=tmp_path)
    script = tmp_path / outcome.script
    assert "import drt" not in script.read_text()
    assert "torch" not in script.read_text()
    printed = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True).stdout
    assert printed.startswith("actual ")
    assert printed.strip().endswith("True")


@pytest.mark.parametrize("claim_id", ["spectral.function", "lemma1.mean"])
def test_same_seed_same_json_whatever_the_number_of_processes(claim_id):
    space = Space(depth=(1, 2), width=(1, 3))
    one, two = (falsify(Target(claim_id), space, budget=4, seed=7, jobs=jobs) for jobs in (1, 2))
    assert not one.cut
    assert one.seconds > 0
    assert replace(one, seconds=two.seconds).as_dict() == two.as_dict()


@pytest.mark.parametrize("name", ["spectral.function", "lemma1", "relu-model", f"{PLANTED}:kappa_power_1"])
def test_no_clock_decides(name, monkeypatch):
    """With every look at the clock an hour later than the last, the outcome is the same: a busy machine changes nothing."""
    space = Space(depth=(1, 2), width=(1, 3))
    outcome = falsify(load_claim(name), space, budget=1, jobs=1)
    hours = count(0.0, 3600.0)
    for clock in ("time", "monotonic", "perf_counter", "process_time"):
        monkeypatch.setattr(f"time.{clock}", lambda: next(hours))
    leaping = falsify(load_claim(name), space, budget=1, jobs=1)
    assert leaping.seconds > 3599 > outcome.seconds
    assert replace(leaping, seconds=outcome.seconds) == outcome


@pytest.mark.parametrize("claim_id", ["theorem1.function", "lemma1"])
def test_a_timeout_cuts_and_says_so(claim_id, tmp_path):
    """However slow the machine: the budget is beyond reach, and the timeout comes in mid-attack."""

    def wait_for_the_alarm(done, total, what):
        if done:
            signal.pause()

    outcome = falsify(Target(claim_id), Space(), 1e6, jobs=1, folder=tmp_path, progress=wait_for_the_alarm, timeout=0.1)
    assert (outcome.status, outcome.cut, outcome.interrupted) == ("survived", True, False)
    assert str(outcome).startswith(f"cut short by the timeout: {claim_id}: survived")


@pytest.mark.parametrize("timeout", [0.0, -1.0, math.nan, math.inf])
def test_a_timeout_that_is_none_is_named(timeout):
    with pytest.raises(InputError, match=f"timeout={timeout:g} must be a number of seconds > 0"):
        falsify(Target("equation3"), Space(), timeout=timeout)


INTERRUPTED = """
import os, signal
from contextlib import contextmanager
from drt import cli

@contextmanager
def interrupting(what):
    yield lambda done, total, text: os.killpg(0, signal.SIGINT) if done else None

if __name__ == "__main__":
    cli._progress = interrupting
    cli.main()
"""


def test_interrupt_keeps_the_best_so_far(tmp_path):
    """Ctrl-C in mid-attack, to all processes: the witness of the largest ratio is written, the result printed."""
    command = tmp_path / "interrupted.py"
    command.write_text(INTERRUPTED)
    options = ["--budget", "120", "--depth", "1:2", "--width", "1:3", "--jobs", "2", "--json", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(command), "falsify", "theorem1.function", *options],
        capture_output=True,
        text=True,
        start_new_session=True,
        # A test run in a shell's background inherits ignored interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    outcome = json.loads(done.stdout)
    assert outcome["interrupted"]
    assert outcome["instances"] > 0
    assert load_witness(tmp_path / outcome["witness"]).claim == "theorem1.function"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return m.delta", r"must return shape \(64,\), got shape \(64, 2\)"),
        ("return -m.delta.sum(-1)", "must be a number >= 0, got NaN or a negative value"),
        ("return m.kappa * float('nan')", "must be a number >= 0, got NaN"),
        ("return m.kappa * float('inf')", "must be finite, got infinity"),
        ("return m.no_such_field", "a measurement of the function has no field 'no_such_field'"),
        ("return 1 / 0", "raised ZeroDivisionError"),
        ("return m.kappa * random.random()", "depends on something outside the measurement"),
        ("return m.instance.x.abs().sum(-1)", "cannot be evaluated exactly"),
        ("return 'large'", "must return a tensor or a number, got str"),
    ],
)
def test_bound_that_is_none_is_named(tmp_path, body, words):
    file = tmp_path / "bounds.py"
    file.write_text(f"import random\nimport drt\n\n@drt.bound()\ndef mine(m):\n    {body}\n")
    with pytest.raises(InputError, match=words):
        falsify(load_claim(f"{file}:mine"), Space(), budget=5, jobs=1)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("import drt", "mine", "'mine' is not in the file; bounds in it: none"),
        ("def mine(m):\n    return 1", "mine", "is not decorated with @drt.bound"),
        ("raise RuntimeError('no')", "mine", "the file raised RuntimeError: no"),
        ("def mine(m", "mine", "the file raised SyntaxError"),
        ("import drt\n@drt.bound('curvature')\ndef mine(m): return 1", "mine", "quantity='curvature' must be one of"),
        (
            "import drt\n@drt.bound('function', ('luck',))\ndef mine(m): return 1",
            "mine",
            "hypothesis 'luck' is not known",
        ),
    ],
)
def test_file_that_holds_no_such_bound_is_named(tmp_path, text, name, words):
    file = tmp_path / "bounds.py"
    file.write_text(text)
    with pytest.raises(InputError, match=words):
        load_claim(f"{file}:{name}")


def test_missing_file_and_unknown_id_are_named(tmp_path):
    with pytest.raises(InputError, match="is not a file"):
        load_claim(f"{tmp_path}/nothing.py:mine")
    with pytest.raises(InputError, match="claim 'theorem2' is not known; expected one of"):
        load_claim("theorem2")


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ({"depth": "3:1"}, r"depth=3:1 must be a range LOW:HIGH"),
        ({"depth": "0:2"}, r"depth=0:2 must be a range LOW:HIGH with 1 <= LOW"),
        ({"width": "1:4000"}, "HIGH <= 128"),
        ({"kappa": "0.5:2"}, "kappa=0.5:2 must be a range"),
        ({"alpha": "0.9", "beta": "0.5"}, "alpha=0.9 must not exceed beta=0.5"),
        ({"delta": "0"}, "leaves nothing to perturb"),
        ({"delta": "nan:1"}, "delta=nan:1 must be a range"),
        ({"alpha": "a:b"}, "--alpha 'a:b' must be LOW:HIGH or one value, in numbers"),
        ({"depth": "1.5"}, "--depth '1.5' must be LOW:HIGH or one value, in whole numbers"),
        ({"widths": "2,x"}, "--widths '2,x' must be whole numbers"),
        ({"widths": "2"}, r"widths=\(2,\) must be at least two numbers"),
    ],
)
def test_impossible_ranges_are_named(ranges, words):
    with pytest.raises(InputError, match=words):
        space_from_text(**ranges)
