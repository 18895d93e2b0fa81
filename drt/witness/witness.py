"""Witnesses: one instance for one claim, with exact rational entries, and their files.

A file is JSON with `"format": "drt-witness"`, `"version": 1`, the claim, the network, its perturbation and its input as
strings of integers or fractions ("-3", "1/8"), and `"sha256"`, the digest of the rest in canonical form. What is not
exactly that is refused, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from drt.errors import InputError, short
from drt.measurement.quantity import Quantity
from drt.network.network import Network
from drt.theory.registry import Claim, claims, find
from drt.witness.fields import (
    MAX_DEPTH,
    Budget,
    Matrix,
    Vector,
    activations_of,
    check_shapes,
    hypotheses_of,
    layer_of,
    matrices,
    quantity_of,
    sequence,
    source_of,
    target_of,
    text,
    vector,
    vectors,
)
from drt.witness.file import read, write


@dataclass(frozen=True)
class Witness:
    """One instance, exactly: weights W_l, their change ΔW_l, the input x, and the claim it speaks about.

    Entries may be given as fmpq, int, Fraction, float (taken exactly) or text ("1/8"); they are kept as fmpq.

    claim: its id. quantity, layer: function, or jacobian of layer l. hypotheses: those asked of the instance, None for
    the claim's own. activations: a spec per layer (`leaky_relu:0.1` is the double nearest to 0.1). biases, dbiases: per
    layer a vector or None; or None for all. target: y of the loss ½‖f(x) − y‖², for the quantity "descent" alone.
    bound_source: the file and function of a user's bound.

    Raises:
        InputError: fields that do not fit together; the message names field, value and expectation.
    """

    claim: str
    statement: str
    quantity: Quantity
    layer: int
    activations: tuple[str, ...]
    weights: tuple[Matrix, ...]
    dweights: tuple[Matrix, ...]
    x: Vector
    hypotheses: tuple[str, ...] | None = None
    biases: tuple[Vector | None, ...] | None = None
    dbiases: tuple[Vector | None, ...] | None = None
    target: Vector | None = None
    note: str = ""
    bound_source: dict[str, str] | None = None

    def __post_init__(self) -> None:
        for name in ("claim", "statement", "note"):
            text(getattr(self, name), name)
        depth = len(sequence(self.weights, "weights"))
        if not 1 <= depth <= MAX_DEPTH:
            raise InputError(f"weights must be 1 to {MAX_DEPTH} matrices, got {depth}")
        budget = Budget()
        quantity = quantity_of(self.quantity, self.claim, self.bound_source is not None)
        weights, dweights = (
            matrices(getattr(self, name), name, depth, budget) for name in ("weights", "dweights")
        )  # fmt: skip
        x = vector(self.x, "x", budget)
        biases, dbiases = (vectors(getattr(self, name), name, depth, budget) for name in ("biases", "dbiases"))
        check_shapes(weights, dweights, x, biases, dbiases)
        checked = {
            "quantity": quantity,
            "layer": layer_of(self.layer, quantity, depth),
            "activations": activations_of(self.activations, depth),
            "weights": weights,
            "dweights": dweights,
            "x": x,
            "biases": biases,
            "dbiases": dbiases,
            "target": target_of(self.target, quantity, len(weights[-1]), budget),
            "hypotheses": None if self.hypotheses is None else hypotheses_of(self.hypotheses),
            "bound_source": None if self.bound_source is None else source_of(self.bound_source),
        }
        for name, value in checked.items():
            object.__setattr__(
                self, name, value
            )  # frozen: this is how a dataclass sets what it was given in another form

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
        target: Any = None,
        note: str = "",
        bound_source: dict[str, str] | None = None,
    ) -> Witness:
        """The witness whose entries are exactly those of an unbatched network, its perturbation and input.

        Args:
            claim: what the witness speaks about, or its id.
            net: f, weights (n_l, n_{l−1}).
            dweights: ΔW_1 … ΔW_L, each (n_l, n_{l−1}).
            x: the input (n_0,).
            layer: l, of a Jacobian.
            hypotheses: those asked of the instance; the claim's own by default.
            dbiases: Δb_1 … Δb_L, each (n_l,) or None; None for all.
            target: y (n_L,), of a loss.
            note: a remark for people.
            bound_source: the file and function of a user's bound.

        Raises:
            InputError: an unknown claim id, or shapes that do not fit.
        """
        if isinstance(claim, str):
            claim = find(claim)
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
            None if target is None else _plain(target),
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
        body: dict[str, Any] = {}
        for name in _FIELDS:
            value = getattr(self, name)
            if value is not None and value != "":
                body[name] = _exact_text(value) if name in _NUMERIC else value
        write(Path(path), body)


_NUMERIC = ("weights", "dweights", "x", "biases", "dbiases", "target")
_FIELDS = ("claim", "statement", "quantity", "layer", "hypotheses", "activations", *_NUMERIC, "note", "bound_source")
_REQUIRED = ("claim", "statement", "quantity", "layer", "activations", "weights", "dweights", "x")


def load_witness(path: str | os.PathLike[str]) -> Witness:
    """Read a witness file.

    Raises:
        InputError: the file is missing, malformed, altered, of another version, or about an unknown claim.
    """
    try:
        fields = read(Path(path))
        for name in _REQUIRED:
            if name not in fields:
                raise InputError(f"field {name!r} is missing")
        for name in fields:
            if name not in _FIELDS:
                raise InputError(f"field {short(name)} is not known; expected some of {', '.join(_FIELDS)}")
        for name in _NUMERIC:
            _texts_only(fields.get(name), name)
        witness = Witness(**fields)
        if witness.bound_source is None:
            _check_claim(witness.claim)
        return witness
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _texts_only(value: Any, name: str) -> None:
    if isinstance(value, int):
        raise InputError(f"{name}: number {value} must be text, an integer or a fraction such as '1/8'")
    for item in value if isinstance(value, list) else ():
        _texts_only(item, name)


def _check_claim(claim_id: str) -> None:
    if claim_id.partition("#")[0] not in claims:
        raise InputError(f"claim={short(claim_id)} is not known; expected one of {', '.join(sorted(claims))}")


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
