"""The exact twins of `drt.measurement.measurement`: the same fields, for one witness, in exact or ball numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from flint import arb, fmpq

from drt.exact import derivative
from drt.exact.balls import Balls
from drt.exact.network import ExactNetwork, minus, squared_norm, times
from drt.exact.surds import Surd
from drt.measurement.measured import no_field
from drt.measurement.measurement import FunctionMeasurement, JacobianMeasurement
from drt.measurement.quantity import FUNCTION, JACOBIAN, Quantity
from drt.numeric.caching import cached_property


class ExactWeights:
    """The fields of `drt.measurement.measured.WeightFields`, as unbatched `Balls`: scalars of shape (), layers of shape (n,).

    exact: entries are `Surd` wherever the true value is one; else all are balls of `bits` bits. To be used
    within `flint.ctx.workprec(bits)`: fields are computed when first read.
    """

    quantity: ClassVar[Quantity]
    FIELDS: ClassVar[tuple[str, ...]]
    batch_shape: tuple[int, ...] = ()

    def __init__(self, net: ExactNetwork, layer: int, bits: int, exact: bool):
        self.net, self.layer, self.bits, self.exact = net, layer, bits, exact
        self.depth = net.depth - layer
        self.widths = net.widths[layer:]

    @property
    def numbers(self) -> ExactWeights:
        """What a formula is evaluated on: the fields themselves."""
        return self

    def left(self, name: str) -> Balls:
        """The left side of this name (`Quantity.lefts`)."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Balls:
        """Logarithms of other fields; what is no field is refused."""
        descriptor = getattr(type(self), name, None)
        if descriptor is not None:  # a field that failed while it was computed: its own error, not this one
            return descriptor.__get__(self, type(self))
        if name in self.FIELDS and name.startswith("log_"):
            return getattr(self, name.removeprefix("log_")).log()
        raise AttributeError(no_field(self.quantity, name, self.FIELDS))

    # Numbers: a square root of a rational is a Surd where exact numbers are asked for, a ball elsewhere.
    def _number(self, q: fmpq) -> Any:
        return Surd.of(q) if self.exact else arb(q)

    def _root(self, square: Any) -> Any:
        if isinstance(square, fmpq):
            return Surd.root(square) if self.exact else arb(square).sqrt()
        return square.nonnegative_part().sqrt()

    def _layers(self, field: Callable[[int], Any]) -> Balls:
        return Balls([field(k) for k in range(self.layer, self.net.depth)])

    def _extreme(self, which: str, k: int) -> tuple[Any, Any]:
        matrix = self.net.spectra[which][k]
        if matrix.is_zero:
            return self._number(fmpq(0)), self._number(fmpq(0))
        squares = matrix.exact_squares if self.exact else None
        return (self._root(squares[0]), self._root(squares[1])) if squares else matrix.enclosure(self.bits)

    def _norm(self, which: str, k: int) -> Any:
        return self._extreme(which, k)[0]

    def _condition(self, which: str, k: int) -> Any:
        matrix = self.net.spectra[which][k]
        if matrix.is_zero and which == "dw":
            return self._number(fmpq(1))
        if not matrix.full_rank:
            return arb("inf")
        largest, smallest = self._extreme(which, k)
        return largest / smallest

    @cached_property
    def alphas(self) -> Balls:
        return self._layers(lambda k: self._number(self.net.phis[k].alpha))

    @cached_property
    def betas(self) -> Balls:
        return self._layers(lambda k: self._number(self.net.phis[k].beta))

    @cached_property
    def alpha(self) -> Balls:
        return Balls(self._number(min(p.alpha for p in self.net.phis[self.layer :])))

    @cached_property
    def beta(self) -> Balls:
        return Balls(self._number(max(p.beta for p in self.net.phis[self.layer :])))

    @cached_property
    def delta(self) -> Balls:
        spectra = self.net.spectra
        pairs = list(zip(spectra["dw"], spectra["w"], strict=True))
        return self._layers(lambda k: self._root(pairs[k][0].frobenius_squared / pairs[k][1].frobenius_squared))

    @cached_property
    def rho(self) -> Balls:
        return self._layers(lambda k: self._norm("dw", k) / self._norm("w", k))

    @cached_property
    def kappa_w(self) -> Balls:
        return self._layers(lambda k: self._condition("w", k))

    @cached_property
    def kappa_dw(self) -> Balls:
        return self._layers(lambda k: self._condition("dw", k))

    @cached_property
    def kappa_wt(self) -> Balls:
        return self._layers(lambda k: self._condition("wt", k))

    @cached_property
    def kappa(self) -> Balls:
        return self.kappa_w.maximum(self.kappa_dw).maximum(self.kappa_wt).amax(-1)

    @cached_property
    def norm_w(self) -> Balls:
        return self._layers(lambda k: self._norm("w", k))

    @cached_property
    def norm_dw(self) -> Balls:
        return self._layers(lambda k: self._norm("dw", k))

    @cached_property
    def norm_wt(self) -> Balls:
        return self._layers(lambda k: self._norm("wt", k))


class _ExactChange(ExactWeights):
    """What the twins of the function and of a Jacobian share: a relative change."""

    def _squares(self) -> tuple[Any, Any]:
        """The squares of the change's norm, and of the norm that it is relative to."""
        raise NotImplementedError

    @property
    def reference_squared(self) -> Any:
        """‖f‖² or ‖J_l‖_F²."""
        return self._squares()[1]

    @cached_property
    def change(self) -> Balls:
        moved, reference = self._squares()
        if isinstance(reference, fmpq) and reference == 0:
            return Balls(arb("nan"))
        return Balls(self._root(moved / reference))

    def left(self, name: str) -> Balls:
        return self.change


class ExactFunction(_ExactChange):
    """The twin of `FunctionMeasurement`."""

    quantity = FUNCTION
    FIELDS = FunctionMeasurement.FIELDS

    @cached_property
    def norm_x(self) -> Balls:
        return Balls(self._root(squared_norm(self.net.states()[0][0])))

    @cached_property
    def norm_f(self) -> Balls:
        return Balls(self._root(squared_norm(self.net.states()[0][-1])))

    @cached_property
    def norm_df(self) -> Balls:
        return Balls(self._root(squared_norm(self.net.change())))

    @cached_property
    def norm_dwh(self) -> Balls:
        states = self.net.states()[0]
        return self._layers(lambda k: self._root(squared_norm(times(self.net.dw[k], states[k]))))

    def _squares(self) -> tuple[Any, Any]:
        return squared_norm(self.net.change()), squared_norm(self.net.states()[0][-1])

    def left(self, name: str) -> Balls:
        return self.norm_df if name == "absolute" else self.change


class ExactJacobian(_ExactChange):
    """The twin of `JacobianMeasurement`; its derivative is a divided difference."""

    quantity = JACOBIAN
    FIELDS = JacobianMeasurement.FIELDS

    def _squares(self) -> tuple[Any, Any]:
        before, after = (self.net.jacobian(self.layer, moved, self.exact) for moved in (False, True))
        return squared_norm(minus(after, before)), squared_norm(before)

    @cached_property
    def derivative_gap(self) -> Balls:
        return Balls(derivative.gap(self.net, self.layer, self.bits))

    @property
    def jacobian_rounding(self) -> Balls:
        return Balls(derivative.allowance(self.net)) / 2
