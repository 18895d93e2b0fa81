"""Proposition 1: the closed form of the Jacobian.

    J_l = ∂f/∂h_l = Φ'_L W_L ··· Φ'_{l+1} W_{l+1},        Φ'_k = diag φ'(W_k h_{k−1})

Checked as ‖J_l − ∂f/∂h_l‖_F/‖J_l‖_F ≤ (rounding bound of the product), the derivative taken by torch's automatic
differentiation of f itself; a discrepancy beyond the derived rounding bounds is a violation.

H1  differentiable: no pre-activation within its rounding error of a kink. Holds with biases too.

Source: Proposition 1 of the paper (after Pennington et al.).
"""

import torch
from torch import Tensor

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number
from drt.theory.base import Claim, register
from drt.theory.hypotheses import resolve


def log_discrepancy(m: Measurement) -> Tensor:
    """Log ‖J_l − ∂f/∂h_l‖_F/‖J_l‖_F, for each instance."""
    net, x = m.instance.net, m.instance.x
    batch, outputs = m.batch_shape, m.widths[-1]
    with torch.enable_grad():
        # A copy of h_l for each output, so that one backward pass has all the rows of the Jacobian.
        h = net.hidden_states(x)[m.layer].detach().expand(outputs, *batch, -1).clone().requires_grad_()
        out = h
        for layer in range(m.layer + 1, net.depth + 1):
            out = net.activations[layer - 1](net.pre_activation(layer, out))
        (rows,) = torch.autograd.grad(out.diagonal(dim1=0, dim2=-1).sum(), h)
    closed = net.jacobians(x)[m.layer].expand(*batch, -1, -1)
    gap = torch.linalg.matrix_norm(closed - rows.movedim(0, -2))
    return torch.log(gap) - torch.log(torch.linalg.matrix_norm(closed))


def value(m: Measurement) -> Number:
    """Twice the derived relative rounding bound of J_l: one for each way of computing it."""
    return 2 * m.instance.jacobian_error_bounds[m.layer][0].expand(m.batch_shape)


register(
    Claim(
        "proposition1",
        "identity",
        "jacobian",
        "∂f/∂h_l = Φ'_L W_L ··· Φ'_{l+1} W_{l+1}",
        "paper, Proposition 1",
        resolve(("-biases", "differentiable")),
        value,
        left=log_discrepancy,
        known="true",
    )
)
