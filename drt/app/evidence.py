"""Evidence about claims: verdicts on many instances, counted; what tasks found is merged."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch

from drt.measurement.instance import Instance
from drt.measurement.measured import Measured
from drt.measurement.measurement import measure_all
from drt.theory.outcome import Outcome
from drt.theory.registry import Claim, of_network
from drt.theory.verdict import Verdicts

LOG10 = math.log(10)
POINTS_PER_BATCH = 8  # plotted, of each batch of verdicts


@dataclass
class Evidence:
    """What one origin says of one claim: counts, the largest log(actual/bound), and log10(bound/actual) by depth.

    inapplicable: how many, by the reason. points: (depth, log10 actual, log10 bound) of some instances. seconds: spent.
    """

    instances: int = 0
    violations: int = 0
    undecided: int = 0
    inapplicable: Counter[str] = field(default_factory=Counter)
    max_log_ratio: float = -math.inf
    looseness: dict[int, list[float]] = field(default_factory=dict)
    points: list[tuple[int, float, float]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, verdicts: Verdicts) -> None:
        """Count a batch of verdicts."""
        m, violated = verdicts.measurement, verdicts.where(Outcome.VIOLATED).flatten()
        self.instances += len(verdicts)
        self.violations += verdicts.count(Outcome.VIOLATED)
        self.undecided += verdicts.count(Outcome.UNDECIDED)
        inapplicable = verdicts.where(Outcome.INAPPLICABLE).flatten()
        bad = torch.nonzero(inapplicable)
        if len(bad):
            index = tuple(int(i) for i in torch.unravel_index(bad[0, 0], verdicts.codes.shape))
            self.inapplicable[verdicts.why(index)] += len(bad)
        # An excess within the rounding bound is none: above 1 only what is a violation is shown.
        gap = verdicts.log_ratio.flatten()
        gap = torch.where(violated, gap, gap.clamp(max=0.0))
        gap = gap[torch.isfinite(gap)]
        if len(gap):
            self.max_log_ratio = max(self.max_log_ratio, float(gap.max()))
            self.looseness.setdefault(m.depth, []).extend((-gap / LOG10).tolist())
        lhs, rhs = (v.flatten() for v in (verdicts.log_lhs, verdicts.log_rhs))
        comparable = torch.isfinite(lhs) & torch.isfinite(rhs) & ~inapplicable
        plotted = torch.nonzero(comparable).flatten()[:POINTS_PER_BATCH]
        self.points += [(m.depth, float(lhs[i]) / LOG10, float(rhs[i]) / LOG10) for i in plotted]

    def merge(self, other: Evidence) -> None:
        """Take in what another task found."""
        self.instances += other.instances
        self.violations += other.violations
        self.undecided += other.undecided
        self.inapplicable += other.inapplicable
        self.max_log_ratio = max(self.max_log_ratio, other.max_log_ratio)
        self.seconds += other.seconds
        self.points += other.points
        for depth, values in other.looseness.items():
            self.looseness.setdefault(depth, []).extend(values)

    @property
    def all_looseness(self) -> list[float]:
        """log10(bound/actual) of every depth."""
        return [value for values in self.looseness.values() for value in values]


Findings = dict[str, Evidence]  # by the claim's id


def hold(wanted: Iterable[Claim], m: Measured, findings: Findings) -> None:
    """Hold claims against a batch of what they are about."""
    for claim in wanted:
        begin = time.perf_counter()
        evidence = findings.setdefault(claim.id, Evidence())
        evidence.add(Verdicts(claim, m))
        evidence.seconds += time.perf_counter() - begin


def hold_all(instance: Instance, findings: Findings) -> None:
    """Hold every claim against a batch of instances: function claims, and Jacobian claims at l = 0, L/2 and L − 1."""
    function, jacobians = measure_all(instance)
    depth = instance.net.depth
    for m in (function, *(jacobians[layer] for layer in sorted({0, depth // 2, depth - 1}))):
        hold((c for c in of_network() if c.quantity == m.quantity), m, findings)
