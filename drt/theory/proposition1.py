"""Proposition 1: the closed form of the Jacobian.

    J_l = ∂f/∂h_l = Φ'_L W_L ··· Φ'_{l+1} W_{l+1},        Φ'_k = diag φ'(W_k h_{k−1})

Checked as ‖J_l − ∂f/∂h_l‖_F/‖J_l‖_F ≤ (rounding bound of the product), the derivative taken by torch's automatic
differentiation of f itself; a discrepancy beyond the derived rounding bounds is a violation.

H1  differentiable: no pre-activation within its rounding error of a kink. Holds with biases too.

Source: Proposition 1 of the paper (after Pennington et al.).
"""

from typing import Any

from drt.measurement.quantity import JACOBIAN
from drt.numeric.numbers import Number
from drt.theory.base import Claim, register


def gap(m: Any) -> Number:
    """‖J_l − ∂f/∂h_l‖_F/‖J_l‖_F."""
    return m.derivative_gap


def allowance(m: Any) -> Number:
    """Twice the derived relative rounding bound of J_l: one for each way of computing it."""
    return 2 * m.jacobian_rounding


register(
    Claim(
        id="proposition1",
        kind="identity",
        quantity=JACOBIAN,
        statement="∂f/∂h_l = Φ'_L W_L ··· Φ'_{l+1} W_{l+1}",
        source="paper, Proposition 1",
        hypotheses=("nonzero", "differentiable"),
        formula=allowance,
        left=gap,
        known="true",
    )
)
