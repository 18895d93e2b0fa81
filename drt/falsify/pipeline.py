"""`drt falsify`: attack → certify → shrink → write. Its outcome is a plain dict, the same for the same seed, times aside."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from drt.errors import InputError
from drt.exact.certify import Certificate, certify
from drt.falsify import descent
from drt.falsify.attack import TIE, Attack, Find, attack
from drt.falsify.evolve import structured
from drt.falsify.layout import Layout, measurement, objective
from drt.falsify.present import statement
from drt.falsify.script import script
from drt.falsify.shrink import shrink
from drt.falsify.space import Space
from drt.falsify.target import Target
from drt.measurement.instance import Instance
from drt.measurement.measured import Measured
from drt.numeric.files import write_atomically
from drt.numeric.pool import one_thread, workers
from drt.numeric.timeout import TimeUp, check_timeout, time_limit
from drt.theory.base import Claim, evaluate, logarithm
from drt.theory.outcome import Outcome
from drt.theory.verdict import Verdicts
from drt.witness.witness import Witness

SHRINK_CANDIDATES = 600  # certified one by one, in some 10 ms each
TRIED = 3  # finds of a wave that are certified
Progress = Callable[[int, int, str], None]


@dataclass
class Hunt:
    """Certifies what an attack finds, wave by wave; stops it at the first certified violation."""

    target: Target
    claim: Claim
    progress: Progress
    total: int
    refuted: Witness | None = None
    certificate: Certificate | None = None
    doubtful: Witness | None = None
    _seen: set[tuple] = field(default_factory=set)

    def __call__(self, state: Attack) -> bool:
        """Certify the most promising finds of the state; True once one is certified."""
        best = state.best
        ratio = f"largest actual/bound {math.exp(min(best.scores[0], 700)):.6g}" if best else "nothing applicable yet"
        self.progress(min(state.units, self.total), self.total, ratio)
        above = sorted((f for f in state.finds if f.scores[0] > TIE), key=_simplicity)
        for find in above[:TRIED]:
            key = (find.layout, find.scores[0])
            if key in self._seen:
                continue
            self._seen.add(key)
            witness = witness_of(self.target, self.claim, find)
            certificate = certify(witness, self.claim, max_bits=512)
            if certificate.answer == "violated":
                self.refuted, self.certificate = witness, certificate
                return True
            if certificate.answer == "undecided" and self.doubtful is None:
                self.doubtful = witness
        return False


def _simplicity(find: Find) -> tuple[int, int, float]:
    """Small networks first, then large margins; a margin too small for comfort counts against."""
    return int(find.scores[0] < 1e-6), sum(find.layout.sizes), -find.scores[0]


def _plainest(find: Find) -> int:
    """Of a find's instances with half the best margin: the one whose entries span the fewest decades around 1."""
    spans = torch.log10(find.theta.abs().clamp(min=1e-300))
    spans = torch.where(find.theta == 0, 0.0, spans).abs().amax(-1)
    good = [i for i, score in enumerate(find.scores) if score >= find.scores[0] / 2]
    return min(good, key=lambda i: float(spans[i]))


def witness_of(target: Target, claim: Claim, find: Find) -> Witness:
    """A find's instance, exactly: the best, or for a violation the plainest of the good ones."""
    instance = find.layout.instance(find.theta[_plainest(find) if find.scores[0] > TIE else 0])
    return Witness.from_floats(
        claim, instance.net, instance.dweights, instance.x, hypotheses=claim.hypotheses, bound_source=target.source
    )


def probe(claim: Claim) -> None:
    """Find out, before the attack, whether a user's bound is one at all.

    Raises:
        InputError: it raises, returns NaN, a negative or infinite number or the wrong shape, differs between two evaluations
            of one instance, or uses what a measurement does not have.
    """
    again, witness_at = _probe_descent(claim) if claim.quantity == "descent" else _probe_network(claim)
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
        certificate = certify(witness_at(index), claim, max_bits=256)
        if "cannot be evaluated exactly" in certificate.reason:
            raise InputError(certificate.reason)


Probe = tuple[Callable[[], Measured], Callable[[int], Witness]]


def _probe_network(claim: Claim) -> Probe:
    rng = torch.Generator().manual_seed(0)
    phi = "relu" if "relu" in claim.hypotheses else "identity" if "scalars" in claim.hypotheses else "leaky_relu:0.5"
    layout = Layout((1, 1, 1) if "scalars" in claim.hypotheses else (2, 2, 2), (phi, phi))
    theta = structured(layout, 64, Space(delta=(1e-3, 0.5), kappa=(1.0, 10.0)), rng)

    def witness_at(index: int) -> Witness:
        one = layout.instance(theta[index])
        return Witness.from_floats(claim, one.net, one.dweights, one.x, bound_source={"file": "", "function": ""})

    return lambda: measurement(claim, layout.instance(theta)), witness_at


