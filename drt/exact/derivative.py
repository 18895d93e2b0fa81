"""The derivative of a network by divided differences: what Proposition 1 says of its Jacobian, in exact or ball numbers.

Piecewise linear: (f(h + εe_j) − f(h))/ε is the derivative exactly where no pre-activation leaves its piece; then the product of
the layers must agree with it exactly. Smooth: ε = 2^(−0.4·bits), and they must agree to AGREED_BITS.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from flint import arb, fmpq, fmpq_mat

from drt.exact.network import ExactNetwork, Piecewise, minus, squared_norm
from drt.exact.surds import Surd, Undecided

AGREED_BITS = 64  # to which a smooth derivative and the product must agree
ENOUGH_BITS = 1024  # of working precision, from which a larger discrepancy is one


def gap(net: ExactNetwork, layer: int, bits: int) -> Any:
    """‖J_l − ∂f/∂h_l‖_F/‖J_l‖_F, exact or a ball.

    Raises:
        Undecided: the divided difference is not accurate enough at this precision.
    """
    closed, h = net.jacobian(layer), net.states()[0][layer]
    columns = [_divided_difference(net, layer, h, j, bits) for j in range(h.nrows())]
    off = sum((squared_norm(minus(column, _column_of(closed, j))) for j, column in enumerate(columns)), fmpq(0))
    ratio = off / squared_norm(closed)
    if isinstance(ratio, fmpq):
        return Surd.root(ratio)
    discrepancy = ratio.nonnegative_part().sqrt()
    if discrepancy > arb(2) ** -AGREED_BITS and bits < ENOUGH_BITS:
        raise Undecided("the divided difference is not accurate enough")
    return discrepancy


def allowance(net: ExactNetwork) -> Any:
    """What `gap` may be on account of the divided difference: 0 where it is exact."""
    return Surd({}) if net.rational else arb(2) ** -AGREED_BITS


def _divided_difference(net: ExactNetwork, layer: int, h: Any, j: int, bits: int) -> Any:
    outputs, pre = net.output_from(layer, h)
    step = fmpq(1) if net.rational else fmpq(1, 2 ** (2 * bits // 5))
    while True:
        moved = type(h)(h)
        moved[j, 0] = moved[j, 0] + step
        shifted, shifted_pre = net.output_from(layer, moved)
        if not net.rational or _pieces(net, layer, pre) == _pieces(net, layer, shifted_pre):
            return minus(shifted[-1], outputs[-1]) * (1 / step)
        step /= 16


def _pieces(net: ExactNetwork, layer: int, pre: list[fmpq_mat]) -> list[int]:
    found = []
    for phi, z in zip(net.phis[layer:], pre, strict=True):
        assert isinstance(phi, Piecewise)
        found += [bisect_left(phi.kinks, v) for v in z.entries()]
    return found


def _column_of(matrix: Any, j: int) -> Any:
    rows = matrix.nrows()
    return type(matrix)(rows, 1, [matrix[i, j] for i in range(rows)])
