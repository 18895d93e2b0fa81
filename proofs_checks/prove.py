"""`drt prove`: every proof that a machine can check, claim by claim: its chain, its scalar steps, its theorem in Coq.

    chain      every step evaluated on a fixed battery of instances: evidence, not proof
    symbolic   the scalar inequality behind each step, in sympy and z3: a proof of that, which leaves vectors and depth out
    verdict    what `drt.theory.verdict` says of a few instances, against their certificates
    formal     the claim as coded, formula and hypotheses, is word for word a theorem in Coq

A claim is proved where the last holds and none of the others fails; what was found is kept with the digests of the files that
it rests on (`recorded`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

import drt
from drt.errors import InputError
from drt.numeric.pool import Progress, silent
from drt.theory.registry import claims
from proofs_checks.as_coded import goal
from proofs_checks.chain import Chain, Setup
from proofs_checks.formal import COQ, Build, Goal, Theorem, build, theorems
from proofs_checks.recorded import body_of, digest, read_record, remember, write_record
from proofs_checks.registry import chains
from proofs_checks.symbolic import FURTHER, INSTALL, check, has_z3, steps_of
from proofs_checks.verdict_check import fault

SCHEMA = 2
BATTERY = (
    Setup(depth=1, width=3, alpha=0.5, kappa=3.0),
    Setup(depth=2, width=1, alpha=0.1, delta=3.0),
    Setup(depth=3, width=4, alpha=0.1, kappa=5.0, delta=0.3, seed=1),
    Setup(depth=4, width=8, alpha=1.0, kappa=1.5, delta=0.02, seed=2),
    Setup(depth=6, width=5, alpha=0.5, kappa=2.0, delta=1e-6, batch=32, seed=3),
    Setup(depth=1, width=3, alpha=0.1, kappa=10.0, delta=1.0, source="extremal"),
    Setup(depth=2, width=2, alpha=0.5, kappa=2.0, delta=1e-3, source="extremal"),
)


def subjects() -> tuple[str, ...]:
    """Every claim that has a chain, scalar steps or a theorem."""
    listed = [t.claim for t in theorems()] if (COQ / "theorems.txt").is_file() else []
    return tuple(dict.fromkeys((*chains(), *FURTHER, *listed)))


def prove(claim_id: str | None = None, progress: Progress = silent) -> dict:
    """Check the proofs of one claim or of all, and record what passed.

    Returns:
        schema, version, sha256, coq (the build: status, reason, version, seconds), z3 (whether it ran), seconds, and
        `claims`: for each its id, `chain`, `symbolic`, `verdict` and `formal`, each with a `status`; and whether it is
        `proved`.

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
        rows.append(
            {"id": name, "chain": _chain(chains().get(name)), "symbolic": _symbolic(name), "verdict": _verdict(name)}
        )
    progress(len(wanted), len(wanted) + 1, "Coq")
    listed = [t for t in (theorems() if COQ.is_dir() else ()) if t.claim in wanted]
    goals, untranslated = goals_of(listed)
    built = (
        build(goals=goals) if listed or not COQ.is_dir() else Build("not run", "no theorem of the claims asked about")
    )
    for row in rows:
        row["formal"] = _formal(row["id"], built, untranslated)
        row["proved"] = is_proved(row)
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
    if built.status != "not run":  # without Coq nothing was found out
        remember({row["id"]: row["proved"] for row in rows}, built.version)
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
        return {"status": "none", "steps": [], "seconds": 0.0}
    checked = [check(step.name) for step in steps_of(claim_id)]
    if not checked:
        status = "none"
    elif not all(c["passed"] for c in checked):
        status = "fails"
    else:
        status = "holds" if has_z3() else "identities only"
    seconds = round(sum(c["seconds"] for c in checked), 2)
    return {"status": status, "steps": checked, "seconds": seconds}


def _verdict(claim_id: str) -> dict:
    if claim_id not in claims:
        return {"status": "none", "wrong": "", "seconds": 0.0}
    begin = time.perf_counter()
    wrong = fault(claims[claim_id])
    seconds = round(time.perf_counter() - begin, 2)
    return {"status": "fails" if wrong else "holds", "wrong": wrong, "seconds": seconds}


def goals_of(listed: Sequence[Theorem]) -> tuple[dict[str, Goal], dict[str, str]]:
    """What each theorem that proves or refutes a claim must say, by its claim and name; and why others have no statement."""
    goals, untranslated = {}, {}
    for t in listed:
        if t.role not in ("proves", "refutes"):
            continue
        try:
            goals[f"{t.claim} {t.name}"] = Goal(goal(claims[t.claim], t.role), t.name)
        except InputError as error:
            untranslated[f"{t.claim} {t.name}"] = str(error)
        except Exception as error:  # a formula that does what terms cannot do
            untranslated[f"{t.claim} {t.name}"] = f"not evaluated on Coq terms: {type(error).__name__}: {error}"
    return goals, untranslated


