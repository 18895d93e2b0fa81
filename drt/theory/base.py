"""What a claim is: an inequality `left side ≤ formula(measurement)` with its kind, source and hypotheses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from drt.errors import InputError
from drt.measurement.measurement import Measurement
from drt.numeric import numbers
from drt.numeric.numbers import Number
from drt.theory.hypotheses import resolve

KINDS = ("identity", "theorem", "model", "conjecture")
OF_NETWORKS = ("function", "jacobian")
QUANTITIES = (*OF_NETWORKS, "descent")
# How the left side of each may be taken, the usual first.
LEFTS = {"function": ("relative", "absolute"), "jacobian": ("relative",), "descent": ("change", "excess")}


@dataclass(frozen=True)
class Claim:
    """An inequality about how much a network changes when its weights do.

    id: `theorem1.function`. kind: identity, theorem, model or conjecture. quantity: function, jacobian or descent.
    statement: the inequality in the paper's letters. source: where it is stated. hypotheses: their names.
    formula, log_formula: the right side and its logarithm, of a measurement.
    left: "relative" for ‖f̃ − f‖/‖f‖ (or the Jacobians'), "absolute" for ‖f̃ − f‖; of descent, "change" for
        max_l ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F, "excess" for 𝓛(W+ΔW) − 𝓛(W) − Σ⟨g_l, ΔW_l⟩ where it is positive; a function of
        the measurement that returns the logarithm of the left side where it is none of these (an identity's discrepancy).
    known: what is known of it, "true", "false" or "open"; None for a user's bound.
    """

    id: str
    kind: str
    quantity: str
    statement: str
    source: str
    hypotheses: tuple[str, ...]
    formula: Callable[[Measurement], Number]
    log_formula: Callable[[Measurement], Number] | None = None
    left: str | Callable[[Measurement], Tensor] = "relative"
    known: str | None = None

    def value(self, m: Measurement) -> Number:
        """The right side, of shape (…,)."""
        return self.formula(m)

    __call__ = value

    def log_value(self, m: Measurement) -> Number:
        """The logarithm of the right side; never overflows where the claim gives its logarithm separately."""
        if self.log_formula is not None:
            return self.log_formula(m)
        value = self.formula(m)
        return numbers.log(torch.as_tensor(value, dtype=torch.float64) if isinstance(value, int | float) else value)

    def _log_of_value(self, m: Measurement) -> Tensor:
        value = self.formula(m)
        if isinstance(value, bool) or not isinstance(value, Tensor | int | float):
            raise InputError(f"bound {self.id!r} must return a tensor or a number, got {type(value).__name__}")
        return torch.log(torch.as_tensor(value, device=m.device).to(torch.float64))

    def checked_log_value(self, m: Measurement, applicable: Tensor) -> Tensor:
        """`log_value`, expanded to the batch; where the claim applies it must be the logarithm of a number ≥ 0.

        Raises:
            InputError: the formula raises, or returns something that is not ≥ 0, or not of the batch's shape.
        """
        try:
            result = self.log_value(m) if self.log_formula is not None else self._log_of_value(m)
        except InputError:
            raise
        except Exception as error:  # the user's own formula: whatever it raises is reported as its fault
            raise InputError(f"bound {self.id!r} raised {type(error).__name__}: {error}") from error
        if not isinstance(result, Tensor):
            raise InputError(f"bound {self.id!r} must return a tensor or a number, got {type(result).__name__}")
        try:
            result = result.to(torch.float64).expand(m.batch_shape)
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


claims: dict[str, Claim] = {}


def register(claim: Claim) -> Claim:
    """Put a claim into the registry `drt.claims`."""
    claims[claim.id] = claim
    return claim


def bound(
    quantity: str = "function",
    hypotheses: Sequence[str] = ("transmission", "conditioning", "widths"),
    left: str | None = None,
) -> Callable[[Callable[[Measurement], Number]], Claim]:
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
    if quantity not in QUANTITIES:
        raise InputError(f"quantity={quantity!r} must be one of {', '.join(QUANTITIES)}")
    if left is not None and left not in LEFTS[quantity]:
        raise InputError(f"left={left!r} must be {' or '.join(LEFTS[quantity])} for the {quantity}")
    if isinstance(hypotheses, str):
        raise InputError(f"hypotheses={hypotheses!r} must be a list of names")
    setting = ("-biases", "-nonzero", "gradients") if quantity == "descent" else ()
    names = resolve((*setting, *hypotheses))

    def decorate(formula: Callable[[Measurement], Number]) -> Claim:
        statement = (formula.__doc__ or formula.__name__).strip().splitlines()[0]
        return Claim(
            formula.__name__, "conjecture", quantity, statement, "user", names, formula, left=left or LEFTS[quantity][0]
        )

    return decorate
