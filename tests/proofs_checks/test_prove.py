import json
import sys
from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

import drt
from drt.cli import main
from proofs_checks import prove as module
from proofs_checks import recorded, theorem1
from proofs_checks.chain import Setup
from proofs_checks.formal import Build, Theorem, theorems
from proofs_checks.prove import exit_code, prove, remarks, table
from proofs_checks.recorded import cache_file, digest, proofs
from tests.proofs_checks.common import lowered


@pytest.fixture(autouse=True)
def _own_cache_no_record_and_a_short_battery(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "BATTERY", (Setup(depth=2, width=3, alpha=0.5, kappa=3.0, batch=8),))
    monkeypatch.setattr(module, "fault", lambda claim: "")  # tests/proofs_checks/test_verdict_check.py runs it
    monkeypatch.setattr(recorded, "NAME", "none.json")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def coq(monkeypatch):
    """Pretend that Coq said this."""

    def say(status, reason="", differs=()):
        monkeypatch.setattr(module, "build", lambda goals: Build(status, reason, 12.0, "8.16.1", frozenset(differs)))

    return say


def proved_claims():
    return set(proofs().claims)


def row(result, claim_id):
    return next(r for r in result["claims"] if r["id"] == claim_id)


def printed(result):
    console = Console(file=StringIO(), width=100)
    console.print(table(result))
    return console.file.getvalue()


def test_all_claims_chain_symbolic_formal(coq):
    coq("checked")
    result = prove()
    assert exit_code(result) == 0
    assert {r["chain"]["status"] for r in result["claims"]} == {"holds", "none"}
    assert {r["symbolic"]["status"] for r in result["claims"]} == {"holds", "none"}
    assert row(result, "theorem1.function")["formal"]["status"] == "proved"
    assert row(result, "theorem1.function.as-stated")["formal"]["status"] == "refuted"
    text = printed(result)
    assert "refuted (formal)" in text
    assert max(map(cell_len, text.splitlines())) <= 100
    assert {"equation3", "lemma1", "lemma2"} <= proved_claims()
    assert "theorem1.function.as-stated" not in proved_claims()


def test_every_network_bound_is_applied_to_two_different_activations():
    """The coded claims have a φ for every layer: theorems about one φ would not give these instances, and Coq checks them."""
    networks = {
        claim.id
        for claim in drt.claims.values()
        if claim.known == "true" and claim.quantity in ("function", "jacobian") and claim.id != "equation3"
    }
    assert len(networks) == 10
    assert networks == {t.claim for t in theorems() if t.role == "applies" and "two_activations" in t.name}


def test_without_coq_nothing_is_passed_off_as_proved(coq):
    coq("not run", "coqc is not installed; apt-get install coq")
    result = prove("theorem1.function")
    assert row(result, "theorem1.function")["formal"]["status"] == "not run"
    assert "not run" in printed(result)
    assert remarks(result) == ["formal proofs not run: coqc is not installed; apt-get install coq"]
    assert exit_code(result) == 0
    assert proved_claims() == set()


def test_scalar_steps_alone_prove_nothing(coq):
    """They are not tied to the claim as coded."""
    coq("not run", "no Coq")
    result = prove("equation3")
    assert row(result, "equation3")["symbolic"]["status"] == "holds"
    assert proved_claims() == set()


def test_without_z3_it_is_said(coq, monkeypatch):
    coq("not run", "no Coq")
    monkeypatch.setattr(module, "has_z3", lambda: False)
    result = prove("equation3")
    assert row(result, "equation3")["symbolic"]["status"] == "identities only"
    assert "z3 not run: the module z3 is not installed; pip install z3-solver" in remarks(result)


def test_a_claim_that_differs_from_its_theorem_is_not_proved(coq):
    coq("checked", differs=["lemma1 Claims.lemma1"])
    result = prove("lemma1")
    assert row(result, "lemma1")["formal"]["status"] == "differs"
    assert remarks(result)[-1] == "DIFFERS: lemma1: the claim as coded is not what Claims.lemma1 says"
    assert exit_code(result) == 1
    assert proved_claims() == set()


