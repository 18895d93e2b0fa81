"""`kappa.function` and `kappa.jacobian`, step by step: Theorem 1's proof without the slack of its last steps.

function   κ(W_k) ≤ κ, and κ is not taken out of 1 + κδ_k: κ^{L+1} instead of κ^{2L} for small δ
jacobian   as Theorem 1 (b), without the second (β/α)^{L−l}
"""

from drt.theory.kappa import kappa
from proofs_checks.steps import CONDITIONED, NORM_SWAP, RELATIVE, induction, network_chain, ratio
from proofs_checks.theorem1 import AT_KAPPA_SQUARED, SHARED

FUNCTION = network_chain(
    "kappa.function",
    (
        *RELATIVE,
        NORM_SWAP,
        CONDITIONED,
        induction("layers below l: (β/α)κ ≥ 1", lambda t: ratio(t) + t.numbers["κ"], "induction-function"),
    ),
    kappa=kappa,
)
JACOBIAN = network_chain("kappa.jacobian", (*SHARED, AT_KAPPA_SQUARED), kappa=kappa)
CHAINS = (FUNCTION, JACOBIAN)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
