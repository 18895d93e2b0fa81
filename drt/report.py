"""The main job's report: a table for the terminal, one sentence for each verdict, a self-contained page, a JSON file.

`result` is what `drt.verify` produces (schema 1). A claim's `instances` counts all that were tried, inapplicable ones
included; its `max_log_ratio` is a natural logarithm.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from rich.table import Table
from rich.text import Text

from drt.errors import InputError
from drt.plots import comparison_figure, looseness_figure, looseness_limits, power_of_ten, svg
from drt.storage import write_atomically

STYLES = {"proved": "green", "holds": "cyan", "refuted": "red", "unconfirmed": "yellow"}
Record = Mapping[str, Any]


def number(x: float | None) -> str:
    """Three digits, or how far from 1 where three digits would say 1: 0.982, 5e+02 as 500, 1.2e-9, 1-3e-10; "" for None."""
    if x is None:
        return ""
    if x != 1 and abs(x - 1) < 5e-4:
        return f"1{_short(x - 1, 1, '+')}"
    return _short(x, 3)


def _short(x: float, digits: int, sign: str = "") -> str:
    if 1e3 <= abs(x) < 1e6:
        return f"{x:{sign},.0f}"
    mantissa, e, exponent = f"{x:{sign}.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def factor(log10: float) -> str:
    """10^log10 in words that suit its size: 1.7, 350, 10⁹."""
    return power_of_ten(log10) if log10 >= 5 else _short(10**log10, 2)


def largest_ratio(record: Record) -> str:
    """The largest actual/bound, from its logarithm where the ratio itself is out of range."""
    ratio, log_ratio = record["max_ratio"], record["max_log_ratio"]
    if log_ratio is not None and (ratio is None or not 1e-300 < ratio < 1e300):
        return f"1e{round(log_ratio / math.log(10))}"
    return number(ratio)


def main_reason(why: Mapping[str, int]) -> str:
    """The hypothesis that failed most often; reasons start with its name."""
    names: Counter[str] = Counter()
    for reason, count in why.items():
        names[reason.partition(":")[0]] += count
    return names.most_common(1)[0][0] if names else ""


def table(result: Record, console_width: int = 100) -> Table:
    """The verdicts, one row a claim, no wider than `console_width` (100 holds it without a broken word)."""
    grid = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold", width=console_width)
    grid.add_column("claim", overflow="fold", min_width=16)
    grid.add_column("kind")
    grid.add_column("status")
    grid.add_column("tried", justify="right", no_wrap=True)
    grid.add_column("inapplicable, mainly", overflow="fold", ratio=1)
    grid.add_column("viola-\ntions", justify="right", no_wrap=True)
    grid.add_column("largest\nactual/\nbound", justify="right", no_wrap=True)
    grid.add_column("median\nlog10\nloose", justify="right", no_wrap=True)
    grid.add_column("s", justify="right", no_wrap=True)
    for r in result["claims"]:
        inapplicable = f"{r['inapplicable']:,} {main_reason(r['inapplicable_why'])}" if r["inapplicable"] else ""
        grid.add_row(
            Text(r["id"]),
            r["kind"],
            Text(r["status"], STYLES[r["status"]]),
            f"{r['instances']:,}",
            Text(inapplicable),
            f"{r['violations']:,}" if r["violations"] else "",
            largest_ratio(r),
            "" if r["median_looseness"] is None else f"{r['median_looseness']:.1f}",
            f"{r['seconds']:.1f}",
        )
    return grid


def sentence(record: Record) -> str:
    """One plain line: the verdict, what was tried, how close it came, how loose the bound is."""
    applicable = record["instances"] - record["inapplicable"]
    opening = {
        "proved": "Proved.",
        "holds": "Holds so far: attacked, not proved.",
        "refuted": "Refuted.",
        "unconfirmed": "Unconfirmed.",
    }[record["status"]]
    if not applicable:
        why = main_reason(record["inapplicable_why"])
        tried = f"none of {record['instances']:,} instances met its hypotheses ({why})" if why else "nothing was tried"
        return f"{opening} No evidence from this run: {tried}."
    where = " and ".join(name for name, o in record["origins"].items() if o["instances"] > o["inapplicable"])
    where = where.replace(" and ", ", ", max(0, where.count(" and ") - 1))
    parts = [opening, _outcome(record, applicable, where), *_looseness(record)]
    if record["undecided"]:
        parts.append(f"{record['undecided']:,} were too close to call in floating point, or out of its range.")
    return " ".join(parts)


def _outcome(record: Record, applicable: int, where: str) -> str:
    tried, ratio = f"{applicable:,} instances it applies to ({where})", largest_ratio(record)
    if record["violations"]:
        counted = f"{record['violations']:,} of {tried} violate it; the worst exceeds the bound {ratio}-fold"
        if record["certified"]:
            some = f"{record['certified']:,} of them {_are(record['certified'])}"
            return f"{counted}, and {some} certified in exact or ball arithmetic."
        return f"{counted}, but only in floating point: not certified."
    if record["kind"] == "identity":
        return (
            f"On all {tried} both sides agree within the derived rounding bound; they differ by at most {ratio} of it."
        )
    closest = f"the closest reaches {ratio} of the bound" if ratio else "none could be compared"
    return f"None of {tried} violates it; {closest}."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _looseness(record: Record) -> list[str]:
    loose = record["median_looseness"]
    if loose is None or record["kind"] == "identity":
        return []
    if loose < 0:
        return [f"On random and trained networks the actual change is typically {factor(-loose)} times the bound."]
    return [f"On random and trained networks the bound is typically {factor(loose)} times the actual change."]


def html(result: Record) -> str:
    """The whole report as one page: no script, nothing loaded from anywhere."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("drt"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["number"] = number
    claims = [r for r in result["claims"] if r["kind"] != "identity"]
    limits = looseness_limits(row for r in claims for rows in r["looseness"].values() for row in rows)
    comparisons, panels = {}, {}
    for i, r in enumerate(result["claims"]):
        if r["points"]:
            figure = comparison_figure(r["points"], r["violations"] > 0)
            comparisons[r["id"]] = svg(figure, f"c{i}", f"{r['id']}: actual change against bound")
    for i, r in enumerate(claims):
        if any(r["looseness"].values()):
            panels[r["id"]] = svg(
                looseness_figure(r["looseness"], limits), f"l{i}", f"{r['id']}: looseness against depth"
            )
    return environment.get_template("report.html").render(
        result=result,
        sentence=sentence,
        largest_ratio=largest_ratio,
        main_reason=main_reason,
        comparisons=comparisons,
        panels=panels,
    )


def write(result: Record, folder: str | Path) -> None:
    """Write report.json and report.html into the folder, each whole or not at all; the folder is made if there is none.

    Raises:
        InputError: the folder cannot be made, or not be written to.
    """
    folder = Path(folder)
    files = {"report.json": json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n", "report.html": html(result)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_atomically(folder / name, text.encode())
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"out={str(folder)!r} cannot be written: {reason}; expected a folder to write in") from None
