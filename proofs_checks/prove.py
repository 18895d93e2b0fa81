"""`drt prove`: every proof that a machine can check, claim by claim: its chain, its scalar steps, its theorem in Coq.

    chain      every step evaluated on a fixed battery of instances: evidence, not proof
    symbolic   the scalar inequality behind each step, in sympy and z3: a proof of that, which leaves vectors and depth out
    formal     the theorem itself, in Coq

What passed is recorded with a digest of the proof files (`recorded`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rich.table import Table
from rich.text import Text

import drt
from drt.errors import InputError
from proofs_checks.chain import Chain, Setup
from proofs_checks.formal import COQ, Build, build, theorems
from proofs_checks.recorded import digest, remember
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
    rows: list[dict[str, Any]] = []
    for done, name in enumerate(wanted):
        progress(done, len(wanted) + 1, name)
        rows.append({"id": name, "chain": _chain(chains().get(name)), "symbolic": _symbolic(name)})
    progress(len(wanted), len(wanted) + 1, "Coq")
    listed = [t for t in (theorems() if COQ.is_dir() else ()) if t.claim in wanted]
    built = build() if listed or not COQ.is_dir() else Build("not run", "no theorem of the claims asked about")
    for row in rows:
        row["formal"] = _formal(row["id"], built)
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
    remember(digest(), {row["id"]: is_proved(row) for row in rows})
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


STYLES = {
    "proved": "green",
    "holds": "green",
    "refuted": "red",
    "fails": "bold red",
    "failed": "bold red",
    "not run": "yellow",
}


def table(result: dict) -> Table:
    """A row a claim: chain, scalar steps, theorems; at most 100 columns."""
    grid = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, width=100)
    for name in ("claim", "chain"):
        grid.add_column(name, no_wrap=True)
    for name in ("steps", "tried", "s"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("symbolic", no_wrap=True)
    for name in ("steps", "s"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("formal (Coq)", no_wrap=True)
    grid.add_column("thms", justify="right", no_wrap=True)
    for row in result["claims"]:
        chain, symbolic, formal = row["chain"], row["symbolic"], row["formal"]
        grid.add_row(
            row["id"],
            _word(chain),
            *_counts(chain, f"{chain['steps']}", f"{chain['instances']:,}", f"{chain['seconds']:.1f}"),
            _word(symbolic),
            *_counts(symbolic, f"{len(symbolic['steps'])}", f"{symbolic['seconds']:.1f}"),
            _word(formal),
            *_counts(formal, f"{len(formal['theorems'])}"),
        )
    return grid


def _word(part: dict) -> Text:
    status = part["status"]
    words = {"none": "–", "refuted": "refuted (formal)"}
    return Text(words.get(status, status), "" if status == "none" else STYLES.get(status, "yellow"))


def _counts(part: dict, *texts: str) -> tuple[str, ...]:
    return ("",) * len(texts) if part["status"] == "none" else texts


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


def exit_code(result: dict) -> int:
    """0 where all that ran passed; 1 where Coq or a scalar step fails; 3 where a chain does, which is floating point."""
    rows = result["claims"]
    if result["coq"]["status"] == "failed" or any(row["symbolic"]["status"] == "fails" for row in rows):
        return 1
    return 3 if any(row["chain"]["status"] == "fails" for row in rows) else 0
