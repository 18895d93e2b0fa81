"""One layer replaced at a time.

    ‖f̃ − f‖ ≤ Σ_l Π_{k≥l} β_k · Π_{k>l} ‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖

Norms in the units of f. Any widths, α = 0 (ReLU) allowed; needs the hidden states. No hypothesis but the absence of biases.
Source: telescoping sum, proofs_checks/telescoping.py.
"""

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number, log, logaddexp
from drt.theory.base import Claim, register
from drt.theory.hypotheses import resolve


def value(m: Measurement) -> Number:
    """The sum by Horner's rule: t_l = β_l (‖W̃_l‖₂ t_{l−1} + ‖ΔW_l h_{l−1}‖), t_0 = 0."""
    total = m.betas[0] * m.norm_dwh[..., 0]
    for k in range(1, m.depth):
        total = m.betas[k] * (m.norm_wt[..., k] * total + m.norm_dwh[..., k])
    return total


def log_value(m: Measurement) -> Number:
    """The same on logarithms."""
    total = log(m.betas[0]) + m.log_norm_dwh[..., 0]
    for k in range(1, m.depth):
        total = log(m.betas[k]) + logaddexp(m.log_norm_wt[..., k] + total, m.log_norm_dwh[..., k])
    return total


register(
    Claim(
        "telescoping.function",
        "theorem",
        "function",
        "‖f̃ − f‖ ≤ Σ_l β^{L−l+1} Π_{k>l}‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖",
        "this project, proofs_checks/telescoping.py",
        resolve(()),
        value,
        log_value,
        left="absolute",
        known="true",
    )
)