def _probe_descent(claim: Claim) -> Probe:
    space = Space(depth=(2, 2), width=(2, 2), delta=(1e-3, 0.1))
    population = descent.draw(random.Random(0), torch.Generator().manual_seed(0), claim, space, certifiable=True)
    population = replace(population, along_gradient=False)  # one input's gradient has rank one
    target = Target(":")  # a user's bound, from nowhere
    return population.measure, lambda index: descent.witness_of(target, claim, population.measure(), index)


def falsify(
    target: Target,
    space: Space,
    budget: float = 60.0,
    seed: int = 0,
    jobs: int | None = None,
    folder: Path | None = None,
    progress: Progress = lambda done, total, what: None,
    timeout: float | None = None,
) -> dict:
    """Attack one claim; certify and shrink the counterexample if there is one.

    Args:
        target: the claim.
        space: the ranges it is attacked in.
        budget: units of work, each about a second of one core. The same seed and budget give the same outcome, times aside.
        seed: of everything random.
        jobs: processes; all cores by default.
        folder: where the witness is written; nowhere if None.
        progress: told (units done, units in all, the largest ratio).
        timeout: a hard stop, in seconds: what is found by then depends on the machine, and the outcome says "cut".

    Returns:
        claim, status (refuted | survived | unconfirmed), certified, ratio, log_ratio, depth, widths, alpha, beta, kappa,
        seconds, instances, witness (its path), script, counterexample (text), interrupted, cut, and answer: what the
        certifier says of the witness (violated, attained, holds, undecided).

    Raises:
        InputError: a bound that is not one (see `probe`), or a timeout that is not a number of seconds > 0.
    """
    check_timeout(timeout)
    with one_thread():
        return _falsify(target, space, budget, seed, jobs, folder, progress, timeout)


def _falsify(
    target: Target,
    space: Space,
    budget: float,
    seed: int,
    jobs: int | None,
    folder: Path | None,
    progress: Progress,
    timeout: float | None,
) -> dict:
    begin = time.perf_counter()
    claim = target.claim
    if target.source is not None:
        probe(claim)
    if claim.quantity == "descent":
        found = descent.Hunt()
        cut = False
        try:
            with time_limit(timeout):
                descent.hunt(found, target, space, budget, seed, SHRINK_CANDIDATES, progress)
        except TimeUp:
            cut = True
        certificate = certify(found.witness, claim, max_bits=512) if found.witness is not None else None
        outcome = _outcome(
            target,
            claim,
            found.status,
            found.witness,
            certificate,
            found.instances,
            found.interrupted,
            cut,
            folder,
            begin,
        )
        if found.status != "refuted" and math.isfinite(found.log_ratio):
            outcome |= {"ratio": math.exp(min(found.log_ratio, 700.0)), "log_ratio": found.log_ratio}
        return outcome
    if claim.quantity == "step":
        from drt.falsify.steps import falsify_steps

        return falsify_steps(claim, budget, seed)
    jobs = jobs or os.cpu_count() or 1
    hunt = Hunt(target, claim, progress, max(1, math.ceil(budget)))
    state = Attack(claim, space)
    interrupted = cut = False
    violated = _is_violated(claim, space)

    def keep(candidate: Witness) -> bool:
        if violated(candidate):
            hunt.refuted = candidate  # the smallest so far: an interrupt keeps it
            return True
        return False

    try:
        # One job runs in this process.
        with workers(jobs) if jobs > 1 else nullcontext() as pool, time_limit(timeout):
            attack(state, budget, seed, pool, target, hunt)
            if hunt.refuted is not None:
                hunt.refuted = shrink(hunt.refuted, keep, SHRINK_CANDIDATES)
    except KeyboardInterrupt:
        interrupted = True
    except TimeUp:
        cut = True
    witness, status = hunt.refuted, "refuted"
    if witness is None and hunt.doubtful is not None:
        witness, status = hunt.doubtful, "unconfirmed"
    elif witness is None:
        status = "survived"
        genuine = [f for f in state.finds if f.scores[0] <= TIE]
        if genuine:
            witness = witness_of(
                target, claim, max(genuine, key=lambda f: (round(f.scores[0], 9), -sum(f.layout.sizes)))
            )
    certificate = certify(witness, claim, max_bits=512) if witness is not None else None
    return _outcome(target, claim, status, witness, certificate, state.instances, interrupted, cut, folder, begin)


