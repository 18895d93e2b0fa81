"""The audit in numbers: what its slices say of deep relative trust."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from drt.experiments import laws
from drt.experiments.audit import ETAS, KINDS, Breakdown, CheckpointRecord

Results = Sequence[tuple[CheckpointRecord, Breakdown | None]]
BOOTSTRAP_SAMPLES = 1000


@dataclass(frozen=True)
class SlicesSummary:
    """The slices of one depth and kind of network.

    points, exceeded: η with a finite change, and those at which it is above (1+η)^L − 1; factor: [median, largest] ratio.
    effective_depth: the median of L_eff, and the ends of its 0.95 interval: percentiles of the median over BOOTSTRAP_SAMPLES
    bootstraps of whole runs, whose checkpoints stay together; of a single run, `within`: the median ends of slices' intervals.
    flat: slices with L_eff < 1, which grow more slowly than a line. constant: median of the least C.
    one, two: the law with the least median error, of at most so many parameters, and that error.
    """

    points: int
    exceeded: int
    factor: list[float]
    effective_depth: list[float]
    within: list[float]
    flat: int
    constant: float
    one: tuple[str, float]
    two: tuple[str, float]


@dataclass(frozen=True)
class NetworkAudit:
    """One depth and kind of network: slices, of so many checkpoints; found: what they say, None where there are none."""

    depth: int
    kind: str
    slices: int
    of: int
    found: SlicesSummary | None

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON, on one level."""
        head = {"depth": self.depth, "kind": self.kind, "slices": self.slices, "of": self.of}
        return head if self.found is None else head | asdict(self.found)


@dataclass(frozen=True)
class OptimiserAudit:
    """One kind, optimiser and depth: medians of L_eff over its checkpoints, and of the accuracy at the end over its seeds."""

    kind: str
    optimiser: str
    depth: int
    slices: int
    of: int
    effective_depth: float
    accuracy: float


@dataclass(frozen=True)
class LawAudit:
    """Medians of a law's fits, and on how many slices it is closest of those with as many parameters."""

    error: float
    r2: float
    shape: float
    closest: int
    slices: int


@dataclass(frozen=True)
class AgainstPlain:
    """Slices of a kind beside those of the plain network of the same depth, optimiser, seed and step.

    shallower, less: pairs in which L_eff, and the least C, is below the plain network's; an L_eff below 1 counts as 1.
    by_depth: the first of these for each L, [pairs, shallower]. effective_depth, constant: [median of the kind, of plain];
    constant_ratio: median of C over the plain network's.
    """

    pairs: int
    shallower: int
    by_depth: dict[int, list[int]]
    less: int
    effective_depth: list[float]
    constant: list[float]
    constant_ratio: float


@dataclass(frozen=True)
class AuditSummary:
    """The audit in numbers.

    expected: checkpoints planned. missing: those without a slice, by the reason. resolved: slices whose own interval of L_eff
    lies above 1. laws: kind → law → its fits. against_plain: by kind.
    """

    etas: list[float]
    expected: int
    measured: int
    missing: dict[str, int]
    points: int
    exceeded: int
    resolved: int
    networks: list[NetworkAudit]
    optimisers: list[OptimiserAudit]
    laws: dict[str, dict[str, LawAudit]]
    against_plain: dict[str, AgainstPlain]

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON, but for NaN."""
        return asdict(self) | {"networks": [network.as_dict() for network in self.networks]}


def summarise(results: Results, expected: int, etas: Sequence[float] = ETAS) -> AuditSummary:
    """The audit's numbers, a row for each depth and kind."""
    found = [(p, b) for p, b in results if b is not None]
    nets = sorted({(p.depth, list(KINDS).index(p.kind), p.kind) for p, _ in results})
    return AuditSummary(
        etas=list(etas),
        expected=expected,
        measured=len(found),
        missing=dict(Counter(p.status for p, b in results if b is None).most_common()),
        points=sum(int(np.isfinite(b.ratio).sum()) for _, b in found),
        exceeded=sum(int((b.ratio > 1).sum()) for _, b in found),
        resolved=sum(b.interval[0] > 1 for _, b in found),
        networks=[_network(depth, kind, results) for depth, _, kind in nets],
        optimisers=_optimisers(results),
        laws={kind: _laws([b for p, b in found if p.kind == kind]) for kind in KINDS if _has(found, kind)},
        against_plain={kind: _against_plain(found, kind) for kind in KINDS if kind != "plain" and _has(found, kind)},
    )


def _has(found: Iterable[tuple[CheckpointRecord, Breakdown]], kind: str) -> bool:
    return any(p.kind == kind for p, _ in found)


