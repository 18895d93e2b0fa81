"""What every figure's command shares: options, one line for bad input, files written whole or not at all."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drt.errors import InputError
from drt.numeric.files import write_atomically

INK, GRID = "#3b4252", "#e3e6ec"


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are bad input: one line."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError."""
        raise InputError(message)


def parser(name: str, description: str | None) -> Parser:
    """A parser with the options that every figure has."""
    made = Parser(
        prog=f"drt figure {name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    if options.seed < 0:
        raise InputError(f"--seed {options.seed} must be >= 0")
    if options.jobs is not None and options.jobs < 1:
        raise InputError(f"--jobs {options.jobs} must be >= 1")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {str(options.out)!r} must be a folder that can be written: {error.strerror}") from None
    if not os.access(options.out, os.W_OK):
        raise InputError(f"--out {str(options.out)!r} must be a folder that can be written")


def table(header: Sequence[str], rows: Iterable[Sequence]) -> bytes:
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


def save(folder: Path, stem: str, figure: Figure, tables: dict[str, bytes]) -> list[Path]:
    """Write STEM.pdf, STEM.png and the tables (file name → content); all are made before the first is written."""
    files = {}
    for kind in ("pdf", "png"):
        stream = io.BytesIO()
        with mpl.rc_context({"pdf.fonttype": 42}):  # text stays text
            figure.savefig(stream, format=kind, dpi=200, metadata={"CreationDate": None} if kind == "pdf" else None)
        files[f"{stem}.{kind}"] = stream.getvalue()
    files |= tables
    try:
        for name, content in files.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise InputError(f"--out {str(folder)!r} must be a folder that can be written: {error.strerror}") from None
    return [folder / name for name in files]


def plain(ax: Axes) -> None:
    """A light grid, no frame."""
    ax.grid(color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(which="both", length=0, labelsize=8.5, colors=INK, pad=3)
    for side in ax.spines.values():
        side.set_visible(False)


def finite(value: object) -> object:
    """The same for JSON: numbers that it cannot hold are None."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def report(options: argparse.Namespace, summary: dict, text: str, files: Sequence[Path]) -> None:
    """The numbers (or the text) on stdout, the files' names on stderr."""
    print(json.dumps(finite(summary), ensure_ascii=False, allow_nan=False) if options.json else text)
    print(f"wrote {', '.join(map(str, files))}", file=sys.stderr)


def run_as_script(main: Callable[[list[str]], int]) -> NoReturn:
    """Run a figure's `main` as `python -m figures.NAME`: bad input is one line and exit code 2."""
    try:
        code = main(sys.argv[1:])
    except InputError as error:
        print("drt: " + " ".join(str(error).split()), file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print("drt: interrupted", file=sys.stderr)
        code = 130
    sys.exit(code)
