"""Arrays of exact and ball numbers that behave as tensors do in a formula.

A bound is written once. Evaluated on `Balls` its arithmetic, its methods (`.sum(-1)`, `.prod(-1)`, `.amax(-1)`, …), the
functions of `drt.numeric.numbers`, and torch's and numpy's functions of the same names, all give enclosures of the true value.
A comparison answers only where it is certain.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from drt.exact.ball_array import BallArray, packed
from drt.exact.surds import ONE, ZERO, Surd, Undecided, at_most, larger, smaller

__all__ = ["Balls", "Undecided"]


class Extreme(NamedTuple):
    """What `max(-1)` and `min(-1)` return: the values; the indices are not known of balls."""

    values: Balls
    indices: None = None


class Balls(BallArray):
    """An array of numbers known exactly (`Surd`) or to within a ball (`arb`).

    Raises `Undecided` where a comparison is not certain; TypeError on `float()`, which would drop the error.
    """

    __hash__ = None  # type: ignore[assignment]

    # Reductions over one axis (or all of them).
    def _reduce(self, f: Callable[[Any, Any], Any], dim: Any, keepdim: bool, of_nothing: int | None = None) -> Balls:
        if self.ndim == 0:
            return self
        rows = self.entries.reshape(1, -1) if dim is None else np.moveaxis(self.entries, dim, -1)
        flat = rows.reshape(math.prod(rows.shape[:-1]), rows.shape[-1])
        start = [] if of_nothing is None or rows.shape[-1] else [Balls.of(of_nothing).entries.item()]
        folded = packed([reduce(f, row, *start) for row in flat], () if dim is None else rows.shape[:-1])
        return Balls(np.expand_dims(folded, dim) if keepdim and dim is not None else folded)

    def sum(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._reduce(operator.add, axis if dim is None else dim, keepdim, 0)

    def prod(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._reduce(operator.mul, axis if dim is None else dim, keepdim, 1)

    def mean(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        dim = axis if dim is None else dim
        count = self.entries.size if dim is None or not self.ndim else self.shape[dim]
        return self.sum(dim, keepdim) / count

    def amax(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._reduce(larger, axis if dim is None else dim, keepdim)

    def amin(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._reduce(smaller, axis if dim is None else dim, keepdim)

    def max(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Any:
        """As torch: of everything a value, along a dimension a pair; of two arrays their maximum."""
        return self._extreme(dim, keepdim, axis, Balls.amax, Balls.maximum)

    def min(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Any:
        """As `max`."""
        return self._extreme(dim, keepdim, axis, Balls.amin, Balls.minimum)

    def _extreme(self, dim: Any, keepdim: bool, axis: Any, along: Callable, pairwise: Callable) -> Any:
        if dim is None:
            return along(self, axis, keepdim)
        return Extreme(along(self, dim, keepdim)) if isinstance(dim, int) else pairwise(self, dim)

    def norm(self, p: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Balls:
        if p not in (2, 2.0, "fro"):
            raise TypeError(f"norm with p={p!r} is not available on exact and ball numbers")
        return self.square().sum(dim, keepdim).sqrt()

    def logsumexp(self, dim: Any, keepdim: bool = False) -> Balls:
        return self.exp().sum(dim, keepdim).log()

    def cumsum(self, dim: Any = None, axis: Any = -1, **_: Any) -> Balls:
        return self._accumulate(operator.add, axis if dim is None else dim)

    def cumprod(self, dim: Any = None, axis: Any = -1, **_: Any) -> Balls:
        return self._accumulate(operator.mul, axis if dim is None else dim)

    def _accumulate(self, f: Callable[[Any, Any], Any], dim: int) -> Balls:
        rows = np.moveaxis(self.entries, dim, -1).copy()
        for index in np.ndindex(rows.shape[:-1]):
            for i in range(1, rows.shape[-1]):
                rows[(*index, i)] = f(rows[(*index, i - 1)], rows[(*index, i)])
        return Balls(np.moveaxis(rows, -1, dim))

    # Comparisons: certain, or Undecided; true is 1 and false 0.
    def _compare(self, other: Any, f: Callable[[Any, Any], bool]) -> Balls:
        return self._with(other, lambda a, b: ONE if f(a, b) else ZERO)

    def __le__(self, other: Any) -> Balls:
        return self._compare(other, at_most)

    def __ge__(self, other: Any) -> Balls:
        return self._compare(other, lambda a, b: at_most(b, a))

    def __lt__(self, other: Any) -> Balls:
        return self._compare(other, lambda a, b: not at_most(b, a))

    def __gt__(self, other: Any) -> Balls:
        return self._compare(other, lambda a, b: not at_most(a, b))

    def __eq__(self, other: Any) -> Any:
        return self._compare(other, _equal)

    def __ne__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: not _equal(a, b))

    lt, le, gt, ge, eq, ne = __lt__, __le__, __gt__, __ge__, __eq__, __ne__
    less, less_equal, greater, greater_equal, equal, not_equal = lt, le, gt, ge, eq, ne

    def __bool__(self) -> bool:
        if self.entries.size != 1:
            raise ValueError(f"the truth value of an array of shape {self.shape} is ambiguous")
        return _true(self.entries.item())

    def _truths(self) -> Balls:
        return self._map(lambda v: ONE if _true(v) else ZERO, self.entries)

    def all(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._truths().amin(dim, keepdim, axis)

    def any(self, dim: Any = None, keepdim: bool = False, axis: Any = None, **_: Any) -> Balls:
        return self._truths().amax(dim, keepdim, axis)

    def __and__(self, other: Any) -> Balls:
        return self._truths().minimum(Balls.of(other)._truths())

    def __or__(self, other: Any) -> Balls:
        return self._truths().maximum(Balls.of(other)._truths())

    def __invert__(self) -> Balls:
        return 1 - self._truths()

    logical_and, logical_or, logical_not = __and__, __or__, __invert__

    # Functions of torch and numpy, found by name among the methods.
    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func.__name__, args, kwargs or {})

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return _call(ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}", args, kwargs)


def _where(condition: Any, x: Any, y: Any) -> Balls:
    arrays = (Balls.of(v).entries for v in (condition, x, y))
    return Balls._map(lambda c, a, b: a if _true(c) else b, *arrays)


def _joined(how: Callable[..., Any]) -> Callable[..., Balls]:
    return lambda arrays, dim=0, axis=None: Balls(
        how([Balls.of(a).entries for a in arrays], dim if axis is None else axis)
    )


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "where": _where,
    "stack": _joined(np.stack),
    "cat": _joined(np.concatenate),
    "zeros_like": lambda x, **_: x * 0,
    "ones_like": lambda x, **_: x * 0 + 1,
    "full_like": lambda x, value, **_: x * 0 + value,
    "vector_norm": lambda x, ord=2, dim=None, keepdim=False, **_: x.norm(ord, dim, keepdim),
}


def _call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    bare = name.removeprefix("special_").removeprefix("linalg_")
    function = _FUNCTIONS.get(bare) or getattr(Balls, bare, None)
    if function is None:
        raise TypeError(f"{name} is not available on exact and ball numbers")
    return function(*args, **kwargs) if bare in _FUNCTIONS else function(Balls.of(args[0]), *args[1:], **kwargs)


def _equal(a: Any, b: Any) -> bool:
    return at_most(a, b) and at_most(b, a)


def _true(value: Surd | Any) -> bool:
    return not _equal(value, ZERO)
