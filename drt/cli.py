"""The command line. Each command imports what it needs when it runs: `drt --help` starts without torch.

Results go to stdout, talk to stderr. What exit codes mean, `drt.errors.Exit` says; bad input is one line on stderr.
"""

from __future__ import annotations

import json as json_module
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import Abort, TyperException

from drt.errors import Exit, InputError, check_positive, check_seed, complain

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    help="Perturbation bounds of neural networks: checked, attacked, certified.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _made(out: Path | None) -> Path | None:
    if out is None:
        return None
    from drt.numeric.files import writable_folder

    return writable_folder(out)


def _positive(name: str) -> Callable[[float | None], float | None]:
    def checked(value: float | None) -> float | None:
        check_positive(name, value)
        return value

    return checked


def _seed(value: int) -> int:
    check_seed(value)
    return value


def _budget(spent: str) -> typer.models.OptionInfo:
    return typer.Option(help=f"Units of work{spent}, each about a second of one core.", callback=_positive("budget"))


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Seed = Annotated[int, typer.Option(help="Of everything random: the same seed gives the same result.", callback=_seed)]
Jobs = Annotated[int | None, typer.Option(help="Processes; all cores by default.", callback=_positive("jobs"))]
Out = Annotated[Path | None, typer.Option(help="Folder for the files written.", callback=_made)]
Timeout = Annotated[
    float | None,
    typer.Option(help="A hard stop, in seconds; what it cuts depends on the machine.", callback=_positive("timeout")),
]
ClaimOrBound = Annotated[str, typer.Argument(help="A claim's id, or path.py:function for your own @drt.bound.")]
STEPS = "proofs_checks.registry"  # the module that finds CLAIM#K, step K of a claim's proof


