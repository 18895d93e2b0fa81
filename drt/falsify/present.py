"""A witness for people: a statement in mathematics."""

from __future__ import annotations

from collections.abc import Iterable

from flint import fmpq

from drt.theory.base import Claim
from drt.witness.witness import Witness


def statement(witness: Witness, claim: Claim, lhs: str, rhs: str) -> str:
    """The counterexample in the paper's letters, with both sides as certified.

    Args:
        witness: the instance.
        claim: what it violates.
        lhs: the actual change, in figures.
        rhs: the bound, in figures.
    """
    depth = len(witness.weights)
    widths = "-".join(str(n) for n in (len(witness.x), *(len(m) for m in witness.weights)))
    phis = witness.activations
    phi = phis[0] if len(set(phis)) == 1 else ", ".join(phis)
    lines = [f"L = {depth}, widths {widths}, φ = {phi}"]
    for k, (w, dw) in enumerate(zip(witness.weights, witness.dweights, strict=True)):
        index = "₁₂₃₄₅₆₇₈₉"[k] if k < 9 else f"_{k + 1}"
        line = f"W{index} = {_matrix(w)},  ΔW{index} = {_matrix(dw)}"
        if witness.biases is not None and witness.biases[k] is not None:
            line += f",  b{index} = {_vector(witness.biases[k] or ())}"
        lines.append(line)
    lines.append(f"x = {_vector(witness.x)}" + (f",  y = {_vector(witness.target)}" if witness.target else ""))
    _, hash_mark, step = claim.id.partition("#")
    if hash_mark:
        lines.append(f"q_{int(step) - 1} = {lhs}, but q_{step} = {rhs} (measured in floating point)")
        return "\n".join(lines)
    lefts = claim.quantity.lefts
    usual = next(iter(lefts))
    left = lefts[usual if callable(claim.left) else claim.left].format(l=witness.layer)
    lines.append(f"{left} = {lhs}, but the bound is {rhs}")
    return "\n".join(lines)


def _vector(values: Iterable[fmpq]) -> str:
    return "(" + ", ".join(map(str, values)) + ")"


def _matrix(rows: Iterable[Iterable[fmpq]]) -> str:
    lists = [list(row) for row in rows]
    if len(lists) * len(lists[0]) > 64:
        return f"({len(lists)}×{len(lists[0])} matrix, see the file)"
    return "[" + "; ".join(" ".join(map(str, row)) for row in lists) + "]"
