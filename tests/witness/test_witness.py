"""Witness files: exact, atomic, and refused with the reason when malformed or altered."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from flint import fmpq

import drt
from drt.errors import InputError
from drt.witness.witness import Witness, load_witness

CLAIM = "theorem1.function.as-stated"


def make(**changes) -> Witness:
    fields = {
        "claim": CLAIM,
        "statement": "‖f̃ − f‖/‖f‖ ≤ …",
        "quantity": "function",
        "layer": 0,
        "activations": ("leaky_relu:0.1", "identity"),
        "weights": ([["1", "0"]], [["2"], ["-1/3"]]),
        "dweights": ([["0", "1/2"]], [["0"], ["0"]]),
        "x": ["1/1000", "1"],
    }
    return Witness(**(fields | changes))


def rewrite(path, change, sign: bool = True) -> None:
    """Alter a file's fields, with a digest that fits unless `sign` is false."""
    body = json.loads(path.read_text())
    change(body)
    if sign:
        body.pop("sha256", None)
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
        body["sha256"] = hashlib.sha256(canonical.encode()).hexdigest()
    path.write_text(json.dumps(body))


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "witness.json"
    make().save(file)
    return file


def test_a_file_holds_the_witness_exactly(tmp_path):
    full = make(
        hypotheses=("transmission", "-biases".removeprefix("-")),
        biases=[["1/7"], None],
        dbiases=[["-1/7"], None],
        note="found by hand",
        bound_source={"file": "mine.py", "function": "mine"},
    )
    for witness in (make(), full):
        witness.save(tmp_path / "w.json")
        assert load_witness(tmp_path / "w.json") == witness
    assert full.biases == ((fmpq(1, 7),), None)
    assert [p.name for p in tmp_path.iterdir()] == ["w.json"]  # no temporary files are left


def test_floats_are_taken_exactly_and_given_back():
    net = drt.Network([torch.tensor([[0.1, 1e-300]], dtype=torch.float64)], "leaky_relu:0.3")
    dw, x = torch.tensor([[1 / 3, 2.0**-1074]], dtype=torch.float64), torch.tensor([1e300, -0.7], dtype=torch.float64)
    witness = Witness.from_floats(CLAIM, net, [dw], x, note="floats")
    assert witness.weights[0][0] == (fmpq(3602879701896397, 2**55), fmpq(*(1e-300).as_integer_ratio()))
    again, dws, x_again = witness.network()
    assert torch.equal(again.weights[0], net.weights[0])
    assert torch.equal(dws[0], dw)
    assert torch.equal(x_again, x)
    assert again.activations == net.activations
    assert witness.hypotheses == drt.claims[CLAIM].hypotheses


def test_entries_of_any_exact_kind():
    values = [fmpq(1, 2), Fraction(1, 2), 0.5, "1/2", "2/4"]
    for value in values:
        assert make(x=[value, 1]).x == (fmpq(1, 2), fmpq(1))
    assert replace(make(), x=(3, 4)).x == (fmpq(3), fmpq(4))


def test_biases_reach_the_float_network():
    net, _, _ = make(biases=[[0.5], None]).network()
    assert net.biases[0].tolist() == [0.5]
    assert net.biases[1] is None


