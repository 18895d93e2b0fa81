"""Arrays of exact and ball numbers that behave as tensors do in a formula.

A bound is written once. Evaluated on `Balls` its arithmetic, its methods (`.sum(-1)`, `.prod(-1)`, `.amax(-1)`, …), the
functions of `drt.numbers`, and torch's and numpy's functions of the same names, all give enclosures of the true value.
A comparison answers only where it is certain.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from flint import arb, fmpq, fmpz

from drt.surds import Surd, ball


class Undecided(ArithmeticError):
    """The precision does not suffice to tell."""


class Extreme(NamedTuple):
    """What `max(-1)` and `min(-1)` return: the values; the indices are not known of balls."""

    values: Balls
    indices: None = None


class Balls:
    """An array whose entries are `Surd` or `arb`; `entries` is the numpy object array.

    Raises `Undecided` where a comparison is not certain; TypeError on `float()`, which would drop the error.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, entries: Any):
        array = np.asarray(entries, dtype=object)
        self.entries = array if array.dtype == object else array.astype(object)

    @staticmethod
    def of(value: Any) -> Balls:
        """Balls from Balls, from a number, or from an array or tensor of numbers, which is taken exactly."""
        if isinstance(value, Balls):
            return value
        plain = value.tolist() if hasattr(value, "tolist") else value
        return _map(_entry, np.asarray(plain, dtype=object))

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

    def __getitem__(self, key: Any) -> Balls:
        return _wrap(self.entries[key])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def unsqueeze(self, dim: int) -> Balls:
        return Balls(np.expand_dims(self.entries, dim))

    def squeeze(self, dim: int | None = None) -> Balls:
        return Balls(self.entries if dim is not None and self.shape[dim] != 1 else np.squeeze(self.entries, dim))

    def expand(self, *shape: Any) -> Balls:
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        padded = (1,) * (len(wanted) - self.ndim) + self.shape
        return Balls(np.broadcast_to(self.entries, [n if n != -1 else p for n, p in zip(wanted, padded, strict=True)]))

    broadcast_to = expand

    def flip(self, *dims: Any) -> Balls:
        return Balls(np.flip(self.entries, dims[0] if len(dims) == 1 else dims))

    def reshape(self, *shape: Any) -> Balls:
        return Balls(self.entries.reshape(*shape))

    view = reshape

    def to(self, *_: Any, **__: Any) -> Balls:
        """Itself: there is no other dtype or device."""
        return self

    double = detach = clone = contiguous = to

    def __float__(self) -> float:
        raise TypeError("a ball has no exact float; use drt's or torch's functions instead of math's")

    # Arithmetic.
    def _with(self, other: Any, f: Callable[[Any, Any], Any]) -> Balls:
        return _map(f, self.entries, Balls.of(other).entries)

    def __add__(self, other: Any) -> Balls:
        return self._with(other, operator.add)

    def __sub__(self, other: Any) -> Balls:
        return self._with(other, operator.sub)

    def __rsub__(self, other: Any) -> Balls:
        return Balls.of(other) - self

    def __mul__(self, other: Any) -> Balls:
        return self._with(other, operator.mul)

    def __truediv__(self, other: Any) -> Balls:
        return self._with(other, _divide)

    def __rtruediv__(self, other: Any) -> Balls:
        return Balls.of(other) / self

    def __pow__(self, exponent: Any) -> Balls:
        return self._with(exponent, _power)

    def __rpow__(self, base: Any) -> Balls:
        return Balls.of(base) ** self

    def __neg__(self) -> Balls:
        return _map(operator.neg, self.entries)

    def __abs__(self) -> Balls:
        return _map(abs, self.entries)

    __radd__, __rmul__ = __add__, __mul__
    add, sub, mul, div, pow, neg = __add__, __sub__, __mul__, __truediv__, __pow__, __neg__
    subtract, multiply, divide, true_divide = __sub__, __mul__, __truediv__, __truediv__
    power, float_power, negative, absolute, abs = __pow__, __pow__, __neg__, __abs__, __abs__

    def square(self) -> Balls:
        return self * self

    def reciprocal(self) -> Balls:
        return 1 / self

    def exp(self) -> Balls:
        return _map(lambda v: v.exp(), self.entries)

    def expm1(self) -> Balls:
        return _map(lambda v: v.expm1(), self.entries)

    def sqrt(self) -> Balls:
        return _map(lambda v: v.sqrt(), self.entries)

    def log(self) -> Balls:
        return _map(_log, self.entries)

    def log1p(self) -> Balls:
        return _map(lambda v: v.log1p(), self.entries)

    def log2(self) -> Balls:
        return self.log() / Balls(arb(2).log())

    def log10(self) -> Balls:
        return self.log() / Balls(arb(10).log())

    def maximum(self, other: Any) -> Balls:
        return self._with(other, larger)

    def minimum(self, other: Any) -> Balls:
        return self._with(other, smaller)

    max_, fmax, fmin = maximum, maximum, minimum

    def clamp(self, min: Any = None, max: Any = None) -> Balls:
        raised = self if min is None else self.maximum(min)
        return raised if max is None else raised.minimum(max)

    clip = clamp

    # Reductions over one axis (or all of them).
    def _reduce(self, f: Callable[[Any, Any], Any], dim: Any, keepdim: bool) -> Balls:
        if self.ndim == 0:
            return self
        rows = self.entries.reshape(1, -1) if dim is None else np.moveaxis(self.entries, dim, -1)
        flat = rows.reshape(-1, rows.shape[-1])
        folded = _array([reduce(f, row) for row in flat], () if dim is None else rows.shape[:-1])
        return Balls(np.expand_dims(folded, dim) if keepdim and dim is not None else folded)

    def sum(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._reduce(operator.add, axis if dim is None else dim, keepdim)

    def prod(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._reduce(operator.mul, axis if dim is None else dim, keepdim)

    def mean(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        dim = axis if dim is None else dim
        count = self.entries.size if dim is None else self.shape[dim] if self.ndim else 1
        return self.sum(dim, keepdim) / count

    def amax(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._reduce(larger, axis if dim is None else dim, keepdim)

    def amin(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._reduce(smaller, axis if dim is None else dim, keepdim)

    def max(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Any:
        """As torch: of everything a value, along a dimension a pair; of two arrays their maximum."""
        return _extreme(self, dim, keepdim, axis, Balls.amax, Balls.maximum)

    def min(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Any:
        """As `max`."""
        return _extreme(self, dim, keepdim, axis, Balls.amin, Balls.minimum)

    def norm(self, p: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Balls:
        return self.square().sum(dim, keepdim).sqrt()

    def logaddexp(self, other: Any) -> Balls:
        return (self.exp() + Balls.of(other).exp()).log()

    def logsumexp(self, dim: Any, keepdim: bool = False) -> Balls:
        return self.exp().sum(dim, keepdim).log()

    def cumsum(self, dim: int = -1, **_: Any) -> Balls:
        return self._accumulate(operator.add, dim)

    def cumprod(self, dim: int = -1, **_: Any) -> Balls:
        return self._accumulate(operator.mul, dim)

    def _accumulate(self, f: Callable[[Any, Any], Any], dim: int) -> Balls:
        rows = np.moveaxis(self.entries, dim, -1).copy()
        for i in range(1, rows.shape[-1]):
            for index in np.ndindex(rows.shape[:-1]):
                rows[(*index, i)] = f(rows[(*index, i - 1)], rows[(*index, i)])
        return Balls(np.moveaxis(rows, -1, dim))

    # Comparisons: certain, or Undecided; true is 1 and false 0.
    def _compare(self, other: Any, f: Callable[[Any, Any], bool]) -> Balls:
        return self._with(other, lambda a, b: Surd.of(int(f(a, b))))

    def __bool__(self) -> bool:
        if self.entries.size != 1:
            raise ValueError(f"the truth value of an array of shape {self.shape} is ambiguous")
        return _true(self.entries.item())

    def all(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return _map(_truth, self.entries)._reduce(smaller, axis if dim is None else dim, keepdim)

    def any(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return _map(_truth, self.entries)._reduce(larger, axis if dim is None else dim, keepdim)

    def __and__(self, other: Any) -> Balls:
        return self._with(other, lambda a, b: smaller(_truth(a), _truth(b)))

    def __or__(self, other: Any) -> Balls:
        return self._with(other, lambda a, b: larger(_truth(a), _truth(b)))

    def __invert__(self) -> Balls:
        return _map(lambda a: 1 - _truth(a), self.entries)

    __rand__, __ror__ = __and__, __or__
    logical_and, logical_or, logical_not = __and__, __or__, __invert__

    def __le__(self, other: Any) -> Balls:
        return self._compare(other, at_most)

    def __ge__(self, other: Any) -> Balls:
        return self._compare(other, lambda a, b: at_most(b, a))

    def __lt__(self, other: Any) -> Balls:
        return self._compare(other, lambda a, b: not at_most(b, a))

    def __gt__(self, other: Any) -> Balls:
        return self._compare(other, lambda a, b: not at_most(a, b))

    def __eq__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: at_most(a, b) and at_most(b, a))

    def __ne__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: not (at_most(a, b) and at_most(b, a)))

    lt, le, gt, ge, eq, ne = __lt__, __le__, __gt__, __ge__, __eq__, __ne__
    less, less_equal, greater, greater_equal = __lt__, __le__, __gt__, __ge__

    # Functions of torch and numpy, found by name among the methods.
    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func.__name__, args, kwargs or {})

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return _call(ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}", args, kwargs)

    def __repr__(self) -> str:
        return f"Balls({self.entries.tolist()})"


def _where(condition: Any, x: Any, y: Any) -> Balls:
    return _map(lambda c, a, b: a if _true(c) else b, *(Balls.of(v).entries for v in (condition, x, y)))


def _joined(how: Callable[..., Any]) -> Callable[..., Balls]:
    return lambda arrays, dim=0, axis=None: Balls(how([Balls.of(a).entries for a in arrays], axis if axis else dim))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "where": _where,
    "stack": _joined(np.stack),
    "cat": _joined(np.concatenate),
    "zeros_like": lambda x, **_: x * 0,
    "ones_like": lambda x, **_: x * 0 + 1,
    "full_like": lambda x, value, **_: x * 0 + value,
    "rsub": lambda x, y: Balls.of(y) - x,
}


def _call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    bare = name.strip("_").removeprefix("special_").removeprefix("linalg_").removeprefix("vector_")
    if bare in _FUNCTIONS:
        return _FUNCTIONS[bare](*args, **kwargs)
    method = getattr(Balls, name if name.startswith("__") else bare, None)
    if method is None:
        raise TypeError(f"{name} is not available on exact and ball numbers")
    return method(Balls.of(args[0]), *args[1:], **kwargs)


def _entry(value: Any) -> Any:
    if isinstance(value, arb):
        return value
    surd = Surd.of(value)
    return ball(value) if surd is None else surd


def _wrap(entries: Any) -> Balls:
    return Balls(entries if isinstance(entries, np.ndarray) else _array([entries], ()))


def _array(values: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def _map(f: Callable[..., Any], *arrays: np.ndarray) -> Balls:
    same = np.broadcast_arrays(*arrays)
    return Balls(_array([f(*values) for values in zip(*(a.flat for a in same), strict=True)], same[0].shape))


def _true(value: Any) -> bool:
    return not (at_most(value, Surd({})) and at_most(Surd({}), value))


def _truth(value: Any) -> Surd:
    return Surd({fmpz(1): fmpq(1)}) if _true(value) else Surd({})


def _log(value: Any) -> Any:
    return arb("-inf") if isinstance(value, arb) and value.is_zero() else value.log()


def _divide(a: Any, b: Any) -> Any:
    return ball(a) / ball(b) if isinstance(b, Surd) and not b.terms else a / b


def _power(a: Any, exponent: Any) -> Any:
    q = exponent.as_rational() if isinstance(exponent, Surd) else None
    if isinstance(a, arb) and q is not None and q.q == 1:
        return a ** int(q.p)  # by multiplication: no logarithm of a ball around zero
    return a**exponent


def _extreme(x: Balls, dim: Any, keepdim: bool, axis: Any, reduce_: Callable, pairwise: Callable) -> Any:
    if axis is not None or (dim is None and axis is None):
        return reduce_(x, axis, keepdim)
    return Extreme(reduce_(x, dim, keepdim)) if isinstance(dim, int) else pairwise(x, dim)


def at_most(a: Any, b: Any) -> bool:
    """Whether a ≤ b.

    Raises:
        Undecided: the balls overlap.
    """
    if isinstance(a, Surd) and isinstance(b, Surd):
        gap = a - b
        if isinstance(gap, Surd):
            return gap.sign() <= 0
    x, y = ball(a), ball(b)
    if x <= y:
        return True
    if x > y:
        return False
    raise Undecided(f"{x} <= {y} is not decided at this precision")


def larger(a: Any, b: Any) -> Any:
    """max(a, b): exact where both are, an enclosure otherwise."""
    if isinstance(a, Surd) and isinstance(b, Surd):
        return b if at_most(a, b) else a
    return ball(a).max(ball(b))


def smaller(a: Any, b: Any) -> Any:
    """min(a, b), as `larger`."""
    if isinstance(a, Surd) and isinstance(b, Surd):
        return a if at_most(a, b) else b
    return ball(a).min(ball(b))
