"""Witnesses for tests of the certifier, by hand."""

from __future__ import annotations

import drt
from drt.witness.witness import Witness


def witness(claim, weights, dweights, x, activation="identity", layer=0, **changes) -> Witness:
    c = drt.claims[claim] if isinstance(claim, str) else claim
    specs = (activation,) * len(weights) if isinstance(activation, str) else activation
    return Witness(c.id, c.statement, c.quantity, layer, specs, weights, dweights, x, **changes)


def identity(n, scale=1):
    return [[scale if i == j else 0 for j in range(n)] for i in range(n)]
