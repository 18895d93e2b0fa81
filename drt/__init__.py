"""drt: perturbation bounds of neural networks, checked, attacked and certified.

Data walks one way: instance → measurement → claim → verdict → report. Names are loaded when first used, so that the
command line starts without torch.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_EXPORTS = {
    "drt.errors": ["InputError"],
    "drt.activations": [
        "Activation", "identity", "leaky_relu", "negated", "parse_activation", "piecewise_linear", "relu",
        "softplus_blend", "tanh_blend",
    ],
    "drt.batches": ["pieces"],
    "drt.network": ["Network"],
    "drt.measure": ["Instance", "Measurement", "measure", "measure_all", "measure_jacobian"],
    "drt.claims": ["Claim", "bound", "claims", "hypotheses"],  # importing claims registers theirs
    "drt.hypotheses": ["hypothesis"],
    "drt.verdict": ["Verdict", "Verdicts", "check"],
    "drt.numbers": [
        "exp", "expm1", "log", "log1p", "log_product_minus_one", "maximum", "prod", "product_minus_one", "sqrt", "sum",
    ],
}  # fmt: skip
_HOME = {name: module for module, names in _EXPORTS.items() for name in names}

if TYPE_CHECKING:
    from drt.activations import *  # noqa: F403
    from drt.batches import pieces
    from drt.claims import Claim, bound, claims, hypotheses
    from drt.errors import InputError
    from drt.hypotheses import hypothesis
    from drt.measure import Instance, Measurement, measure, measure_all, measure_jacobian
    from drt.network import Network
    from drt.numbers import *  # noqa: F403
    from drt.verdict import Verdict, Verdicts, check


class _Package(ModuleType):
    """The package itself; `drt.claims` and `drt.measure` stay the registry and the function, not the modules so named."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module 'drt' has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        super().__setattr__(name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_HOME})


sys.modules[__name__].__class__ = _Package
