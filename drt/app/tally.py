"""Verdicts on many inputs, gathered piece by piece into records; infinite, overflowing and undefined numbers are None."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from drt.numeric.results import exponential, finite
from drt.theory.hypotheses import hypotheses
from drt.theory.outcome import Outcome
from drt.theory.registry import Claim
from drt.theory.verdict import Verdicts

LOG10 = math.log(10)
GRAVEST_FIRST = (Outcome.VIOLATED, Outcome.UNDECIDED, Outcome.HOLDS, Outcome.INAPPLICABLE)


@dataclass(frozen=True)
class Sides:
    """Both sides of a claim, and log10(bound/actual)."""

    actual: float | None
    bound: float | None
    looseness: float | None

    @classmethod
    def of(cls, log_lhs: Tensor, log_rhs: Tensor, gap: Tensor) -> Sides:
        """From natural logarithms; gap: of bound/actual."""
        return cls(exponential(float(log_lhs)), exponential(float(log_rhs)), finite(gap / LOG10))


@dataclass(frozen=True)
class WorstSides:
    """`Sides` at the input where actual/bound is largest."""

    input: int
    actual: float | None
    bound: float | None
    looseness: float | None


@dataclass(frozen=True)
class Failure:
    """A hypothesis that fails at so many inputs, of which `input` is the first; why: there."""

    hypothesis: str
    why: str
    input: int
    inputs: int


@dataclass(frozen=True)
class LayerRecord:
    """A claim's verdicts on all inputs, of J_l (layer l) or of the function (layer None).

    holds, violated, inapplicable, undecided: how many inputs. median: medians of each side and of the looseness. Both are
    None where the claim applies to no input.
    """

    layer: int | None
    holds: int
    violated: int
    inapplicable: int
    undecided: int
    median: Sides | None
    worst: WorstSides | None
    failed: list[Failure]

    def count(self, outcome: Outcome) -> int:
        """How many inputs have this outcome."""
        return int(getattr(self, outcome.value))

    @property
    def least_looseness(self) -> float:
        """log10(bound/actual) at the worst input; ∞ where there is none."""
        return math.inf if self.worst is None or self.worst.looseness is None else self.worst.looseness


@dataclass(frozen=True)
class ClaimVerdicts:
    """A claim's verdicts over all inputs and layers.

    outcome: the gravest that some input has. worst_layer: of the layers with that outcome, the one with the least loose bound.
    """

    id: str
    kind: str
    known: str | None
    quantity: str
    statement: str
    outcome: Outcome
    worst_layer: int | None
    layers: list[LayerRecord]

    @classmethod
    def of(cls, claim: Claim, layers: list[LayerRecord]) -> ClaimVerdicts:
        """From the verdicts layer by layer."""
        outcome = next(o for o in GRAVEST_FIRST if any(layer.count(o) for layer in layers))
        worst = min((layer for layer in layers if layer.count(outcome)), key=lambda layer: layer.least_looseness)
        return cls(
            claim.id, claim.kind, claim.known, claim.quantity.value, claim.statement, outcome, worst.layer, layers
        )

    @property
    def worst(self) -> LayerRecord:
        """The record of `worst_layer`."""
        return next(layer for layer in self.layers if layer.layer == self.worst_layer)


@dataclass(frozen=True)
class Violation:
    """An input at which a claim is violated; log10_ratio: of actual/bound, None where the bound is 0."""

    claim: str
    input: int
    layer: int | None
    log10_ratio: float | None


class Tally:
    """A claim's verdicts at one layer, gathered over pieces of the inputs."""

    def __init__(self) -> None:
        self.pieces: list[tuple[Tensor, Tensor, Tensor]] = []
        self.failed: dict[str, Failure] = {}

    def add(self, verdicts: Verdicts, start: int) -> None:
        """Take in the verdicts on inputs start, start + 1, …"""
        self.pieces.append((verdicts.codes, verdicts.log_lhs, verdicts.log_rhs))
        for name, where in verdicts.failed.items():
            bad = torch.nonzero(where).flatten()
            if not len(bad):
                continue
            if name in self.failed:
                earlier = self.failed[name]
                self.failed[name] = Failure(name, earlier.why, earlier.input, earlier.inputs + len(bad))
            else:
                first = int(bad[0])
                why = hypotheses[name].why(verdicts.measurement, (first,))
                self.failed[name] = Failure(name, why, start + first, len(bad))

    def _columns(self) -> tuple[Tensor, Tensor, Tensor]:
        codes, lhs, rhs = (torch.cat(column) for column in zip(*self.pieces, strict=True))
        return codes, lhs, rhs

    def record(self, layer: int | None) -> LayerRecord:
        """Counts by outcome, both sides at the median and at the worst input, hypotheses that fail."""
        codes, lhs, rhs = self._columns()
        gap = torch.where(lhs == rhs, 0.0, rhs - lhs)
        applicable = torch.nonzero((codes != Outcome.INAPPLICABLE.code) & ~torch.isnan(gap)).flatten()
        counts = {outcome.value: int((codes == outcome.code).sum()) for outcome in Outcome}
        median = worst = None
        if len(applicable):
            lhs, rhs, gap = lhs[applicable], rhs[applicable], gap[applicable]
            i = int(gap.argmin())
            median = Sides.of(lhs.median(), rhs.median(), gap.median())
            worst = WorstSides(int(applicable[i]), **vars(Sides.of(lhs[i], rhs[i], gap[i])))
        return LayerRecord(layer, **counts, median=median, worst=worst, failed=list(self.failed.values()))

    def violations(self, claim_id: str, layer: int | None) -> Iterator[Violation]:
        """Every violation."""
        codes, lhs, rhs = self._columns()
        for i in torch.nonzero(codes == Outcome.VIOLATED.code).flatten().tolist():
            yield Violation(claim_id, i, layer, finite((lhs[i] - rhs[i]) / LOG10))
