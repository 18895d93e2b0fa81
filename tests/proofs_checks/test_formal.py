import shutil

import pytest

from drt.theory.registry import claims
from proofs_checks import formal
from proofs_checks.formal import COQ, axioms, build, coqc, theorems, wrong_axioms

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


def test_all_formal_proofs(compiled_proofs, tmp_path):
    """Every theorem compiles, and rests on Coq's real numbers and nothing else; of fewer axioms it would be said."""
    path, copy = compiled_proofs
    assert wrong_axioms(COQ, path, copy) == ""
    for name in ("theorems.txt", "whitelist.txt"):
        shutil.copy(COQ / name, tmp_path)
    (tmp_path / "whitelist.txt").write_text("Classical_Prop.classic\n")
    assert wrong_axioms(tmp_path, path, copy).startswith("axioms not allowed: ClassicalDedekindReals.sig_forall_dec, ")
