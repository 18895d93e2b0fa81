"""Numbers that are Coq terms: a formula evaluated on them prints itself.

    theorem1.function.formula(twin("function"))   →   Sums.prod (OfFunction.depth m) (fun k => …) * … - 1

A term is a real number (of the measurement, or of each of its layers: then it is about the bound variable k) or a natural
one, a `Proposition` what a comparison of terms says. They have the operators and methods that `drt.numeric.numbers` calls,
and nothing else: a formula that does anything beside cannot be translated, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from drt.errors import InputError

LAYER = "k"


def literal(x: float) -> str:
    """A number as Coq writes it: exactly, a fraction of integers."""
    value = Fraction(x)
    text = f"{abs(value.numerator)}" if value.denominator == 1 else f"({abs(value.numerator)} / {value.denominator})"
    return text if value >= 0 else f"(- {text})"


@dataclass(frozen=True, eq=False)
class Natural:
    """A natural number, such as the depth."""

    text: str

    def __str__(self) -> str:
        return self.text

    def _with(self, operator: str, other: Any, swapped: bool = False) -> Any:
        if isinstance(other, Natural) or (isinstance(other, int) and other >= 0):
            left, right = (other, self) if swapped else (self, other)
            return Natural(f"({left} {operator} {right})%nat")
        return NotImplemented

    def __mul__(self, other: Any) -> Any:
        return self._with("*", other)

    def __rmul__(self, other: Any) -> Any:
        return self._with("*", other, swapped=True)

    def __add__(self, other: Any) -> Any:
        return self._with("+", other)

    def __radd__(self, other: Any) -> Any:
        return self._with("+", other, swapped=True)

    def __eq__(self, other: object) -> Any:
        return Proposition(f"{self} = {other}%nat") if isinstance(other, int) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)


@dataclass(frozen=True, eq=False)
class Proposition:
    """What is asserted, of the measurement or (depth given) of layer k."""

    text: str
    depth: str = ""

    def __bool__(self) -> bool:
        raise InputError(f"a formula must not branch on its numbers: {self.text}")

    def _with(self, operator: str, other: Any) -> Proposition:
        if not isinstance(other, Proposition) or self.depth != other.depth:
            raise InputError(f"{operator} must join two propositions about the same, got {self.text!r} and {other!r}")
        return Proposition(f"(({self.text}) {operator} ({other.text}))", self.depth)

    def __and__(self, other: Any) -> Proposition:
        return self._with("/\\", other)

    def __or__(self, other: Any) -> Proposition:
        return self._with("\\/", other)

    def all(self, axis: int) -> Proposition:
        """Of every layer."""
        return Proposition(f"(forall {LAYER}, ({LAYER} < {self.depth})%nat -> {self.text})") if self.depth else self

    def any(self, axis: int) -> Proposition:
        """Of some layer."""
        return Proposition(f"(exists {LAYER}, ({LAYER} < {self.depth})%nat /\\ ({self.text}))")


@dataclass(frozen=True, eq=False)
class Term:
    """A real number: `depth` is where sums over the layers end, `layered` whether it is a number for each layer k.

    finite: the proposition that its κ, or what it divides by, is as it should be, where a measurement has one.
    """

    text: str
    depth: str
    layered: bool = False
    finite_text: str = ""

    def __str__(self) -> str:
        return self.text

    def _of(self, text: str, layered: bool | None = None) -> Term:
        return Term(text, self.depth, self.layered if layered is None else layered)

    def _side(self, other: Any) -> tuple[str, bool] | None:
        """The other side of an operation, and whether it is a number for each layer; literals are either."""
        if isinstance(other, Term):
            if other.layered != self.layered:
                raise InputError(
                    f"{self} and {other}: a number and one for each layer; per_layer makes it one for each"
                )
            return other.text, other.layered
        if isinstance(other, Natural):
            return f"INR {other}", self.layered
        if isinstance(other, int | float) and not isinstance(other, bool):
            return literal(other), self.layered
        return None

    def _with(self, operator: str, other: Any, swapped: bool = False) -> Any:
        side = self._side(other)
        if side is None:
            return NotImplemented
        left, right = (side[0], self.text) if swapped else (self.text, side[0])
        return self._of(f"({left} {operator} {right})")

    def __add__(self, other: Any) -> Any:
        return self._with("+", other)

    def __radd__(self, other: Any) -> Any:
        return self._with("+", other, swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self._with("-", other)

    def __rsub__(self, other: Any) -> Any:
        return self._with("-", other, swapped=True)

    def __mul__(self, other: Any) -> Any:
        return self._with("*", other)

    def __rmul__(self, other: Any) -> Any:
        return self._with("*", other, swapped=True)

    def __truediv__(self, other: Any) -> Any:
        return self._with("/", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with("/", other, swapped=True)

    def __pow__(self, exponent: Any) -> Any:
        if isinstance(exponent, Natural) or (isinstance(exponent, int) and exponent >= 0):
            return self._of(f"({self} ^ {exponent})")
        return NotImplemented

    def __neg__(self) -> Term:
        return self._of(f"(- {self})")

    def __abs__(self) -> Term:
        return self._of(f"(Rabs {self})")

    def _says(self, relation: str, other: Any) -> Any:
        side = self._side(other)
        if side is None:
            return NotImplemented
        return Proposition(f"({self} {relation} {side[0]})", self.depth if self.layered else "")

    def __lt__(self, other: Any) -> Any:
        return self._says("<", other)

    def __le__(self, other: Any) -> Any:
        return self._says("<=", other)

    def __gt__(self, other: Any) -> Any:
        return self._says(">", other)

    def __ge__(self, other: Any) -> Any:
        return self._says(">=", other)

    def __eq__(self, other: object) -> Any:
        return self._says("=", other)

    def __hash__(self) -> int:
        return hash((self.text, self.layered))

    def __bool__(self) -> bool:
        raise InputError(f"a formula must not branch on its numbers: {self}")

    # What `drt.numeric.numbers` calls.

    def abs(self) -> Term:
        return abs(self)

    def exp(self) -> Term:
        return self._of(f"(exp {self})")

    def log(self) -> Term:
        return self._of(f"(ln {self})")

    def expm1(self) -> Term:
        return self._of(f"(exp {self} - 1)")

    def log1p(self) -> Term:
        return self._of(f"(ln (1 + {self}))")

    def sqrt(self) -> Term:
        return self._of(f"(sqrt {self})")

    def maximum(self, other: Any) -> Term:
        side = self._side(other)
        if side is None:
            raise InputError(f"the maximum of {self} must be taken with a number, got {other!r}")
        return self._of(f"(Rmax {self} {side[0]})")

    def one(self) -> Term:
        return self._of("1")

    def per_layer(self) -> Term:
        if self.layered:
            raise InputError(f"{self} is a number for each layer already")
        return self._of(self.text, layered=True)

    def finite(self) -> Proposition:
        if not self.finite_text:
            raise InputError(f"{self}: nothing is known of when it is finite")
        return Proposition(self.finite_text)

    def _over_layers(self, name: str) -> Term:
        if not self.layered:
            raise InputError(f"{name} must be of a number for each layer, got {self}")
        return self._of(f"({name} {self.depth} (fun {LAYER} => {self}))", layered=False)

    def sum(self, axis: int) -> Term:
        return self._over_layers("Sums.sum")

    def prod(self, axis: int) -> Term:
        return self._over_layers("Sums.prod")

    def amax(self, axis: int) -> Term:
        return self._over_layers("largest")

    def _at_each(self, name: str) -> Term:
        inner = self._over_layers(name)
        return replace(inner, text=f"({inner} {LAYER})", layered=True)

    def products_from(self) -> Term:
        return self._at_each("products_from")

    def products_above(self) -> Term:
        return self._at_each("products_above")

    def products_below(self) -> Term:
        return self._at_each("products_below")

    def products_others(self) -> Term:
        return self._at_each("products_others")

    def mean_growth(self, depth: Natural) -> Term:
        return self._of(f"(mean_growth {self} {depth})")


Formula = Callable[[Any], Any]
