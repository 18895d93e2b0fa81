"""Witnesses: one instance for one claim, with exact rational entries, and their files.

A file is JSON with `"format": "drt-witness"`, `"version": 1`, the claim, the network, its perturbation and its input as
strings of integers or fractions ("-3", "1/8"), and `"sha256"`, the digest of the rest in canonical form. What is not
exactly that is refused, with the reason.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from flint import fmpq, fmpz
from torch import Tensor

from drt.activations import parse_activation
from drt.claims import Claim, claims
from drt.claims.base import QUANTITIES
from drt.errors import InputError
from drt.hypotheses import hypotheses as known_hypotheses
from drt.network import Network

FORMAT, VERSION = "drt-witness", 1
MAX_BYTES = 2**26
MAX_DEPTH, MAX_ENTRIES, MAX_DIGITS = 1000, 2**20, 2000
MAX_DENOMINATOR_BITS = 2**17  # of a matrix's common denominator

Vector = tuple[fmpq, ...]
Matrix = tuple[Vector, ...]

_RATIONAL = re.compile(r"(-?[0-9]+)(?:/([0-9]+))?", re.ASCII)


@dataclass(frozen=True)
class Witness:
    """One instance, exactly: weights W_l, their change ΔW_l, the input x, and the claim it speaks about.

    Entries may be given as fmpq, int, Fraction, float (taken exactly) or text ("1/8"); they are kept as fmpq.

    claim: its id. quantity, layer: function, or jacobian of layer l. hypotheses: those asked of the instance, None for
    the claim's own. activations: a spec per layer (`leaky_relu:0.1` is the double nearest to 0.1). biases, dbiases: per
    layer a vector or None; or None for all. bound_source: the file and function of a user's bound.

    Raises:
        InputError: fields that do not fit together; the message names field, value and expectation.
    """

    claim: str
    statement: str
    quantity: str
    layer: int
    activations: tuple[str, ...]
    weights: tuple[Matrix, ...]
    dweights: tuple[Matrix, ...]
    x: Vector
    hypotheses: tuple[str, ...] | None = None
    biases: tuple[Vector | None, ...] | None = None
    dbiases: tuple[Vector | None, ...] | None = None
    note: str = ""
    bound_source: dict[str, str] | None = None

    def __post_init__(self) -> None:
        _check_head(self)
        depth = len(_sequence(self.weights, "weights"))
        if not 1 <= depth <= MAX_DEPTH:
            raise InputError(f"weights must be 1 to {MAX_DEPTH} matrices, got {depth}")
        budget = _Budget()
        for name in ("weights", "dweights"):
            group = _sequence(getattr(self, name), name, depth)
            self._set(name, tuple(_matrix(m, f"{name}[{i}]", budget) for i, m in enumerate(group)))
        self._set("x", _vector(self.x, "x", budget))
        for name in ("biases", "dbiases"):
            group = getattr(self, name)
            if group is not None:
                vectors = enumerate(_sequence(group, name, depth))
                checked = tuple(None if v is None else _vector(v, f"{name}[{i}]", budget) for i, v in vectors)
                self._set(name, checked if any(v is not None for v in checked) else None)
        self._set(
            "activations", tuple(_text(s, "activations") for s in _sequence(self.activations, "activations", depth))
        )
        for spec in self.activations:
            parse_activation(spec)
        _check_shapes(self)
        if type(self.layer) is not int or not 0 <= self.layer < depth or (self.quantity == "function" and self.layer):
            wanted = "0 for the function" if self.quantity == "function" else f"an integer from 0 to {depth - 1}"
            raise InputError(f"layer={self.layer!r} must be {wanted}")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @classmethod
    def from_floats(
        cls,
        claim: str | Claim,
        net: Network,
        dweights: Sequence[Any],
        x: Any,
        layer: int = 0,
        hypotheses: Sequence[str] | None = None,
        dbiases: Sequence[Any] | None = None,
        note: str = "",
        bound_source: dict[str, str] | None = None,
    ) -> Witness:
        """The witness whose entries are exactly those of an unbatched network, its perturbation and input.

        Raises:
            InputError: an unknown claim id, or shapes that do not fit.
        """
        if isinstance(claim, str):
            claim = _known_claim(claim)
        if net.batch_shape:
            raise InputError(f"a witness is one instance, got weights of batch shape {net.batch_shape}")
        return cls(
            claim.id,
            claim.statement,
            claim.quantity,
            layer,
            tuple(a.spec for a in net.activations),
            _plain(net.weights),
            _plain(dweights),
            _plain(x),
            tuple(claim.hypotheses if hypotheses is None else hypotheses),
            _plain(net.biases) if net.has_biases else None,
            None if dbiases is None else _plain(dbiases),
            note,
            bound_source,
        )

    def network(self) -> tuple[Network, list[Tensor], Tensor]:
        """(net, ΔW, x) rounded to float64, for the float path.

        Raises:
            InputError: an entry beyond float64's range.
        """
        weights, dweights = (_tensors(group) for group in (self.weights, self.dweights))
        net = Network(weights, list(self.activations), None if self.biases is None else _tensors(self.biases))
        return net, dweights, _tensors([self.x])[0]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, all of it or nothing.

        Raises:
            InputError: the file cannot be written.
        """
        body = {"format": FORMAT, "version": VERSION}
        for name in _FIELDS:
            value = getattr(self, name)
            if value is not None and value != "":
                body[name] = _exact_text(value) if name in _NUMERIC else value
        body["sha256"] = _digest(body)
        path = Path(path)
        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with open(descriptor, "w", encoding="utf-8") as file:
                # a line for each field
                lines = (f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in body.items())
                file.write("{" + ",\n ".join(lines) + "}\n")
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise InputError(f"{path}: cannot be written: {error.strerror}") from None


