"""The record in the repository: believed for the files that it was made from, and as it was written."""

import json

import pytest

from drt.errors import InputError
from proofs_checks import recorded
from proofs_checks.recorded import body_of, proofs, read_record, remember, write_record


@pytest.fixture(autouse=True)
def _own_files(monkeypatch, tmp_path):
    """A project of one theorem file, one claim file and one of each wing's; and a cache of its own."""
    folder = tmp_path / "proofs_checks"
    (folder / "coq").mkdir(parents=True)
    (folder / "coq" / "Claims.v").write_text("Theorem t : True.")
    (tmp_path / "drt" / "theory").mkdir(parents=True)
    (tmp_path / "drt" / "theory" / "verdict.py").write_text("less = True")
    monkeypatch.setattr(recorded, "FOLDER", folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_without_a_record_nothing_is_proved():
    assert proofs() == recorded.Proofs(frozenset(), "")


def test_a_record_says_what_is_proved_and_by_what():
    write_record(body_of("8.16.1", ["lemma1"], ["relu-model"]))
    assert proofs().claims == {"lemma1"}
    assert proofs().said == "checked by Coq 8.16.1, recorded; `make prove` checks it here"


@pytest.mark.parametrize("changed", ["proofs_checks/coq/Claims.v", "drt/theory/verdict.py"])
def test_any_other_file_takes_it_back(changed):
    write_record(body_of("8.16.1", ["lemma1"], []))
    (recorded.FOLDER.parent / changed).write_text("less = False")
    assert proofs().claims == frozenset()
    with pytest.raises(InputError, match=f"is about another {changed}; make it with: make record"):
        read_record()


def test_a_new_file_takes_it_back():
    write_record(body_of("8.16.1", ["lemma1"], []))
    (recorded.FOLDER.parent / "drt" / "theory" / "more.py").write_text("")
    assert proofs().claims == frozenset()


def test_an_edited_record_is_noticed():
    path = write_record(body_of("8.16.1", ["lemma1"], []))
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"proved": ["lemma1", "lemma2"]}))
    assert proofs().claims == frozenset()
    with pytest.raises(InputError, match="does not have the digest that it states"):
        read_record()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "x"}'])
def test_what_is_no_record_is_none(text):
    (recorded.FOLDER / recorded.NAME).write_text(text)
    assert proofs().claims == frozenset()


def test_what_was_found_here_has_the_last_word():
    write_record(body_of("8.16.1", ["lemma1", "lemma2"], []))
    remember({"lemma1": True, "lemma2": False}, "8.18.0")
    assert proofs() == recorded.Proofs(frozenset({"lemma1"}), "checked here by Coq 8.18.0")
    (recorded.FOLDER / "more.py").write_text("")
    assert proofs().claims == frozenset()
