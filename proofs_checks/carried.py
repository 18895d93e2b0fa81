"""What travels through the layers of a network: matrices, the slopes and weights they are multiplied by, rounding errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from drt.numeric.spectra import UNIT, exponent_of, gamma, norm, times_power_of_two
from proofs_checks.terms import Log, log_of


@dataclass(frozen=True)
class Diagonal:
    """Slopes of φ (…, n) and a bound on the error of each."""

    slopes: Float[Tensor, "... n"]
    error: Float[Tensor, "... n"]


@dataclass(frozen=True)
class Factor:
    """A layer's matrix, scaled, with upper ends of its spectral and Frobenius norm (…,)."""

    matrix: Float[Tensor, "... m n"]
    spectral: Float[Tensor, "..."]
    frobenius: Float[Tensor, "..."]


class Passed(NamedTuple):
    """What came out of a layer, and the log gains of its slopes and of its matrix."""

    carried: Carried
    slopes: Log
    matrices: Log


@dataclass(frozen=True)
class Carried:
    """Matrices (…, T, p, q) of norm about 1 on their way through the layers, and bounds (…, T) on their errors' norms."""

    value: Tensor
    error: Tensor

    @property
    def log(self) -> Log:
        """The logarithm of the norm."""
        return log_of(norm(self.value, 2), self.error)

    def through(self, diagonal: Diagonal, factor: Factor, left: bool) -> Passed:
        """diag(s)·W·M, or M·diag(s)·W where not `left`, scaled."""
        if left:
            between = self._multiplied(factor, left)
            after = between._sloped(diagonal, left)
            return Passed(after._scaled(), _gain(between, after), _gain(self, between))
        between = self._sloped(diagonal, left)
        after = between._multiplied(factor, left)
        return Passed(after._scaled(), _gain(self, between), _gain(between, after))

    def _scaled(self) -> Carried:
        scale = -exponent_of(self.value, 2)
        return Carried(times_power_of_two(self.value, scale[..., None, None]), times_power_of_two(self.error, scale))

    def _multiplied(self, factor: Factor, left: bool) -> Carried:
        matrix = factor.matrix.unsqueeze(-3)
        value = matrix @ self.value if left else self.value @ matrix
        inner = self.value.shape[-2] if left else self.value.shape[-1]
        error = factor.spectral[..., None] * self.error + gamma(inner + 4) * factor.frobenius[..., None] * norm(
            self.value.detach(), 2
        )
        return Carried(value, error.detach())

    def _sloped(self, diagonal: Diagonal, left: bool) -> Carried:
        def spread(s: Tensor) -> Tensor:
            return (s.unsqueeze(-1) if left else s.unsqueeze(-2)).unsqueeze(-3)

        value = spread(diagonal.slopes) * self.value
        largest = (diagonal.slopes.abs() + diagonal.error).amax(-1)[..., None]
        own = norm((spread(diagonal.error) * self.value).detach(), 2)
        error = largest * (self.error + 2 * UNIT * norm(self.value.detach(), 2)) + own
        return Carried(value, error.detach())


def _gain(before: Carried, after: Carried) -> Log:
    """The logarithm of ‖after‖/‖before‖. Zero stays zero: −∞, below whatever a step puts in its place."""
    out, into = after.log, before.log
    return Log(out.value - torch.where(into.value == -torch.inf, 0.0, into.value), out.error + into.error)
