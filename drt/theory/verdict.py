"""Verdicts: of a claim on one instance, decided within the derived rounding bound."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from drt.errors import InputError
from drt.measurement.measured import Measured
from drt.numeric.caching import cached_property
from drt.numeric.spectra import UNIT
from drt.theory.base import Claim, evaluate, logarithm
from drt.theory.hypotheses import hypotheses
from drt.theory.outcome import Outcome


@dataclass(frozen=True)
class Verdict:
    """`lhs ≤ rhs`, decided for one instance.

    lhs, rhs: the actual change and the bound (∞ where they overflow; log_lhs, log_rhs do not).
    rounding: a derived bound on the error of log(lhs/rhs). reason: why it is inapplicable or undecided, else "".
    """

    claim: str
    lhs: float
    rhs: float
    rounding: float
    log_lhs: float = math.nan
    log_rhs: float = math.nan
    reason: str = ""
    outcome: Outcome | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.log_lhs):
            object.__setattr__(self, "log_lhs", _log(self.lhs))
            object.__setattr__(self, "log_rhs", _log(self.rhs))
        if self.outcome is None:
            object.__setattr__(self, "outcome", _decide(self.log_lhs, self.log_rhs, self.rounding))

    def __bool__(self) -> bool:
        """True only where the claim is known to hold."""
        return self.outcome is Outcome.HOLDS

    @property
    def ratio(self) -> float:
        """Actual over bound; 0/0 counts as 1 (attained)."""
        return 1.0 if self.log_lhs == self.log_rhs else _exp(self.log_lhs - self.log_rhs)

    def __str__(self) -> str:
        sides = f"actual {self.lhs:.6g}, bound {self.rhs:.6g}"
        return f"{self.claim}: {self.outcome} ({self.reason or sides})"


def _log(x: float) -> float:
    return math.nan if not x >= 0 else -math.inf if x == 0 else math.log(x)


def _decide(log_lhs: float, log_rhs: float, rounding: float) -> Outcome:
    if log_lhs == log_rhs == -math.inf or log_lhs + rounding <= log_rhs:
        return Outcome.HOLDS if log_rhs < math.inf else Outcome.UNDECIDED
    return Outcome.VIOLATED if math.inf > log_lhs - rounding > log_rhs else Outcome.UNDECIDED


class Verdicts:
    """A verdict for each instance of a batch: a sequence of `Verdict`, with the batch's tensors beside it.

    codes (…,): `Outcome.code` of each. log_lhs, log_rhs (…,). failed: hypothesis name → where it fails (bool tensor).
    log_ratio (…,): log(actual/bound), NaN where inapplicable and for 0/0.
    """

    def __init__(self, claim: Claim, m: Measured):
        if claim.quantity != m.quantity:
            raise InputError(
                f"claim {claim.id} is about the {claim.quantity}, but the measurement about the {m.quantity}"
            )
        self.claim, self.measurement = claim, m
        self.failed: dict[str, Bool[Tensor, "..."]] = {}
        for name in claim.hypotheses:
            try:
                self.failed[name] = ~hypotheses[name].met(m).expand(m.batch_shape)
            except (AttributeError, KeyError) as error:
                raise InputError(
                    f"hypothesis {name!r} cannot be asked of a measurement of the {m.quantity}: {error}"
                ) from None
        applicable = ~torch.stack(
            [*self.failed.values(), torch.zeros(m.batch_shape, dtype=torch.bool, device=m.device)]
        ).any(0)
        if callable(claim.left):  # an identity: its right side is a rounding bound already
            self.log_lhs = self.lower = self.upper = logarithm(evaluate(claim.left, m)).expand(m.batch_shape)
        else:
            self.log_lhs, self.lower, self.upper = m.log_left(claim.left)
        sides = [claim.checked_log_value(m if side == 0 else m.inflated(side), applicable) for side in (0, 1, -1)]
        self.log_rhs = sides[0]
        # Evaluating the formula: a dozen operations a layer on logarithms of this size.
        size = 1 + self.log_rhs.abs().nan_to_num(0, 0, 0) + m.size_of_logarithms(claim.left)
        own = 16 * (m.depth + 4) * UNIT * size
        self.rhs_upper = torch.stack(sides).amax(0) + own
        self.rhs_lower = torch.stack(sides).amin(0) - own
        exact_zero = (self.upper == -torch.inf) & (self.log_rhs == -torch.inf)
        holds = (self.upper <= self.rhs_lower) & ~(self.log_rhs == torch.inf) | exact_zero
        violated = (self.lower > self.rhs_upper) & torch.isfinite(self.lower) & applicable
        for name in claim.hypotheses:
            certain = hypotheses[name].certain
            if certain is not None and violated.any():
                violated = violated & certain(m)
        codes = torch.full(m.batch_shape, Outcome.UNDECIDED.code, dtype=torch.uint8, device=self.log_rhs.device)
        codes[violated] = Outcome.VIOLATED.code
        codes[holds] = Outcome.HOLDS.code
        codes[~applicable] = Outcome.INAPPLICABLE.code
        self.codes = codes

    def where(self, outcome: Outcome) -> Bool[Tensor, "..."]:
        """The instances with this outcome."""
        return self.codes == outcome.code

    def outcome(self, index: tuple[int, ...]) -> Outcome:
        """The outcome of the instance at this batch index."""
        return list(Outcome)[int(self.codes[index])]

    @cached_property
    def log_ratio(self) -> Float[Tensor, "..."]:
        return torch.where(self.where(Outcome.INAPPLICABLE), torch.nan, self.log_lhs - self.log_rhs)

    def count(self, outcome: Outcome | str) -> int:
        """How many instances have this outcome."""
        return int(self.where(Outcome(outcome)).sum())

    def why(self, index: tuple[int, ...]) -> str:
        """Why the instance at this batch index is inapplicable or undecided; "" if it is neither."""
        outcome = self.outcome(index)
        if outcome is Outcome.INAPPLICABLE:
            name = next(name for name, failed in self.failed.items() if failed[index])
            return f"{name}: {hypotheses[name].why(self.measurement, index)}"
        if outcome is Outcome.UNDECIDED:
            if not math.isfinite(self.log_lhs[index]) or not math.isfinite(self.log_rhs[index]):
                return "overflow or underflow"
            if self.upper[index] == math.inf:
                return "overflow, underflow or rounding leave no digit of the actual change"
            doubtful = [
                n
                for n in self.claim.hypotheses
                if (known := hypotheses[n].certain) and not known(self.measurement)[index]
            ]
            if doubtful and self.lower[index] > self.rhs_upper[index]:
                return f"{doubtful[0]}: holds wherever it was evaluated, which does not prove it"
            return f"log(actual/bound) = {self.log_ratio[index]:.3g} is within the rounding bound"
        return ""

    def __len__(self) -> int:
        return self.codes.numel()

    def __getitem__(self, index: int | tuple[int, ...]) -> Verdict:
        if not isinstance(index, tuple):  # counted as iteration does
            if not -len(self) <= index < len(self):
                raise IndexError(f"verdict {index} of {len(self)}")
            index = tuple(int(i) for i in np.unravel_index(index % len(self), self.codes.shape))
        lhs, rhs = float(self.log_lhs[index]), float(self.log_rhs[index])
        rounding = float((self.upper - self.lower + self.rhs_upper - self.rhs_lower)[index])
        return Verdict(self.claim.id, _exp(lhs), _exp(rhs), rounding, lhs, rhs, self.why(index), self.outcome(index))

    def __iter__(self) -> Iterator[Verdict]:
        for index in torch.cartesian_prod(*(torch.arange(n) for n in self.codes.shape)).reshape(len(self), -1).tolist():
            yield self[tuple(index)]


def _exp(x: float) -> float:
    return math.exp(x) if x < 709 else math.inf


def check(claim: Claim | str, m: Measured) -> Verdict | Verdicts:
    """Hold a claim against every instance of a measurement: a `Verdict`, or `Verdicts` for a batch.

    Raises:
        InputError: an unknown claim id; a claim about the other quantity; a formula that fails.
    """
    if isinstance(claim, str):
        from drt.theory.registry import find

        claim = find(claim)
    if not isinstance(claim, Claim):
        raise InputError(f"claim must be a claim or the id of one, got {claim!r}")
    if not isinstance(m, Measured):
        raise InputError(f"m must be what drt.measure or drt.measure_jacobian returns, got {type(m).__name__}")
    verdicts = Verdicts(claim, m)
    return verdicts if m.batch_shape else verdicts[()]
