"""The main job: every claim on random, extremal and trained networks, and attacked; its result is a plain dict.

The work is cut into tasks that share nothing and run in any order on any number of processes; their evidence is merged in
the order of the tasks, so that the same seed gives the same result, times aside.
"""

from __future__ import annotations

import math
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

import drt
from drt.experiments.invariant import steps_of as invariant_steps
from drt.falsify import extremal_descent
from drt.falsify.descent import draw
from drt.falsify.extremal import Grid, constructions
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.steps import draw as draw_steps
from drt.falsify.target import Target
from drt.measurement.instance import Instance
from drt.measurement.measured import Measured
from drt.measurement.measurement import measure_all
from drt.measurement.sampling import PERTURBATIONS, SPECTRA, WIDTH_PATTERNS, Recipe, generator, widths_of
from drt.numeric.pool import workers
from drt.numeric.timeout import check_timeout
from drt.theory.outcome import Outcome
from drt.theory.registry import Claim, claims, of_descent, of_network, of_steps
from drt.theory.verdict import Verdicts
from drt.training.data import load_digits
from drt.training.trained import INPUTS, NETWORKS, config_of, descents, instances, name_of, steps_of
from drt.training.training import train
from proofs_checks.recorded import proved_claims
from proofs_checks.slack import of_trained

SCHEMA = 1
ORIGINS = ("random", "extremal", "trained", "attack")
POINTS = 150  # per claim and origin, in the report's plots
RANDOM_TASKS, QUICK_RANDOM_TASKS = 24, 3
RECIPES = 24  # per random task
POPULATIONS = 4  # of descents, per random task
# Of the budget, what is left for searching: certifying and what stands in no unit take a quarter, and two cores work.
ATTACKED_SHARE = 1.5
BATCH = 32
QUICK_INPUTS = 6  # digits that trained networks are measured on, where INPUTS is more
WATERFALLS = (2, 16)  # depths of the trained networks whose bounds' looseness the report takes apart
LOG10 = math.log(10)


@dataclass
class Evidence:
    """What one origin says of one claim: counts, the largest log(actual/bound), and log10(bound/actual) by depth."""

    instances: int = 0
    violations: int = 0
    undecided: int = 0
    inapplicable: Counter[str] = field(default_factory=Counter)
    max_log_ratio: float = -math.inf
    looseness: dict[int, list[float]] = field(default_factory=dict)
    points: list[tuple[int, float, float]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, verdicts: Verdicts) -> None:
        """Count a batch of verdicts."""
        m, codes = verdicts.measurement, verdicts.codes.flatten()
        self.instances += len(codes)
        self.violations += int((codes == Outcome.VIOLATED.code).sum())
        self.undecided += int((codes == Outcome.UNDECIDED.code).sum())
        bad = torch.nonzero(codes == Outcome.INAPPLICABLE.code)
        if len(bad):
            index = tuple(int(i) for i in torch.unravel_index(bad[0, 0], verdicts.codes.shape))
            self.inapplicable[verdicts.why(index)] += len(bad)
        # An excess within the rounding bound is none: above 1 only what is a violation is shown.
        gap = verdicts.log_ratio.flatten()
        gap = torch.where(codes == Outcome.VIOLATED.code, gap, gap.clamp(max=0.0))
        gap = gap[torch.isfinite(gap)]
        if len(gap):
            self.max_log_ratio = max(self.max_log_ratio, float(gap.max()))
            self.looseness.setdefault(m.depth, []).extend((-gap / LOG10).tolist())
        lhs, rhs = (v.flatten() for v in (verdicts.log_lhs, verdicts.log_rhs))
        plotted = torch.nonzero(
            torch.isfinite(lhs) & torch.isfinite(rhs) & (codes != Outcome.INAPPLICABLE.code)
        ).flatten()[:8]
        self.points += [(m.depth, float(lhs[i]) / LOG10, float(rhs[i]) / LOG10) for i in plotted]

    def merge(self, other: Evidence) -> None:
        """Take in what another task found."""
        self.instances += other.instances
        self.violations += other.violations
        self.undecided += other.undecided
        self.inapplicable += other.inapplicable
        self.max_log_ratio = max(self.max_log_ratio, other.max_log_ratio)
        self.seconds += other.seconds
        self.points += other.points
        for depth, values in other.looseness.items():
            self.looseness.setdefault(depth, []).extend(values)