_NUMERIC = ("weights", "dweights", "x", "biases", "dbiases")
_FIELDS = ("claim", "statement", "quantity", "layer", "hypotheses", "activations", *_NUMERIC, "note", "bound_source")
_REQUIRED = ("claim", "statement", "quantity", "layer", "activations", "weights", "dweights", "x")


def load_witness(path: str | os.PathLike[str]) -> Witness:
    """Read a witness file.

    Raises:
        InputError: the file is missing, malformed, altered, of another version, or about an unknown claim.
    """
    try:
        return _parse(_read(Path(path)))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _read(path: Path) -> str:
    if path.is_dir():
        raise InputError("is a directory, expected a witness file")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"has {path.stat().st_size} bytes, expected at most {MAX_BYTES}")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 (byte {error.start})") from None


def _parse(text: str) -> Witness:
    try:
        body = json.loads(
            text,
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_float,
            parse_float=_no_float,
            parse_int=_small_int,
        )
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise InputError("is nested too deeply to be a witness") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        got = body.get("format") if isinstance(body, dict) else type(body).__name__
        raise InputError(f'format={_short(got)} must be "{FORMAT}"')
    if type(body.get("version")) is not int or body["version"] != VERSION:
        raise InputError(f"version={_short(body.get('version'))} must be {VERSION}")
    stated = body.pop("sha256", None)
    for name in _REQUIRED:
        if name not in body:
            raise InputError(f"field {name!r} is missing")
    for name in body:
        if name not in (*_FIELDS, "format", "version"):
            raise InputError(f"field {_short(name)} is not known; expected some of {', '.join(_FIELDS)}")
    actual = _digest(body)
    if stated != actual:
        raise InputError(f"sha256={_short(stated)} does not match the content ({actual}): the witness was altered")
    _strings_only({name: body[name] for name in _NUMERIC if name in body})
    witness = Witness(**{name: body[name] for name in _FIELDS if name in body})
    if witness.bound_source is None:
        _known_claim(witness.claim)
    return witness


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) < len(pairs):
        raise InputError("a field is given twice")
    return body


def _no_float(text: str) -> Any:
    raise InputError(f"number {_short(text)} must be text, an integer or a fraction such as '1/8'")


def _small_int(text: str) -> int:
    return int(text) if len(text) <= 9 else _no_float(text)


def _strings_only(value: Any) -> None:
    if isinstance(value, int):
        raise InputError(f"number {value} must be text, an integer or a fraction such as '1/8'")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _strings_only(item)


