"""Verdicts on many inputs, gathered piece by piece into JSON-ready records."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from drt.theory.hypotheses import hypotheses
from drt.theory.outcome import Outcome
from drt.theory.registry import Claim
from drt.theory.verdict import Verdicts

LOG10 = math.log(10)


class Tally:
    """A claim's verdicts at one layer, gathered over pieces of the inputs."""

    def __init__(self) -> None:
        self.pieces: list[tuple[Tensor, Tensor, Tensor]] = []
        self.failed: dict[str, dict] = {}

    def add(self, verdicts: Verdicts, start: int) -> None:
        """Take in the verdicts on inputs start, start + 1, …"""
        self.pieces.append((verdicts.codes, verdicts.log_lhs, verdicts.log_rhs))
        for name, where in verdicts.failed.items():
            bad = torch.nonzero(where).flatten()
            if len(bad):
                first = int(bad[0])
                why = hypotheses[name].why(verdicts.measurement, (first,))
                record = self.failed.setdefault(
                    name, {"hypothesis": name, "why": why, "input": start + first, "inputs": 0}
                )
                record["inputs"] += len(bad)

    def _columns(self) -> tuple[Tensor, Tensor, Tensor]:
        codes, lhs, rhs = (torch.cat(column) for column in zip(*self.pieces, strict=True))
        return codes, lhs, rhs

    def record(self, layer: int | None) -> dict:
        """Counts by outcome, both sides at the median and at the worst input, hypotheses that fail."""
        codes, lhs, rhs = self._columns()
        gap = torch.where(lhs == rhs, 0.0, rhs - lhs)
        applicable = torch.nonzero((codes != Outcome.INAPPLICABLE.code) & ~torch.isnan(gap)).flatten()
        counts = {outcome.value: int((codes == outcome.code).sum()) for outcome in Outcome}
        median = worst = None
        if len(applicable):
            lhs, rhs, gap = lhs[applicable], rhs[applicable], gap[applicable]
            i = int(gap.argmin())
            median = _sides(lhs.median(), rhs.median(), gap.median())
            worst = {"input": int(applicable[i]), **_sides(lhs[i], rhs[i], gap[i])}
        return {"layer": layer, **counts, "median": median, "worst": worst, "failed": list(self.failed.values())}

    def violations(self, claim_id: str, layer: int | None) -> Iterator[dict]:
        """Every violation: claim, input, layer, log10(actual/bound), which is None where the bound is 0."""
        codes, lhs, rhs = self._columns()
        for i in torch.nonzero(codes == Outcome.VIOLATED.code).flatten().tolist():
            yield {"claim": claim_id, "input": i, "layer": layer, "log10_ratio": finite((lhs[i] - rhs[i]) / LOG10)}


def _sides(lhs: Tensor, rhs: Tensor, gap: Tensor) -> dict:
    return {"actual": exponential(float(lhs)), "bound": exponential(float(rhs)), "looseness": finite(gap / LOG10)}


def claim_record(claim: Claim, tallies: dict[int | None, Tally]) -> dict:
    """A claim's entry in the result of `check_networks`, from its tallies by layer."""
    layers = [tally.record(layer) for layer, tally in tallies.items()]
    outcome = next(o for o in ("violated", "undecided", "holds", "inapplicable") if any(r[o] for r in layers))
    # Where it is worst: among the layers with this outcome, the least loose.
    worst = min((r for r in layers if r[outcome]), key=lambda r: _slack(r["worst"]))
    return {
        "id": claim.id, "kind": claim.kind, "known": claim.known, "quantity": claim.quantity, "statement": claim.statement,
        "outcome": outcome, "worst_layer": worst["layer"], "layers": layers,
    }  # fmt: skip


def _slack(worst: dict | None) -> float:
    return math.inf if worst is None or worst["looseness"] is None else worst["looseness"]


def exponential(log: float) -> float | None:
    """e^log, None where it overflows."""
    return math.exp(log) if log < 709 else None


def finite(x: Tensor) -> float | None:
    """The number, None where it is infinite or none."""
    return float(x) if math.isfinite(x) else None
