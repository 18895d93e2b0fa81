import re
import shutil

import pytest

from drt.theory.registry import claims
from proofs_checks import formal
from proofs_checks.formal import COQ, Theorem, axioms, build, coqc, theorems

needs_coq = pytest.mark.skipif(coqc()[0] is None, reason=coqc()[2])


@pytest.fixture
def project(tmp_path):
    """A project of one theorem, as `build` takes it."""

    def write(proof, allowed=""):
        (tmp_path / "A.v").write_text(f"Theorem t : forall n : nat, n = n.\nProof. {proof}\n")
        (tmp_path / "_CoqProject").write_text("-Q . DRT\nA.v\n")
        (tmp_path / "theorems.txt").write_text("# claim theorem role\nx  A.t  proves\n")
        (tmp_path / "whitelist.txt").write_text(allowed)
        return tmp_path

    return write


def test_theorems_are_about_claims_and_have_a_role():
    listed = theorems()
    assert len(listed) >= 45
    assert {t.role for t in listed} == set(formal.ROLES)
    known = {c.id: c.known for c in claims.values()}
    assert all(known.get(t.claim, "true") == "true" for t in listed if t.role == "proves")
    assert all(known.get(t.claim, "false") == "false" for t in listed if t.role == "refutes")
    files = (COQ / "_CoqProject").read_text()
    assert all(f"{t.name.split('.')[0]}.v" in files for t in listed)


def test_every_theorem_is_in_its_file():
    for t in theorems():
        module, name = t.name.split(".")
        assert f"Theorem {name}" in (COQ / f"{module}.v").read_text(), t


def test_what_print_assumptions_prints():
    assert axioms("Closed under the global context\n") == set()
    printed = "Axioms:\nA.b : forall x,\n  x = x\nC.long_name\n  : forall P : Prop, P\n"
    assert axioms(printed) == {"A.b", "C.long_name"}
    assert axioms("") == {"nothing printed"}
    assert axioms("Error: something\n") == {"Error: something"}


def test_without_coq_it_is_not_run_and_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    result = build()
    assert result.status == "not run"
    assert "coqc is not installed; apt-get install" in result.reason


def test_without_the_files_it_is_not_run(tmp_path):
    result = build(tmp_path)
    assert result.status == "not run"
    assert "proofs_checks/coq" in result.reason


@needs_coq
def test_a_proof_is_checked_and_leaves_nothing_behind(project):
    folder = project("reflexivity. Qed.")
    before = sorted(p.name for p in folder.iterdir())
    assert build(folder).status == "checked"
    assert sorted(p.name for p in folder.iterdir()) == before


@needs_coq
def test_an_admitted_theorem_is_found(project):
    result = build(project("Admitted."))
    assert result.status == "failed"
    assert result.reason == "axioms not allowed: A.t"


@needs_coq
def test_an_axiom_passes_only_if_it_is_allowed(project):
    assert build(project("Admitted.", allowed="A.t")).status == "checked"


@needs_coq
def test_a_wrong_proof_is_found(project):
    result = build(project("discriminate. Qed."))
    assert result.status == "failed"
    assert result.reason.startswith("A.v: ")


@needs_coq
def test_a_theorem_that_is_not_there_is_found(project):
    folder = project("reflexivity. Qed.")
    (folder / "theorems.txt").write_text("x  A.t  proves\nx  A.u  proves\n")
    assert build(folder).status == "failed"


def test_an_old_coq_is_not_run(monkeypatch, tmp_path):
    old = tmp_path / "coqc"
    old.write_text("#!/bin/sh\necho 8.9.1 4.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    result = build()
    assert result.status == "not run"
    assert "coqc 8.9.1 is too old" in result.reason


@pytest.mark.slow
@needs_coq
def test_a_theorem_for_one_phi_is_found(tmp_path):
    """Stated for one φ, α and β in all layers, Theorem 1 does not give its instance with two activations."""
    for file in COQ.iterdir():
        shutil.copy(file, tmp_path)
    # What Examples.v does not need is left out.
    unneeded = ("Descent.v", "FunctionWidths.v", "JacobianWidths.v", "Models.v")
    files = (COQ / "_CoqProject").read_text().split()
    (tmp_path / "_CoqProject").write_text("\n".join(file for file in files if file not in unneeded))
    (tmp_path / "theorems.txt").write_text("x  FunctionBounds.theorem1_function  proves\n")
    each = re.sub(r"\btheorem1_function\b", "each_layer", (COQ / "FunctionBounds.v").read_text())
    one = "Definition theorem1_function phi al be := each_layer (fun _ => phi) (fun _ => al) (fun _ => be).\n"
    (tmp_path / "FunctionBounds.v").write_text(each + one)
    result = build(tmp_path)
    assert result.status == "failed"
    assert result.reason.startswith("Examples.v: ")
    assert "net (two_activations a L)" in result.reason


@pytest.mark.slow
@needs_coq
def test_all_formal_proofs():
    """The whole build: every theorem, on Coq's real numbers and nothing else."""
    result = build()
    assert result.status == "checked", result.reason
    assert Theorem("theorem1.function", "Claims.theorem1_function", "proves") in theorems()
