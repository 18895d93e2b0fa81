"""Equation 3: a product of two scalars.

    |ãb̃ − ab|/|ab| ≤ (1 + |Δa|/|a|)(1 + |Δb|/|b|) − 1

H1  scalars: a network of widths 1-1-1 with φ the identity, f(x) = b·a·x.

True; equality when Δa/a ≥ 0 and Δb/b ≥ 0. Source: Equation 3 of the paper.
"""

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number, log_product_minus_one, product_minus_one
from drt.theory.base import Claim, register
from drt.theory.hypotheses import resolve


def value(m: Measurement) -> Number:
    """(1 + δ_1)(1 + δ_2) − 1."""
    return product_minus_one(m.delta)


def log_value(m: Measurement) -> Number:
    """log[(1 + δ_1)(1 + δ_2) − 1]."""
    return log_product_minus_one(m.delta)


register(
    Claim(
        "equation3",
        "theorem",
        "function",
        "|ãb̃ − ab|/|ab| ≤ (1 + |Δa|/|a|)(1 + |Δb|/|b|) − 1",
        "paper, Equation 3",
        resolve(("scalars",)),
        value,
        log_value,
        known="true",
    )
)
