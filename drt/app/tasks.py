"""The work of `drt verify`, cut into tasks that share nothing and run in any order, on any process."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drt.app.evidence import Findings, hold, hold_all
from drt.experiments.invariant import steps_of as invariant_steps
from drt.falsify import extremal_descent
from drt.falsify.descents import sample_population
from drt.falsify.extremal import ConstructionGrid, constructions
from drt.falsify.outcome import Attacked
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.steps import sample_steps
from drt.falsify.target import Target
from drt.measurement.sampling import PERTURBATIONS, SPECTRA, WIDTH_PATTERNS, Recipe, generator, widths_of
from drt.theory.registry import claims, of_descent, of_steps
from drt.training.data import load_digits
from drt.training.trained import DIGITS_PER_NETWORK, NETWORKS, config_of, descents, instances, name_of, steps_of
from drt.training.training import train
from proofs_checks.slack import TrainedWaterfalls, of_trained

RANDOM_TASKS, QUICK_RANDOM_TASKS = 24, 3
RECIPES_PER_TASK, INSTANCES_PER_RECIPE = 24, 32
POPULATIONS_PER_TASK = 4  # of descents, and as many of steps
EXTREMAL_TASKS = 4
QUICK_INPUTS = 6  # digits that trained networks are measured on, where DIGITS_PER_NETWORK is more
TAKEN_APART = (2, 16)  # depths of the trained networks whose bounds' looseness the report takes apart
WITH_INVARIANT_STEPS = 2  # the depth whose task also takes the steps of scale-invariant layers
SEEDS_PER_RUN = 1_000_003  # so many random tasks of one run have seeds of their own


@dataclass(frozen=True)
class TrainedNetwork:
    """What the report says of a network trained on digits; accuracy: at each checkpoint; slack: see TAKEN_APART."""

    name: str
    depth: int
    widths: list[int]
    activation: str
    optimiser: str
    outcome: str
    checkpoints: list[int]
    accuracy: list[float]
    slack: list[TrainedWaterfalls]


@dataclass(frozen=True)
class Found:
    """What a task found, and the network that it trained if it did."""

    findings: Findings
    network: TrainedNetwork | None = None


def on_random(seed: int) -> Found:
    """A task: random networks over α, κ, depth, width pattern, kind and size of the perturbation."""
    dice, rng = random.Random(seed), generator(seed)
    findings: Findings = {}
    for _ in range(RECIPES_PER_TASK):
        hold_all(_recipe(dice).draw(INSTANCES_PER_RECIPE, rng), findings)
    for _ in range(POPULATIONS_PER_TASK):
        hold(of_descent(), sample_population(dice, rng, claims["lemma1"]).measure(), findings)
        hold(of_steps(), sample_steps(dice, rng), findings)
    # Equation 3 is about two scalars.
    scalars = Recipe((1, 1, 1), "identity", delta=10 ** dice.uniform(-8, 2), perturbation="gaussian")
    hold_all(scalars.draw(INSTANCES_PER_RECIPE, rng), findings)
    return Found(findings)


def _recipe(dice: random.Random) -> Recipe:
    depth = dice.choice((1, 1, 2, 2, 3, 4, 8, 16))
    a = dice.choice((0.05, 0.1, 0.5, 0.9))
    activations = (
        "identity", "relu", f"leaky_relu:{a}", f"negated:leaky_relu:{a}", f"tanh_blend:{a}", f"softplus_blend:{a}",
        f"piecewise_linear:-0.5,0.5/{a},1.0,{a}",
    )  # fmt: skip
    return Recipe(
        widths_of(dice.choice(WIDTH_PATTERNS), depth, dice.choice((1, 2, 4, 8, 16))),
        dice.choice(activations),
        kappa=dice.choice((1.0, 1.5, 3.0, 10.0, 100.0)),
        delta=10 ** dice.uniform(-8, 2),
        norm=dice.choice(("delta", "rho")),
        weights=dice.choice(("kappa", "kappa", "gaussian", "orthogonal")),
        perturbation=dice.choice(PERTURBATIONS),
        spectrum=dice.choice(SPECTRA),
    )


def on_extremal(names: Sequence[str], quick: bool) -> Found:
    """A task: some of the extremal constructions, over their grid."""
    findings: Findings = {}
    grid = ConstructionGrid(alphas=(0.0, 0.1, 0.5, 1.0))
    if quick:
        grid = ConstructionGrid(depths=(1, 2), widths=(2, 16), alphas=(0.0, 0.1, 1.0))
    for _, instance in grid.instances([name for name in names if name in constructions]):
        hold_all(instance, findings)
    for _, m in extremal_descent.steps([name for name in names if name in extremal_descent.NAMES]):
        hold(of_descent(), m, findings)
    return Found(findings)


def on_trained(depth: int, activation: str, quick: bool, seed: int) -> Found:
    """A task: one network trained on digits, at its checkpoints.

    Args:
        depth: L.
        activation: φ of the hidden layers, as a text.
        quick: whether it is trained shortly and measured at few digits.
        seed: of the weights, the minibatches and the perturbations.
    """
    digits = load_digits()
    config = config_of(depth, activation, quick, seed)
    run = train(config, digits)
    findings: Findings = {}
    inputs = QUICK_INPUTS if quick else DIGITS_PER_NETWORK
    for perturbed in instances(run, digits, seed, inputs):
        hold_all(perturbed.instance, findings)
    for m in descents(run, digits, seed, inputs):
        hold(of_descent(), m, findings)
    for steps in steps_of(run, digits):
        hold(of_steps(), steps, findings)
    if depth == WITH_INVARIANT_STEPS:
        for steps in invariant_steps(digits, seed):
            hold(of_steps(), steps, findings)
    network = TrainedNetwork(
        name=name_of(config),
        depth=depth,
        widths=[digits.images.shape[1], *config.hidden, 10],
        activation=activation,
        optimiser=str(config.optimiser),
        outcome=run.outcome,
        checkpoints=[c.step for c in run.checkpoints],
        accuracy=[round(c.accuracy, 4) for c in run.checkpoints],
        slack=of_trained(run, digits, seed) if depth in TAKEN_APART else [],
    )
    return Found(findings, network)


TASKS: dict[str, Callable[..., Found]] = {"random": on_random, "extremal": on_extremal, "trained": on_trained}


def tasks(quick: bool, seed: int) -> Iterator[tuple[str, tuple]]:
    """(origin, arguments) of every task, the long ones first; TASKS[origin] takes the arguments."""
    for depth, activation in sorted(NETWORKS, reverse=True):
        yield "trained", (depth, activation, quick, seed)
    names = [*constructions, *extremal_descent.NAMES]
    for part in range(EXTREMAL_TASKS):
        yield "extremal", (names[part::EXTREMAL_TASKS], quick)
    for k in range(QUICK_RANDOM_TASKS if quick else RANDOM_TASKS):
        yield "random", (seed * SEEDS_PER_RUN + k,)


def attack_task(claim_id: str, budget: float, seed: int, folder: Path | None) -> Attacked:
    """A task: attack one claim.

    Args:
        claim_id: its name in the registry.
        budget: as for `falsify`.
        seed: of the attack.
        folder: where its witness is written; nowhere if None.
    """
    return falsify(Target(claim_id), Space(), budget, seed, 1, folder)
