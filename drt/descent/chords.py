"""Enclosures along a line: numbers that depend on s ∈ [0, 1], between their values at both ends.

    x(s) = (1−s)a + sb + s(1−s)ρ(s) + ε(s),   |ρ| ≤ r,  |ε| ≤ e   (entry by entry)

r is curvature: it vanishes at the ends and shrinks with the square of the interval; e is rounding, and what is not known.
Products follow from [(1−s)a + sb][(1−s)a' + sb'] = (1−s)aa' + sbb' − s(1−s)(b−a)(b'−a').
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from drt.network.activations import Activation, Negated, PiecewiseLinear
from drt.numeric.spectra import UNIT


class Chord(NamedTuple):
    """a, b, r and e of the module, of one shape; a constant has a = b and r = 0."""

    a: Tensor
    b: Tensor
    r: Tensor
    e: Tensor

    @staticmethod
    def constant(value: Tensor, error: Tensor | float = 0.0) -> Chord:
        """The same at every s, to within an error."""
        return Chord(value, value, torch.zeros_like(value), torch.zeros_like(value) + error)

    @property
    def exact(self) -> bool:
        """Whether it is an exact constant, whose products cost less; it may be one and not say so."""
        return self.a is self.b and not self.r.any() and not self.e.any()

    @property
    def mT(self) -> Chord:
        a = self.a.mT
        return Chord(a, a if self.a is self.b else self.b.mT, self.r.mT, self.e.mT)

    @property
    def largest(self) -> Tensor:
        """|(1−s)a + sb| at most."""
        return torch.maximum(self.a.abs(), self.b.abs())

    @property
    def off(self) -> Tensor:
        """How far x(s) may be from (1−s)a + sb."""
        return self.r / 4 + self.e

    @property
    def size(self) -> Tensor:
        """|x(s)| at most."""
        return self.largest + self.off

    @property
    def hull(self) -> Chord:
        """A constant that holds x(s) for every s."""
        return Chord.constant((self.a + self.b) / 2, ((self.b - self.a).abs() / 2 + self.off) * (1 + 8 * UNIT))

    def _times(self, other: Chord, product: Callable[[Tensor, Tensor], Tensor], terms: int) -> Chord:
        size = other.size
        rounded = (
            8 * (terms + 4) * UNIT
        )  # of both ends and of the curvature: each of a size of at most four times |x||y|
        r, e = product(self.r, size), product(self.e + rounded * self.size, size)
        if not other.exact:
            r = r + product(self.b - self.a, other.b - other.a).abs() + product(self.largest, other.r)
            e = e + product(self.largest, other.e)
        return Chord(product(self.a, other.a), product(self.b, other.b), r * (1 + rounded), e * (1 + rounded))

    def __matmul__(self, other: Chord) -> Chord:
        return self._times(other, torch.matmul, self.a.shape[-1])

    def __mul__(self, other: Chord) -> Chord:  # type: ignore[override]
        return self._times(other, torch.mul, 1)

    def __add__(self, other: Chord) -> Chord:  # type: ignore[override]
        a, b = self.a + other.a, self.b + other.b
        return Chord(
            a, b, self.r + other.r, (self.e + other.e + UNIT * torch.maximum(a.abs(), b.abs())) * (1 + 8 * UNIT)
        )

    def __neg__(self) -> Chord:
        return Chord(-self.a, -self.b, self.r, self.e)

    def above(self, level: float) -> Tensor:
        """Whether x(s) > level for every s: (1−s)u + sv > s(1−s)r for all s just where r < (√u + √v)²."""
        u, v = (end - level - self.e - 4 * UNIT * (end.abs() + abs(level)) for end in (self.a, self.b))
        roots = u.clamp(min=0).sqrt() + v.clamp(min=0).sqrt()
        return (u > 0) & (v > 0) & (self.r < roots.square() * (1 - 16 * UNIT))


class Slopes(NamedTuple):
    """φ'(z(s)): `all` encloses it. Where `passed` kinks may be passed, one of `below` and `above` them, if there is one only."""

    all: Chord
    passed: Tensor
    below: Tensor
    above: Tensor

    def on_side(self, side: int) -> Chord:
        """The slopes of units that may pass a kink taken on one side of it, −1 below or 1 above; all of them for 0."""
        if not side:
            return self.all
        kinked, one = self.passed > 0, self.below if side < 0 else self.above
        ends, spread = (
            [torch.where(kinked, new, v) for v in group] for new, group in ((one, self.all[:2]), (0.0, self.all[2:]))
        )
        return Chord(*ends, *spread)


def activate(phi: Activation, z: Chord) -> tuple[Chord, Slopes]:
    """φ(z) and φ'(z).

    With slopes within v of s̄ on the interval, φ(z(s)) differs from the chord of φ(z(0)) and φ(z(1)) by at most
    s(1−s)[s̄r + v(2|b−a| + r)], and ε is carried on by s̄ + v. The same holds of φ', with φ'' for its slopes.
    """
    low, high = torch.minimum(z.a, z.b) - z.off, torch.maximum(z.a, z.b) + z.off
    middle, radius = (low + high) / 2, (high - low) / 2 * (1 + 4 * UNIT) + 4 * UNIT * z.size
    rounded: Tensor | float = phi.ulps * UNIT * phi.beta
    base, sign = (phi.base, -1.0) if isinstance(phi, Negated) else (phi, 1.0)
    if isinstance(base, PiecewiseLinear):
        steps = sign * torch.tensor(base.slopes, dtype=z.a.dtype, device=z.a.device)
        first = last = torch.zeros_like(z.a, dtype=torch.long)  # the pieces that z may be on
        for kink in base.kinks:
            stays = (z.a == kink) & (z.b == kink) & (z.off == 0)  # the slope is that on the left
            first, last = first + z.above(kink), last + ~((-z).above(-kink) | stays)
        below, above, passed = steps[first], steps[last], last - first
        slope = torch.where(passed > 0, sign * (phi.alpha + phi.beta) / 2, below)
        v = (passed > 0).to(z.a.dtype) * ((phi.beta - phi.alpha) / 2)  # `where` would make float32 of two numbers
        slopes = Slopes(Chord.constant(slope, v), passed, below, above)
        if phi.homogeneous:  # one product, not a sum over pieces
            rounded = phi.ulps * UNIT * (slope.abs() + v)
    else:
        slope, v = phi.slope(middle), phi.slope_variation(middle, radius) + phi.ulps * UNIT
        known = _carried(phi.slope, z, *phi.second_slope(middle, radius), rounded)
        slopes = Slopes(known, torch.zeros_like(z.a, dtype=torch.long), slope, slope)
    return _carried(phi, z, slope, v, rounded * z.size), slopes


def _carried(f: Callable[[Tensor], Tensor], z: Chord, slope: Tensor, v: Tensor, rounded: Tensor | float) -> Chord:
    """f(z) for an f whose slopes are within v of `slope`; rounded: what an evaluation may cost."""
    size = slope.abs()
    r = size * z.r + v * (2 * (z.b - z.a).abs() + z.r)
    return Chord(f(z.a), f(z.b), r * (1 + 8 * UNIT), ((size + v) * z.e + rounded) * (1 + 8 * UNIT))