def main() -> None:
    """Entry point: run a command, turn bad input into one line and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except InputError as error:
        code = complain(str(error))
    except TyperException as error:  # unknown options, values that are not numbers
        code = complain(error.format_message() if hasattr(error, "format_message") else str(error))
    except (KeyboardInterrupt, Abort):
        print("drt: interrupted", file=sys.stderr)
        code = Exit.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone: nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.HELD
    sys.exit(code if isinstance(code, int) else Exit.HELD)


def _console() -> Console:
    from rich.console import Console

    # Piped output keeps the width that the tables are made for.
    return Console(width=None if sys.stdout.isatty() else 100)


def _as_json(result: dict) -> str:
    return json_module.dumps(result, ensure_ascii=False, allow_nan=False)


def _print_json(result: dict) -> None:
    print(_as_json(result))


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal, nothing elsewhere: a function of (done, total, what)."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total, text: bar.update(task, completed=done, total=total, description=f"{what}: {text}")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        from drt import __version__

        print(__version__)
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def verify(
    budget: Annotated[float, _budget(" for the attacks on all claims together")] = 120.0,
    timeout: Timeout = None,
    quick: Annotated[bool, typer.Option(help="Less of everything: under 30 s.")] = False,
    jobs: Jobs = None,
    seed: Seed = 0,
    out: Out = Path("results"),
    json: Json = False,
) -> int:
    """Judge every claim, on random, worst-case and trained networks.

    Each is attacked, too. The main job: it writes report.html and report.json.
    """
    from drt.app import report
    from drt.app.verify import verify as run

    with _progress("verifying") as progress:
        result = run(seed, budget, jobs, quick, out, progress, timeout)
    if out is not None:
        report.write(result, out)
    if json:
        _print_json(result.as_dict())
    else:
        _console().print(report.verdict_table(result.claims))
        if any(record.status == "proved" for record in result.claims):
            print(f"proved: {result.proofs}", file=sys.stderr)
    if out is not None:
        print(f"wrote {out / 'report.html'} and {out / 'report.json'}", file=sys.stderr)
    if result.interrupted or result.cut:
        why = "interrupted" if result.interrupted else "cut short by the timeout"
        print(f"drt: {why}; the report holds what was done", file=sys.stderr)
    statuses = {record.status for record in result.claims if record.known == "true"}
    return Exit.VIOLATED if "refuted" in statuses else Exit.UNCONFIRMED if "unconfirmed" in statuses else Exit.HELD


@app.command()
def check(
    before: Annotated[Path, typer.Argument(help="Saved network: safetensors, or a torch state dict.")],
    after: Annotated[Path, typer.Argument(help="The same network after its weights changed.")],
    activation: Annotated[str | None, typer.Option(help="φ of all layers, or one for each, ';' between.")] = None,
    data: Annotated[str | None, typer.Option(help="mnist5k, or a .npy file of inputs, one a row.")] = None,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
) -> int:
    """Compare two saved networks, and hold every claim to them."""
    from drt.app.check import check_pair
    from drt.network.storage import load_network
    from drt.numeric.files import write_atomically

    result = check_pair(load_network(before, activation), load_network(after, activation), data, seed)
    if out is not None:
        write_atomically(out / "check.json", _as_json(result.as_dict()).encode())
    if json:
        _print_json(result.as_dict())
    else:
        console = _console()
        for table in result.tables():
            console.print(table)
    violated = result.violated_theorems
    return Exit.HELD if not violated else Exit.VIOLATED if violated & set(result.certified) else Exit.UNCONFIRMED


@app.command()
def falsify(
    claim: ClaimOrBound,
    depth: Annotated[str | None, typer.Option(help="Range of L, e.g. 1:8.")] = None,
    width: Annotated[str | None, typer.Option(help="Range of the widths, e.g. 1:16.")] = None,
    alpha: Annotated[str | None, typer.Option(help="Range of α.")] = None,
    beta: Annotated[str | None, typer.Option(help="Range of β.")] = None,
    kappa: Annotated[str | None, typer.Option(help="Range of κ(W_l).")] = None,
    delta: Annotated[str | None, typer.Option(help="Range of δ_l.")] = None,
    widths: Annotated[str | None, typer.Option(help="Fixed widths n_0,…,n_L, e.g. 2,1 or 2-1.")] = None,
    hypotheses: Annotated[str | None, typer.Option(help="Hypotheses to add or drop: -widths,+lipschitz.")] = None,
    budget: Annotated[float, _budget("")] = 60.0,
    timeout: Timeout = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    out: Out = Path("results"),
    json: Json = False,
) -> int:
    """Attack one claim; shrink and certify the counterexample. Exit code 1 if it is refuted."""
    from drt.falsify.outcome import Status
    from drt.falsify.pipeline import falsify as run
    from drt.falsify.space import space_from_text
    from drt.falsify.target import load_claim

    target = load_claim(claim, STEPS)
    if hypotheses:
        target = target.with_changes([h.strip() for h in hypotheses.split(",") if h.strip()])
    space = space_from_text(depth=depth, width=width, alpha=alpha, beta=beta, kappa=kappa, delta=delta, widths=widths)
    with _progress(f"attacking {target.claim.id}") as progress:
        outcome = run(target, space, budget, seed, jobs, out, progress, timeout)
    if json:
        _print_json(outcome.as_dict())
    else:
        _console().print(str(outcome), markup=False, highlight=False)
    return {Status.REFUTED: Exit.VIOLATED, Status.UNCONFIRMED: Exit.UNCONFIRMED}.get(outcome.status, Exit.HELD)


@app.command()
def certify(
    witness: Annotated[Path, typer.Argument(help="A witness file, as `drt falsify` writes them.")],
    bound: Annotated[str | None, typer.Option(help="path.py:function, for a witness about your own bound.")] = None,
    json: Json = False,
) -> int:
    """Evaluate a witness in exact or ball arithmetic.

    Its file is all that is read.
    """
    from drt.exact.certify import certify as run
    from drt.falsify.target import load_claim
    from drt.witness.witness import load_witness

    loaded = load_witness(witness)
    # A file never chooses the code that is run: a user's bound is named on the command line.
    name = bound or (loaded.claim if "#" in loaded.claim else None)
    certificate = run(loaded, load_claim(name, STEPS).claim if name else None)
    if json:
        _print_json(certificate.as_dict())
    else:
        _console().print(str(certificate), markup=False, highlight=False)
    return {"violated": Exit.VIOLATED, "undecided": Exit.UNCONFIRMED}.get(certificate.answer, Exit.HELD)


# Names that `drt figure` knows: the module of figures/ that each stands for.
FIGURES = {
    "1": "figure1",
    "figure1": "figure1",
    "norm-growth": "norm_growth",
    "audit": "audit",
    "step-sizes": "step_sizes",
}


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def figure(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="1 (or figure1), audit, step-sizes, norm-growth; with --help, its options.")
    ] = None,
) -> int:
    """Draw a figure: PDF, PNG and the data as CSV. `drt figure NAME --help` shows its options."""
    if name in (None, "--help"):
        print(context.get_help())
        return Exit.HELD
    if name not in FIGURES:
        raise InputError(f"figure {name!r} is not known; expected one of {', '.join(FIGURES)}")
    from importlib import import_module

    module = import_module(f"figures.{FIGURES[name]}")
    with _progress(f"figure {name}") as progress:
        return module.main(context.args, progress)


@app.command()
def sharpness(
    claim: ClaimOrBound,
    kappa: Annotated[str | None, typer.Option(help="Values of κ, e.g. 1,2,5,10.")] = None,
    ratio: Annotated[str | None, typer.Option(help="Values of β/α.")] = None,
    delta: Annotated[str | None, typer.Option(help="Values of δ (of ρ, where the bound reads that).")] = None,
    depth: Annotated[str | None, typer.Option(help="Values of L.")] = None,
    width: Annotated[str | None, typer.Option(help="Values of n, the width of all layers.")] = None,
    budget: Annotated[float, _budget(" for all cells together")] = 120.0,
    jobs: Jobs = None,
    seed: Seed = 0,
    out: Out = Path("results"),
    json: Json = False,
) -> int:
    """Map the largest certified actual/bound over a grid.

    It shows where a constant is real and where it is slack. Writes CSV, PDF and PNG.
    """
    from drt.falsify.target import load_claim
    from drt.sharpness.sharpness import CellGrid, summary, write
    from drt.sharpness.sharpness import sharpness as run
    from figures.sharpness import save

    target = load_claim(claim)
    grid = CellGrid.from_text(kappa=kappa, ratio=ratio, delta=delta, depth=depth, width=width)
    with _progress(f"sharpness of {target.claim.id}") as progress:
        result = run(target, grid, budget, seed, jobs or os.cpu_count() or 1, progress)
    files: list[Path] = []
    if out is not None and result.cells:
        files = [*write(result, out), *save(result, out)]
    if json:
        _print_json(result.as_dict() | {"files": [path.name for path in files]})
    else:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, title=f"largest certified actual/bound: {result.statement}")
        for column in ("L", "n", "cells", "smallest", "median", "largest", "largest at κ, β/α, δ"):
            table.add_column(column, justify="left" if "," in column else "right")
        for row in summary(result):
            numbers = (f"{value:.4g}" for value in (row.smallest, row.median, row.largest))
            counts = (str(count) for count in (row.depth, row.width, row.cells))
            at = (f"{value:g}" for value in (row.at.kappa, row.at.beta_over_alpha, row.at.delta))
            table.add_row(*counts, *numbers, ", ".join(at))
        _console().print(table)
    if files:
        print("wrote " + ", ".join(map(str, files)), file=sys.stderr)
    if result.interrupted:
        print("drt: interrupted; the finished cells are kept", file=sys.stderr)
    return Exit.VIOLATED if result.violations else Exit.HELD


@app.command()
def prove(
    claim: Annotated[str | None, typer.Argument(help="A claim's id; all of them by default.")] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Write what was found into proofs_checks/record.json.")
    ] = False,
    recorded: Annotated[bool, typer.Option("--recorded", help="Fail unless that record is what was found.")] = False,
    out: Out = None,
    json: Json = False,
) -> int:
    """Check the proofs, step by step and in Coq.

    Every chain on random networks, its scalar inequalities in sympy and z3, the claim as coded in Coq.
    """
    from drt.numeric.files import write_atomically
    from proofs_checks import prove as proving
    from proofs_checks.prove import exit_code, remarks, table
    from proofs_checks.prove import prove as run

    if (record or recorded) and claim is not None:
        raise InputError(f"a record is about all claims: give no claim, got {claim}")

    with _progress("proving") as progress:
        result = run(claim, progress)
    if out is not None:
        write_atomically(out / "proofs.json", _as_json(result).encode())
    if json:
        _print_json(result)
    else:
        _console().print(table(result))
        for line in remarks(result):
            print(line, file=sys.stderr)
    if recorded:
        print(proving.check_record(result), file=sys.stderr)
    if record:
        print(proving.record(result), file=sys.stderr)
    return exit_code(result)


@app.command()
def claims(json: Json = False) -> int:
    """List the claims, each with what is known of it."""
    from drt.theory.registry import claims as registry

    rows: list[dict[str, Any]] = [
        {"id": c.id, "kind": c.kind, "status": STATUS[c.known], "statement": c.statement, "source": c.source}
        | {"hypotheses": list(c.hypotheses)}
        for c in registry.values()
    ]
    if json:
        _print_json({"claims": rows})
        return Exit.HELD
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("id", "kind", "status", "statement", "source"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(row[column] for column in ("id", "kind", "status", "statement", "source")))
    _console().print(table)
    return Exit.HELD


# What the theory's record says of a claim, in the words of a verdict.
STATUS = {"true": "holds", "false": "refuted", "open": "open", None: "unknown"}

if __name__ == "__main__":
    main()
