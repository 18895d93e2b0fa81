"""Theorem 1 of the paper (a, function; b, Jacobian), step by step, on widths that never contract or form a valley.

    κ(W_k)‖ΔW_k‖₂/‖W_k‖₂ ≤ κ²δ_k     and     κ(W_k)(1 + ‖ΔW_k‖₂/‖W_k‖₂) ≤ κ²(1 + δ_k)

are the two steps (Frobenius to spectral, conditioning) that it adds to what `spectral` needs. (b) as the paper states it
has another (β/α)^{L−l}, which the last step puts in.
"""

from proofs_checks.chain import Step
from proofs_checks.steps import CONDITIONED_TWICE, NORM_SWAP, RELATIVE, induction, network_chain, ratio
from proofs_checks.terms import Terms

SHARED = (*RELATIVE, NORM_SWAP, CONDITIONED_TWICE)


def _again(t: Terms) -> Terms:
    extra = ratio(t)
    return t.put("once more", above=extra, own=extra, kept=extra)


FUNCTION = network_chain(
    "theorem1.function",
    (
        *SHARED,
        induction("layers below l: (β/α)κ² ≥ 1", lambda t: ratio(t) + t.numbers["κ"] * 2, "induction-function"),
    ),
    kappa=lambda m: m.kappa,
)
AT_KAPPA_SQUARED = induction("layers multiplied before l: κ² ≥ 1", lambda t: t.numbers["κ"] * 2, "induction-jacobian")
JACOBIAN = network_chain(
    "theorem1.jacobian",
    (
        *SHARED,
        AT_KAPPA_SQUARED,
        Step("transmission", "(β/α)^{L−l} ≥ 1, put in once more", "β/α", ("ratio-at-least-one",), _again),
    ),
    kappa=lambda m: m.kappa,
)
CHAINS = (FUNCTION, JACOBIAN)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
