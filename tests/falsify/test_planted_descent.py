"""Detection power for descent claims: planted errors are refuted and certified, true variants survive; bad bounds are named."""

import re
import subprocess
import sys

import pytest

from drt.errors import InputError
from drt.exact.certify import certify
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.target import load_claim
from drt.theory.registry import Claim
from drt.witness.witness import load_witness
from tests.falsify import planted_descent

FILE = "tests/falsify/planted_descent.py"
BOUNDS = [name for name, value in vars(planted_descent).items() if isinstance(value, Claim)]
TRUE = [name for name in BOUNDS if name.startswith("true_")]
FALSE = [name for name in BOUNDS if name not in TRUE]


@pytest.mark.parametrize("name", FALSE)
def test_planted_error_is_refuted_and_certified(name, tmp_path):
    target = load_claim(f"{FILE}:{name}")
    outcome = falsify(target, Space(), budget=20, folder=tmp_path)
    assert (outcome.status, outcome.certified) == ("refuted", True)
    witness = load_witness(tmp_path / outcome.witness)
    assert certify(witness, target.claim).answer == "violated"
    assert sum(len(m) * len(m[0]) for m in witness.weights) <= 12


@pytest.mark.parametrize("name", ["lemma1_end", "trust_twice"])
def test_the_script_shows_both_sides(name, tmp_path):
    outcome = falsify(load_claim(f"{FILE}:{name}"), Space(), budget=20, folder=tmp_path)
    printed = subprocess.run(
        [sys.executable, str(tmp_path / outcome.script)], capture_output=True, text=True, check=True
    ).stdout
    actual, bound = (float(v) for v in re.search(r"actual (\S+) > bound (\S+): True", printed).groups())
    assert actual / bound == pytest.approx(outcome.ratio, rel=1e-6)


@pytest.mark.parametrize("name", TRUE)
def test_true_variant_survives(name):
    outcome = falsify(load_claim(f"{FILE}:{name}"), Space(), budget=1)
    assert outcome.status == "survived"
    assert outcome.ratio <= 1
    assert outcome.answer in ("holds", "undecided")  # the supremum over t is enclosed to 0.1 %


def test_the_ranges_are_kept(tmp_path):
    space = Space(depth=(2, 2), width=(2, 3), delta=(0.01, 0.1))
    outcome = falsify(load_claim("deep-relative-trust"), space, budget=5, folder=tmp_path)
    assert outcome.status == "refuted"
    assert outcome.depth == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return -m.depth * drt.sum(m.delta)", "must be a number >= 0, got NaN or a negative value"),
        ("return 1 / 0", "raised ZeroDivisionError"),
        ("return m.hidden", "raised AttributeError: a measurement of the descent has no field 'hidden'"),
        ("return m.delta", r"must return shape \(32,\), got shape \(32, 2\)"),
        ("return drt.sum(m.delta) * float('inf')", "must be finite, got infinity"),
        ("import random; return random.random() + drt.sum(m.delta)", "two evaluations of one instance differ"),
        ("return drt.sum(m.delta).numpy()", "must return a tensor or a number, got ndarray"),
    ],
)
def test_bad_bounds_are_named(tmp_path, body, words):
    file = tmp_path / "mine.py"
    file.write_text(
        f"import drt\n@drt.bound(quantity='descent', hypotheses=())\ndef mine(m):\n    'Mine.'\n    {body}\n"
    )
    with pytest.raises(InputError, match=words):
        falsify(load_claim(f"{file}:mine"), Space(), budget=1)
