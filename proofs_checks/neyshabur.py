"""`neyshabur.function`, step by step: what is left of `norm-product.function` when every ρ_k ≤ 1/L.

Σ_l ρ_l Π_{k>l} (1 + ρ_k) ≤ Σ_l ρ_l Π_{k>l} e^{ρ_k} ≤ Σ_l ρ_l Π_{k>l} e^{1/L} ≤ e·Σ_l ρ_l
"""

import torch

from proofs_checks.chain import Step
from proofs_checks.norm_product import STEPS as NORMS
from proofs_checks.steps import network_chain
from proofs_checks.terms import Log, Terms, exact


def _share(t: Terms) -> Log:
    return exact(torch.full_like(t.numbers["β"].value, 1 / len(t.order)))


def _exponential(t: Terms) -> Terms:
    n = t.numbers
    rho = (n["‖ΔW‖"] - n["‖W‖"]).exp()
    return t.put("matrices", above=n["‖W‖"] + Log(rho, rho * (n["‖ΔW‖"] - n["‖W‖"]).error))


def _lipschitz(t: Terms) -> Terms:
    zero = t.numbers["β"] * 0
    return t.put("slopes", above=zero, own=zero).put("signal slopes", kept=zero)


STEPS = (
    *NORMS,
    Step("exponential", "1 + ρ_k ≤ e^{ρ_k}", "linearisation", ("exponential",), _exponential),
    Step(
        "small",
        "ρ_k ≤ 1/L",
        "linearisation",
        ("monotone-product",),
        lambda t: t.put("matrices", above=t.numbers["‖W‖"] + _share(t)),
    ),
    Step(
        "induction",
        "Π_{k>l} e^{1/L} ≤ e",
        "induction",
        ("monotone-product",),
        lambda t: t.put("induction", own=_share(t), kept=_share(t)),
    ),
    Step("transmission", "β ≤ 1", "β/α", ("monotone-product",), _lipschitz),
)
FUNCTION = network_chain("neyshabur.function", STEPS)
CHAINS = (FUNCTION,)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
