"""Proposition 1: the product of the layers' Φ'W is the derivative of the function. One step, the chain rule.

    ‖J_l − ∂f/∂h_l‖_F/‖J_l‖_F  ≤  the derived rounding bound of both ways of computing it

Source: Proposition 1 of the paper; `drt.theory.proposition1` has both sides.
"""

from functools import partial

import torch

from drt.measurement.measurement import JacobianMeasurement
from drt.theory.registry import claims
from proofs_checks.chain import Chain, Ends, Step
from proofs_checks.steps import applicable, draws
from proofs_checks.terms import Terms, exact, plain

CLAIM = claims["proposition1"]


def _left(m: JacobianMeasurement) -> Ends:
    value = torch.log(m.derivative_gap)
    return value, value, value


def _start(m: JacobianMeasurement) -> Terms:
    return plain({"allowance": exact(torch.log(CLAIM.value(m)).unsqueeze(-1))})


JACOBIAN = Chain(
    CLAIM.id,
    CLAIM.statement,
    _left,
    _start,
    partial(applicable, CLAIM),
    (
        Step(
            "chain rule",
            "∂h_k/∂h_{k−1} = Φ'_k W_k, composed",
            "identity",
            (),
            lambda t: t.picked("allowance"),
        ),
    ),
    partial(draws, CLAIM),
    layered=False,
)
CHAINS = (JACOBIAN,)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
