"""The verdicts in docs/verdicts.md and in README.md, generated: `python -m drt.app.verdicts results/report.json`.

docs/verdicts.md gets a row a claim; README.md gets, for a few claims, the very lines that `drt verify` prints.
"""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from drt.app.records import ClaimRecord
from drt.app.report import verdict_table
from drt.errors import Exit, InputError, Parser, run_as_script
from drt.numeric.files import write_atomically
from drt.numeric.formatting import number, ratio

# The claims of README's example: each kind of verdict, and the repaired form beside what is refuted.
SHOWN = (
    "theorem1.function",
    "theorem1.function.as-stated",
    "spectral.function",
    "lemma2",
    "lemma2.unconditional",
    "deep-relative-trust",
)
WIDTH = 100  # of a terminal whose output is piped, in columns


def markdown(result: dict) -> str:
    """The table of all claims, under a line that says which run it is of."""
    lines = [
        f"drt {result['version']}, seed {result['seed']}, `drt verify{' --quick' if result['quick'] else ''}`:",
        "",
        "| claim | kind | verdict | applied to | largest actual/bound | looseness (decades) | statement |",
        "| --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    for r in result["claims"]:
        status = "refuted, certified" if r["status"] == "refuted" and r["certified"] else r["status"]
        applied = r["instances"] - r["inapplicable"]
        statement = r["statement"].replace("|", "\\|")
        lines.append(
            f"| `{r['id']}` | {r['kind']} | **{status}** | {applied:,} | {ratio(r['max_ratio'], r['max_log_ratio'])} "
            f"| {number(r['median_looseness'])} | {statement} |"
        )
    return "\n".join(lines)


def excerpt(result: dict) -> str:
    """What `drt verify` prints of the claims SHOWN, as a block of code."""
    shown = [ClaimRecord(**r) for r in result["claims"] if r["id"] in SHOWN]
    console = Console(file=StringIO(), width=WIDTH, no_color=True)
    console.print(verdict_table(shown, WIDTH))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # a StringIO
    return "\n".join(["```text", *(line.rstrip() for line in lines), "```"])


def splice(text: str, name: str, block: str) -> str:
    """The text with what stands between the markers of this name replaced.

    Raises:
        ValueError: the markers are not there, once each and in this order.
    """
    begin, end = (f"<!-- {name}: {which} -->" for which in ("begin (generated)", "end"))
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"expected one {begin!r} and one {end!r}")
    head, rest = text.split(begin)
    if end not in rest:
        raise ValueError(f"expected {end!r} after {begin!r}")
    return f"{head}{begin}\n{block}\n{end}{rest.split(end)[1]}"


def main(arguments: list[str]) -> int:
    """Renew both files from a report, or neither.

    Raises:
        InputError: a file is missing, or has no place for the verdicts.
    """
    parser = Parser("python -m drt.app.verdicts", __doc__)
    parser.add_argument("report", type=Path, help="report.json, as `drt verify` writes it")
    parser.add_argument("--root", type=Path, default=Path(), help="the folder of README.md and docs/")
    options = parser.parse_args(arguments)
    path = options.report
    try:
        result = json.loads(path.read_text())
        new = {}
        for name, block, write in (("docs/verdicts.md", "verdicts", markdown), ("README.md", "verify", excerpt)):
            path = options.root / name
            new[path] = splice(path.read_text(), block, write(result))
        for path, text in new.items():
            write_atomically(path, text.encode())
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: {error}") from None
    return Exit.HELD


if __name__ == "__main__":
    run_as_script(main)
