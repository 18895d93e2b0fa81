"""Theorem 1 for ReLU with α = β = ½ put in, as the paper models it.

    function:  ‖f̃ − f‖/‖f‖ ≤ κ^{2L} · [Π_l (1 + δ_l) − 1]
    jacobian:  ‖J̃_l − J_l‖_F/‖J_l‖_F ≤ κ^{2(L−l)} · [Π_{k>l} (1 + δ_k) − 1]

H1  relu: φ is ReLU (the last layer may be linear).
H2  conditioning: W_l, W̃_l and ΔW_l ≠ 0 have full rank.
H3  widths as in the corrected Theorem 1, so that only the model is on trial.

A model, not a theorem: ReLU has α = 0. Source: the paper, after Theorem 1 ("we may model ...").
"""

from typing import Any

from drt.measurement.quantity import FUNCTION, JACOBIAN
from drt.numeric.numbers import Number, product_minus_one
from drt.theory.base import Claim, register


def value(m: Any) -> Number:
    """κ^{2n}·[Π(1 + δ_k) − 1] over the n layers measured."""
    return m.kappa ** (2 * m.depth) * product_minus_one(m.delta)


register(
    Claim(
        id="relu-model",
        kind="model",
        quantity=FUNCTION,
        statement="‖f̃ − f‖/‖f‖ ≤ κ^{2L} [Π(1 + δ_k) − 1] for ReLU",
        source="paper, after Theorem 1: α = β = ½",
        hypotheses=("biases", "nonzero", "relu", "conditioning", "widths"),
        formula=value,
        known="false",
    )
)
register(
    Claim(
        id="relu-model.jacobian",
        kind="model",
        quantity=JACOBIAN,
        statement="‖J̃_l − J_l‖_F/‖J_l‖_F ≤ κ^{2(L−l)} [Π_{k>l} (1 + δ_k) − 1] for ReLU",
        source="paper, after Theorem 1: α = β = ½",
        hypotheses=("biases", "nonzero", "relu", "conditioning", "widths"),
        formula=value,
        known="false",
    )
)
