"""`drt falsify`: attack → certify → shrink → write."""

from __future__ import annotations

import math
import os
import time
from contextlib import nullcontext
from pathlib import Path

import torch

from drt.errors import InputError
from drt.exact.certify import Certificate, certify
from drt.falsify.attack import Attack, attack
from drt.falsify.engine import FIND_BITS, Engine
from drt.falsify.outcome import Attacked, Status
from drt.falsify.present import statement
from drt.falsify.script import script
from drt.falsify.shrink import shrink
from drt.falsify.space import Space
from drt.falsify.target import Target
from drt.measurement.measured import Measured
from drt.numeric.files import write_atomically
from drt.numeric.pool import Progress, one_thread, silent, workers
from drt.numeric.results import finite, shown_ratio
from drt.numeric.timeout import TimeUp, check_timeout, time_limit
from drt.theory.base import Claim, evaluate, logarithm
from drt.theory.outcome import Outcome
from drt.theory.verdict import Verdicts
from drt.witness.witness import Witness

SHRINK_CANDIDATES = 600  # certified one by one, in some 10 ms each
CANDIDATE_BITS = 256  # precision in which they are certified


def probe(claim: Claim, engine: Engine) -> None:
    """Find out, before the attack, whether a user's bound is one at all.

    Raises:
        InputError: it raises, returns NaN, a negative or infinite number or the wrong shape, differs between two evaluations
            of one instance, or uses what a measurement does not have.
    """
    again, witness_at = engine.probes(claim)
    m = again()
    applicable = ~Verdicts(claim, m).where(Outcome.INAPPLICABLE)
    values = [claim.checked_log_value(again(), applicable) for _ in range(2)]
    ordinary = applicable & torch.isfinite(m.kappa)
    if torch.isposinf(values[0][ordinary]).any():
        raise InputError(f"bound {claim.id!r} must be finite, got infinity for an ordinary instance")
    if not torch.equal(values[0][ordinary], values[1][ordinary]):
        raise InputError(
            f"bound {claim.id!r} depends on something outside the measurement: two evaluations of one instance differ"
        )
    for index in torch.nonzero(ordinary).flatten()[:1].tolist():
        certificate = certify(witness_at(index), claim, max_bits=CANDIDATE_BITS)
        if "cannot be evaluated exactly" in certificate.reason:
            raise InputError(certificate.reason)


def falsify(
    target: Target,
    space: Space,
    budget: float = 60.0,
    seed: int = 0,
    jobs: int | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
    timeout: float | None = None,
) -> Attacked:
    """Attack one claim; certify and shrink the counterexample if there is one.

    Args:
        target: the claim.
        space: the ranges it is attacked in.
        budget: units of work, each about a second of one core. The same seed and budget give the same outcome, times aside.
        seed: of everything random.
        jobs: processes; all cores by default.
        folder: where the witness is written; nowhere if None.
        progress: told (units done, units in all, the largest ratio).
        timeout: a hard stop, in seconds: what is found by then depends on the machine, and the outcome says that it is cut.

    Raises:
        InputError: a bound that is not one (see `probe`), or a timeout that is not a number of seconds > 0.
    """
    begin = time.perf_counter()
    check_timeout(timeout)
    state = Attack(target, space)
    interrupted = cut = False
    with one_thread():
        if target.source is not None:
            probe(state.claim, state.engine)
        jobs = jobs or os.cpu_count() or 1
        try:
            with time_limit(timeout):
                with workers(jobs) if jobs > 1 else nullcontext() as pool:  # one job runs in this process
                    attack(state, budget, seed, pool, progress)
                if state.refuted is not None:
                    shrink(state.refuted, lambda candidate: _replaces(state, candidate), SHRINK_CANDIDATES)
        except KeyboardInterrupt:
            interrupted = True
        except TimeUp:
            cut = True
        return _outcome(state, interrupted, cut, folder, begin)


def _replaces(state: Attack, candidate: Witness) -> bool:
    """Whether a smaller witness is certified, and in the ranges that were asked about; then an interrupt keeps it."""
    if not state.engine.inside(state.claim, state.space, state.engine.measure(state.claim, candidate)):
        return False
    if certify(candidate, state.claim, max_bits=CANDIDATE_BITS).answer != "violated":
        return False
    state.refuted = candidate
    return True


def _outcome(state: Attack, interrupted: bool, cut: bool, folder: Path | None, begin: float) -> Attacked:
    claim, engine = state.claim, state.engine
    status = (
        Status.REFUTED
        if state.certificate is not None
        else Status.UNCONFIRMED
        if state.unconfirmed or state.doubtful is not None
        else Status.SURVIVED
    )
    witness = state.refuted or state.doubtful or state.closest()
    about: dict = {"answer": state.certificate.answer} if state.certificate else {}
    log_ratio = state.log_ratio
    if witness is not None:
        certificate = certify(witness, claim, max_bits=FIND_BITS)
        m = engine.measure(claim, witness)
        lhs, rhs, certified_ratio = _sides(claim, m, certificate)
        if status is Status.REFUTED or log_ratio == -math.inf:
            log_ratio = certified_ratio
        # An instance that exceeds the bound in floating point, and is not the witness, is no counterexample to show.
        shown = state.refuted or state.doubtful
        text = statement(witness, claim, lhs, rhs) if shown is not None else None
        net = witness.network()[0]
        about = {
            "answer": certificate.answer,
            "depth": net.depth,
            "widths": net.widths,
            "alpha": net.alpha,
            "beta": net.beta,
            "kappa": finite(m.kappa),
            "counterexample": text,
        }
        if folder is not None:
            about |= _write(witness, claim, engine, text, folder)
    return Attacked(
        claim=claim.id,
        statement=claim.statement,
        status=status,
        log_ratio=finite(log_ratio),
        instances=state.instances,
        interrupted=interrupted,
        cut=cut,
        seconds=round(time.perf_counter() - begin, 3),
        **about,
    )


def _sides(claim: Claim, m: Measured, certificate: Certificate) -> tuple[str, str, float]:
    """Both sides and log(actual/bound): as certified, or as measured where the left side is measured only."""
    if callable(claim.left) and math.isnan(certificate.lhs[0]):
        left, right = float(logarithm(evaluate(claim.left, m))), float(claim.log_value(m))
        return f"{shown_ratio(left):.6g}", f"{shown_ratio(right):.6g}", left - right
    ratio = sum(certificate.log10_ratio) / 2 * math.log(10)
    return _middle(certificate.lhs), _middle(certificate.rhs), ratio


def _middle(interval: tuple[float, float]) -> str:
    return f"{sum(interval) / 2:.6g}"


def _write(witness: Witness, claim: Claim, engine: Engine, counterexample: str | None, folder: Path) -> dict[str, str]:
    """The witness, and for a counterexample the script that shows it; their paths."""
    name = claim.id.replace("/", "-")
    witnesses = folder / "witnesses"
    try:
        witnesses.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {str(folder)!r} must be a folder that can be written: {error.strerror}") from None
    witness.save(witnesses / f"{name}.json")
    paths = {"witness": f"witnesses/{name}.json"}
    # A step of a proof has no formula that numpy alone could evaluate.
    if counterexample is not None and "#" not in claim.id:
        text = script(witness, claim, engine.section, counterexample)
        write_atomically(witnesses / f"{name}.py", text.encode())
        paths["script"] = f"witnesses/{name}.py"
    return paths
