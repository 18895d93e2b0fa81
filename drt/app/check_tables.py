"""What `drt check` prints: the result of `check_networks` as tables."""

from __future__ import annotations

from collections import defaultdict

from rich.table import Table
from rich.text import Text

from drt.app.wording import number, orders

STYLES = {"holds": "green", "violated": "red", "inapplicable": "", "undecided": "yellow"}


def tables(result: dict) -> list[Table]:
    """For people: the layers, the claims that apply, and which hypotheses of the others fail; at most 100 columns wide."""
    return [_layer_table(result), _claim_table(result), _failure_table(result)]


def table_of(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    """An empty table 100 columns wide: `left` columns fold, `right` ones hold numbers."""
    grid = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0), pad_edge=False, width=100
    )
    for name in left:
        grid.add_column(name, overflow="fold", min_width=27 if name == "claim" else None)  # the longest id
    for name in right:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid


def _layer_table(result: dict) -> Table:
    names = ("shape", "δ", "ρ", "κ(W)", "κ(ΔW)", "rank W", "rank ΔW", "stable\nrank W", "stable\nrank ΔW")
    grid = table_of("Layers", ("layer",), names)
    for r in result["layers"]:
        rows, columns = r["shape"]
        full, moved = min(rows, columns), r["stable_rank_dw"] is not None
        grid.add_row(
            str(r["layer"]), f"{rows}×{columns}", number(r["delta"]), number(r["rho"]),
            number(r["kappa_w"]) or "∞", (number(r["kappa_dw"]) or "∞") if moved else "",
            f"{r['rank_w']}/{full}", f"{r['rank_dw']}/{full}", number(r["stable_rank_w"]), number(r["stable_rank_dw"]),
        )  # fmt: skip
    return grid


def _claim_table(result: dict) -> Table:
    """Each claim at the layer where it is worst; beside a verdict that not all inputs share, how many do."""
    names = ("l", "median\nactual", "median\nbound", "worst\nactual", "worst\nbound", "log10 loose:\nmedian (worst)")
    grid = table_of(f"Claims, over {result['inputs']:,} inputs", ("claim", "verdict"), names)
    for r in result["claims"]:
        at = next(layer for layer in r["layers"] if layer["layer"] == r["worst_layer"])
        if at["median"] is not None:
            middle, worst = at["median"], at["worst"]
            sides = [number(side[key]) or "> 1e308" for side in (middle, worst) for key in ("actual", "bound")]
            loose = (
                f"{orders(middle['looseness'])} ({orders(worst['looseness'])})"
                if worst["looseness"] is not None
                else ""
            )
            where = "" if r["worst_layer"] is None else str(r["worst_layer"])
            some = "" if at[r["outcome"]] == result["inputs"] else f" ({at[r['outcome']]:,})"
            grid.add_row(r["id"], Text(r["outcome"] + some, STYLES[r["outcome"]]), where, *sides, loose)
    return grid


def _failure_table(result: dict) -> Table:
    """Hypotheses that fail, each with the claims that need it: where (l of a Jacobian), and by how much."""
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for r in result["claims"]:
        failures: dict[str, list[tuple[int | None, dict]]] = defaultdict(list)
        for layer in r["layers"]:
            for failure in layer["failed"]:
                failures[failure["hypothesis"]].append((layer["layer"], failure))
        for name, found in failures.items():
            layer, first = found[0]
            count = first["inputs"]
            some = f" ({count:,} of {result['inputs']:,} inputs)" if count < result["inputs"] else ""
            where = "f" if layer is None else f"J_{layer}" if len(found) == 1 else f"J_{layer} … J_{found[-1][0]}"
            groups[name, where, first["why"] + some].append(r["id"])
    grid = table_of("Hypotheses that fail", ("hypothesis", "of", "how", "claims that need it"), ())
    for (name, where, why), ids in groups.items():
        grid.add_row(name, where, Text(why), ", ".join(ids))
    return grid
