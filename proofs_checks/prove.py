"""`drt prove`: every proof that a machine can check, claim by claim: its chain, its scalar steps, its theorem in Coq.

    chain      every step evaluated on a fixed battery of instances: evidence, not proof
    symbolic   the scalar inequality behind each step, in sympy and z3: a proof of that, which leaves vectors and depth out
    formal     the theorem itself, in Coq

What passed is recorded with a digest of the proof files; `proved_claims` believes the record only for these very files.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

import drt
from drt.errors import InputError
from drt.storage import write_atomically
from proofs_checks.chain import Chain, Setup
from proofs_checks.formal import COQ, Build, build, theorems
from proofs_checks.registry import chains
from proofs_checks.symbolic import FURTHER, INSTALL, WHOLE, check, has_z3, steps_of

SCHEMA = 1
BATTERY = (
    Setup(depth=1, width=3, alpha=0.5, kappa=3.0),
    Setup(depth=2, width=1, alpha=0.1, delta=3.0),
    Setup(depth=3, width=4, alpha=0.1, kappa=5.0, delta=0.3, seed=1),
    Setup(depth=4, width=8, alpha=1.0, kappa=1.5, delta=0.02, seed=2),
    Setup(depth=6, width=5, alpha=0.5, kappa=2.0, delta=1e-6, batch=32, seed=3),
    Setup(depth=1, width=3, alpha=0.1, kappa=10.0, delta=1.0, source="extremal"),
    Setup(depth=2, width=2, alpha=0.5, kappa=2.0, delta=1e-3, source="extremal"),
)
Progress = Callable[[int, int, str], None]


def digest() -> str:
    """SHA-256 over the names and contents of all proof files."""
    folder = Path(__file__).parent
    files = [*folder.glob("*.py"), *COQ.glob("*.v"), *COQ.glob("*.txt"), *COQ.glob("_CoqProject")]
    total = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.relative_to(folder).as_posix()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(folder).as_posix()} {content}\n".encode())
    return total.hexdigest()


def record_file() -> Path:
    """Where the last run's record lies: the user's cache, never the project."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()  # RuntimeError for users without a home
    return folder / "drt" / "proofs.json"


def subjects() -> tuple[str, ...]:
    """Every claim that has a chain, scalar steps or a theorem."""
    listed = [t.claim for t in theorems()] if (COQ / "theorems.txt").is_file() else []
    return tuple(dict.fromkeys((*chains(), *FURTHER, *listed)))


def prove(claim_id: str | None = None, progress: Progress = lambda done, total, what: None) -> dict:
    """Check the proofs of one claim or of all, and record what passed.

    Returns:
        schema, version, sha256, coq (the build: status, reason, version, seconds), z3 (whether it ran), seconds, and
        `claims`: for each its id, `chain`, `symbolic` and `formal`, each with a `status` and `seconds`.

    Raises:
        InputError: a claim that has neither chain nor theorem.
    """
    if claim_id is not None and claim_id not in subjects():
        raise InputError(f"claim {claim_id!r} has no proof; expected one of {', '.join(subjects())}")
    begin = time.perf_counter()
    wanted = subjects() if claim_id is None else (claim_id,)
    rows = []
    for done, name in enumerate(wanted):
        progress(done, len(wanted) + 1, name)
        rows.append({"id": name, "chain": _chain(chains().get(name)), "symbolic": _symbolic(name)})
    progress(len(wanted), len(wanted) + 1, "Coq")
    listed = [t for t in (theorems() if COQ.is_dir() else ()) if t.claim in wanted]
    built = build() if listed or not COQ.is_dir() else Build("not run", "no theorem of the claims asked about")
    for row in rows:
        row["formal"] = _formal(str(row["id"]), built)
    result = {
        "schema": SCHEMA,
        "version": drt.__version__,
        "sha256": digest(),
        "coq": {
            "status": built.status,
            "reason": built.reason,
            "version": built.version,
            "seconds": round(built.seconds, 1),
        },
        "z3": has_z3(),
        "claims": rows,
    }
    _remember(result)
    return result | {"seconds": round(time.perf_counter() - begin, 1)}


def _chain(chain: Chain | None) -> dict:
    if chain is None:
        return {"status": "none", "steps": 0, "instances": 0, "wrong": "", "seconds": 0.0}
    begin, tried, wrong = time.perf_counter(), 0, ""
    for setup in BATTERY:
        for _, instance in chain.draws(setup):
            walk = chain.walk(instance)
            tried += int(walk.applicable.sum())
            wrong = wrong or walk.named()
    status = "fails" if wrong else "holds" if tried else "untested"
    seconds = round(time.perf_counter() - begin, 2)
    return {"status": status, "steps": len(chain.steps), "instances": tried, "wrong": wrong, "seconds": seconds}


