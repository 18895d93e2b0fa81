"""Certificates: a witness re-evaluated in exact or ball arithmetic, independently of the float code.

    violated      lower(lhs) > upper(rhs)
    holds         upper(lhs) ≤ lower(rhs)
    attained      lhs = rhs exactly, and not 0
    inapplicable  the instance misses a hypothesis
    undecided     the precision (or the formula) does not tell

First in balls of 128 bits; then, where the balls overlap, in exact numbers (sums of square roots of rationals, which
recognise a tie); then in balls of 256, 512, … bits.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flint import arb, ctx

from drt.errors import InputError
from drt.exact.balls import Balls, Undecided
from drt.exact.descent import ExactDescent
from drt.exact.hypotheses import unmet
from drt.exact.measurement import ExactFunction, ExactJacobian, ExactWeights
from drt.exact.network import ExactNetwork
from drt.exact.steps import ExactSteps
from drt.exact.surds import Surd, ball
from drt.measurement.quantity import DESCENT, FUNCTION, JACOBIAN, Quantity
from drt.optimisers.steps import Steps
from drt.theory.base import Formula
from drt.theory.registry import Claim, claims, find
from drt.witness.witness import Witness

START_BITS = 128
# The exact twin of each quantity that has witnesses, made of (network, layer, bits, exact).
TWINS: dict[Quantity, Callable[[ExactNetwork, int, int, bool], ExactWeights]] = {
    FUNCTION: ExactFunction,
    JACOBIAN: ExactJacobian,
    DESCENT: ExactDescent,
}

Interval = tuple[float, float]
UNKNOWN: Interval = (math.nan, math.nan)


@dataclass(frozen=True)
class Certificate:
    """What was proved of one witness: `lhs ≤ rhs` or not.

    lhs, rhs, ratio (= lhs/rhs): rigorous enclosures, floats rounded outward (∞ above float64's range, 0 below);
    log10_… : of their logarithms, which never overflow. NaN where nothing was computed.
    reason: why it is inapplicable or undecided. bits: the working precision that decided. seconds: wall time.
    """

    claim: str
    answer: str
    reason: str = ""
    lhs: Interval = UNKNOWN
    rhs: Interval = UNKNOWN
    ratio: Interval = UNKNOWN
    log10_lhs: Interval = UNKNOWN
    log10_rhs: Interval = UNKNOWN
    log10_ratio: Interval = UNKNOWN
    bits: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Its fields; numbers that JSON cannot hold (∞, NaN) are None."""
        return {
            name: [v if math.isfinite(v) else None for v in value] if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    def __str__(self) -> str:
        if self.reason:
            return f"{self.claim}: {self.answer} ({self.reason})"
        sides = f"actual in [{self.lhs[0]:.17g}, {self.lhs[1]:.17g}], bound in [{self.rhs[0]:.17g}, {self.rhs[1]:.17g}]"
        return f"{self.claim}: {self.answer} ({sides}, {self.bits} bits)"


def certify(witness: Witness, claim: Claim | None = None, max_bits: int = 2048) -> Certificate:
    """Decide `lhs ≤ rhs` for the instance of a witness.

    Args:
        witness: the instance, with exact entries.
        claim: the claim, where it is a user's own; the registered one of the witness's id otherwise.
        max_bits: the highest working precision tried.

    Raises:
        InputError: a witness of another claim, an unknown claim, or a bound that is negative or not one number.
    """
    claim = _claim_of(witness, claim)
    names = claim.hypotheses if witness.hypotheses is None else witness.hypotheses
    net, twin = ExactNetwork(witness), TWINS[claim.quantity]
    return _decide(claim, names, lambda bits, exact: twin(net, witness.layer, bits, exact), max_bits)


def certify_step(claim: Claim, steps: Steps, index: tuple[int, int], max_bits: int = 2048) -> Certificate:
    """Decide `lhs ≤ rhs` for one step of a real optimiser, of the very numbers that it left.

    Args:
        claim: a claim about steps.
        steps: T steps of B optimisers.
        index: which of them, (t, b).
        max_bits: the highest working precision tried.
    """
    return _decide(claim, claim.hypotheses, lambda bits, exact: ExactSteps(steps, index), max_bits)


def _decide(claim: Claim, names: Sequence[str], twin: Callable[[int, bool], Any], max_bits: int) -> Certificate:
    """Hold a claim against an exact twin, made anew for each working precision."""
    start = time.perf_counter()
    seen: dict[str, Any] = {}
    bits, exact = START_BITS, False

    def certificate(answer: str, reason: str = "") -> Certificate:
        return Certificate(claim.id, answer, reason, **seen, bits=bits, seconds=time.perf_counter() - start)

    while True:
        with ctx.workprec(bits):
            m = twin(bits, exact)
            try:
                reason = unmet(names, m)
                if reason:
                    return certificate("inapplicable", reason)
                lhs, rhs = _left(claim, m), _right(claim, m)
                seen = _enclosures(lhs, rhs)
                answer = _answer(lhs, rhs)
                if answer:
                    return certificate(answer)
                reason = "the enclosures of the two sides overlap"
            except Undecided as error:
                reason = str(error)
            except _Unevaluable as error:
                return certificate("undecided", str(error))
        if bits == START_BITS and not exact:
            exact = True
        elif bits >= max_bits:
            return certificate("undecided", reason)
        else:
            bits, exact = 2 * bits, False


class _Unevaluable(Exception):
    """The formula cannot be evaluated on exact or ball numbers, at any precision."""


def _claim_of(witness: Witness, claim: Claim | None) -> Claim:
    if claim is None:
        if witness.claim.partition("#")[0] not in claims or witness.bound_source is not None:
            raise InputError(f"claim={witness.claim!r} is a user's bound: its function is needed to certify it")
        claim = find(witness.claim)
    if claim.id != witness.claim:
        raise InputError(f"the witness is about {witness.claim}, not about {claim.id}")
    if claim.quantity != witness.quantity:
        raise InputError(
            f"claim {claim.id} is about the {claim.quantity}, but the witness about the {witness.quantity}"
        )
    return claim


def _left(claim: Claim, m: Any) -> Any:
    return _number(claim, claim.left, m) if callable(claim.left) else m.left(claim.left).entries.item()


def _right(claim: Claim, m: Any) -> Any:
    right = _number(claim, claim.formula, m)
    enclosure = ball(right)
    if enclosure < 0:
        raise InputError(f"bound {claim.id!r} must be a number >= 0, got {_floats(enclosure)}")
    if not enclosure.is_finite() and not enclosure.mid().is_finite():
        raise Undecided("the bound is infinite" if enclosure > 0 else "the bound is not a number at this precision")
    return right


def _number(claim: Claim, formula: Formula, m: Any) -> Any:
    """What a formula returns for exact numbers, which must be one number."""
    try:
        value = Balls.of(formula(m))
    except (Undecided, InputError):
        raise
    except Exception as error:  # the user's own formula
        raise _Unevaluable(
            f"bound {claim.id!r} cannot be evaluated exactly: {type(error).__name__}: {error}"
        ) from error
    if value.shape:
        raise InputError(f"bound {claim.id!r} must return shape (), got shape {value.shape}")
    return value.entries.item()


def _answer(lhs: Any, rhs: Any) -> str:
    if isinstance(lhs, Surd) and isinstance(rhs, Surd):
        gap = lhs - rhs
        if isinstance(gap, Surd):
            sign = gap.sign()
            return "violated" if sign > 0 else "holds" if sign < 0 or not lhs.terms else "attained"
    left, right = ball(lhs), ball(rhs)
    if left.is_exact() and right.is_exact() and left == right and not left.is_zero():
        return "attained"
    return "violated" if left > right else "holds" if left <= right else ""


def _enclosures(lhs: Any, rhs: Any) -> dict[str, Interval]:
    left, right = ball(lhs), ball(rhs)
    equal = (
        isinstance(lhs, Surd) and isinstance(rhs, Surd) and not isinstance(lhs - rhs, arb) and (lhs - rhs).sign() == 0
    )
    ratio = arb(1) if equal else left / right if not right.contains(0) else arb("[+/- inf]").nonnegative_part()
    sides = {"lhs": left, "rhs": right, "ratio": ratio}
    return {
        **{name: _floats(side) for name, side in sides.items()},
        **{f"log10_{name}": _log10(side) for name, side in sides.items()},
    }


def _floats(x: arb) -> Interval:
    """The smallest and largest number of a ball, as floats rounded outward."""
    lower, upper = x.lower(), x.upper()
    low, high = float(lower), float(upper)
    if low == math.inf and lower.is_finite():
        low = sys.float_info.max
    if high == -math.inf and upper.is_finite():
        high = -sys.float_info.max
    if not arb(low) <= lower:
        low = math.nextafter(low, -math.inf)
    if not arb(high) >= upper:
        high = math.nextafter(high, math.inf)
    return low, high


def _log10(x: arb) -> Interval:
    """The same of log₁₀ of a number ≥ 0."""
    ten = arb(10).log()
    lower = _floats(x.lower().log() / ten)[0] if x > 0 else -math.inf
    upper = x.upper()
    return lower, _floats(upper.log() / ten)[1] if upper > 0 else -math.inf
