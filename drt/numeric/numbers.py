"""The words of a formula: the same text is evaluated on tensors, on logarithms, on exact or ball numbers, on formal terms.

On tensors they are torch's; on anything else (`LogNumber`, arrays of exact and ball numbers, Coq terms) they call the number's
own method of the same name. Sums, products and maxima run over the last axis, the layers.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from drt.numeric.lognumbers import LogNumber

Number = Any  # a float64 tensor, a float, a LogNumber, an array of exact and ball numbers, or a formal term


def _elementwise(name: str) -> Any:
    def function(x: Number) -> Number:
        if isinstance(x, Tensor):
            return getattr(torch, name)(x)
        if isinstance(x, int | float):
            return float(getattr(torch, name)(torch.tensor(float(x), dtype=torch.float64)))
        return getattr(x, name)()

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}(x), elementwise."
    return function


exp = _elementwise("exp")
expm1 = _elementwise("expm1")
log1p = _elementwise("log1p")
log = _elementwise("log")
sqrt = _elementwise("sqrt")


def sum(x: Number) -> Number:
    """Σ over the last axis."""
    return x.sum(-1)


def prod(x: Number) -> Number:
    """Π over the last axis."""
    return x.prod(-1)


def products_from(x: Number) -> Number:
    """Π_{k≥l} x_k for each l of the last axis."""
    return x.flip(-1).cumprod(-1).flip(-1) if isinstance(x, Tensor) else x.products_from()


def products_above(x: Number) -> Number:
    """Π_{k>l} x_k for each l of the last axis; 1 for the last."""
    if not isinstance(x, Tensor):
        return x.products_above()
    return torch.nn.functional.pad(products_from(x)[..., 1:], (0, 1), value=1.0)


def products_below(x: Number) -> Number:
    """Π_{k<l} x_k for each l of the last axis; 1 for the first."""
    if not isinstance(x, Tensor):
        return x.products_below()
    return torch.nn.functional.pad(x.cumprod(-1)[..., :-1], (1, 0), value=1.0)


def products_others(x: Number) -> Number:
    """Π_{k≠l} x_k for each l of the last axis."""
    return products_below(x) * products_above(x)


def one(x: Number) -> Number:
    """The number 1, of the kind and shape of x."""
    return torch.ones_like(x) if isinstance(x, Tensor) else x.one()


def maximum(x: Number, y: Number | None = None) -> Number:
    """The larger of x and y, elementwise; of x alone, its largest entry along the last axis."""
    if y is None:
        return x.amax(-1)
    if (isinstance(x, Tensor) and not _foreign(y)) or (isinstance(y, Tensor) and not _foreign(x)):
        like = x if isinstance(x, Tensor) else y
        return torch.maximum(*(torch.as_tensor(v, dtype=like.dtype, device=like.device) for v in (x, y)))
    if isinstance(x, int | float) and isinstance(y, int | float):
        return max(x, y)
    return x.maximum(y) if _foreign(x) else y.maximum(x)


def _foreign(x: Number) -> bool:
    """Whether it is neither a tensor nor a plain number."""
    return not isinstance(x, Tensor | int | float)


def per_layer(x: Number) -> Number:
    """A number of the whole as one for each layer: with a last axis of length 1."""
    if isinstance(x, Tensor):
        return x.unsqueeze(-1)
    return x if isinstance(x, int | float) else x.per_layer()


def finite(x: Number) -> Any:
    """Whether x is a number, elementwise: κ of a matrix of deficient rank is not, nor what is divided by zero."""
    return torch.isfinite(x) if isinstance(x, Tensor) else x.finite()


def product_minus_one(d: Number) -> Number:
    """Π_l (1 + d_l) − 1 over the last axis, without cancellation for small d_l ≥ 0."""
    if isinstance(d, Tensor):
        return torch.expm1(torch.log1p(d).sum(-1))
    return d.product_minus_one() if isinstance(d, LogNumber) else (1 + d).prod(-1) - 1


def log_product_minus_one(d: Number) -> Number:
    """log[Π_l (1 + d_l) − 1] over the last axis; neither overflows nor cancels; −∞ where every d_l is 0."""
    if isinstance(d, Tensor):
        total = torch.log1p(d).sum(-1)
        # log(eˢ − 1) = s + log(1 − e⁻ˢ)
        return total + torch.log(-torch.expm1(-total))
    return log(product_minus_one(d))


# A tensor: an integer tensor times a Python float would be float32.
LOG2 = torch.tensor(math.log(2.0), dtype=torch.float64)