def _symbolic(claim_id: str) -> dict:
    if claim_id not in chains() and claim_id not in FURTHER:
        return {"status": "none", "steps": [], "whole": False, "seconds": 0.0}
    checked = [check(step.name) for step in steps_of(claim_id)]
    if not checked:
        status = "none"
    elif not all(c["passed"] for c in checked):
        status = "fails"
    else:
        status = "holds" if has_z3() else "identities only"
    seconds = round(sum(c["seconds"] for c in checked), 2)
    return {"status": status, "steps": checked, "whole": claim_id in WHOLE, "seconds": seconds}


def _formal(claim_id: str, built: Build) -> dict:
    mine = [t for t in (theorems() if COQ.is_dir() else ()) if t.claim == claim_id]
    roles = {t.role for t in mine}
    if not mine:
        status = "none"
    elif built.status != "checked":
        status = built.status
    else:
        status = "proved" if "proves" in roles else "refuted" if "refutes" in roles else "none"
    return {"status": status, "theorems": [{"name": t.name, "role": t.role} for t in mine]}


def is_proved(row: dict) -> bool:
    """Whether a machine has checked the whole claim: in Coq, or by scalar steps where these are all of it."""
    whole = row["symbolic"]["status"] == "holds" and row["symbolic"]["whole"]
    return row["formal"]["status"] == "proved" or whole


def _remember(result: dict) -> None:
    """Put what was run into the record; what it holds of other claims stays if it is about the same files."""
    known = _recorded() or {"claims": {}}
    proofs = {row["id"]: is_proved(row) for row in result["claims"]}
    fresh: dict[str, Any] = {"schema": SCHEMA, "sha256": result["sha256"], "coq": result["coq"]["version"]}
    text = json.dumps(fresh | {"claims": {**known["claims"], **proofs}}, ensure_ascii=False)
    try:
        record_file().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(record_file(), text.encode())
    except (OSError, RuntimeError):
        pass  # without a record, `drt verify` says "holds"


def _recorded() -> dict | None:
    """The record, if there is a readable one about these files."""
    try:
        record = json.loads(record_file().read_text())
        mine = record["schema"] == SCHEMA and record["sha256"] == digest() and isinstance(record["claims"], dict)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return None
    return record if mine else None


def proved_claims() -> set[str]:
    """The claims whose proof `drt prove` has checked with this version of the proof files."""
    record = _recorded()
    return {name for name, proved in record["claims"].items() if proved is True} if record else set()


STYLES = {
    "proved": "green",
    "holds": "green",
    "refuted": "red",
    "fails": "bold red",
    "failed": "bold red",
    "not run": "yellow",
}


def table(result: dict) -> Table:
    """A row a claim: chain, scalar steps, theorem; at most 100 columns."""
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, width=100)
    grid.add_column("claim", no_wrap=True)
    grid.add_column("chain", ratio=1)
    grid.add_column("symbolic", ratio=1)
    grid.add_column("formal (Coq)", ratio=1)
    for row in result["claims"]:
        chain, symbolic, formal = row["chain"], row["symbolic"], row["formal"]
        cells = (
            (chain["status"], f"{chain['steps']} steps, {chain['instances']:,} instances, {chain['seconds']:.1f} s"),
            (symbolic["status"], f"{len(symbolic['steps'])} steps, {symbolic['seconds']:.1f} s"),
            (formal["status"], f"{len(formal['theorems'])} theorem" + "s" * (len(formal["theorems"]) != 1)),
        )
        grid.add_row(row["id"], *(_cell(*cell) for cell in cells))
    return grid


def _cell(status: str, detail: str) -> Text:
    if status == "none":
        return Text("–")
    word = "refuted (formal)" if status == "refuted" else status
    return Text.assemble((word, STYLES.get(status, "yellow")), "  ", (detail, "dim"))


def remarks(result: dict) -> list[str]:
    """What is missing and how to install it, and what failed."""
    coq, lines = result["coq"], []
    if coq["status"] == "checked":
        lines.append(f"Coq {coq['version']}: built and axioms checked in {coq['seconds']:.0f} s")
    elif coq["reason"]:
        lines.append(f"formal proofs {coq['status']}: {coq['reason']}")
    if not result["z3"]:
        lines.append(f"z3 not run: the module z3 is not installed; {INSTALL}")
    lines += [f"WRONG: {row['chain']['wrong']}" for row in result["claims"] if row["chain"]["wrong"]]
    lines += [
        f"FAILS: {row['id']}, scalar step {step['step']}: {step['statement']}"
        for row in result["claims"]
        for step in row["symbolic"]["steps"]
        if not step["passed"]
    ]
    return lines


def failed(result: dict) -> bool:
    """Whether anything that ran did not pass."""
    rows = result["claims"]
    return result["coq"]["status"] == "failed" or any(
        row["chain"]["status"] == "fails" or row["symbolic"]["status"] == "fails" for row in rows
    )
