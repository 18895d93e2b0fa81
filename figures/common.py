"""What every figure's command shares: options, one line for bad input, files written whole or not at all."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from drt.errors import Parser, check_positive, check_seed
from drt.numeric.files import unwritable, writable_folder, write_atomically
from drt.numeric.results import all_finite


def parser(name: str, description: str | None, prog: str | None = None) -> Parser:
    """A parser with the options that every figure has; prog: the command, `drt figure NAME` if it is not said."""
    made = Parser(prog or f"drt figure {name}", description)
    made.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    made.add_argument("--jobs", type=int, default=None, help="processes; all cores by default")
    made.add_argument("--out", type=Path, default=Path("results"), help="folder for PDF, PNG and CSV (results)")
    made.add_argument("--json", action="store_true", help="print the figures' numbers as one JSON object")
    return made


def check_common(options: argparse.Namespace) -> None:
    """Check the shared options and make the folder, before the work.

    Raises:
        InputError: an option out of range, a folder that cannot be written.
    """
    check_seed(options.seed)
    check_positive("jobs", options.jobs)
    writable_folder(options.out)


def csv_file(header: Sequence[str], rows: Iterable[Sequence]) -> bytes:
    """A CSV file; numbers to seven digits, NaN empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "" if value != value else f"{value:.7g}"
    return value


def save(folder: Path, stem: str, figure: Figure, data: dict[str, bytes]) -> list[Path]:
    """Write STEM.pdf, STEM.png and the data's files; all are made before the first is written.

    Args:
        folder: where.
        stem: STEM.
        figure: what is drawn.
        data: file name → content.

    Raises:
        InputError: the folder cannot be written.
    """
    files = {}
    for kind in ("pdf", "png"):
        stream = io.BytesIO()
        with mpl.rc_context({"pdf.fonttype": 42}):  # text stays text
            figure.savefig(stream, format=kind, dpi=200, metadata={"CreationDate": None} if kind == "pdf" else None)
        files[f"{stem}.{kind}"] = stream.getvalue()
    files |= data
    try:
        for name, content in files.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise unwritable(folder, error) from None
    return [folder / name for name in files]


def report(options: argparse.Namespace, summary: dict, text: str, files: Sequence[Path]) -> None:
    """The numbers (or the text) on stdout, the files' names on stderr.

    Args:
        options: as parsed.
        summary: the numbers, by name.
        text: the same for people.
        files: those that were written.
    """
    print(json.dumps(all_finite(summary), ensure_ascii=False, allow_nan=False) if options.json else text)
    print(f"wrote {', '.join(map(str, files))}", file=sys.stderr)
