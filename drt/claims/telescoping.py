"""One layer replaced at a time.

    ‖f̃ − f‖ ≤ Σ_l Π_{k≥l} β_k · Π_{k>l} ‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖

Norms in the units of f. Any widths, α = 0 (ReLU) allowed; needs the hidden states. No hypothesis but the absence of biases.
Source: telescoping sum, THEORY.
"""

from drt.claims.base import Claim, register
from drt.hypotheses import resolve
from drt.measure import Measurement
from drt.numbers import Number, exp, log, logsumexp, suffix_sum


def log_value(m: Measurement) -> Number:
    """Log Σ_l exp(Σ_{k≥l} log β_k + Σ_{k>l} log ‖W̃_k‖₂ + log ‖ΔW_l h_{l−1}‖)."""
    gain = log(m.betas) + m.log_norm_wt
    return logsumexp(suffix_sum(gain) - m.log_norm_wt + m.log_norm_dwh)


def value(m: Measurement) -> Number:
    """Σ_l Π_{k≥l} β_k·Π_{k>l} ‖W̃_k‖₂·‖ΔW_l h_{l−1}‖."""
    return exp(log_value(m))


register(
    Claim(
        "telescoping.function",
        "theorem",
        "function",
        "‖f̃ − f‖ ≤ Σ_l β^{L−l+1} Π_{k>l}‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖",
        "THEORY, telescoping sum",
        resolve(()),
        value,
        log_value,
        left="absolute",
        known="true",
    )
)
