"""Equation 3: a product of two scalars.

    |ãb̃ − ab|/|ab| ≤ (1 + |Δa|/|a|)(1 + |Δb|/|b|) − 1

H1  scalars: a network of widths 1-1-1 with φ the identity, f(x) = b·a·x.

True; equality when Δa/a ≥ 0 and Δb/b ≥ 0. Source: Equation 3 of the paper.
"""

from typing import Any

from drt.measurement.quantity import FUNCTION
from drt.numeric.numbers import Number, product_minus_one
from drt.theory.base import Claim, register


def value(m: Any) -> Number:
    """(1 + δ_1)(1 + δ_2) − 1."""
    return product_minus_one(m.delta)


register(
    Claim(
        id="equation3",
        kind="theorem",
        quantity=FUNCTION,
        statement="|ãb̃ − ab|/|ab| ≤ (1 + |Δa|/|a|)(1 + |Δb|/|b|) − 1",
        source="paper, Equation 3",
        hypotheses=("biases", "nonzero", "scalars"),
        formula=value,
        known="true",
    )
)
