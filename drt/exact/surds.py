"""Exact numbers: sums of rational multiples of square roots of rationals.

    Σ_r c_r·√r,    c_r rational, r positive integers whose pairwise products are not squares

Square roots of integers that differ by more than a rational square are linearly independent over the rationals
(Besicovitch 1940): such a sum is zero only if every c_r is. That makes equality decidable, which no ball can do.
An operation that leaves this set returns a python-flint `arb` at the working precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from flint import arb, ctx, fmpq, fmpz

MAX_TERMS = 64  # beyond, a sum of roots becomes a ball: it could double with every layer


def rational(value: Any) -> fmpq | None:
    """The value as an exact rational (a float is the rational that it is); None where it is not a finite one."""
    if isinstance(value, fmpq):
        return value
    if isinstance(value, int | fmpz):
        return fmpq(value)
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, float) and math.isfinite(value):
        return fmpq(*value.as_integer_ratio())
    return None


def ball(value: Any) -> arb:
    """The value as a ball at the working precision."""
    if isinstance(value, Surd):
        return value.ball()
    return value if isinstance(value, arb) else arb(value)


class Undecided(ArithmeticError):
    """The precision does not suffice to tell."""


class Surd:
    """Σ_r c_r·√r as {r: c_r}; see the module. Arithmetic with ints, floats, Fractions and fmpq stays exact."""

    __slots__ = ("terms",)

    def __init__(self, terms: dict[fmpz, fmpq]):
        self.terms = terms

    @staticmethod
    def of(value: Any) -> Surd | None:
        """The value as a Surd; None where it is neither one nor a finite rational."""
        if isinstance(value, Surd):
            return value
        q = rational(value)
        return None if q is None else Surd({fmpz(1): q} if q else {})

    @staticmethod
    def root(q: fmpq) -> Surd:
        """√q, for a rational q ≥ 0."""
        # √(n/d) = √(nd)/d
        whole = q.p * q.q
        if not q:
            return Surd({})
        return Surd({fmpz(1): fmpq(whole.isqrt(), q.q)} if whole.is_square() else {whole: fmpq(1, q.q)})

    def as_rational(self) -> fmpq | None:
        """The rational that this is; None where it is irrational."""
        return fmpq(0) if not self.terms else self.terms.get(fmpz(1)) if len(self.terms) == 1 else None

    def sign(self) -> int:
        """−1, 0 or 1."""
        if not self.terms:
            return 0
        bits = 64
        while True:  # ends: the sum is not zero
            with ctx.workprec(bits):
                enclosure = self.ball()
                if enclosure > 0 or enclosure < 0:
                    return 1 if enclosure > 0 else -1
            bits *= 2

    def ball(self) -> arb:
        """An enclosure at the working precision."""
        total = arb(0)
        for r, c in self.terms.items():
            total += c if r == 1 else arb(r).sqrt() * c
        return total

    def _with(self, other: Any, exact: Callable[[Surd, Surd], Any], balls: Callable[[arb, arb], arb]) -> Any:
        surd = Surd.of(other)
        result = None if surd is None else exact(self, surd)
        return balls(self.ball(), ball(other)) if result is None else result

    def __add__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: _collect([*_pairs(a), *_pairs(b)]), lambda a, b: a + b)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, _product, lambda a, b: a * b)

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: _product(a, _inverse(b)), lambda a, b: a / b)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: _product(b, _inverse(a)), lambda a, b: b / a)

    def __neg__(self) -> Surd:
        return Surd({r: -c for r, c in self.terms.items()})

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return (-self) + other

    __radd__, __rmul__ = __add__, __mul__

    def __abs__(self) -> Surd:
        return -self if self.sign() < 0 else self

    def __pow__(self, exponent: Any) -> Any:
        q = Surd.of(exponent)
        power = None if q is None else q.as_rational()
        if power == fmpq(1, 2):
            return self.sqrt()
        if power is None or power.q != 1 or abs(power.p) > 1000:
            return self.ball() ** ball(exponent)
        result: Any = Surd.of(1)
        for _ in range(abs(int(power.p))):
            result = result * self
        return result if power >= 0 else 1 / result

    def __rpow__(self, base: Any) -> Any:
        return ball(base) ** self.ball()

    def sqrt(self) -> Any:
        """√ of it: exact where it is rational."""
        q = self.as_rational()
        return Surd.root(q) if q is not None and q >= 0 else self.ball().sqrt()

    def exp(self) -> Any:
        return self.ball().exp() if self.terms else Surd.of(1)

    def expm1(self) -> Any:
        return self.ball().expm1() if self.terms else self

    def log(self) -> Any:
        return self.ball().log() if self.terms else arb("-inf")

    def log1p(self) -> Any:
        return self.ball().log1p() if self.terms else self

    def __repr__(self) -> str:
        return " + ".join(f"{c}" if r == 1 else f"{c}·√{r}" for r, c in self.terms.items()) or "0"


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


ZERO, ONE = Surd({}), Surd({fmpz(1): fmpq(1)})


def _pairs(s: Surd) -> Iterable[tuple[fmpq, fmpz]]:
    return ((c, r) for r, c in s.terms.items())


def _collect(pairs: Iterable[tuple[fmpq, fmpz]]) -> Surd | None:
    """Σ c·√r with terms of one square class put together; None for too many terms."""
    terms: dict[fmpz, fmpq] = {}
    for c, r in pairs:
        for key in terms:
            if (key * r).is_square():
                terms[key] += c * fmpq((key * r).isqrt(), key)  # √r = √(key·r)/key·√key
                break
        else:
            root = r.isqrt() if r.is_square() else None
            terms[fmpz(1) if root else r] = c * root if root else c
    terms = {r: c for r, c in terms.items() if c}
    return Surd(terms) if len(terms) <= MAX_TERMS else None


def _product(a: Surd, b: Surd | None) -> Surd | None:
    if b is None or len(a.terms) * len(b.terms) > MAX_TERMS:
        return None
    pairs = []
    for r, c in a.terms.items():
        for s, d in b.terms.items():
            g = r.gcd(s)  # √r·√s = g·√(r/g·s/g)
            pairs.append((c * d * g, (r // g) * (s // g)))
    return _collect(pairs)


def _inverse(a: Surd) -> Surd | None:
    """1/(c·√r) = √r/(cr); None for a sum or zero."""
    if len(a.terms) != 1:
        return None
    ((r, c),) = a.terms.items()
    return Surd({r: 1 / (c * r)})
