"""The main job: every claim on random, extremal and trained networks, and attacked.

What the tasks find is merged in the order of the tasks, so that the same seed gives the same result, times aside.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from concurrent.futures import Future, as_completed
from pathlib import Path

import drt
from drt.app.evidence import Evidence
from drt.app.records import ORIGINS, Report, claim_record
from drt.app.tasks import TASKS, TrainedNetwork, attack_task, tasks
from drt.falsify.outcome import Attacked, Status
from drt.numeric.pool import Progress, silent, workers
from drt.numeric.timeout import check_timeout
from drt.theory.registry import claims, of_steps
from drt.training.data import load_digits
from proofs_checks.recorded import proofs

SCHEMA = 1
# Of the budget, what is left for searching: certifying and what stands in no unit take a quarter, and two cores work.
ATTACKED_SHARE = 1.5
QUICK_BUDGET = 4.0


def verify(
    seed: int = 0,
    budget: float = 120.0,
    jobs: int | None = None,
    quick: bool = False,
    folder: Path | None = None,
    progress: Progress = silent,
    timeout: float | None = None,
) -> Report:
    """Run the main job.

    Args:
        seed: of everything random.
        budget: units of work for the attacks on all claims together; the rest is a fixed amount of work.
        jobs: processes; all cores by default.
        quick: fewer random tasks, shorter training, at most 4 units of attack.
        folder: where witnesses are written; nowhere if None.
        progress: told (tasks done, tasks in all, what was done).
        timeout: a hard stop, in seconds: what is done by then depends on the machine, and the report says "cut".

    Raises:
        InputError: a timeout that is not a number of seconds > 0.
    """
    check_timeout(timeout)
    begin = time.perf_counter()
    load_digits()  # parsed and cached once, before the processes ask for it
    work = list(tasks(quick, seed))
    share = (min(budget, QUICK_BUDGET) if quick else budget) * ATTACKED_SHARE / (len(claims) - len(of_steps()))
    interrupted = cut = False
    with workers(jobs or os.cpu_count() or 1) as pool:
        futures: dict[Future, str] = {pool.submit(TASKS[origin], *arguments): origin for origin, arguments in work}
        attacks: dict[Future, str] = {
            pool.submit(attack_task, claim_id, share, seed, folder): claim_id for claim_id in claims
        }
        try:
            for done, future in enumerate(as_completed([*futures, *attacks], timeout), start=1):
                progress(done, len(work) + len(claims), attacks.get(future) or futures[future])
        except KeyboardInterrupt:
            interrupted = True
        except TimeoutError:
            cut = True
        evidence, networks = _merged(futures)
        outcomes = {
            name: future.result() if _done(future) else Attacked(claim=name, statement=claims[name].statement)
            for future, name in attacks.items()
        }
    for claim_id, outcome in outcomes.items():
        evidence[claim_id]["attack"] = _of_attack(outcome)
    known = proofs()
    return Report(
        schema=SCHEMA,
        version=drt.__version__,
        seed=seed,
        quick=quick,
        seconds=round(time.perf_counter() - begin, 1),
        interrupted=interrupted,
        cut=cut,
        networks=sorted(networks, key=lambda network: (network.activation, network.depth)),
        claims=[claim_record(name, evidence[name], outcomes[name], name in known.claims) for name in claims],
        proofs=known.said,
    )


def _done(future: Future) -> bool:
    return future.done() and not future.cancelled()


def _merged(futures: Mapping[Future, str]) -> tuple[dict[str, dict[str, Evidence]], list[TrainedNetwork]]:
    """The evidence by claim and origin, and the networks, of tasks that are done, whatever order they ended in."""
    evidence = {claim_id: {origin: Evidence() for origin in ORIGINS} for claim_id in claims}
    networks = []
    for future, origin in futures.items():
        if _done(future):
            found = future.result()
            networks += [found.network] if found.network else []
            for claim_id, own in found.findings.items():
                evidence[claim_id][origin].merge(own)
    return evidence, networks


def _of_attack(outcome: Attacked) -> Evidence:
    return Evidence(
        instances=outcome.instances,
        violations=int(outcome.status is not Status.SURVIVED),
        max_log_ratio=-math.inf if outcome.log_ratio is None else outcome.log_ratio,
        seconds=outcome.seconds,
    )
