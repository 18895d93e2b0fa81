"""Arrays of exact and ball numbers: their shape, and what is done entry by entry. See `drt.exact.balls`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any, Self

import numpy as np
from flint import arb

from drt.exact.surds import ONE, Surd, ball, larger, smaller

WHOLE = 1000  # the largest whole power that is taken by multiplication


class BallArray:
    """An array whose entries are `Surd` or `arb`; `entries` is the numpy object array."""

    def __init__(self, entries: Any):
        array = np.asarray(entries, dtype=object)
        self.entries = array

    @classmethod
    def of(cls, value: Any) -> Self:
        """From itself, from a number, or from an array or tensor of numbers, which are taken exactly."""
        if isinstance(value, cls):
            return value
        plain = value.tolist() if hasattr(value, "tolist") else value
        return cls._map(_entry, np.asarray(plain, dtype=object))

    @classmethod
    def _map(cls, f: Callable[..., Any], *arrays: np.ndarray) -> Self:
        same = np.broadcast_arrays(*arrays)
        return cls(packed([f(*values) for values in zip(*(a.flat for a in same), strict=True)], same[0].shape))

    def _with(self, other: Any, f: Callable[[Any, Any], Any]) -> Self:
        return self._map(f, self.entries, self.of(other).entries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.entries.tolist()})"

    def __float__(self) -> float:
        raise TypeError("a ball has no exact float: use the functions of drt, torch or numpy, not those of math")

    # Shape.
    @property
    def shape(self) -> tuple[int, ...]:
        return self.entries.shape

    @property
    def ndim(self) -> int:
        return self.entries.ndim

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, key: Any) -> Self:
        chosen = self.entries[key]
        return type(self)(chosen if isinstance(chosen, np.ndarray) else packed([chosen], ()))

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def unsqueeze(self, dim: int) -> Self:
        return type(self)(np.expand_dims(self.entries, dim))

    def per_layer(self) -> Self:
        return self.unsqueeze(-1)

    def squeeze(self, dim: int | None = None) -> Self:
        return self if dim is not None and self.shape[dim] != 1 else type(self)(np.squeeze(self.entries, dim))

    def expand(self, *shape: Any) -> Self:
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        own = (1,) * (len(wanted) - self.ndim) + self.shape
        target = [n if new == -1 else new for new, n in zip(wanted, own, strict=True)]
        return type(self)(np.broadcast_to(self.entries, target))

    def flip(self, *dims: Any) -> Self:
        return type(self)(np.flip(self.entries, dims[0] if len(dims) == 1 else dims))

    def reshape(self, *shape: Any) -> Self:
        return type(self)(self.entries.reshape(*shape))

    def to(self, *_: Any, **__: Any) -> Self:
        """Itself: there is no other dtype or device."""
        return self

    broadcast_to, view = expand, reshape
    double = detach = clone = to

    # Arithmetic.
    def __add__(self, other: Any) -> Self:
        return self._with(other, operator.add)

    def __sub__(self, other: Any) -> Self:
        return self._with(other, operator.sub)

    def __rsub__(self, other: Any) -> Self:
        return self.of(other) - self

    def __mul__(self, other: Any) -> Self:
        return self._with(other, operator.mul)

    def __truediv__(self, other: Any) -> Self:
        return self._with(other, _divide)

    def __rtruediv__(self, other: Any) -> Self:
        return self.of(other) / self

    def __pow__(self, exponent: Any) -> Self:
        return self._with(exponent, _power)

    def __rpow__(self, base: Any) -> Self:
        return self.of(base) ** self

    def __neg__(self) -> Self:
        return self._map(operator.neg, self.entries)

    def __abs__(self) -> Self:
        return self._map(abs, self.entries)

    __radd__, __rmul__ = __add__, __mul__
    add, sub, mul, div, pow, neg, abs = __add__, __sub__, __mul__, __truediv__, __pow__, __neg__, __abs__
    rsub = __rsub__
    subtract, multiply, divide, true_divide, power = sub, mul, div, div, pow  # numpy's and torch's longer names
    negative, absolute = neg, abs

    # Functions.
    def square(self) -> Self:
        return self * self

    def reciprocal(self) -> Self:
        return 1 / self

    def exp(self) -> Self:
        return self._map(lambda v: v.exp(), self.entries)

    def expm1(self) -> Self:
        return self._map(lambda v: v.expm1(), self.entries)

    def sqrt(self) -> Self:
        return self._map(lambda v: v.sqrt(), self.entries)

    def log(self) -> Self:
        return self._map(_log, self.entries)

    def log1p(self) -> Self:
        return self._map(lambda v: v.log1p(), self.entries)

    def log2(self) -> Self:
        return self.log() / arb(2).log()

    def log10(self) -> Self:
        return self.log() / arb(10).log()

    def logaddexp(self, other: Any) -> Self:
        return (self.exp() + self.of(other).exp()).log()

    def maximum(self, other: Any) -> Self:
        return self._with(other, larger)

    def minimum(self, other: Any) -> Self:
        return self._with(other, smaller)

    def clamp(self, min: Any = None, max: Any = None) -> Self:
        raised = self if min is None else self.maximum(min)
        return raised if max is None else raised.minimum(max)

    clip = clamp

    def one(self) -> Self:
        return self._map(lambda v: ONE, self.entries)

    # Products over some of the layers, the last axis.
    def products_from(self) -> Self:
        return self.flip(-1).products_to().flip(-1)

    def products_above(self) -> Self:
        return self.flip(-1).products_below().flip(-1)

    def products_to(self) -> Self:
        """Π_{k≤l} for each l."""
        return type(self)(np.multiply.accumulate(self.entries, axis=-1))

    def products_below(self) -> Self:
        ones = packed([ONE] * self.entries[..., :1].size, self.entries[..., :1].shape)
        return type(self)(np.concatenate([ones, self.products_to().entries[..., :-1]], axis=-1))


def packed(values: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """The values as an object array of that shape."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def _entry(value: Any) -> Any:
    if isinstance(value, arb):
        return value
    surd = Surd.of(value)
    return ball(value) if surd is None else surd


def _log(value: Any) -> Any:
    return arb("-inf") if isinstance(value, arb) and value.is_zero() else value.log()


def _divide(a: Any, b: Any) -> Any:
    return ball(a) / ball(b) if isinstance(b, Surd) and not b.terms else a / b


def _power(a: Any, exponent: Any) -> Any:
    q = exponent.as_rational() if isinstance(exponent, Surd) else None
    if isinstance(a, arb) and q is not None and q.q == 1 and abs(q.p) <= WHOLE:
        # By multiplication: arb's own power takes the logarithm, which a ball around zero does not have.
        product = reduce(operator.mul, [a] * abs(int(q.p)), arb(1))
        return product if q.p >= 0 else 1 / product
    return a**exponent