def _digest(body: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no spaces, ASCII."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def _known_claim(claim_id: str) -> Claim:
    if claim_id not in claims:
        raise InputError(f"claim={_short(claim_id)} is not known; expected one of {', '.join(sorted(claims))}")
    return claims[claim_id]


class _Budget:
    """Counts entries against MAX_ENTRIES."""

    def __init__(self) -> None:
        self.left = MAX_ENTRIES

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise InputError(f"the matrices have more than {MAX_ENTRIES} entries together")


def _check_head(w: Witness) -> None:
    for name in ("claim", "statement", "quantity", "note"):
        _text(getattr(w, name), name)
    if w.quantity not in QUANTITIES:
        raise InputError(f"quantity={_short(w.quantity)} must be one of {', '.join(QUANTITIES)}")
    claim = claims.get(w.claim) if w.bound_source is None else None
    if claim is not None and claim.quantity != w.quantity:
        raise InputError(f"quantity={w.quantity!r} must be {claim.quantity!r}, which {w.claim} is about")
    if w.hypotheses is not None:
        w._set("hypotheses", tuple(_text(h, "hypotheses") for h in _sequence(w.hypotheses, "hypotheses")))
        for h in w.hypotheses:
            if h not in known_hypotheses:
                raise InputError(
                    f"hypotheses: {_short(h)} is not known; expected some of {', '.join(known_hypotheses)}"
                )
    source = w.bound_source
    if source is not None and not (
        isinstance(source, dict)
        and set(source) == {"file", "function"}
        and all(isinstance(v, str) for v in source.values())
    ):
        raise InputError(f"bound_source={_short(source)} must hold the texts 'file' and 'function'")


def _check_shapes(w: Witness) -> None:
    below = len(w.x)
    for i, (matrix, change) in enumerate(zip(w.weights, w.dweights, strict=True)):
        shape = len(matrix), len(matrix[0])
        if shape[1] != below:
            source = "entries of x" if i == 0 else f"rows of weights[{i - 1}]"
            raise InputError(f"weights[{i}] has shape {shape}: it must have {below} columns, the {source}")
        if (len(change), len(change[0])) != shape:
            raise InputError(f"dweights[{i}] has shape {(len(change), len(change[0]))}, but weights[{i}] has {shape}")
        if not any(any(row) for row in matrix):
            raise InputError(f"weights[{i}] must be non-zero")
        below = shape[0]
        bias, dbias = (group[i] if group else None for group in (w.biases, w.dbiases))
        if bias is not None and len(bias) != below:
            raise InputError(f"biases[{i}] has {len(bias)} entries, expected {below}")
        if dbias is not None and (bias is None or len(dbias) != below):
            raise InputError(
                f"dbiases[{i}] has {len(dbias)} entries, but biases[{i}] has {'none' if bias is None else below}"
            )
    if not any(w.x):
        raise InputError("x must be non-zero")


def _sequence(value: Any, name: str, length: int | None = None) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise InputError(f"{name}={_short(value)} must be a list")
    if length is not None and len(value) != length:
        raise InputError(f"{name} must have {length} items, one per layer; got {len(value)}")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name}={_short(value)} must be text")
    return value


def _matrix(value: Any, name: str, budget: _Budget) -> Matrix:
    rows = tuple(_vector(row, f"{name}[{i}]", budget) for i, row in enumerate(_sequence(value, name)))
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(f"{name} must be a non-empty list of rows of one length")
    _check_denominators((q for row in rows for q in row), name)
    return rows


def _vector(value: Any, name: str, budget: _Budget) -> Vector:
    items = _sequence(value, name)
    if not items:
        raise InputError(f"{name} must not be empty")
    budget.spend(len(items))
    return tuple(v if isinstance(v, fmpq) else _rational(v, f"{name}[{i}]") for i, v in enumerate(items))


def _check_denominators(entries: Any, name: str) -> None:
    common = fmpz(1)
    for q in entries:
        common = common.lcm(q.q)
        if common.bit_length() > MAX_DENOMINATOR_BITS:
            raise InputError(f"{name} has a common denominator of more than {MAX_DENOMINATOR_BITS} bits")


def _rational(value: Any, name: str) -> fmpq:
    if isinstance(value, str):
        if len(value) <= 2 * MAX_DIGITS + 2:
            match = _RATIONAL.fullmatch(value)
            parts = match.groups() if match else ()
            if match and all(len(p or "") <= MAX_DIGITS + 1 for p in parts) and (parts[1] is None or int(parts[1])):
                return fmpq(int(parts[0]), int(parts[1] or 1))
        raise InputError(f"{name}={_short(value)} must be an integer or a fraction of at most {MAX_DIGITS} digits")
    if isinstance(value, int | fmpz) and not isinstance(value, bool):
        return fmpq(value)
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, float) and value - value == 0:
        return fmpq(*value.as_integer_ratio())
    raise InputError(f"{name}={_short(value)} must be a finite number")


def _plain(value: Any) -> Any:
    """Tensors and arrays, alone or in lists, as nested lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _exact_text(value: Any) -> Any:
    return [_exact_text(v) for v in value] if isinstance(value, tuple) else None if value is None else str(value)


def _tensors(group: Sequence[Any]) -> list[Any]:
    try:
        return [None if v is None else torch.tensor(_floats(v), dtype=torch.float64) for v in group]
    except OverflowError:
        raise InputError("the witness has an entry beyond the range of float64") from None


def _floats(value: Any) -> Any:
    return [_floats(v) for v in value] if isinstance(value, tuple) else int(value.p) / int(value.q)


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