def _formal(claim_id: str, built: Build, untranslated: Mapping[str, str]) -> dict:
    mine = [t for t in (theorems() if COQ.is_dir() else ()) if t.claim == claim_id]
    deciding = [t for t in mine if t.role in ("proves", "refutes")]
    reason = next((untranslated[f"{t.claim} {t.name}"] for t in deciding if f"{t.claim} {t.name}" in untranslated), "")
    differing = [t.name for t in deciding if f"{t.claim} {t.name}" in built.differs]
    if not mine:
        status = "none"
    elif built.status != "checked":
        status = built.status
    elif differing or reason:
        status, reason = "differs", reason or f"the claim as coded is not what {differing[0]} says"
    elif len(deciding) != 1:
        status, reason = "differs", f"one theorem must prove or refute it, not {len(deciding)}"
    else:
        status = {"proves": "proved", "refutes": "refuted"}[deciding[0].role]
    return {"status": status, "reason": reason, "theorems": [{"name": t.name, "role": t.role} for t in mine]}


def is_proved(row: dict) -> bool:
    """Whether Coq has checked the claim as coded, and nothing that was checked beside speaks against it."""
    others = (row["chain"]["status"], row["symbolic"]["status"])
    return row["formal"]["status"] == "proved" and row["verdict"]["status"] == "holds" and "fails" not in others


def found(result: dict) -> dict[str, Any]:
    """What a run on all claims says, as a record says it.

    Raises:
        InputError: Coq or z3 did not run, or something failed.
    """
    whole = result["coq"]["status"] == "checked" and result["z3"] and len(result["claims"]) == len(subjects())
    if not whole or exit_code(result):
        why = "; ".join(remarks(result))
        raise InputError(f"a record needs a run of all claims, with Coq and z3, in which nothing fails: {why}")
    refuted = [row["id"] for row in result["claims"] if row["formal"]["status"] == "refuted"]
    return body_of(result["coq"]["version"], [row["id"] for row in result["claims"] if row["proved"]], refuted)


def record(result: dict) -> str:
    """Write the repository's record of this run, and say so."""
    body = found(result)
    return f"wrote {write_record(body).name}: {len(body['proved'])} claims proved, {len(body['refuted'])} refuted"


def check_record(result: dict) -> str:
    """Hold the repository's record against this run, and say that it is what was found.

    Raises:
        InputError: it is not.
    """
    recorded, body = read_record(), found(result)
    for name in ("proved", "refuted"):
        if differing := sorted(set(recorded[name]) ^ set(body[name])):
            raise InputError(f"proofs_checks/record.json is not what was found: {differing[0]} is not {name} in both")
    return f"the record is what was found: {len(body['proved'])} claims proved, {len(body['refuted'])} refuted"


STYLES = {
    "proved": "green",
    "holds": "green",
    "refuted": "red",
    "fails": "bold red",
    "failed": "bold red",
    "differs": "bold red",
    "not run": "yellow",
}


def table(result: dict) -> Table:
    """A row a claim: chain, scalar steps, theorems; at most 100 columns."""
    grid = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, width=100)
    for name in ("claim", "chain"):
        grid.add_column(name, no_wrap=True)
    for name in ("steps", "tried"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("symbolic", no_wrap=True)
    grid.add_column("steps", justify="right", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    grid.add_column("formal (Coq)", no_wrap=True)
    grid.add_column("thms", justify="right", no_wrap=True)
    for row in result["claims"]:
        chain, symbolic, formal = row["chain"], row["symbolic"], row["formal"]
        grid.add_row(
            row["id"],
            _word(chain),
            *_counts(chain, f"{chain['steps']}", f"{chain['instances']:,}"),
            _word(symbolic),
            *_counts(symbolic, f"{len(symbolic['steps'])}"),
            _word(row["verdict"]),
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
    lines += [f"VERDICT: {row['id']}: {row['verdict']['wrong']}" for row in result["claims"] if row["verdict"]["wrong"]]
    lines += [f"DIFFERS: {row['id']}: {row['formal']['reason']}" for row in result["claims"] if row["formal"]["reason"]]
    lines += [
        f"FAILS: {row['id']}, scalar step {step['step']}: {step['statement']}"
        for row in result["claims"]
        for step in row["symbolic"]["steps"]
        if not step["passed"]
    ]
    return lines


def exit_code(result: dict) -> int:
    """0 where all that ran passed; 1 where Coq or a scalar step fails; 3 where a chain or a verdict does, in floating point."""
    rows = result["claims"]
    wrong = any(row["symbolic"]["status"] == "fails" or row["formal"]["status"] == "differs" for row in rows)
    if result["coq"]["status"] == "failed" or wrong:
        return 1
    return 3 if any("fails" in (row["chain"]["status"], row["verdict"]["status"]) for row in rows) else 0
