"""What `drt.strategies` draws with: numbers, vectors, orthogonal frames and factored matrices that shrink well."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, TypeVar

import torch
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor

from drt.errors import InputError
from drt.strategies.factors import Factors, exact, frame

Range = tuple[float, float]
Number = TypeVar("Number", int, float)
LANDMARKS = (0.0, 1.0, 0.5, 2.0, 0.25, 4.0, 0.125, 8.0, 2.0**-10, 2.0**10, 2.0**-20)
MATRIX_SCALES = (1.0, 0.5, 2.0, 0.125, 8.0)
SMALLEST_DRAWN = 2.0**-30  # the smallest non-zero number drawn from a range that starts at 0


def checked_range(name: str, value: Any, low: Number, high: float) -> tuple[Number, Number]:
    """The range (v, v) of a number v, or the range itself; of whole numbers where `low` is an int.

    Args:
        name: of the argument, for the message.
        value: a number, or a range (LOW, HIGH).
        low: the least that is allowed.
        high: the most.

    Raises:
        InputError: not a number or a range, or outside [low, high].
    """
    whole = isinstance(low, int)
    ends = value if isinstance(value, tuple | list) and len(value) == 2 else (value, value)
    kind = int if whole else int | float
    numbers = all(isinstance(v, kind) and not isinstance(v, bool) for v in ends)
    if not (numbers and low <= ends[0] <= ends[1] <= high):
        what = "whole number" if whole else "number"
        raise InputError(
            f"{name}={value!r} must be a {what} or a range (LOW, HIGH) with {low:g} <= LOW <= HIGH <= {high:g}"
        )
    return ends[0], ends[1]


@lru_cache(maxsize=256)
def numbers(low: float, high: float) -> SearchStrategy[float]:
    """Landmarks of a range (0, its ends, powers of two), and any float in it."""
    landmarks = dict.fromkeys([*(v for v in LANDMARKS if low <= v <= high), float(low), float(high)])
    return st.sampled_from(list(landmarks)) | st.floats(max(low, min(SMALLEST_DRAWN, high)), high)


@lru_cache(maxsize=64)
def vectors(n: int) -> SearchStrategy[Tensor]:
    """Vectors of n numbers in [−4, 4], zeros and small ones often among them; a quarter of them ones.

    Ones are a single draw whatever n, here and below: only so can Hypothesis make a width smaller.
    """
    simple = st.sampled_from([1.0, 0.0, -1.0, 2.0, -2.0, 0.5, -0.5, 2.0**-10, -(2.0**-10)])
    entries = simple | st.floats(SMALLEST_DRAWN, 4) | st.floats(-4, -SMALLEST_DRAWN)
    drawn = st.lists(entries, min_size=n, max_size=n)
    ones = st.just([1.0] * n)
    return (
        st.integers(0, 3).flatmap(lambda kind: drawn if kind else ones).map(partial(torch.tensor, dtype=torch.float64))
    )


@lru_cache(maxsize=64)
def nonzero_vectors(n: int) -> SearchStrategy[Tensor]:
    """The vectors of `vectors`; the first unit vector in place of zero."""
    first = torch.eye(n, dtype=torch.float64)[0]
    return vectors(n).map(lambda v: v if v.any() else first)


@lru_cache(maxsize=64)
def frames(n: int) -> SearchStrategy:
    """Orthogonal n×n matrices, exact: the identity, a reflector of a vector of small whole numbers, a product of two."""
    return st.lists(st.lists(st.integers(-3, 3), min_size=n, max_size=n), max_size=2).map(partial(frame, n))


@st.composite
def factors(draw: DrawFn, m: int, n: int, kappa: Range, rank: int | None = None) -> Factors:
    """m×n matrices of a rank, the smallest non-zero singular value a power of two.

    Of at least two non-zero singular values the largest is κ times the smallest, κ drawn from the range.

    Args:
        draw: Hypothesis's own.
        m: rows.
        n: columns.
        kappa: the range of κ, from 1 on.
        rank: full unless given.
    """
    full = min(m, n)
    r = full if rank is None else rank
    top = draw(numbers(*kappa))
    spectrum = draw(st.sampled_from(["ones", "tops", "any"]))
    if spectrum == "any":
        between = [min(top, 1 + (top - 1) * draw(numbers(0.0, 1.0))) for _ in range(r - 2)]
    else:
        between = [1.0 if spectrum == "ones" else top] * (r - 2)
    values = [top, *between, 1.0] if r > 1 else [1.0]
    if draw(st.booleans()):
        values.reverse()
    singular = tuple(map(exact, [*values, *[0.0] * (full - r)]))
    return Factors(draw(frames(m)), singular, draw(frames(n))).scaled(draw(st.sampled_from(MATRIX_SCALES)))
