"""Checks of a witness's fields; each names the field, its value and what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flint import fmpq, fmpz

from drt.errors import InputError
from drt.theory.base import QUANTITIES
from drt.theory.hypotheses import hypotheses as known_hypotheses
from drt.theory.registry import claims

if TYPE_CHECKING:
    from drt.witness.witness import Witness

MAX_DEPTH, MAX_ENTRIES, MAX_DIGITS = 1000, 2**20, 2000
MAX_BITS = (10**MAX_DIGITS).bit_length()
MAX_SPEC = 4000  # characters
MAX_DENOMINATOR_BITS = 2**17  # of a matrix's common denominator

Vector = tuple[fmpq, ...]
Matrix = tuple[Vector, ...]

_RATIONAL = re.compile(r"(-?[0-9]+)(?:/([0-9]+))?", re.ASCII)


class Budget:
    """Counts entries against MAX_ENTRIES."""

    def __init__(self) -> None:
        self.left = MAX_ENTRIES

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise InputError(f"the matrices have more than {MAX_ENTRIES} entries together")


def check_head(w: Witness) -> None:
    """What a witness is about: texts, quantity, hypotheses and source."""
    for name in ("claim", "statement", "quantity", "note"):
        text(getattr(w, name), name)
    if w.quantity not in QUANTITIES:
        raise InputError(f"quantity={short(w.quantity)} must be one of {', '.join(QUANTITIES)}")
    claim = claims.get(w.claim) if w.bound_source is None else None
    if claim is not None and claim.quantity != w.quantity:
        raise InputError(f"quantity={w.quantity!r} must be {claim.quantity!r}, which {w.claim} is about")
    if w.hypotheses is not None:
        object.__setattr__(w, "hypotheses", tuple(text(h, "hypotheses") for h in sequence(w.hypotheses, "hypotheses")))
        for h in w.hypotheses:
            if h not in known_hypotheses:
                raise InputError(f"hypotheses: {short(h)} is not known; expected some of {', '.join(known_hypotheses)}")
    source = w.bound_source
    if source is not None and not (
        isinstance(source, dict)
        and set(source) == {"file", "function"}
        and all(isinstance(v, str) for v in source.values())
    ):
        raise InputError(f"bound_source={short(source)} must hold the texts 'file' and 'function'")


def check_shapes(w: Witness) -> None:
    """Shapes chain; weights and input are not zero."""
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
    if (w.target is None) == (w.quantity == "descent"):
        wanted = "y of the loss" if w.target is None else f"none for the {w.quantity}"
        raise InputError(f"target={'none' if w.target is None else 'given'} must be {wanted}")
    if w.target is not None and len(w.target) != below:
        raise InputError(f"target has {len(w.target)} entries, expected {below}, the outputs")


def sequence(value: Any, name: str, length: int | None = None) -> Sequence[Any]:
    """A list, of that length."""
    if not isinstance(value, list | tuple):
        raise InputError(f"{name}={short(value)} must be a list")
    if length is not None and len(value) != length:
        raise InputError(f"{name} must have {length} items, one per layer; got {len(value)}")
    return value


def text(value: Any, name: str) -> str:
    """A text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise InputError(f"{name}={short(value)} must be text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{name}={short(value)} must be text without lone surrogates") from None
    return value


def matrix(value: Any, name: str, budget: Budget) -> Matrix:
    """A matrix of rationals."""
    rows = tuple(vector(row, f"{name}[{i}]", budget) for i, row in enumerate(sequence(value, name)))
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(f"{name} must be a non-empty list of rows of one length")
    _check_denominators((q for row in rows for q in row), name)
    return rows


def vector(value: Any, name: str, budget: Budget) -> Vector:
    """A vector of rationals."""
    items = sequence(value, name)
    if not items:
        raise InputError(f"{name} must not be empty")
    budget.spend(len(items))
    entries = tuple(v if isinstance(v, fmpq) else _rational(v, f"{name}[{i}]") for i, v in enumerate(items))
    for i, v in enumerate(entries):
        if v.height_bits() > MAX_BITS:
            raise InputError(f"{name}[{i}] must have at most {MAX_DIGITS} digits above and below")
    return entries


def _check_denominators(entries: Iterable[fmpq], name: str) -> None:
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
        raise InputError(f"{name}={short(value)} must be an integer or a fraction of at most {MAX_DIGITS} digits")
    if isinstance(value, int | fmpz) and not isinstance(value, bool):
        return fmpq(value)
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, float) and value - value == 0:
        return fmpq(*value.as_integer_ratio())
    raise InputError(f"{name}={short(value)} must be a finite number")


def short(value: Any) -> str:
    """A value as at most 80 ASCII characters."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
