"""Networks to walk a chain on: random ones, the extremal constructions, trained ones, or two that somebody saved."""

from __future__ import annotations

from collections.abc import Iterator

from drt.falsify.extremal import ConstructionGrid
from drt.measurement.instance import Instance
from drt.measurement.sampling import Recipe, generator
from drt.network.difference import difference
from drt.network.storage import load_network
from drt.training.data import load_digits
from drt.training.inputs import inputs_for
from drt.training.trained import config_of
from drt.training.trained import instances as perturbed
from drt.training.training import train
from proofs_checks.chain import Setup


def instances(setup: Setup, scalars: bool = False) -> Iterator[tuple[str, Instance]]:
    """Batches of instances with a label. scalars: for a claim about two scalars, whose widths and φ are given."""
    if setup.source == "networks":
        assert setup.networks is not None
        before, after = (load_network(path, setup.activation) for path in setup.networks)
        net, dweights, dbiases = difference(before, after)
        yield "saved networks", Instance(net, dweights, inputs_for(net, None, setup.seed)[:64], dbiases)
    elif setup.source == "trained":
        digits = load_digits()
        run = train(config_of(setup.depth, activation_of(setup), True, setup.seed), digits)
        for p in perturbed(run, digits, setup.seed):
            yield f"{p.network}, step {p.step}, {p.perturbation}", p.instance
    elif setup.source == "extremal":
        grid = ConstructionGrid(
            depths=(setup.depth,), widths=(setup.width,), alphas=(setup.alpha,), kappas=(setup.kappa,), deltas=(setup.delta,)
        )  # fmt: skip
        yield from grid.instances()
    else:
        widths = (1, 1, 1) if scalars else (setup.width,) * (setup.depth + 1)
        phi = "identity" if scalars else activation_of(setup)
        recipe = Recipe(widths, phi, kappa=setup.kappa, delta=setup.delta)
        yield "random", recipe.draw(setup.batch, generator(setup.seed))


def activation_of(setup: Setup) -> str:
    """Leaky ReLU of slope α; the identity at α = 1, ReLU at 0."""
    return {0.0: "relu", 1.0: "identity"}.get(setup.alpha, f"leaky_relu:{setup.alpha!r}")
