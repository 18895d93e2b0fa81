"""What the tests of all chains share: instances, and errors planted into steps."""

import math
from dataclasses import replace

import torch

from drt.falsify.extremal import constructions
from drt.measurement.measurement import Measurement
from drt.measurement.quantity import OF_NETWORKS
from drt.measurement.sampling import Recipe, generator
from drt.theory.registry import claims
from drt.training.data import load_digits
from drt.training.trained import instances
from drt.training.training import TrainingConfig, train
from proofs_checks.terms import Log

LEAKY, SMOOTH = "leaky_relu:0.1", "tanh_blend:0.3"
RISING, VALLEY = (2, 3, 3, 5), (4, 3, 2, 3)


def of(chain, instance):
    """The measurement that a chain is about."""
    return both(instance)[claims[chain.claim].quantity]


def both(instance):
    """Function and J_0; chains about the same measurement share what they measure."""
    return {quantity: Measurement.of(instance, quantity) for quantity in OF_NETWORKS}


def random_instance(chain, activation=LEAKY, **changes):
    widths = (1, 1, 1) if chain.claim == "equation3" else RISING
    if claims[chain.claim].quantity == "jacobian":
        widths = VALLEY
    recipe = {"kappa": 3.0, "delta": 0.1, "batch": 16, "seed": 0, "widths": widths, **changes}
    batch, seed, widths = (recipe.pop(name) for name in ("batch", "seed", "widths"))
    phi = "identity" if chain.claim == "equation3" else activation
    return Recipe(widths, phi, **recipe).draw(batch, generator(seed))


def extremal_instances(depth=2, width=3, alpha=0.1):
    kappa, delta = torch.tensor([1.0, 3.0, 3.0]).double(), torch.tensor([0.1, 1e-6, 10.0]).double()
    return {name: build(depth, width, alpha, kappa, delta) for name, build in constructions.items()}


def trained_instances():
    """A network of four layers after 20 steps, perturbed in seven ways; its hidden layers too."""
    digits = load_digits()
    config = TrainingConfig((24,) * 3, LEAKY, steps_per_epoch=20, epochs=1, checkpoints=(20,))
    return [p.instance for p in instances(train(config, digits), digits, 0)]


def assert_holds(chain, m, some=True):
    walk = chain.walk(m)
    assert walk.named() == ""
    if some:
        assert walk.applicable.any()
    return walk


def assert_ends_are_the_claims(chain, m):
    claim, walk = claims[chain.claim], chain.walk(m)
    at = walk.applicable
    assert at.any()
    left = m.log_change if claim.left == "relative" else m.log_norm_df
    torch.testing.assert_close(walk.logs[..., 0][at], left[at], rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(walk.logs[..., -1][at], claim.log_value(m)[at], rtol=1e-12, atol=1e-11)


def lowered(step, by):
    """The step with e^{−by} times its right side."""

    def change(t):
        t = step.change(t)
        smaller = torch.zeros_like(t.gains.value)
        smaller[..., 0] = -by
        return replace(t, parts={**t.parts, "planted": Log(smaller, torch.zeros_like(smaller))})

    return replace(step, change=change)


def assert_every_lowered_step_is_named(chain, instance):
    """Whatever a step has to spare, and one percent more, is taken from its right side."""
    for k, step in enumerate(chain.steps, start=1):
        spare = chain.walk(instance).slack[..., k - 1]
        by = float(spare[torch.isfinite(spare)].max()) * math.log(10) + 0.01
        walk = chain.with_step(k, lowered(step, by)).walk(instance)
        assert [number for number, _ in walk.wrong] == [k], f"{chain.claim}#{k}"
        assert walk.named().startswith(f"{chain.claim}#{k}, {step.reason}")


def named(chain, k, change, m):
    """The numbers of the wrong steps after step k's change was replaced."""
    return [n for n, _ in chain.with_step(k, replace(chain.steps[k - 1], change=change)).walk(m).wrong]


def m_of(chain, **changes):
    return of(chain, random_instance(chain, **{"kappa": 5.0, **changes}))
