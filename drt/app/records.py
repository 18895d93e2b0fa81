"""What `drt verify` says of each claim, and of the whole run: report.json's schema, as dataclasses."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from drt.app.evidence import Evidence
from drt.app.tasks import TrainedNetwork
from drt.falsify.outcome import Attacked, Status
from drt.numeric.results import Result, finite, shown_ratio
from drt.theory.registry import claims

ORIGINS = ("random", "extremal", "trained", "attack")
TYPICAL_ORIGINS = ("random", "trained")  # whose looseness is a bound's typical one: the others look for its worst
POINTS_PER_ORIGIN = 150  # of each claim, in the report's plots


@dataclass(frozen=True)
class OriginRecord:
    """The evidence of one origin; median_looseness: of log10(bound/actual)."""

    instances: int
    inapplicable: int
    violations: int
    undecided: int
    max_ratio: float | None
    median_looseness: float | None

    @classmethod
    def of(cls, evidence: Evidence) -> OriginRecord:
        """Counts and medians."""
        return cls(
            evidence.instances,
            evidence.inapplicable.total(),
            evidence.violations,
            evidence.undecided,
            _ratio(evidence.max_log_ratio),
            median(evidence.all_looseness),
        )


@dataclass(frozen=True)
class ClaimRecord(Result):
    """A claim's entry in the report.

    instances: all that were tried, inapplicable ones included. inapplicable_why: how many, by hypothesis. max_log_ratio: of
    actual/bound, a natural logarithm. median_looseness: log10(bound/actual), on random and trained networks.
    witness: its file in the output folder. counterexample: in mathematics. points: [origin, depth, log10 actual, log10 bound].
    looseness: by origin, rows [depth, lower quartile, median, upper quartile].
    """

    id: str
    kind: str
    known: str | None
    quantity: str
    statement: str
    source: str
    status: str
    instances: int
    inapplicable: int
    inapplicable_why: dict[str, int]
    violations: int
    certified: int
    undecided: int
    max_ratio: float | None
    max_log_ratio: float | None
    median_looseness: float | None
    witness: str | None
    counterexample: str | None
    seconds: float
    origins: dict[str, OriginRecord]
    points: list[list]
    looseness: dict[str, list[list[float]]]


@dataclass(frozen=True)
class Report(Result):
    """The result of `drt verify`; interrupted by the user, or cut by the timeout, it holds what had been done.

    proofs: by what the claims that are called proved were checked; "" where there are none.
    """

    schema: int
    version: str
    seed: int
    quick: bool
    seconds: float
    interrupted: bool
    cut: bool
    networks: list[TrainedNetwork]
    claims: list[ClaimRecord]
    proofs: str = ""


def claim_record(
    claim_id: str, by_origin: Mapping[str, Evidence], outcome: Attacked, proved: bool = False
) -> ClaimRecord:
    """A claim's entry in the report.

    Args:
        claim_id: its name in the registry.
        by_origin: its evidence from each of ORIGINS.
        outcome: of the attack on it.
        proved: whether its proof has been checked.
    """
    claim = claims[claim_id]
    whole = Evidence()
    for evidence in by_origin.values():
        whole.merge(evidence)
    dice = random.Random(0)
    points = [[origin, *point] for origin, evidence in by_origin.items() for point in _some(evidence.points, dice)]
    return ClaimRecord(
        id=claim.id,
        kind=claim.kind,
        known=claim.known,
        quantity=claim.quantity.value,
        statement=claim.statement,
        source=claim.source,
        status=_status(outcome.status, whole, proved),
        instances=whole.instances,
        inapplicable=whole.inapplicable.total(),
        inapplicable_why=_by_hypothesis(whole.inapplicable),
        violations=whole.violations,
        certified=int(outcome.certified),
        undecided=whole.undecided,
        max_ratio=_ratio(whole.max_log_ratio),
        max_log_ratio=finite(whole.max_log_ratio),
        median_looseness=median([v for origin in TYPICAL_ORIGINS for v in by_origin[origin].all_looseness]),
        witness=outcome.witness,
        counterexample=outcome.counterexample,
        seconds=round(whole.seconds, 2),
        origins={origin: OriginRecord.of(evidence) for origin, evidence in by_origin.items()},
        points=points,
        looseness={
            origin: [[depth, *quartiles(values)] for depth, values in sorted(by_origin[origin].looseness.items())]
            for origin in TYPICAL_ORIGINS
        },
    )


def _some(points: Sequence[tuple], dice: random.Random) -> Sequence[tuple]:
    return dice.sample(points, POINTS_PER_ORIGIN) if len(points) > POINTS_PER_ORIGIN else points


def _status(attacked: Status, evidence: Evidence, proved: bool) -> str:
    """Refuted and unconfirmed as the attack says; else proved; else holds, if there is an instance to hold it against.

    A violation on other instances, which nobody has certified, is unconfirmed too.
    """
    if attacked is not Status.SURVIVED:
        return attacked.value
    if evidence.violations:
        return "unconfirmed"
    if proved:
        return "proved"
    return "holds" if evidence.instances > evidence.inapplicable.total() else "untested"


def _by_hypothesis(reasons: Counter[str]) -> dict[str, int]:
    """Counts by hypothesis, each with the reason given most often as its example."""
    groups: dict[str, Counter[str]] = {}
    for reason, count in reasons.items():
        groups.setdefault(reason.split(":")[0], Counter())[reason] += count
    totals = {max(group, key=lambda r: (group[r], r)): group.total() for group in groups.values()}
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def quartiles(values: Sequence[float]) -> list[float]:
    """Of at least one value, interpolated."""
    levels = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    return torch.tensor(values, dtype=torch.float64).quantile(levels).tolist()


def median(values: Sequence[float]) -> float | None:
    """None of no values."""
    return quartiles(values)[1] if values else None


def _ratio(log_ratio: float) -> float | None:
    return None if finite(log_ratio) is None else shown_ratio(log_ratio)
