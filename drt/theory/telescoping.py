"""One layer replaced at a time.

    ‖f̃ − f‖ ≤ Σ_l Π_{k≥l} β_k · Π_{k>l} ‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖

Norms in the units of f. Any widths, α = 0 (ReLU) allowed; needs the hidden states. No hypothesis but the absence of biases.
Source: telescoping sum, proofs_checks/telescoping.py.
"""

from typing import Any

from drt.measurement.quantity import FUNCTION
from drt.numeric.numbers import Number, products_above, products_from, sum
from drt.theory.base import Claim, register


def value(m: Any) -> Number:
    """Σ_l Π_{k≥l} β_k · Π_{k>l} ‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖."""
    return sum(products_from(m.betas) * products_above(m.norm_wt) * m.norm_dwh)


register(
    Claim(
        id="telescoping.function",
        kind="theorem",
        quantity=FUNCTION,
        statement="‖f̃ − f‖ ≤ Σ_l β^{L−l+1} Π_{k>l}‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖",
        source="this project, proofs_checks/telescoping.py",
        hypotheses=("biases", "nonzero"),
        formula=value,
        left="absolute",
        known="true",
    )
)
