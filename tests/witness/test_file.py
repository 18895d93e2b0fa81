"""The file of a witness: canonical digest, old or new as a whole, and nothing that JSON allows beyond what is written."""

import hashlib
import json

import pytest

from drt.errors import InputError
from drt.witness import file
from drt.witness.file import read, write

FIELDS = {"claim": "mine", "x": ["1/2", "-3"], "note": "κ ≤ 1"}


@pytest.fixture
def path(tmp_path):
    written = tmp_path / "w.json"
    write(written, FIELDS)
    return written


def test_what_is_written_is_read(path):
    assert read(path) == FIELDS
    text = path.read_text(encoding="utf-8")
    assert "κ ≤ 1" in text, "people read it, too"
    assert text.count("\n") == len(FIELDS) + 3, "a field a line"


def test_the_digest_is_of_the_canonical_form_whatever_the_layout(path):
    body = json.loads(path.read_text())
    stated = body.pop("sha256")
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")
    assert stated == hashlib.sha256(canonical).hexdigest()
    path.write_text(json.dumps({"sha256": stated, **body}, indent=4))
    assert read(path) == FIELDS


@pytest.mark.parametrize("change", [{"x": ["1/2", "-4"]}, {"note": ""}, {"extra": 1}, {"version": 1, "claim": "yours"}])
def test_any_change_is_noticed(path, change):
    body = json.loads(path.read_text()) | change
    path.write_text(json.dumps(body))
    with pytest.raises(InputError, match="the digest of the content: the witness was altered"):
        read(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1]", "format='list' must be \"drt-witness\""),
        ('{"format": "drt-witness", "version": 2}', "version=2 must be 1"),
        ('{"format": "drt-witness", "version": 1, "version": 1}', "a field is given twice"),
        ('{"a": {"b": 1, "b": 2}}', "a field is given twice"),
        ('{"x": 0.5}', "number '0.5' must be text, an integer or a fraction such as '1/8'"),
        ('{"x": NaN}', "number 'NaN' must be text"),
        ('{"x": 12345678901}', "number '12345678901' must be text"),
        ("{", "is not JSON: .* at line 1, column 2"),
        ("[" * 100_000, "is nested too deeply to be a witness"),
    ],
)
def test_what_is_no_witness_is_refused_with_the_reason(tmp_path, content, words):
    path = tmp_path / "w.json"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read(path)


def test_files_that_cannot_be_read_or_written_are_named(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="is a directory, expected a witness file"):
        read(tmp_path)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read(tmp_path / "none.json")
    (tmp_path / "latin").write_bytes(b'{"note": "\xe9"}')
    with pytest.raises(InputError, match="must be UTF-8, but byte 10 is not"):
        read(tmp_path / "latin")
    with pytest.raises(InputError, match="cannot be written: No such file"):
        write(tmp_path / "gone" / "w.json", FIELDS)
    monkeypatch.setattr(file, "MAX_BYTES", 10)
    write(tmp_path / "w.json", FIELDS)
    with pytest.raises(InputError, match="bytes, expected at most 10"):
        read(tmp_path / "w.json")
