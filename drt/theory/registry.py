"""The claims: one module per result. `claims["theorem1.function"]` is a `Claim`; `bound` makes one of a user's formula."""

from drt.errors import InputError
from drt.measurement.quantity import DESCENT, STEP
from drt.theory import (  # noqa: F401  (importing a module registers its claims)
    equation3,
    fromage,
    hypotheses_descent,
    kappa,
    lemma1,
    lemma2,
    neyshabur,
    norm_product,
    proposition1,
    relative_trust,
    relu_model,
    spectral,
    telescoping,
    theorem1,
)
from drt.theory.base import Claim, bound, claims
from drt.theory.hypotheses import hypotheses

__all__ = ["Claim", "bound", "claims", "find", "hypotheses", "of_descent", "of_network", "of_steps"]


def of_network() -> list[Claim]:
    """The claims about functions and Jacobians: of one network, its perturbation and an input."""
    return [claim for claim in claims.values() if claim.quantity.of_network]


def of_descent() -> list[Claim]:
    """The claims about a loss and its gradients along a perturbation."""
    return [claim for claim in claims.values() if claim.quantity is DESCENT]


def of_steps() -> list[Claim]:
    """The claims about steps of an optimiser."""
    return [claim for claim in claims.values() if claim.quantity is STEP]


def find(claim_id: str) -> Claim:
    """The claim with this id.

    Raises:
        InputError: there is none.
    """
    if claim_id not in claims:
        raise InputError(f"claim {claim_id!r} is not known; expected one of {', '.join(sorted(claims))}")
    return claims[claim_id]
