"""drt: perturbation bounds of neural networks, checked, attacked and certified.

Data walks one way: instance → measurement → claim → verdict → report. A name is loaded from its module when it is first used,
so that the command line starts without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drt.descent.measurement import measure_descent
    from drt.errors import InputError
    from drt.measurement.batches import pieces
    from drt.measurement.instance import Instance
    from drt.measurement.measurement import Measurement, measure, measure_all, measure_jacobian
    from drt.network.activations import (
        Activation,
        identity,
        leaky_relu,
        negated,
        parse_activation,
        piecewise_linear,
        relu,
        softplus_blend,
        tanh_blend,
    )
    from drt.network.network import Network
    from drt.numeric.numbers import (
        exp,
        expm1,
        log,
        log1p,
        log_product_minus_one,
        maximum,
        one,
        per_layer,
        prod,
        product_minus_one,
        products_above,
        products_below,
        products_from,
        products_others,
        sqrt,
        sum,
    )
    from drt.theory.hypotheses import hypothesis
    from drt.theory.registry import Claim, bound, claims, hypotheses
    from drt.theory.verdict import Verdict, Verdicts, check

__version__ = "0.1.0"

_HOMES = {
    "descent.measurement": "measure_descent",
    "errors": "InputError",
    "measurement.batches": "pieces",
    "measurement.instance": "Instance",
    "measurement.measurement": "Measurement measure measure_all measure_jacobian",
    "network.activations": "Activation identity leaky_relu negated parse_activation piecewise_linear relu "
    "softplus_blend tanh_blend",
    "network.network": "Network",
    "numeric.numbers": "exp expm1 log log1p log_product_minus_one maximum one per_layer prod product_minus_one "
    "products_above products_below products_from products_others sqrt sum",
    "theory.hypotheses": "hypothesis",
    "theory.registry": "Claim bound claims hypotheses",  # importing it registers every claim
    "theory.verdict": "Verdict Verdicts check",
}
_HOME = {name: f"drt.{module}" for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'drt' has no attribute {name!r}")
    globals()[name] = getattr(import_module(_HOME[name]), name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
