"""The claims: one module per result. `claims["theorem1.function"]` is a `Claim`; `bound` makes one of a user's formula."""

from drt.claims import (  # noqa: F401  (importing a module registers its claims)
    equation3,
    kappa,
    neyshabur,
    norm_product,
    proposition1,
    relu_model,
    spectral,
    telescoping,
    theorem1,
)
from drt.claims.base import Claim, bound, claims
from drt.errors import InputError

__all__ = ["Claim", "bound", "claims", "find"]


def find(claim_id: str) -> Claim:
    """The claim with this id; CLAIM#K is step K of its proof chain.

    Raises:
        InputError: there is none.
    """
    if "#" in claim_id:
        from proofs_checks.registry import step_claim

        return step_claim(claim_id)
    if claim_id not in claims:
        raise InputError(f"claim {claim_id!r} is not known; expected one of {', '.join(sorted(claims))}")
    return claims[claim_id]
