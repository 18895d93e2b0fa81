"""What a claim is: an inequality `left side ≤ formula(measurement)` with its kind, source and hypotheses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from drt.errors import InputError
from drt.measurement.measured import Measured
from drt.measurement.quantity import FUNCTION, OF_BOUNDS, Quantity
from drt.numeric import numbers
from drt.numeric.lognumbers import LogNumber, Unsupported
from drt.numeric.numbers import Number
from drt.theory.hypotheses import resolve

Formula = Callable[[Any], Number]  # of the fields of a measurement, in whatever numbers they are given


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An inequality about how much a network changes when its weights do.

    id: `theorem1.function`. kind: identity, theorem, model or conjecture. quantity: what it is about.
    statement: the inequality in the paper's letters. source: where it is stated. hypotheses: their names.
    formula: the right side, of the fields of a measurement in whatever numbers they are given.
    left: the name of a left side, one of the quantity's `lefts`; or a formula like the right side's, where a claim has a left
        side of its own (an identity's discrepancy, which its right side allows for rounding).
    known: what is known of it, "true", "false" or "open"; None for a user's bound.
    """

    id: str
    kind: str
    quantity: Quantity
    statement: str
    source: str
    hypotheses: tuple[str, ...]
    formula: Formula
    left: str | Formula = "relative"
    known: str | None = None

    def value(self, m: Measured) -> Number:
        """The right side, of shape (…,): ∞ where it overflows."""
        result = evaluate(self.formula, m)
        return result.plain() if isinstance(result, LogNumber) else result

    __call__ = value

    def log_value(self, m: Measured) -> Number:
        """The logarithm of the right side, which does not overflow; NaN where that is negative."""
        return logarithm(evaluate(self.formula, m))

    def checked_log_value(self, m: Measured, applicable: Tensor) -> Tensor:
        """`log_value`, expanded to the batch; where the claim applies it must be the logarithm of a number ≥ 0.

        Raises:
            InputError: the formula raises, or returns something that is not ≥ 0, or not of the batch's shape.
        """
        try:
            value = evaluate(self.formula, m)
        except InputError:
            raise
        except Exception as error:  # the user's own formula: whatever it raises is reported as its fault
            raise InputError(f"bound {self.id!r} raised {type(error).__name__}: {error}") from error
        if isinstance(value, bool) or not isinstance(value, LogNumber | Tensor | int | float):
            raise InputError(f"bound {self.id!r} must return a tensor or a number, got {type(value).__name__}")
        result = logarithm(value).to(m.device)
        try:
            result = result.expand(m.batch_shape)
        except RuntimeError:
            expected = tuple(m.batch_shape)
            raise InputError(
                f"bound {self.id!r} must return shape {expected}, got shape {tuple(result.shape)}"
            ) from None
        # Where the measurement itself is out of range nothing can be asked of the formula: "undecided".
        wrong = torch.isnan(result) & applicable
        if wrong.any() and (wrong & (m.rounding < torch.inf)).any():
            raise InputError(f"bound {self.id!r} must be a number >= 0, got NaN or a negative value")
        return result

    def with_hypotheses(self, changes: Sequence[str]) -> Claim:
        """The same inequality with hypotheses added (`name`, `+name`) or dropped (`-name`).

        Raises:
            InputError: a name that is not a hypothesis, or one dropped that the claim does not have.
        """
        chosen = list(self.hypotheses)
        for change in changes:
            name = change.lstrip("+-")
            resolve((name,))
            if change.startswith("-"):
                if name not in chosen:
                    raise InputError(
                        f"--hypotheses {change}: {self.id} has no such hypothesis; it has {', '.join(chosen)}"
                    )
                chosen.remove(name)
            elif name not in chosen:
                chosen.append(name)
        return replace(self, hypotheses=tuple(chosen))


def evaluate(formula: Formula, m: Measured) -> Number:
    """A formula on the numbers of a measurement; on its plain fields where it does what those numbers cannot."""
    try:
        return formula(m.numbers)
    except Unsupported:
        return formula(m)


def logarithm(x: Number) -> Number:
    """The logarithm of what a formula returned."""
    if isinstance(x, LogNumber):
        return x.logs
    return numbers.log(torch.as_tensor(x).to(torch.float64) if isinstance(x, Tensor | int | float) else x)


claims: dict[str, Claim] = {}


def register(claim: Claim) -> Claim:
    """Put a claim into the registry `drt.claims`."""
    claims[claim.id] = claim
    return claim


def bound(
    quantity: Quantity | str = FUNCTION,
    hypotheses: Sequence[str] = ("transmission", "conditioning", "widths"),
    left: str | None = None,
) -> Callable[[Formula], Claim]:
    """Decorator: a function of a measurement becomes a claim that the change is at most its value.

        @drt.bound(quantity="function", hypotheses=("transmission", "conditioning", "widths"))
        def mine(m):
            "One line that says what is claimed."
            return (m.beta / m.alpha * m.kappa) ** m.depth * drt.product_minus_one(m.delta)

    Args:
        quantity: "function", "jacobian" or "descent".
        hypotheses: names from `drt.hypotheses`; "biases" (there are none) and "nonzero" are implied, "-biases" drops one.
            Of descent, "gradients" is, and these are not.
        left: "relative", or "absolute" to bound ‖f̃ − f‖ itself (function only); of descent "change" or "excess" (`Claim`).

    Raises:
        InputError: an unknown quantity, hypothesis or left side.
    """
    if callable(quantity):
        raise InputError("drt.bound is used with arguments: @drt.bound(quantity='function', hypotheses=(...))")
    if quantity not in OF_BOUNDS:
        raise InputError(f"quantity={quantity!r} must be one of {', '.join(OF_BOUNDS)}")
    about = Quantity(quantity)  # type: ignore[call-arg]  # by its name
    if left is not None and left not in about.lefts:
        raise InputError(f"left={left!r} must be {' or '.join(about.lefts)} for the {about}")
    if isinstance(hypotheses, str):
        raise InputError(f"hypotheses={hypotheses!r} must be a list of names")
    names = resolve(hypotheses, about)

    def decorate(formula: Formula) -> Claim:
        statement = (formula.__doc__ or formula.__name__).strip().splitlines()[0]
        return Claim(
            id=formula.__name__,
            kind="conjecture",
            quantity=about,
            statement=statement,
            source="user",
            hypotheses=names,
            formula=formula,
            left=left or next(iter(about.lefts)),
        )

    return decorate