def _network(depth: int, kind: str, results: Results) -> NetworkAudit:
    own = [(p, b) for p, b in results if (p.depth, p.kind) == (depth, kind)]
    found = [(p, b) for p, b in own if b is not None]
    return NetworkAudit(depth, kind, len(found), len(own), _slices(found) if found else None)


def _slices(found: Sequence[tuple[CheckpointRecord, Breakdown]]) -> SlicesSummary:
    slices = [b for _, b in found]
    ratios = np.concatenate([b.ratio[np.isfinite(b.ratio)] for b in slices])
    runs = defaultdict(list)
    for p, b in found:
        runs[p.optimiser, p.seed].append(b.effective_depth.shape)
    errors = {law: float(np.median([b.fits[law].error for b in slices])) for law in laws.LAWS}
    one, two = (min((n for n in errors if laws.LAWS[n].parameters <= k), key=lambda n: errors[n]) for k in (1, 2))
    depths = list(runs.values())
    within = [float(np.median([b.interval[i] for b in slices])) for i in (0, 1)]
    return SlicesSummary(
        points=len(ratios),
        exceeded=int((ratios > 1).sum()),
        factor=[float(np.median(ratios)), float(ratios.max())],
        effective_depth=[
            float(np.median(np.concatenate(depths))),
            *(_bootstrap(depths) if len(runs) > 1 else within),
        ],
        within=within,
        flat=sum(b.effective_depth.shape < 1 for b in slices),
        constant=float(np.median([b.constant for b in slices])),
        one=(one, errors[one]),
        two=(two, errors[two]),
    )


def _bootstrap(runs: Sequence[Sequence[float]]) -> list[float]:
    chosen = np.random.default_rng(0).integers(len(runs), size=(BOOTSTRAP_SAMPLES, len(runs)))
    medians = [np.median(np.concatenate([runs[i] for i in row])) for row in chosen]
    return [float(q) for q in np.quantile(medians, (0.025, 0.975))]


def _optimisers(results: Results) -> list[OptimiserAudit]:
    groups = defaultdict(list)
    for p, b in results:
        groups[p.kind, p.optimiser, p.depth].append((p, b))
    last = max(p.step for p, _ in results)
    rows = []
    for (kind, optimiser, depth), own in sorted(groups.items(), key=lambda g: (list(KINDS).index(g[0][0]), *g[0][1:])):
        depths = [b.effective_depth.shape for _, b in own if b is not None]
        ends = [p.accuracy for p, _ in own if p.step == last and np.isfinite(p.accuracy)]
        rows.append(
            OptimiserAudit(
                kind,
                optimiser,
                depth,
                slices=len(depths),
                of=len(own),
                effective_depth=float(np.median(depths)) if depths else np.nan,
                accuracy=float(np.median(ends)) if ends else np.nan,
            )
        )
    return rows


def _laws(found: Sequence[Breakdown]) -> dict[str, LawAudit]:
    closest: Counter[str] = Counter()
    for b in found:
        for k in (0, 1, 2):
            rivals = [n for n in laws.LAWS if laws.LAWS[n].parameters == k]
            closest[min(rivals, key=lambda n: b.fits[n].error)] += 1
    return {
        n: LawAudit(
            error=float(np.median([b.fits[n].error for b in found])),
            r2=float(np.median([b.fits[n].r2 for b in found])),
            shape=float(np.median([b.fits[n].shape for b in found])),
            closest=closest[n],
            slices=len(found),
        )
        for n in laws.LAWS
    }


def _against_plain(found: Sequence[tuple[CheckpointRecord, Breakdown]], kind: str) -> AgainstPlain:
    every = {(p.depth, p.optimiser, p.seed, p.step, p.kind): b for p, b in found}
    matched = [key for key in every if key[-1] == kind and (*key[:-1], "plain") in every]
    pairs = [(every[key], every[*key[:-1], "plain"]) for key in matched]
    depths = np.array([[b.effective_depth.shape for b in pair] for pair in pairs]).reshape(-1, 2)
    constants = np.array([[b.constant for b in pair] for pair in pairs]).reshape(-1, 2)
    layers = np.array([key[0] for key in matched])
    shallower = np.diff(np.maximum(depths, 1))[:, 0] > 0
    return AgainstPlain(
        pairs=len(pairs),
        shallower=int(shallower.sum()),
        by_depth={int(L): [int((layers == L).sum()), int(shallower[layers == L].sum())] for L in np.unique(layers)},
        less=int((constants[:, 0] < constants[:, 1]).sum()),
        effective_depth=np.median(depths, axis=0).tolist() if pairs else [],
        constant=np.median(constants, axis=0).tolist() if pairs else [],
        constant_ratio=float(np.median(constants[:, 0] / constants[:, 1])) if pairs else np.nan,
    )
