"""The main job's report: a table for the terminal, one sentence for each verdict, a self-contained page, a JSON file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup, escape
from rich.table import Table
from rich.text import Text

from drt.app.plots import comparison_figure, looseness_figure, svg
from drt.app.records import ClaimRecord, Report
from drt.app.waterfall import waterfall_figure
from drt.app.wording import largest_ratio, main_reason, sentence
from drt.numeric.files import unwritable, write_atomically
from drt.numeric.formatting import number, orders

STYLES = {"proved": "green", "holds": "cyan", "refuted": "red", "unconfirmed": "yellow", "untested": "dim"}


def verdict_table(claims: Sequence[ClaimRecord], console_width: int = 100) -> Table:
    """The verdicts, one row a claim, no wider than `console_width` (100 holds it without a broken word)."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold", width=console_width)
    table.add_column("claim", overflow="fold", min_width=16)
    table.add_column("kind")
    table.add_column("status")
    table.add_column("tried", justify="right", no_wrap=True)
    table.add_column("inapplicable, mainly", overflow="fold", ratio=1)
    table.add_column("viol.", justify="right", no_wrap=True)
    table.add_column("largest\nactual/\nbound", justify="right", no_wrap=True)
    table.add_column("median\nlog10\nloose", justify="right", no_wrap=True)
    table.add_column("s", justify="right", no_wrap=True)
    for r in claims:
        table.add_row(
            Text(r.id),
            r.kind,
            Text(r.status, STYLES[r.status]),
            f"{r.instances:,}",
            Text(f"{r.inapplicable:,} {main_reason(r.inapplicable_why)}" if r.inapplicable else ""),
            f"{r.violations:,}" if r.violations else "",
            largest_ratio(r),
            orders(r.median_looseness),
            f"{r.seconds:.0f}",
        )
    return table


def mathematics(text: str) -> Markup:
    """Text with its indices and exponents set as such: δ_k, (β/α)^L, κ^{2(L−l)}; everything else escaped."""
    escaped = str(escape(text))
    for mark, tag in (("_", "sub"), (r"\^", "sup")):
        escaped = re.sub(rf"{mark}(?:\{{([^{{}}]*)\}}|(\w))", rf"<{tag}>\1\2</{tag}>", escaped)
    return Markup(escaped)


def html(report: Report) -> str:
    """The whole report as one page: no script, nothing loaded from anywhere."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("drt.app"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(number=number, orders=orders, mathematics=mathematics)
    bounds = [r for r in report.claims if r.kind != "identity"]
    rows = [row for r in bounds for own in r.looseness.values() for row in own]
    comparisons = {
        r.id: svg(comparison_figure(r.points, r.violations > 0), f"c{i}", f"{r.id}: actual change against bound")
        for i, r in enumerate(report.claims)
        if r.points
    }
    panels = {
        r.id: svg(looseness_figure(r.looseness, rows), f"l{i}", f"{r.id}: looseness against depth")
        for i, r in enumerate(bounds)
        if any(r.looseness.values())
    }
    waterfalls = [
        (
            f"{s.network}, {s.perturbation}",
            svg(waterfall_figure(s.bounds), f"w{i}-{j}", "log10(bound/actual) by part of the proof"),
        )
        for i, network in enumerate(report.networks)
        for j, s in enumerate(network.slack)
    ]
    return environment.get_template("report.html").render(
        result=report,
        sentence=sentence,
        largest_ratio=largest_ratio,
        main_reason=main_reason,
        comparisons=comparisons,
        panels=panels,
        waterfalls=waterfalls,
    )


def write(report: Report, folder: str | Path) -> None:
    """Write report.json and report.html into the folder, each whole or not at all; the folder is made if there is none.

    Raises:
        InputError: the folder cannot be made, or not be written to.
    """
    folder = Path(folder)
    text = json.dumps(report.as_dict(), ensure_ascii=False, allow_nan=False) + "\n"
    files = {"report.json": text, "report.html": html(report)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, content.encode())
    except OSError as error:
        raise unwritable(folder, error) from None