def test_a_file_is_replaced_whole_or_not_at_all(path, monkeypatch):
    before = path.read_text()

    def broken(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(InputError, match=r"witness\.json: cannot be written: No space left"):
        make(note="new").save(path)
    assert path.read_text() == before
    assert len(list(path.parent.iterdir())) == 1


ALTERED = {
    "a weight, digest kept": (lambda b: b["weights"][0][0].__setitem__(0, "2"), False, "the witness was altered"),
    "the note, digest kept": (
        lambda b: b.update(note="x"),
        False,
        "sha256='[0-9a-f]{64}' must be [0-9a-f]{64}, .*altered",
    ),
    "digest removed": (lambda b: b.pop("sha256"), False, "sha256=None must be"),
    "digest of a wrong type": (lambda b: b.update(sha256=7), False, "sha256=7 must be"),
    "version 2": (lambda b: b.update(version=2), True, "version=2 must be 1"),
    "version true": (lambda b: b.update(version=True), True, "version=True must be 1"),
    "another format": (lambda b: b.update(format="onnx"), True, "format='onnx' must be \"drt-witness\""),
    "unknown claim": (lambda b: b.update(claim="theorem9"), True, "claim='theorem9' is not known; expected one of"),
    "unknown field": (lambda b: b.update(extra=1), True, "field 'extra' is not known"),
    "field missing": (lambda b: b.pop("dweights"), True, "field 'dweights' is missing"),
    "other quantity": (lambda b: b.update(quantity="jacobian"), True, "quantity='jacobian' must be 'function'"),
    "no such quantity": (lambda b: b.update(quantity="hessian"), True, "quantity='hessian' must be one of function"),
    "unknown hypothesis": (lambda b: b.update(hypotheses=["wide"]), True, "hypotheses: 'wide' is not known"),
    "hypotheses not a list": (lambda b: b.update(hypotheses="widths"), True, "hypotheses='widths' must be a list"),
    "unknown activation": (
        lambda b: b.update(activations=["selu", "identity"]),
        True,
        "activation='selu' is not known",
    ),
    "activations too few": (lambda b: b.update(activations=["identity"]), True, "activations must have 2 items"),
    "activation nested deeply": (
        lambda b: b.update(activations=["negated:" * 5000 + "relu", "identity"]),
        True,
        "at most 4000 characters",
    ),
    "layer out of range": (
        lambda b: b.update(claim="theorem1.jacobian", quantity="jacobian", layer=2),
        True,
        "layer=2 must be an integer from 0 to 1",
    ),
    "layer of a function": (lambda b: b.update(layer=1), True, "layer=1 must be 0 for the function"),
    "layer as text": (lambda b: b.update(layer="0"), True, "layer='0' must be"),
    "division by zero": (lambda b: b.update(x=["1/0", "1"]), True, r"x\[0\]='1/0' must be an integer or a fraction"),
    "not a number": (lambda b: b.update(x=["nan", "1"]), True, r"x\[0\]='nan' must be"),
    "exponent": (lambda b: b.update(x=["1e5", "1"]), True, r"x\[0\]='1e5' must be"),
    "decimal": (lambda b: b.update(x=["0.5", "1"]), True, r"x\[0\]='0.5' must be"),
    "spaces": (lambda b: b.update(x=["1 ", "1"]), True, r"x\[0\]='1 ' must be"),
    "digits of another script": (lambda b: b.update(x=["١", "1"]), True, r"x\[0\]='\\u0661' must be"),
    "a float": (lambda b: b.update(x=[0.5, "1"]), True, "number '0.5' must be text"),
    "an integer": (lambda b: b.update(x=[3, "1"]), True, "x: number 3 must be text"),
    "a truth value": (lambda b: b.update(x=[True, "1"]), True, "x: number True must be text"),
    "NaN": (lambda b: b.update(x=[float("nan"), "1"]), True, "number 'NaN' must be text"),
    "a huge number": (lambda b: b.update(layer=10**4000), True, "number '1000.* must be text"),
    "many digits": (lambda b: b.update(x=["9" * 2500, "1"]), True, r"x\[0\]='999.* must be .* at most 2000 digits"),
    "null entry": (lambda b: b.update(x=[None, "1"]), True, r"x\[0\]=None must be a finite number"),
    "x is zero": (lambda b: b.update(x=["0", "0/5"]), True, "x must be non-zero"),
    "x is empty": (lambda b: b.update(x=[]), True, "x must not be empty"),
    "x too short": (lambda b: b.update(x=["1"]), True, r"weights\[0\] has shape \(1, 2\): it must have 1 columns"),
    "shapes do not chain": (
        lambda b: b["weights"].__setitem__(1, [["1", "1"]]),
        True,
        r"weights\[1\] has shape \(1, 2\): it must have 1 columns, the rows of weights\[0\]",
    ),
    "ragged": (lambda b: b["weights"][1][0].append("1"), True, r"weights\[1\] must be a non-empty list of rows"),
    "no layers": (lambda b: b.update(weights=[], dweights=[], activations=[]), True, "weights must be 1 to 1000"),
    "no rows": (lambda b: b["weights"].__setitem__(0, []), True, r"weights\[0\] must be a non-empty list"),
    "zero weights": (lambda b: b["weights"].__setitem__(0, [["0", "0"]]), True, r"weights\[0\] must be non-zero"),
    "dweights of another shape": (
        lambda b: b["dweights"].__setitem__(0, [["1"]]),
        True,
        r"dweights\[0\] has shape \(1, 1\), but weights\[0\] has \(1, 2\)",
    ),
    "dbias without a bias": (lambda b: b.update(dbiases=[["1"], None]), True, r"dbiases\[0\] .* biases\[0\] has none"),
    "bias too long": (lambda b: b.update(biases=[["1", "1"], None]), True, r"biases\[0\] has 2 entries, expected 1"),
    "denominators": (
        lambda b: b.update(
            weights=[[[f"1/{10**1990 + 2 * k + 1}" for k in range(100)]]],
            dweights=[[["0"] * 100]],
            x=["1"] * 100,
            activations=["relu"],
        ),
        True,
        r"weights\[0\] has a common denominator of more than",
    ),
    "too many entries": (lambda b: b.update(x=["1"] * (2**20 + 1)), True, "more than 1048576 entries"),
    "bound source": (lambda b: b.update(bound_source={"file": "a.py"}), True, "bound_source=.* must hold the texts"),
    "lone surrogate": (lambda b: b.update(note="\ud800"), True, "note='.*ud800' must be text without lone surrogates"),
}


@pytest.mark.parametrize("case", ALTERED)
def test_altered_files_are_refused(path, case):
    change, sign, message = ALTERED[case]
    assert load_witness(path) == make()  # so that it is the change that is refused
    rewrite(path, change, sign)
    with pytest.raises(InputError, match=message) as caught:
        load_witness(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON: Expecting value at line 1, column 1"),
        (b'{"format": "drt-witness", ', "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[1]", "format='list' must be"),
        (b"\xff\xfe{}", "must be UTF-8, but byte 0 is not"),
        (b'{"format": "drt-witness", "format": "drt-witness"}', "a field is given twice"),
        (b'{"version": ' + b"1" * 100_000 + b"}", "number '111.*must be text"),
        (b'{"version": 1e400}', "number '1e400' must be text"),
    ],
)
def test_what_is_not_a_witness_is_refused(tmp_path, content, message):
    file = tmp_path / "w.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_witness(file)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"none\.json: cannot be read: No such file"):
        load_witness(tmp_path / "none.json")
    with pytest.raises(InputError, match="is a directory"):
        load_witness(tmp_path)
    monkeypatch.setattr("drt.witness.file.MAX_BYTES", 10)
    make().save(tmp_path / "w.json")
    with pytest.raises(InputError, match="bytes, expected at most 10"):
        load_witness(tmp_path / "w.json")
    with pytest.raises(InputError, match="cannot be written: No such file"):
        make().save(tmp_path / "no" / "w.json")


def test_fields_are_checked_when_made():
    net = drt.Network([torch.ones(2, 1, 1, dtype=torch.float64)], "identity")
    with pytest.raises(InputError, match="a witness is one instance"):
        Witness.from_floats(CLAIM, net, [torch.ones(1, 1)], [1.0])
    with pytest.raises(InputError, match="claim 'nope' is not known"):
        Witness.from_floats("nope", net, [], [1.0])
    with pytest.raises(InputError, match=r"x\[0\]=inf must be a finite number"):
        make(x=[float("inf"), 1])
    with pytest.raises(InputError, match=r"x\[1\] must have at most 2000 digits"):
        make(x=[1, fmpq(1, 10**2001)])
    with pytest.raises(InputError, match="x=3 must be a list"):
        make(x=3)
    with pytest.raises(InputError, match="beyond the range of float64"):
        make(x=[10**400, 1]).network()
