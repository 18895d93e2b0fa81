"""The table of verdicts in README.md, generated from a report: `python -m figures.verdicts results/report.json`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from drt.app.wording import largest_ratio, number

BEGIN, END = "<!-- verdicts: begin (generated) -->", "<!-- verdicts: end -->"


def markdown(result: dict) -> str:
    """A row a claim: status, instances it applied to, largest actual/bound, median looseness in decades, statement."""
    lines = [
        "| claim | kind | verdict | applied to | largest actual/bound | looseness (decades) | statement |",
        "| --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    for r in result["claims"]:
        status = "refuted, certified" if r["status"] == "refuted" and r["certified"] else r["status"]
        applied = r["instances"] - r["inapplicable"]
        statement = r["statement"].replace("|", "\\|")
        lines.append(
            f"| `{r['id']}` | {r['kind']} | **{status}** | {applied:,} | {largest_ratio(r)} "
            f"| {number(r['median_looseness'])} | {statement} |"
        )
    return "\n".join(lines)


def splice(readme: str, table: str) -> str:
    """README's text with the table between its markers replaced."""
    head, rest = readme.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


def main() -> None:
    """Replace the table in README.md by that of a report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="report.json, as `drt verify` writes it")
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    arguments = parser.parse_args()
    try:
        table = markdown(json.loads(arguments.report.read_text()))
        text = splice(arguments.readme.read_text(), table)
    except (OSError, ValueError, KeyError) as error:
        print(f"verdicts: {arguments.report}: {error}", file=sys.stderr)
        sys.exit(2)
    arguments.readme.write_text(text)


if __name__ == "__main__":
    main()
