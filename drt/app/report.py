"""The main job's report: a table for the terminal, one sentence for each verdict, a self-contained page, a JSON file.

`result` is what `drt.verify` produces (schema 1). A claim's `instances` counts all that were tried, inapplicable ones
included; its `max_log_ratio` is a natural logarithm.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import jinja2
from markupsafe import Markup, escape
from rich.table import Table
from rich.text import Text

from drt.app.plots import comparison_figure, looseness_figure, svg
from drt.app.wording import Record, largest_ratio, main_reason, number, orders, sentence
from drt.errors import InputError
from drt.numeric.files import write_atomically
from proofs_checks.slack import figure as waterfall

STYLES = {"proved": "green", "holds": "cyan", "refuted": "red", "unconfirmed": "yellow", "untested": "dim"}


def table(result: Record, console_width: int = 100) -> Table:
    """The verdicts, one row a claim, no wider than `console_width` (100 holds it without a broken word)."""
    grid = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold", width=console_width)
    grid.add_column("claim", overflow="fold", min_width=16)
    grid.add_column("kind")
    grid.add_column("status")
    grid.add_column("tried", justify="right", no_wrap=True)
    grid.add_column("inapplicable, mainly", overflow="fold", ratio=1)
    grid.add_column("viol.", justify="right", no_wrap=True)
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
            orders(r["median_looseness"]),
            f"{r['seconds']:.0f}",
        )
    return grid


def mathematics(text: str) -> Markup:
    """Text with its indices and exponents set as such: δ_k, (β/α)^L, κ^{2(L−l)}; everything else escaped."""
    escaped = str(escape(text))
    for mark, tag in (("_", "sub"), (r"\^", "sup")):
        escaped = re.sub(rf"{mark}(?:\{{([^{{}}]*)\}}|(\w))", rf"<{tag}>\1\2</{tag}>", escaped)
    return Markup(escaped)


def html(result: Record) -> str:
    """The whole report as one page: no script, nothing loaded from anywhere."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("drt"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(number=number, orders=orders, mathematics=mathematics)
    claims = [r for r in result["claims"] if r["kind"] != "identity"]
    rows = [row for r in claims for own in r["looseness"].values() for row in own]
    comparisons, panels = {}, {}
    for i, r in enumerate(result["claims"]):
        if r["points"]:
            figure = comparison_figure(r["points"], r["violations"] > 0)
            comparisons[r["id"]] = svg(figure, f"c{i}", f"{r['id']}: actual change against bound")
    for i, r in enumerate(claims):
        if any(r["looseness"].values()):
            panels[r["id"]] = svg(
                looseness_figure(r["looseness"], rows), f"l{i}", f"{r['id']}: looseness against depth"
            )
    waterfalls = [
        (
            f"{s['network']}, {s['perturbation']}",
            svg(waterfall(s["bounds"]), f"w{i}-{j}", "log10(bound/actual) by part of the proof"),
        )
        for i, network in enumerate(result["networks"])
        for j, s in enumerate(network.get("slack", []))
    ]
    return environment.get_template("report.html").render(
        result=result,
        sentence=sentence,
        largest_ratio=largest_ratio,
        main_reason=main_reason,
        comparisons=comparisons,
        panels=panels,
        waterfalls=waterfalls,
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
