"""What `drt check` prints of two networks: their layers, the claims that apply, the hypotheses of the others that fail."""

from __future__ import annotations

from collections import defaultdict

from rich.table import Table
from rich.text import Text

from drt.app.comparison import Comparison
from drt.app.tally import Failure
from drt.numeric.formatting import number, orders
from drt.theory.outcome import Outcome

STYLES = {Outcome.HOLDS: "green", Outcome.VIOLATED: "red", Outcome.INAPPLICABLE: "", Outcome.UNDECIDED: "yellow"}


def comparison_tables(comparison: Comparison) -> list[Table]:
    """At most 100 columns wide."""
    return [_layers(comparison), _claims(comparison), _failures(comparison)]


def empty_table(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    """An empty table 100 columns wide: `left` columns fold, `right` ones hold numbers."""
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0), pad_edge=False, width=100
    )
    for name in left:
        table.add_column(name, overflow="fold", min_width=27 if name == "claim" else None)  # the longest id
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _layers(comparison: Comparison) -> Table:
    names = ("shape", "δ", "ρ", "κ(W)", "κ(ΔW)", "rank W", "rank ΔW", "stable\nrank W", "stable\nrank ΔW")
    table = empty_table("Layers", ("layer",), names)
    for layer in comparison.layers:
        rows, columns = layer.shape
        moved, full = layer.stable_rank_dw is not None, min(rows, columns)
        table.add_row(
            str(layer.layer), f"{rows}×{columns}", number(layer.delta), number(layer.rho),
            number(layer.kappa_w) or "∞", (number(layer.kappa_dw) or "∞") if moved else "",
            f"{layer.rank_w}/{full}", f"{layer.rank_dw}/{full}",
            number(layer.stable_rank_w), number(layer.stable_rank_dw),
        )  # fmt: skip
    return table


def _claims(comparison: Comparison) -> Table:
    """Each claim at the layer where it is worst; beside a verdict that not all inputs share, how many do."""
    names = ("l", "median\nactual", "median\nbound", "worst\nactual", "worst\nbound", "log10 loose:\nmedian (worst)")
    table = empty_table(f"Claims, over {comparison.inputs:,} inputs", ("claim", "verdict"), names)
    for claim in comparison.claims:
        at = claim.worst
        if at.median is None or at.worst is None:
            continue
        sides = (at.median.actual, at.median.bound, at.worst.actual, at.worst.bound)
        loose = at.worst.looseness is not None
        table.add_row(
            claim.id,
            Text(claim.outcome + _some(at.count(claim.outcome), comparison.inputs), STYLES[claim.outcome]),
            "" if claim.worst_layer is None else str(claim.worst_layer),
            *(number(side) or "> 1e308" for side in sides),
            f"{orders(at.median.looseness)} ({orders(at.worst.looseness)})" if loose else "",
        )
    return table


def _some(count: int, inputs: int) -> str:
    return "" if count == inputs else f" ({count:,})"


def _failures(comparison: Comparison) -> Table:
    """Hypotheses that fail, each with the claims that need it: where (l of a Jacobian), and by how much."""
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for claim in comparison.claims:
        failures: dict[str, list[tuple[int | None, Failure]]] = defaultdict(list)
        for layer in claim.layers:
            for failure in layer.failed:
                failures[failure.hypothesis].append((layer.layer, failure))
        for name, found in failures.items():
            at, first = found[0]
            some = f" ({first.inputs:,} of {comparison.inputs:,} inputs)" if first.inputs < comparison.inputs else ""
            where = "f" if at is None else f"J_{at}" if len(found) == 1 else f"J_{at} … J_{found[-1][0]}"
            groups[name, where, first.why + some].append(claim.id)
    table = empty_table("Hypotheses that fail", ("hypothesis", "of", "how", "claims that need it"), ())
    for (name, where, why), ids in groups.items():
        table.add_row(name, where, Text(why), ", ".join(ids))
    return table