def _is_violated(claim: Claim, space: Space) -> Callable[[Witness], bool]:
    """Whether a witness is certified, and in the ranges that were asked about."""

    def violated(witness: Witness) -> bool:
        net, dweights, x = witness.network()
        if not space.admits(claim, net.widths) or not space.admits_slopes(claim, net.alpha, net.beta):
            return False
        _, counts = objective(claim, measurement(claim, Instance(net, dweights, x)), space)
        return bool(counts) and certify(witness, claim, max_bits=256).answer == "violated"

    return violated


def _outcome(
    target: Target,
    claim: Claim,
    status: str,
    witness: Witness | None,
    certificate: Certificate | None,
    instances: int,
    interrupted: bool,
    cut: bool,
    folder: Path | None,
    begin: float,
) -> dict:
    outcome: dict = {
        "claim": claim.id,
        "statement": claim.statement,
        "status": status,
        "certified": status == "refuted",
        "answer": certificate.answer if certificate else None,
        "ratio": None,
        "log_ratio": None,
        "depth": None,
        "widths": None,
        "alpha": None,
        "beta": None,
        "kappa": None,
        "seconds": 0.0,
        "instances": instances,
        "witness": None,
        "script": None,
        "counterexample": None,
        "interrupted": interrupted,
        "cut": cut,
    }
    if witness is not None and certificate is not None:
        net, dweights, x = witness.network()
        m = descent.measured(witness) if witness.target else measurement(claim, Instance(net, dweights, x))
        lhs, rhs, log_ratio = _sides(claim, m, certificate)
        kappa = float(m.kappa)
        outcome |= {
            "ratio": math.exp(min(log_ratio, 700.0)) if math.isfinite(log_ratio) else None,
            "log_ratio": log_ratio if math.isfinite(log_ratio) else None,
            "depth": net.depth,
            "widths": list(net.widths),
            "alpha": net.alpha,
            "beta": net.beta,
            "kappa": kappa if math.isfinite(kappa) else None,
        }
        if status != "survived":
            outcome["counterexample"] = statement(witness, claim, lhs, rhs)
        if folder is not None:
            _write(outcome, witness, claim, folder)
    outcome["seconds"] = round(time.perf_counter() - begin, 3)
    return outcome


def _sides(claim: Claim, m: Measured, certificate: Certificate) -> tuple[str, str, float]:
    """Both sides and log(actual/bound): as certified, or as measured where the left side is measured only."""
    if callable(claim.left) and math.isnan(certificate.lhs[0]):
        left, right = float(logarithm(evaluate(claim.left, m))), float(claim.log_value(m))
        return f"{math.exp(min(left, 700.0)):.6g}", f"{math.exp(min(right, 700.0)):.6g}", left - right
    ratio = sum(certificate.log10_ratio) / 2 * math.log(10)
    return _middle(certificate.lhs), _middle(certificate.rhs), ratio


def _middle(interval: tuple[float, float]) -> str:
    return f"{sum(interval) / 2:.6g}"


def _write(outcome: dict, witness: Witness, claim: Claim, folder: Path) -> None:
    """The witness, and for a counterexample the script that shows it."""
    name = claim.id.replace("/", "-")
    witnesses = folder / "witnesses"
    try:
        witnesses.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {str(folder)!r} must be a folder that can be written: {error.strerror}") from None
    witness.save(witnesses / f"{name}.json")
    outcome["witness"] = f"witnesses/{name}.json"
    # A step of a proof has no formula that numpy alone could evaluate.
    if outcome["counterexample"] is not None and "#" not in claim.id:
        write_atomically(witnesses / f"{name}.py", script(witness, claim, outcome["counterexample"]).encode())
        outcome["script"] = f"witnesses/{name}.py"


def describe(outcome: dict) -> str:
    """An outcome for people."""
    head = {
        "refuted": "refuted (certified)",
        "survived": "survived: attained, never exceeded" if outcome["answer"] == "attained" else "survived",
        "unconfirmed": "unconfirmed: exceeded in floating point, which could not be certified",
    }[outcome["status"]]
    if outcome["cut"]:
        head = f"cut short by the timeout; {head}"
    lines = [f"{outcome['claim']}: {head}", outcome["statement"]]
    if outcome["ratio"] is not None:
        lines.append(
            f"largest actual/bound {outcome['ratio']:.6g}, after {outcome['instances']:,} instances in {outcome['seconds']:.1f} s"
        )
    if outcome["counterexample"]:
        lines += ["", outcome["counterexample"]]
    files = [outcome[key] for key in ("witness", "script") if outcome[key]]
    return "\n".join(lines + (["", "wrote " + " and ".join(files)] if files else []))
