"""`drt check`: everything that is said of two saved networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from drt.app.check_descent import DescentCheck, descent_of, descent_tables
from drt.app.comparison import Comparison, certified_violations, compare_networks
from drt.app.comparison_tables import comparison_tables
from drt.app.waterfall import waterfall_table
from drt.network.network import Network
from drt.theory.outcome import Outcome
from drt.theory.registry import claims
from drt.training.inputs import inputs_for
from proofs_checks.slack import Waterfall, of_networks


@dataclass(frozen=True)
class Check:
    """What changed, and every claim's verdict.

    certified: claims whose worst violation is certified. slack: where each bound is loose. descent: the two networks as a
    step of training, None where they are none.
    """

    comparison: Comparison
    certified: list[str]
    slack: list[Waterfall]
    descent: DescentCheck | None

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return self.comparison.as_dict() | {
            "certified": self.certified,
            "slack": [waterfall.as_dict() for waterfall in self.slack],
            "descent": self.descent.as_dict() if self.descent else None,
        }

    @property
    def violated_theorems(self) -> set[str]:
        """Claims recorded as true that are violated."""
        violated = {v.claim for v in self.comparison.violations}
        violated |= {c.id for c in (self.descent.claims if self.descent else ()) if c.outcome is Outcome.VIOLATED}
        return {claim_id for claim_id in violated if claims[claim_id].known == "true"}

    def tables(self) -> Iterator[Table]:
        """For people, at most 100 columns wide."""
        yield from comparison_tables(self.comparison)
        if self.slack:
            yield waterfall_table(self.slack)
        if self.descent:
            yield from descent_tables(self.descent)


def check_pair(before: Network, after: Network, data: str | None, seed: int) -> Check:
    """Check two networks.

    Args:
        before: f.
        after: f̃, of the same architecture.
        data: the inputs, as for `inputs_for`.
        seed: of the inputs.

    Raises:
        InputError: as for `compare_networks` and `inputs_for`.
    """
    inputs = inputs_for(before, data, seed)
    comparison = compare_networks(before, after, inputs)
    return Check(
        comparison,
        certified_violations(before, after, inputs, comparison.violations),
        of_networks(before, after, inputs),
        descent_of(before, after, data, seed),
    )