Findings = dict[str, Evidence]


def hold(wanted: Iterable[Claim], m: Measured, findings: Findings) -> None:
    """Hold claims against a batch of what they are about."""
    for claim in wanted:
        begin = time.perf_counter()
        evidence = findings.setdefault(claim.id, Evidence())
        evidence.add(Verdicts(claim, m))
        evidence.seconds += time.perf_counter() - begin


def hold_all(instance: Instance, findings: Findings) -> None:
    """Hold every claim against a batch of instances: function claims, and Jacobian claims at l = 0, L/2 and L − 1."""
    function, jacobians = measure_all(instance)
    depth = instance.net.depth
    for m in (function, *(jacobians[layer] for layer in sorted({0, depth // 2, depth - 1}))):
        hold((c for c in of_network() if c.quantity == m.quantity), m, findings)


def on_random(seed: int) -> Findings:
    """A task: random networks over α, κ, depth, width pattern, kind and size of the perturbation."""
    dice, rng = random.Random(seed), generator(seed)
    findings: Findings = {}
    for _ in range(RECIPES):
        depth = dice.choice((1, 1, 2, 2, 3, 4, 8, 16))
        a = dice.choice((0.05, 0.1, 0.5, 0.9))
        recipe = Recipe(
            widths_of(dice.choice(WIDTH_PATTERNS), depth, dice.choice((1, 2, 4, 8, 16))),
            dice.choice(
                (
                    "identity",
                    "relu",
                    f"leaky_relu:{a}",
                    f"negated:leaky_relu:{a}",
                    f"tanh_blend:{a}",
                    f"softplus_blend:{a}",
                    f"piecewise_linear:-0.5,0.5/{a},1.0,{a}",
                )
            ),
            kappa=dice.choice((1.0, 1.5, 3.0, 10.0, 100.0)),
            delta=10 ** dice.uniform(-8, 2),
            norm=dice.choice(("delta", "rho")),
            weights=dice.choice(("kappa", "kappa", "gaussian", "orthogonal")),
            perturbation=dice.choice(PERTURBATIONS),
            spectrum=dice.choice(SPECTRA),
        )
        hold_all(recipe.draw(BATCH, rng), findings)
    for _ in range(POPULATIONS):
        hold(of_descent(), draw(dice, rng).measure(), findings)
        hold(of_steps(), draw_steps(dice, rng), findings)
    # Equation 3 is about two scalars.
    hold_all(
        Recipe((1, 1, 1), "identity", delta=10 ** dice.uniform(-8, 2), perturbation="gaussian").draw(BATCH, rng),
        findings,
    )
    return findings


def on_extremal(names: Sequence[str], quick: bool) -> Findings:
    """A task: some of the extremal constructions, over their grid."""
    findings: Findings = {}
    grid = Grid(depths=(1, 2), widths=(2, 16), alphas=(0.0, 0.1, 1.0)) if quick else Grid(alphas=(0.0, 0.1, 0.5, 1.0))
    for _, instance in grid.instances([name for name in names if name in constructions]):
        hold_all(instance, findings)
    for _, m in extremal_descent.steps([name for name in names if name in extremal_descent.NAMES]):
        hold(of_descent(), m, findings)
    return findings


def on_trained(depth: int, activation: str, quick: bool, seed: int) -> tuple[Findings, dict]:
    """A task: one network trained on digits, at its checkpoints; and what the report says of the network."""
    digits = load_digits()
    config = config_of(depth, activation, quick, seed)
    run = train(config, digits)
    findings: Findings = {}
    inputs = QUICK_INPUTS if quick else INPUTS
    for perturbed in instances(run, digits, seed, inputs):
        hold_all(perturbed.instance, findings)
    for m in descents(run, digits, seed, inputs):
        hold(of_descent(), m, findings)
    for steps in steps_of(run, digits):
        hold(of_steps(), steps, findings)
    if depth == 2:
        for steps in invariant_steps(digits, seed):
            hold(of_steps(), steps, findings)
    about = {
        "name": name_of(config),
        "depth": depth,
        "widths": [digits.images.shape[1], *config.hidden, 10],
        "activation": activation,
        "optimiser": config.optimiser,
        "outcome": run.outcome,
        "checkpoints": [c.step for c in run.checkpoints],
        "accuracy": [round(c.accuracy, 4) for c in run.checkpoints],
        "slack": of_trained(run, digits, seed) if depth in WATERFALLS else [],
    }
    return findings, about


def tasks(quick: bool, seed: int) -> Iterator[tuple[str, tuple]]:
    """(origin, arguments) of every task, the long ones first."""
    for depth, activation in sorted(NETWORKS, reverse=True):
        yield "trained", (depth, activation, quick, seed)
    names = [*constructions, *extremal_descent.NAMES]
    for part in range(4):
        yield "extremal", (names[part::4], quick)
    for k in range(QUICK_RANDOM_TASKS if quick else RANDOM_TASKS):
        yield "random", (seed * 1_000_003 + k,)


def quantiles(values: Sequence[float]) -> list[float]:
    """The quartiles."""
    return (
        torch.tensor(values, dtype=torch.float64)
        .quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
        .tolist()
    )


def record(claim_id: str, by_origin: dict[str, Evidence], outcome: dict, proved: bool = False) -> dict:
    """A claim's entry in the report: its evidence by origin, the attack's outcome, and whether a proof was checked."""
    claim = claims[claim_id]
    whole = Evidence()
    for evidence in by_origin.values():
        whole.merge(evidence)
    loose = [v for origin in ("random", "trained") for values in by_origin[origin].looseness.values() for v in values]
    dice = random.Random(0)
    points = [
        [origin, *point]
        for origin, evidence in by_origin.items()
        for point in (dice.sample(evidence.points, POINTS) if len(evidence.points) > POINTS else evidence.points)
    ]
    return {
        "id": claim.id,
        "kind": claim.kind,
        "known": claim.known,
        "quantity": claim.quantity,
        "statement": claim.statement,
        "source": claim.source,
        "status": _status(outcome["status"], whole, proved),
        "instances": whole.instances,
        "inapplicable": whole.inapplicable.total(),
        "inapplicable_why": _by_hypothesis(whole.inapplicable),
        "violations": whole.violations,
        "certified": int(outcome["certified"]),
        "undecided": whole.undecided,
        "max_ratio": _ratio(whole.max_log_ratio),
        "max_log_ratio": _finite(whole.max_log_ratio),
        "median_looseness": quantiles(loose)[1] if loose else None,
        "witness": outcome["witness"],
        "counterexample": outcome["counterexample"],
        "seconds": round(whole.seconds, 2),
        "origins": {origin: _summary(evidence) for origin, evidence in by_origin.items()},
        "points": points,
        "looseness": {
            origin: [[depth, *quantiles(values)] for depth, values in sorted(by_origin[origin].looseness.items())]
            for origin in ("random", "trained")
        },
    }


def _status(attacked: str, evidence: Evidence, proved: bool) -> str:
    """Refuted and unconfirmed as the attack says; else proved; else holds, if there is an instance to hold it against.

    A violation on other instances, which nobody has certified, is unconfirmed too.
    """
    if attacked in ("refuted", "unconfirmed"):
        return attacked
    if evidence.violations:
        return "unconfirmed"
    if proved:
        return "proved"
    return "holds" if evidence.instances > evidence.inapplicable.total() else "untested"


def _by_hypothesis(reasons: Counter[str]) -> dict[str, int]:
    """Counts by hypothesis, each with the reason given most often as its example."""
    groups: dict[str, Counter[str]] = {}
    for reason, count in reasons.items():
        groups.setdefault(reason.split(":")[0], Counter())[reason] += count
    totals = {max(group, key=lambda r: (group[r], r)): group.total() for group in groups.values()}
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _summary(evidence: Evidence) -> dict:
    values = [v for depth in evidence.looseness.values() for v in depth]
    return {
        "instances": evidence.instances,
        "inapplicable": evidence.inapplicable.total(),
        "violations": evidence.violations,
        "undecided": evidence.undecided,
        "max_ratio": _ratio(evidence.max_log_ratio),
        "median_looseness": quantiles(values)[1] if values else None,
    }


def _ratio(log_ratio: float) -> float | None:
    return math.exp(min(log_ratio, 700.0)) if math.isfinite(log_ratio) else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def header(seed: int, quick: bool) -> dict:
    """What a report begins with."""
    return {"schema": SCHEMA, "version": drt.__version__, "seed": seed, "quick": quick}


TASKS: dict[str, Callable] = {"random": on_random, "extremal": on_extremal, "trained": on_trained}
# What is recorded of an attack that an interrupt kept from happening.
NOT_ATTACKED: dict[str, Any] = {
    "status": "survived",
    "certified": False,
    "witness": None,
    "counterexample": None,
    "log_ratio": None,
    "instances": 0,
    "seconds": 0.0,
}


def attack_task(claim_id: str, budget: float, seed: int, folder: Path | None) -> dict:
    """A task: attack one claim."""
    return falsify(Target(claim_id), Space(), budget, seed, 1, folder)


def _done(future: Future) -> bool:
    return future.done() and not future.cancelled()


def verify(
    seed: int = 0,
    budget: float = 120.0,
    jobs: int | None = None,
    quick: bool = False,
    folder: Path | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
    timeout: float | None = None,
) -> dict:
    """Run the main job: the report as a dict (see report.json).

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
    share = (min(budget, 4.0) if quick else budget) * ATTACKED_SHARE / (len(claims) - len(of_steps()))
    evidence = {claim_id: {origin: Evidence() for origin in ORIGINS} for claim_id in claims}
    outcomes = {claim_id: dict(NOT_ATTACKED) for claim_id in claims}
    networks: list[dict] = []
    interrupted = cut = False
    with workers(jobs or os.cpu_count() or 1) as pool:
        futures: dict[Future, str] = {pool.submit(TASKS[origin], *arguments): origin for origin, arguments in work}
        attacks = {pool.submit(attack_task, claim_id, share, seed, folder): claim_id for claim_id in claims}
        try:
            for done, future in enumerate(as_completed([*futures, *attacks], timeout), start=1):
                progress(done, len(work) + len(claims), attacks.get(future) or futures[future])
        except KeyboardInterrupt:
            interrupted = True
        except TimeoutError:
            cut = True
        # In the order of the tasks, whatever order they ended in.
        for future, origin in futures.items():
            if _done(future):
                result = future.result()
                findings, about = result if isinstance(result, tuple) else (result, None)
                networks += [about] if about else []
                for claim_id, found in findings.items():
                    evidence[claim_id][origin].merge(found)
        for future, claim_id in attacks.items():
            if _done(future):
                outcomes[claim_id] = future.result()
    for claim_id, outcome in outcomes.items():
        evidence[claim_id]["attack"] = Evidence(
            instances=outcome["instances"],
            violations=int(outcome["status"] != "survived"),
            max_log_ratio=-math.inf if outcome["log_ratio"] is None else outcome["log_ratio"],
            seconds=outcome["seconds"],
        )
    proved = proved_claims()
    records = [record(name, evidence[name], outcomes[name], name in proved) for name in claims]
    networks.sort(key=lambda about: (about["activation"], about["depth"]))
    seconds = round(time.perf_counter() - begin, 1)
    return {
        **header(seed, quick),
        "seconds": seconds,
        "interrupted": interrupted,
        "cut": cut,
        "networks": networks,
        "claims": records,
    }
