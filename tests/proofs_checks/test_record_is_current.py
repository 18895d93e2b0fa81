"""The repository's record, without Coq: `.ci/run` rebuilds all of it with Coq."""

from drt.theory.registry import claims
from proofs_checks.recorded import read_record


def test_the_record_is_about_these_files():
    """If this fails, a file that "proved" rests on has changed since: make record."""
    record = read_record()
    assert set(record["proved"]) == {c.id for c in claims.values() if c.known == "true"}
    assert set(record["refuted"]) == {c.id for c in claims.values() if c.known == "false"}
