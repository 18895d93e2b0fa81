"""Numbers by sign and logarithm: a formula evaluated on them neither overflows nor underflows, nor cancels in Π(1 + d) − 1.

    x = ±exp(log)

A product adds logarithms. A sum a + b is m + log(1 ± e^{−|a − b|}) in logarithms, m the larger one: 1 + d and p − 1 of small d
and p near 1 are log1p and expm1, so that nothing is lost where a formula subtracts the 1 that it added.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import torch
from torch import Tensor

Scalar = int | float


class Unsupported(AttributeError, TypeError):
    """What numbers by their logarithms cannot do; the formula is then evaluated on plain tensors."""


class LogNumber:
    """A tensor of real numbers x: log (…,) = log|x|, −∞ for 0; negative (…,) bool, None where no x is negative."""

    __array_ufunc__ = None  # numpy gives way to the operators below
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, log: Tensor, negative: Tensor | None = None):
        self.log_of_size, self.negative = log, negative

    @classmethod
    def of(cls, x: LogNumber | Tensor | Scalar) -> LogNumber:
        """From plain numbers."""
        if isinstance(x, LogNumber):
            return x
        if isinstance(x, bool) or not isinstance(x, Tensor | int | float):
            raise Unsupported(f"{type(x).__name__} has no logarithm")
        if not isinstance(x, Tensor):
            return cls(_log_of_scalar(abs(x)), torch.tensor(True) if x < 0 else None)
        x = x.to(torch.float64)
        below = x < 0
        return LogNumber(_log(x.abs()), below) if below.any() else cls.of_size(x)

    @classmethod
    def of_size(cls, x: Tensor) -> LogNumber:
        """From float64 numbers of which none is negative."""
        return cls(_log(x))

    @property
    def logs(self) -> Tensor:
        """Log x; NaN where x is negative."""
        return self.log_of_size if self.negative is None else torch.where(self.negative, torch.nan, self.log_of_size)

    def plain(self) -> Tensor:
        """X itself, ∞ where it overflows."""
        size = torch.exp(self.log_of_size)
        return size if self.negative is None else torch.where(self.negative, -size, size)

    # Shape.
    @property
    def shape(self) -> torch.Size:
        return self.log_of_size.shape

    @property
    def ndim(self) -> int:
        return self.log_of_size.ndim

    def _map(self, change: Any) -> LogNumber:
        return LogNumber(change(self.log_of_size), None if self.negative is None else change(self.negative))

    def __getitem__(self, key: Any) -> LogNumber:
        return self._map(lambda t: t[key])

    def unsqueeze(self, dim: int) -> LogNumber:
        return self._map(lambda t: t.unsqueeze(dim))

    def per_layer(self) -> LogNumber:
        return self.unsqueeze(-1)

    def expand(self, *shape: Any) -> LogNumber:
        return self._map(lambda t: t.expand(*shape))

    # Arithmetic.
    def __mul__(self, other: Any) -> LogNumber:
        if isinstance(other, int | float) and other > 0:
            return LogNumber(self.log_of_size + math.log(other), self.negative)
        other = LogNumber.of(other)
        return LogNumber(self.log_of_size + other.log_of_size, _differ(self, other))

    def __truediv__(self, other: Any) -> LogNumber:
        other = LogNumber.of(other)
        return LogNumber(self.log_of_size - other.log_of_size, _differ(self, other))

    def __rtruediv__(self, other: Any) -> LogNumber:
        return LogNumber.of(other) / self

    def __pow__(self, power: Any) -> LogNumber:
        if isinstance(power, bool) or not isinstance(power, int | float) or power <= 0:
            raise Unsupported(f"the power {power!r}: only numbers > 0 are powers here")
        if self.negative is not None and power != int(power):
            raise Unsupported(f"the power {power!r} of a negative number")
        return LogNumber(self.log_of_size * power, None if power % 2 == 0 else self.negative)

    def __add__(self, other: Any) -> LogNumber:
        if self.negative is None and isinstance(other, int | float) and other == 1:
            return LogNumber(_softplus(self.log_of_size))
        other = LogNumber.of(other)
        if self.negative is None and other.negative is None:
            return LogNumber(_log_sum(self.log_of_size, other.log_of_size))
        a, b = torch.broadcast_tensors(self.log_of_size, other.log_of_size)
        own, its = (_signs(n).expand(a.shape) for n in (self, other))
        larger = torch.maximum(a, b)
        gap = torch.where(a == b, 0.0, (a - b).abs())
        same = own == its
        change = torch.where(same, torch.log1p(torch.exp(-gap)), _log_one_minus(torch.where(same, 1.0, gap)))
        return LogNumber(torch.where(larger == -torch.inf, larger, larger + change), torch.where(a >= b, own, its))

    def __neg__(self) -> LogNumber:
        return LogNumber(self.log_of_size, ~_signs(self))

    def __sub__(self, other: Any) -> LogNumber:
        other = LogNumber.of(other)
        if self.negative is not None or other.negative is not None:
            return self + (-other)
        a, b = self.log_of_size, other.log_of_size
        below = a < b
        larger = torch.maximum(a, b)
        gap = torch.where(a == b, 0.0, (a - b).abs())
        difference = torch.where(larger == -torch.inf, larger, larger + _log_one_minus(gap))
        return LogNumber(difference, below if below.any() else None)

    def __rsub__(self, other: Any) -> LogNumber:
        return LogNumber.of(other) + (-self)

    __radd__, __rmul__ = __add__, __mul__

    def __abs__(self) -> LogNumber:
        return LogNumber(self.log_of_size)

    abs = __abs__

    # Functions.
    def exp(self) -> LogNumber:
        return LogNumber(self.plain())

    def expm1(self) -> LogNumber:
        return self.exp() - 1

    def log(self) -> LogNumber:
        return LogNumber.of(self.logs)

    def log1p(self) -> LogNumber:
        return LogNumber.of(torch.log1p(self.plain()) if self.negative is not None else _softplus(self.log_of_size))

    def sqrt(self) -> LogNumber:
        return LogNumber(self.logs / 2)

    # Over the last axis, the layers.
    def prod(self, dim: int = -1) -> LogNumber:
        signs = None if self.negative is None else self.negative.sum(dim) % 2 == 1
        return LogNumber(self.log_of_size.sum(dim), signs)

    def sum(self, dim: int = -1) -> LogNumber:
        if self.negative is None:
            return LogNumber(torch.logsumexp(self.log_of_size, dim))
        largest = self.log_of_size.amax(dim, keepdim=True)
        scaled = torch.exp(self.log_of_size - torch.where(largest == -torch.inf, 0.0, largest))
        total = LogNumber.of(torch.where(self.negative, -scaled, scaled).sum(dim))
        return LogNumber(total.log_of_size + largest.squeeze(dim), total.negative)

    def amax(self, dim: int = -1) -> LogNumber:
        if self.negative is not None:
            raise Unsupported("the largest of numbers of which some are negative")
        return LogNumber(self.log_of_size.amax(dim))

    def product_minus_one(self) -> LogNumber:
        """Π(1 + d) − 1 of numbers d ≥ 0; of others as it is written."""
        if self.negative is not None:
            return (1 + self).prod(-1) - 1
        total = _softplus(self.log_of_size).sum(-1)
        return LogNumber(total + _log_one_minus(total))  # log(eˢ − 1) = s + log(1 − e⁻ˢ)

    def products_from(self) -> LogNumber:
        return LogNumber(_sums_from(self.logs))

    def products_above(self) -> LogNumber:
        return LogNumber(_shifted(_sums_from(self.logs), 1))

    def products_below(self) -> LogNumber:
        return LogNumber(_shifted(self.logs.cumsum(-1), -1))

    def maximum(self, other: Any) -> LogNumber:
        other = LogNumber.of(other)
        first = self >= other
        a, b = torch.broadcast_tensors(self.log_of_size, other.log_of_size)
        if self.negative is None and other.negative is None:
            return LogNumber(torch.maximum(a, b))
        return LogNumber(torch.where(first, a, b), torch.where(first, _signs(self), _signs(other)))

    def one(self) -> LogNumber:
        return LogNumber(torch.zeros_like(self.log_of_size))

    # Comparisons.
    def __ge__(self, other: Any) -> Tensor:
        other = LogNumber.of(other)
        if self.negative is None and other.negative is None:
            return self.log_of_size >= other.log_of_size
        own, its = _signs(self), _signs(other)
        among = torch.where(own, self.log_of_size <= other.log_of_size, self.log_of_size >= other.log_of_size)
        return torch.where(own == its, among, its)

    def __lt__(self, other: Any) -> Tensor:
        return ~(self >= other)

    def __le__(self, other: Any) -> Tensor:
        return LogNumber.of(other) >= self

    def __gt__(self, other: Any) -> Tensor:
        return ~(self <= other)

    # What is not here is unsupported, torch's functions included; a float would drop what the logarithm holds.
    def __getattr__(self, name: str) -> Any:
        raise Unsupported(f"{name} is not available on numbers by their logarithms")

    def __float__(self) -> float:
        raise Unsupported("float")

    def __bool__(self) -> bool:
        raise Unsupported("bool")

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise Unsupported(function.__name__)


def _signs(x: LogNumber) -> Tensor:
    return torch.zeros_like(x.log_of_size, dtype=torch.bool) if x.negative is None else x.negative


def _differ(x: LogNumber, y: LogNumber) -> Tensor | None:
    """Whether the signs of two numbers differ."""
    if x.negative is None and y.negative is None:
        return None
    return _signs(x) ^ _signs(y)


@cache
def _log_of_scalar(x: float) -> Tensor:
    return torch.tensor(math.log(x) if x else -math.inf, dtype=torch.float64)


def _log(x: Tensor) -> Tensor:
    """Log x; the derivative at 0, which would turn every other one into NaN, is 0."""
    if not x.requires_grad:
        return torch.log(x)
    nothing = x == 0
    return torch.where(nothing, -torch.inf, torch.log(torch.where(nothing, 1.0, x)))


def _log_sum(a: Tensor, b: Tensor) -> Tensor:
    """log(eᵃ + eᵇ), of two zeros −∞ with a derivative that is no NaN."""
    if not (a.requires_grad or b.requires_grad):
        return torch.logaddexp(a, b)
    nothing = (a == -torch.inf) & (b == -torch.inf)
    return torch.where(nothing, -torch.inf, torch.logaddexp(torch.where(nothing, 0.0, a), b))


def _log_one_minus(gap: Tensor) -> Tensor:
    """log(1 − e^{−gap}), of a gap ≥ 0."""
    return _log(-torch.expm1(-gap))


def _softplus(log: Tensor) -> Tensor:
    """log(1 + e^log); beyond 40 it is log, to less than a rounding error."""
    return torch.nn.functional.softplus(log, 1.0, 40.0)


def _sums_from(log: Tensor) -> Tensor:
    """Σ_{k≥l} for each l."""
    return log.flip(-1).cumsum(-1).flip(-1)


def _shifted(log: Tensor, by: int) -> Tensor:
    """Every entry from `by` places further on along the last axis; 0 where there is none."""
    if by > 0:
        return torch.nn.functional.pad(log[..., by:], (0, by))
    return torch.nn.functional.pad(log[..., :by], (-by, 0))
