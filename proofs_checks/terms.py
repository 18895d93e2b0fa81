"""What a chain of inequalities is made of: sums over layers of products over layers, in logarithms with error bounds.

    q = c·Σ_t Π_k exp(gain_{t,k})

A term t is what one layer adds to f̃ − f (or J̃_l − J_l), a column k is a layer: before t's own it is *kept* (the term is
still the signal), at its *own* it is the source, *above* it the change passes. A step of a proof replaces gains by bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from drt.numeric.spectra import UNIT


@dataclass(frozen=True)
class Log:
    """The logarithm of a number ≥ 0, and a bound on its error."""

    value: Tensor
    error: Tensor

    def __add__(self, other: Log) -> Log:
        return Log(self.value + other.value, self.error + other.error)

    def __sub__(self, other: Log) -> Log:
        return Log(self.value - other.value, self.error + other.error)

    def __mul__(self, power: float) -> Log:
        return Log(self.value * power, self.error * abs(power))

    def exp(self) -> Tensor:
        """The number."""
        return torch.exp(self.value)

    @property
    def column(self) -> Log:
        """The same with an axis of one term put behind."""
        return Log(self.value.unsqueeze(-1), self.error.unsqueeze(-1))

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        """Lower and upper end; −∞ and ∞ where the error allows anything."""
        lost = ~torch.isfinite(self.error)
        lower = torch.where(lost, -torch.inf, self.value - self.error)
        return lower, torch.where(lost, torch.inf, self.value + self.error)


def exact(value: Tensor) -> Log:
    """The logarithm of a float that is what it should be, to rounding."""
    return Log(value, 4 * UNIT * (1 + size(value)))


def log_of(x: Tensor, error: Tensor) -> Log:
    """The logarithm of a computed x ≥ 0 whose error is at most `error`."""
    relative = torch.where(x > 0, error.detach() / x.detach(), torch.where(error > 0, torch.inf, 0.0))
    value = torch.log(torch.where(x > 0, x, 1.0))
    value = torch.where(x > 0, value, -torch.inf)
    # As log 1/(1 − r) ≤ r/(1 − r), 4u more of r pay for the quotient's rounding and for the logarithm's.
    relative = relative * (1 + 4 * UNIT)
    slack = torch.where(relative < 1, -torch.log1p(-relative.clamp(max=1.0)), torch.inf)
    return Log(value, slack + 4 * UNIT * (1 + size(value)))


def log_sum(x: Log, y: Log) -> Log:
    """log(eˣ + eʸ)."""
    value = torch.logaddexp(x.value, y.value)
    return Log(value, torch.maximum(x.error, y.error) + 4 * UNIT * (1 + size(value)))


def size(value: Tensor) -> Tensor:
    """|value|, 0 where it is infinite or none: what the rounding error of an operation on it is proportional to."""
    return value.detach().abs().nan_to_num(0, 0, 0)


@dataclass(frozen=True)
class Terms:
    """Σ_t Π_k exp(gain_{t,k}), the gains being sums of named parts, each (…, T, n).

    own (T,): the column of each term. kind (T,): 0 for what ΔW adds, 1 for what a change of φ' adds (Jacobians).
    order: the layer (0-based) of each column. numbers: logarithms of the layers' numbers, (…, n) each, columns in that
    order. constant: log c. relative: q is divided by ‖f‖ or ‖J_l‖_F.
    """

    parts: Mapping[str, Log]
    own: Tensor
    kind: Tensor
    order: tuple[int, ...]
    numbers: Mapping[str, Log]
    constant: Log
    relative: bool = True

    def put(
        self,
        part: str,
        above: Log | None = None,
        own: Log | None = None,
        slopes: Log | None = None,
        kept: Log | None = None,
    ) -> Terms:
        """Replace a part of the gains; where nothing is given it keeps its value.

        Args:
            part: the part's name.
            above: (…, n), for the columns above a term's own.
            own: (…, n), for its own.
            slopes: (…, n), for its own where it is of kind 1; `own` unless given.
            kept: (…, n), for the columns before its own.
        """
        columns = torch.arange(len(self.order), device=self.own.device)
        position = columns - self.own[:, None]
        second = (self.kind == 1)[:, None]
        result = self.parts.get(part, self.nothing)
        for chosen, mask in (
            (above, position > 0),
            (own, (position == 0) & ~second),
            (slopes if slopes is not None else own, (position == 0) & second),
            (kept, position < 0),
        ):
            if chosen is not None:
                value = torch.where(mask, chosen.value.unsqueeze(-2), result.value)
                result = Log(value, torch.where(mask, chosen.error.unsqueeze(-2), result.error))
        return replace(self, parts={**self.parts, part: result})

    @property
    def nothing(self) -> Log:
        """A part of the gains that changes nothing."""
        zero = torch.zeros(len(self.own), len(self.order), dtype=torch.float64, device=self.own.device)
        return Log(zero, zero)

    @property
    def gains(self) -> Log:
        """(…, T, n): the parts together."""
        total = self.nothing
        for part in self.parts.values():
            total = total + part
        return total

    @property
    def log_value(self) -> Log:
        """The logarithm of q, of the batch's shape."""
        return self.sum_of(self.gains)

    def sum_of(self, gains: Log) -> Log:
        """The logarithm of c·Σ_t Π_k exp(gains)."""
        terms = gains.value.sum(-1) + self.constant.value.unsqueeze(-1)
        depth = gains.value.shape[-1]
        error = gains.error.sum(-1) + self.constant.error.unsqueeze(-1)
        error = error + 8 * (depth + len(self.parts) + 4) * UNIT * (1 + size(gains.value).sum(-1))
        value = torch.logsumexp(terms, -1)
        lost = ~torch.isfinite(error)
        upper = torch.logsumexp(torch.where(lost, torch.inf, terms + error).detach(), -1)
        lower = torch.logsumexp(torch.where(lost, -torch.inf, terms - error).detach(), -1)
        gap = torch.maximum(upper - value, value - lower).detach()
        gap = torch.where(upper == -torch.inf, 0.0, gap.nan_to_num(nan=torch.inf, posinf=torch.inf))
        return Log(value, gap + 4 * UNIT * size(value))

    def picked(self, name: str) -> Terms:
        """Σ of the numbers of this name (…, T): for chains that do not go layer by layer."""
        chosen = self.numbers[name]
        return replace(
            self,
            parts={"sum": Log(chosen.value.unsqueeze(-1), chosen.error.unsqueeze(-1))},
            own=torch.zeros(chosen.value.shape[-1], dtype=torch.int64),
            kind=torch.zeros(chosen.value.shape[-1], dtype=torch.int64),
        )


def plain(numbers: Mapping[str, Log]) -> Terms:
    """A sum that is not one over layers: its steps pick one of the numbers (…, T) by name."""
    nothing = torch.zeros((), dtype=torch.float64)
    owner = torch.zeros(1, dtype=torch.int64)
    return Terms({}, owner, owner, (0,), numbers, Log(nothing, nothing))


def by_layer(before: Terms, after: Terms) -> Float[Tensor, "... n"]:
    """The logarithm of the factor by which a step raises the sum in each layer, layer 1 first.

    The columns are replaced one by one, from the output down.
    """
    old, new = before.gains, after.gains
    old, new = (Log(*torch.broadcast_tensors(g.value, g.error)) for g in (old, new))
    columns = torch.arange(len(before.order), device=before.own.device)
    values = [before.log_value.value]
    for k in range(len(before.order) - 1, -1, -1):
        mixed = torch.where(columns >= k, new.value, old.value)
        values.append(before.sum_of(Log(mixed, torch.zeros_like(mixed))).value)
    added = torch.stack([q - p for p, q in zip(values, values[1:], strict=False)][::-1], -1)
    result = torch.empty_like(added)
    result[..., list(before.order)] = added
    return result
