"""The exact twin of `drt.optimisers.steps.Steps`: the same fields of one step, of the very numbers that the optimiser left."""

from __future__ import annotations

from typing import Any

from flint import fmpq
from torch import Tensor

from drt.exact.balls import Balls
from drt.exact.surds import Surd, rational
from drt.measurement.measured import no_field
from drt.measurement.quantity import STEP
from drt.numeric.caching import cached_property
from drt.optimisers.steps import Steps


class ExactSteps:
    """One step of a batch: W, g, η and the weights after it are the floats that they are, taken exactly.

    Its rounding allowances (error, cosine_error, …) are those of the float measurement: they are part of the claims.
    """

    quantity = STEP
    FIELDS = Steps.FIELDS
    batch_shape: tuple[int, ...] = ()

    def __init__(self, steps: Steps, index: tuple[int, int]):
        self._weight, self._gradient = (_entries(t[index]) for t in (steps.weight, steps.gradient))
        self._after = {name: _entries(t[index]) for name, t in steps.after.items()}
        self.eta = Balls(Surd.of(steps.eta[index].item()))
        for name in ("cosine_error", "zero_cosine", "formula_error"):
            setattr(self, name, Balls(Surd.of(getattr(steps, name))))
        self.error = Balls(Surd.of(steps.error[index].item()))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(no_field(STEP, name, self.FIELDS))

    @property
    def numbers(self) -> ExactSteps:
        """What a formula is evaluated on: the fields themselves."""
        return self

    def left(self, name: str) -> Balls:
        """The left side of this name (`Quantity.lefts`)."""
        return abs(self.size - self.eta)

    @cached_property
    def norm_w(self) -> Balls:
        return Balls(Surd.root(_dot(self._weight, self._weight)))

    @cached_property
    def norm_g(self) -> Balls:
        return Balls(Surd.root(_dot(self._gradient, self._gradient)))

    @cached_property
    def cosine(self) -> Balls:
        return Balls(Surd.of(_dot(self._weight, self._gradient))) / (self.norm_w * self.norm_g)

    def _relative(self, after: list[fmpq], before: list[fmpq]) -> Balls:
        """‖after − before‖/‖W‖."""
        change = [a - b for a, b in zip(after, before, strict=True)]
        return Balls(Surd.root(_dot(change, change) / _dot(self._weight, self._weight)))

    @cached_property
    def size(self) -> Balls:
        return self._relative(self._after["fromage"], self._weight)

    @cached_property
    def lars_size(self) -> Balls:
        return self._relative(self._after["lars"], self._weight)

    @cached_property
    def kept(self) -> Balls:
        return self._relative(self._after["fromage"], [fmpq(0)] * len(self._weight))

    @cached_property
    def grown(self) -> Balls:
        return self._relative(self._after["lars"], [fmpq(0)] * len(self._weight))

    @cached_property
    def gap(self) -> Balls:
        return self._relative(self._after["as LARS"], self._after["fromage"])


def _entries(matrix: Tensor) -> list[fmpq]:
    found = [rational(v) for v in matrix.flatten().tolist()]
    assert None not in found  # steps are measured of finite weights
    return [q for q in found if q is not None]


def _dot(u: list[fmpq], v: list[fmpq]) -> fmpq:
    return sum((a * b for a, b in zip(u, v, strict=True)), fmpq(0))
