"""The generated verdicts: what the rows say, where they go, and what happens where they cannot."""

import json

import pytest

from drt.app.verdicts import SHOWN, excerpt, main, markdown, splice
from drt.errors import InputError

MARKED = "# A\n<!-- {0}: begin (generated) -->\nold\n<!-- {0}: end -->\ntail\n"


def record(claim_id="lemma2", **changes):
    base = {
        "id": claim_id, "kind": "theorem", "known": "true", "quantity": "function", "statement": "|x| ≤ 1", "source": "paper",
        "status": "holds", "instances": 1300, "inapplicable": 100, "inapplicable_why": {"widths: 2-1 contract": 100},
        "violations": 0, "certified": 0, "undecided": 0, "max_ratio": 0.982, "max_log_ratio": -0.018, "median_looseness": 3.2,
        "witness": None, "counterexample": None, "seconds": 4.2, "origins": {}, "points": [], "looseness": {},
    }  # fmt: skip
    return base | changes


def report(*records, quick=False):
    return {"version": "0.1.0", "seed": 7, "quick": quick, "claims": list(records)}


def test_a_row_counts_what_a_claim_applied_to_and_escapes_bars():
    text = markdown(report(record(), record("relu-model", status="refuted", certified=1, max_ratio=1000.0)))
    assert "| `lemma2` | theorem | **holds** | 1,200 | 0.982 | 3.2 | \\|x\\| ≤ 1 |" in text
    assert "| `relu-model` | theorem | **refuted, certified** | 1,200 | 1,000 |" in text


def test_a_violation_that_is_not_certified_is_not_called_so():
    text = markdown(report(record(status="refuted", certified=0)))
    assert "**refuted**" in text
    assert "certified" not in text


@pytest.mark.parametrize(("quick", "command"), [(False, "`drt verify`"), (True, "`drt verify --quick`")])
def test_the_run_is_named(quick, command):
    assert f"drt 0.1.0, seed 7, {command}:" in markdown(report(record(), quick=quick))


def test_the_excerpt_is_the_terminals_table_of_the_claims_shown():
    text = excerpt(report(*map(record, (*SHOWN, "equation3"))))
    begins = [line.split()[0] for line in text.splitlines() if line.strip()]
    assert [b for b in begins if b in SHOWN] == list(SHOWN)
    assert "equation3" not in text
    assert text.startswith("```text\n")
    assert text.endswith("\n```")


def test_what_stands_between_the_markers_is_replaced():
    text = splice(MARKED.format("verify"), "verify", "new")
    assert text == MARKED.format("verify").replace("old", "new")
    assert splice(text, "verify", "new") == text


@pytest.mark.parametrize("text", ["", MARKED.format("other"), MARKED.format("verify") * 2])
def test_a_text_without_its_markers_is_refused(text):
    with pytest.raises(ValueError, match="expected one '<!-- verify: begin"):
        splice(text, "verify", "new")


def test_markers_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="expected '<!-- verify: end -->' after"):
        splice("<!-- verify: end --><!-- verify: begin (generated) -->", "verify", "new")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(MARKED.format("verify"))
    (tmp_path / "docs" / "verdicts.md").write_text(MARKED.format("verdicts"))
    (tmp_path / "report.json").write_text(json.dumps(report(record())))
    return tmp_path


def test_both_files_are_renewed(root):
    assert main([str(root / "report.json"), "--root", str(root)]) == 0
    assert "| `lemma2` |" in (root / "docs" / "verdicts.md").read_text()
    assert "```text" in (root / "README.md").read_text()


def test_one_file_without_markers_leaves_both_alone(root):
    (root / "README.md").write_text("no markers")
    with pytest.raises(InputError, match=r"README.md: expected one"):
        main([str(root / "report.json"), "--root", str(root)])
    assert "old" in (root / "docs" / "verdicts.md").read_text()


def test_a_missing_report_is_named(root):
    with pytest.raises(InputError, match=r"none\.json"):
        main([str(root / "none.json"), "--root", str(root)])
