"""Checks of a witness's fields: functions of plain values that return the checked ones.

All raise InputError, which names the field, its value and what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpz

from drt.errors import InputError, short
from drt.measurement.quantity import OF_BOUNDS, Quantity
from drt.network.activations import parse_activation
from drt.theory.hypotheses import hypotheses as known_hypotheses
from drt.theory.registry import claims

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


def quantity_of(value: Any, claim_id: str, own_bound: bool) -> Quantity:
    """What a witness is about; a registered claim says which of them."""
    if text(value, "quantity") not in OF_BOUNDS:
        raise InputError(f"quantity={short(value)} must be one of {', '.join(OF_BOUNDS)}")
    claim = None if own_bound else claims.get(claim_id)
    if claim is not None and claim.quantity != value:
        raise InputError(f"quantity={value!r} must be {claim.quantity.value!r}, which {claim_id} is about")
    return Quantity(value)  # type: ignore[call-arg]  # by its name


def layer_of(value: Any, quantity: Quantity, depth: int) -> int:
    """The layer of a Jacobian, 0 for everything else."""
    if type(value) is not int or not 0 <= value < depth or (value and not quantity.of_layer):
        wanted = f"an integer from 0 to {depth - 1}" if quantity.of_layer else f"0 for the {quantity}"
        raise InputError(f"layer={value!r} must be {wanted}")
    return value


def hypotheses_of(value: Any) -> tuple[str, ...]:
    """Names of hypotheses."""
    names = tuple(text(name, "hypotheses") for name in sequence(value, "hypotheses"))
    for name in names:
        if name not in known_hypotheses:
            raise InputError(f"hypotheses: {short(name)} is not known; expected some of {', '.join(known_hypotheses)}")
    return names


def source_of(value: Any) -> dict[str, str]:
    """The file and the function of a user's bound."""
    if not (
        isinstance(value, dict)
        and set(value) == {"file", "function"}
        and all(isinstance(v, str) for v in value.values())
    ):
        raise InputError(f"bound_source={short(value)} must hold the texts 'file' and 'function'")
    return value


def activations_of(value: Any, depth: int) -> tuple[str, ...]:
    """The text of φ for each layer."""
    specs = tuple(text(s, "activations") for s in sequence(value, "activations", depth))
    for spec in specs:
        if len(spec) > MAX_SPEC:  # "negated:" nests
            raise InputError(f"activations: {short(spec)} must have at most {MAX_SPEC} characters")
        parse_activation(spec)
    return specs


def matrices(value: Any, name: str, depth: int, budget: Budget) -> tuple[Matrix, ...]:
    """A matrix of rationals for each layer.

    Args:
        value: a list of matrices, each a list of rows.
        name: of the field, for messages.
        depth: how many layers there are.
        budget: counts the entries.

    Raises:
        InputError: another number of matrices, or something that is not one.
    """
    return tuple(matrix(m, f"{name}[{i}]", budget) for i, m in enumerate(sequence(value, name, depth)))


def vectors(value: Any, name: str, depth: int, budget: Budget) -> tuple[Vector | None, ...] | None:
    """A vector of rationals or None for each layer; None where all of them are.

    Args:
        value: a list of vectors or None, or None.
        name: of the field, for messages.
        depth: how many layers there are.
        budget: counts the entries.

    Raises:
        InputError: another number of vectors, or something that is not one.
    """
    if value is None:
        return None
    group = enumerate(sequence(value, name, depth))
    checked = tuple(None if v is None else vector(v, f"{name}[{i}]", budget) for i, v in group)
    return checked if any(v is not None for v in checked) else None


def check_shapes(
    weights: Sequence[Matrix],
    dweights: Sequence[Matrix],
    x: Vector,
    biases: Sequence[Vector | None] | None,
    dbiases: Sequence[Vector | None] | None,
) -> None:
    """Raise InputError unless shapes chain, and weights and input are not zero.

    Args:
        weights: W_1 … W_L.
        dweights: ΔW_1 … ΔW_L.
        x: the input.
        biases: b_l of each layer or None, or None for all.
        dbiases: Δb_l, the same.
    """
    below = len(x)
    for i, (w, dw) in enumerate(zip(weights, dweights, strict=True)):
        shape = len(w), len(w[0])
        if shape[1] != below:
            source = "entries of x" if i == 0 else f"rows of weights[{i - 1}]"
            raise InputError(f"weights[{i}] has shape {shape}: it must have {below} columns, the {source}")
        if (len(dw), len(dw[0])) != shape:
            raise InputError(f"dweights[{i}] has shape {(len(dw), len(dw[0]))}, but weights[{i}] has {shape}")
        if not any(any(row) for row in w):
            raise InputError(f"weights[{i}] must be non-zero")
        below = shape[0]
        bias, dbias = (group[i] if group else None for group in (biases, dbiases))
        if bias is not None and len(bias) != below:
            raise InputError(f"biases[{i}] has {len(bias)} entries, expected {below}")
        if dbias is not None and (bias is None or len(dbias) != below):
            raise InputError(
                f"dbiases[{i}] has {len(dbias)} entries, but biases[{i}] has {'none' if bias is None else below}"
            )
    if not any(x):
        raise InputError("x must be non-zero")


def target_of(value: Any, quantity: Quantity, outputs: int, budget: Budget) -> Vector | None:
    """The target y of the loss, where one belongs to the quantity, and nowhere else.

    Args:
        value: a vector of n_L numbers, or None.
        quantity: what the witness is about.
        outputs: n_L.
        budget: counts the entries.

    Raises:
        InputError: a target that is missing, not asked for, or of another length.
    """
    if (value is None) == quantity.of_loss:
        wanted = "y of the loss" if value is None else f"none for the {quantity}"
        raise InputError(f"target={'none' if value is None else 'given'} must be {wanted}")
    if value is None:
        return None
    target = vector(value, "target", budget)
    if len(target) != outputs:
        raise InputError(f"target has {len(target)} entries, expected {outputs}, the outputs")
    return target


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
