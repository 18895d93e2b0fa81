"""Extremal steps: the smallest networks and losses at which a descent claim is attained, or nearly, or a false one breaks.

All have f(1) = w_L ··· φ(w_1) with scalar weights, the input 1 and the loss ½(f − y)², so that a witness can hold them.

towards      w_l = 1, y = 1 + r, every weight moves by δ towards the target. For r a little above 1 and one layer deep relative
             trust is nearly an equality, and `lemma2.mean` is attained as δ → 2; for r < δ/2 the loss rises.
away         w_l = 1, y = 1 − r, every weight moves by δ away from it: g_l grows to (1 + γ)(1 + δ)^{L−1} times its size, which
             `spectral-relative-trust.constant` attains; near the target, r ≪ δ, relative trust breaks.
early_kink   one leaky weight ε, moved to ε − 1: its gradient falls to α of its size at t = ε and hardly changes after, so the
             maximum over t is nearly the mean: Lemma 1 and condition (4) are attained as α → 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import torch
from jaxtyping import Float
from scipy.optimize import brentq
from torch import Tensor

from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import Descent, measure_descent
from drt.network.activations import Activation, identity, leaky_relu
from drt.network.network import Network
from drt.theory.hypotheses_descent import mean_growth

DEPTHS = (1, 2, 4)
GAPS = (0.01, 0.1, 0.5, 1.0001, 2.0, 100.0)  # r
SHARES = (1e-3, 0.1, 0.5, 0.9, 0.999)  # of the η that Lemma 2 allows, with the largest change and with the mean
SLOPES = (0.001, 0.1, 0.5)  # α
EARLY = 2.0**-13  # ε: so small a weight that δ = 1/ε is still within the ranges attacked by default
NAMES = ("towards", "away", "early_kink")


def _scalars(
    phi: Activation, weights: Sequence[float], step: Float[Tensor, " B"], target: Float[Tensor, " B"]
) -> Descent:
    """Scalar layers, all moved by the same step."""
    net = Network([torch.full((len(step), 1, 1), w, dtype=torch.float64) for w in weights], phi)
    x = torch.ones(len(step), 1, 1, dtype=torch.float64)
    return measure_descent(net, [step.reshape(-1, 1, 1)] * len(weights), x, MeanSquaredError(target.reshape(-1, 1, 1)))


def allowed(depth: int) -> tuple[float, float]:
    """The η that Lemma 2 allows at cos θ = 1: with the largest change on the segment, and with the mean."""
    return 2 ** (1 / depth) - 1, float(brentq(lambda eta: mean_growth(depth, eta) - 1, 0, 2 + 1e-9, xtol=1e-15))


def steps(names: Sequence[str] = NAMES) -> Iterator[tuple[str, Descent]]:
    """(name, a batch over δ and r, or one step) for the named constructions."""
    for name in names:
        if name == "early_kink":
            for alpha in SLOPES:
                yield name, _scalars(leaky_relu(alpha), [EARLY], _vector([-1.0]), _vector([-1.0]))
            continue
        sign = 1.0 if name == "towards" else -1.0
        for depth in DEPTHS:
            etas = sorted(share * eta for share, eta in product(SHARES, allowed(depth)))
            delta, gap = (_vector(v) for v in zip(*product(etas, GAPS), strict=True))
            yield name, _scalars(identity(), [1.0] * depth, delta, 1 + sign * gap)


def _vector(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
