"""`spectral.function` and `spectral.jacobian`, step by step.

    Σ_l Π_{k>l} (β/α)κ(W_k)(1 + ρ_k) · (β/α)κ(W_l)ρ_l  ≤  Π_k (β/α)κ(W_k) · [Π_k (1 + ρ_k) − 1]

is the induction; the sum on its left is what the triangle inequality, transmission, operator norms and conditioning leave
of the actual change (`steps.RELATIVE`). For Jacobians β/α goes with 1 + ρ_k, and the product starts at the valley's floor.
"""

from proofs_checks.steps import RELATIVE, induction, network_chain, ratio
from proofs_checks.terms import Log, Terms


def _condition_number(t: Terms) -> Log:
    return t.numbers["‖W‖"] - t.numbers["s"]


FUNCTION = network_chain(
    "spectral.function",
    (
        *RELATIVE,
        induction("layers below l: (β/α)κ(W_k) ≥ 1", lambda t: ratio(t) + _condition_number(t), "induction-function"),
    ),
)
JACOBIAN = network_chain(
    "spectral.jacobian",
    (*RELATIVE, induction("layers multiplied before l: κ(W_k) ≥ 1", _condition_number, "induction-jacobian")),
)
CHAINS = (FUNCTION, JACOBIAN)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