def test_two_theorems_do_not_decide_one_claim(coq, monkeypatch):
    coq("checked")
    twice = (*theorems(), Theorem("lemma1", "Claims.lemma1_mean", "proves"))
    monkeypatch.setattr(module, "theorems", lambda: twice)
    assert row(prove("lemma1"), "lemma1")["formal"]["reason"] == "one theorem must prove or refute it, not 2"


def test_a_failing_scalar_step_blocks_proved(coq, monkeypatch):
    coq("checked")
    failing = {"step": "x", "statement": "x", "passed": False, "seconds": 0.0}
    monkeypatch.setattr(module, "check", lambda name: failing)
    result = prove("theorem1.function")
    assert not row(result, "theorem1.function")["proved"]
    assert exit_code(result) == 1


def test_a_failing_verdict_blocks_proved(coq, monkeypatch):
    coq("checked")
    monkeypatch.setattr(module, "fault", lambda claim: "it is wrong")
    result = prove("theorem1.function")
    assert remarks(result)[-1] == "VERDICT: theorem1.function: it is wrong"
    assert exit_code(result) == 3
    assert proved_claims() == set()


def test_the_record_is_believed_only_for_these_files(coq, monkeypatch):
    coq("checked")
    prove("lemma1")
    prove("lemma2")
    assert proved_claims() == {"lemma1", "lemma2"}
    monkeypatch.setattr(recorded, "digest", lambda: "another")
    assert proved_claims() == set()


def test_a_failed_build_takes_the_proof_back(coq):
    coq("checked")
    prove("lemma1")
    assert proved_claims() == {"lemma1"}
    coq("failed", "Descent.v: Error")
    result = prove("lemma1")
    assert exit_code(result) == 1
    assert remarks(result) == ["formal proofs failed: Descent.v: Error"]
    assert proved_claims() == set()


def test_a_record_that_is_none_is_ignored():
    cache_file().parent.mkdir(parents=True)
    for text in ("", "[]", '{"schema": 2}', json.dumps({"schema": 2, "sha256": digest(), "claims": ["x"]})):
        cache_file().write_text(text)
        assert proved_claims() == set()


@pytest.mark.parametrize(
    "changed", ["proofs_checks/coq/Network.v", "drt/theory/theorem1.py", "drt/theory/hypotheses.py"]
)
def test_a_changed_proof_or_claim_changes_the_digest(monkeypatch, tmp_path, changed):
    before, root = digest(), recorded.FOLDER.parent
    for file in [*(root / "proofs_checks").rglob("*"), *(root / "drt").rglob("*.py")]:
        if file.is_file():
            copy = tmp_path / file.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    monkeypatch.setattr(recorded, "FOLDER", tmp_path / "proofs_checks")
    assert digest() == before
    with (tmp_path / changed).open("a") as file:
        file.write("\n")
    assert digest() != before


def test_a_wrong_chain_is_named_and_exits_3(coq, monkeypatch):
    coq("not run", "no Coq")
    step = theorem1.FUNCTION.steps[8]
    wrong = replace(theorem1.FUNCTION.with_step(9, lowered(step, 20.0)))
    monkeypatch.setattr(module, "chains", lambda: {"theorem1.function": wrong})
    result = prove("theorem1.function")
    assert row(result, "theorem1.function")["chain"]["status"] == "fails"
    assert any(line.startswith("WRONG: theorem1.function#9, conditioning") for line in remarks(result))
    assert exit_code(result) == 3


def test_the_command(coq, monkeypatch, capsys, tmp_path):
    coq("checked")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["drt", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0), *capsys.readouterr()

    code, out, _ = run("prove", "equation3", "--json", "--out", str(tmp_path))
    assert code == 0
    assert json.loads(out)["claims"][0]["formal"]["status"] == "proved"
    assert (tmp_path / "proofs.json").is_file()
    code, _, err = run("prove", "nothing")
    assert code == 2
    assert err.startswith("drt: claim 'nothing' has no proof; expected one of equation3, ")
    assert len(err.splitlines()) == 1
