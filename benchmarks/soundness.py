"""No false alarms: random instances of the true claims at extreme scales; a single violation reported would be a bug.

    python benchmarks/soundness.py [--instances 1000000] [--seed 0]

Weights scaled by 10^-100 … 10^100 layer by layer, δ from 1e-14 to 1e3, κ from 1 to 1e12, depth to 16, width to 16, every φ,
every kind of perturbation. An instance is one network at one input; every true claim is held against each.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter

import torch

from drt.measurement.instance import Instance
from drt.measurement.measurement import measure_all
from drt.measurement.sampling import PERTURBATIONS, SPECTRA, WIDTH_PATTERNS, Recipe, generator, widths_of
from drt.network.network import Network
from drt.theory.outcome import Outcome
from drt.theory.registry import claims
from drt.theory.verdict import Verdicts

BATCH = 512
PHIS = ("identity", "relu", "leaky_relu:0.01", "negated:leaky_relu:0.3", "tanh_blend:0.2", "softplus_blend:0.2")


def draw(dice: random.Random, rng: torch.Generator) -> Instance:
    depth, phi = dice.choice((1, 1, 2, 3, 5, 8, 16)), dice.choice((*PHIS, "piecewise_linear:-0.3,0.8/0.2,1.0,0.4"))
    recipe = Recipe(
        widths_of(dice.choice(WIDTH_PATTERNS), depth, dice.choice((1, 2, 3, 5, 8, 16))),
        phi,
        kappa=10 ** dice.uniform(0, 12),
        delta=10 ** dice.uniform(-14, 3),
        norm=dice.choice(("delta", "rho")),
        weights=dice.choice(("kappa", "gaussian", "orthogonal")),
        perturbation=dice.choice(PERTURBATIONS),
        spectrum=dice.choice(SPECTRA),
    )
    instance = recipe.draw(BATCH, rng)
    scales = [10 ** dice.uniform(-100, 100) if "blend" not in phi else 10 ** dice.uniform(-3, 3) for _ in range(depth)]
    weights = [w * s for w, s in zip(instance.net.weights, scales, strict=True)]
    dweights = [dw * s for dw, s in zip(instance.dweights, scales, strict=True)]
    return Instance(
        Network(weights, list(instance.net.activations)), dweights, instance.x * 10 ** dice.uniform(-50, 50)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    dice, rng = random.Random(arguments.seed), generator(arguments.seed)
    held = [
        c
        for c in claims.values()
        if c.known == "true" and c.kind == "theorem" and c.quantity in ("function", "jacobian")
    ]
    counts: Counter[str] = Counter()
    done = 0
    while done < arguments.instances:
        function, jacobians = measure_all(draw(dice, rng))
        for claim in held:
            verdicts = Verdicts(claim, function if claim.quantity == "function" else dice.choice(jacobians))
            for outcome in Outcome:
                counts[outcome] += verdicts.count(outcome)
            if verdicts.count("violated"):
                print(
                    f"VIOLATED {claim.id}: widths {function.widths}, {verdicts.count('violated')} instances", flush=True
                )
        done += BATCH
    print(f"{done:,} instances, {len(held)} true claims each: " + ", ".join(f"{n:,} {o}" for o, n in counts.items()))


if __name__ == "__main__":
    main()
