"""Optimisers that set the relative size of a step: Fromage (Algorithm 1 of the paper) and LARS (You et al. 2017)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from drt.errors import InputError


def _norms(tensors: list[Tensor]) -> Float[Tensor, "L"]:
    """‖t‖_F of every tensor, in float64.

    The squares are summed in the tensor's own precision only where none of them can overflow or vanish: in float32
    a gradient of 1e-23 has a norm of 0, and first-layer gradients of deep networks do get that small.
    """
    if tensors[0].device.type != "cpu" or tensors[0].dtype not in (torch.float32, torch.float64):
        return torch.stack(torch._foreach_norm(tensors, 2, torch.float64))
    norms = torch.stack(torch._foreach_norm(tensors)).double()
    for i in torch.nonzero((norms < 1e-15) | (norms > 1e15)).flatten().tolist():
        norms[i] = torch.linalg.vector_norm(tensors[i], dtype=torch.float64)
    return norms


def _ratio(numerator: Tensor, denominator: Tensor, dtype: torch.dtype) -> Tensor:
    """numerator/denominator, and 0 where the denominator is zero, or so small that the dtype cannot hold the ratio."""
    ratio = numerator / denominator
    return torch.where(ratio <= torch.finfo(dtype).max, ratio, 0.0)


def _scalars(values: Float[Tensor, "L"], like: list[Tensor]) -> tuple[Tensor, ...]:
    return values.to(like[0].dtype).unbind()  # a float64 scalar would be converted L times


class _RelativeStep(torch.optim.Optimizer):
    """What Fromage and LARS share: checks, closures, and a loop over groups of tensors of one device and dtype."""

    # option: (smallest value, whether the smallest value itself is allowed, whether None is)
    _options: dict[str, tuple[float, bool, bool]]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group, its hyperparameters checked.

        Raises:
            InputError: a hyperparameter out of range, or a parameter that is not a real floating-point tensor.
        """
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            for option, (low, closed, optional) in self._options.items():
                value = group[option]
                number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
                if not (optional and value is None) and not (number and (value > low or (closed and value == low))):
                    wanted = f"a number {'>=' if closed else '>'} {low:g}" + " or None" * optional
                    raise InputError(f"{type(self).__name__} needs {option} to be {wanted}, got {option}={value!r}")
            for p in group["params"]:
                if not p.is_floating_point():
                    raise InputError(f"{type(self).__name__} needs real parameters, got {_describe(p)}")
        except InputError:
            self.param_groups.pop()
            raise

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step for every parameter that has a gradient; returns the closure's loss, if there is a closure.

        Raises:
            InputError: a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            alike: dict[tuple[torch.device, torch.dtype], tuple[list[Tensor], list[Tensor]]]
            alike = defaultdict(lambda: ([], []))
            for p in group["params"]:
                grad = p.grad
                if grad is None:
                    continue
                if grad.layout != torch.strided:
                    raise InputError(
                        f"{type(self).__name__} needs dense gradients, got {grad.layout} for {_describe(p)}"
                    )
                params, grads = alike[p.device, p.dtype]
                params.append(p)
                grads.append(grad)
            for params, grads in alike.values():
                self._update(group, params, grads)
        return loss

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        raise NotImplementedError


class Fromage(_RelativeStep):
    """Frobenius matched gradient descent, for each parameter tensor W with gradient g:

        W ← 1/√(1 + η²) · [W − η · ‖W‖_F/‖g‖_F · g]

    Zero gradient, or one so small that ‖W‖_F/‖g‖_F overflows the dtype: W is left unchanged, without the prefactor
    (it undoes the growth of a step, and there was no step). Zero weight: the step has length η‖W‖_F = 0, so W stays
    zero, as in Algorithm 1; give biases small random values, as PyTorch's own layers do, if they are to be trained.
    Where g is NaN or infinite W becomes NaN: a failure shows.

    Args:
        params: parameters or parameter groups, as for every torch optimiser.
        lr: η ≥ 0, the relative size of a step; the paper's default is 0.01.
        p_bound: None, or keep ‖W‖_F ≤ p_bound · ‖W‖_F at the start, to rounding, for every parameter; the paper used 1
            where Fromage overfitted. The start is when the optimiser was made (it is part of `state_dict`).

    Raises:
        InputError: a hyperparameter out of range, complex parameters, sparse gradients.

    Source: Algorithm 1; `p_bound`, Section 6.
    """

    _options = {"lr": (0, True, False), "p_bound": (0, False, True)}  # noqa: RUF012

    def __init__(self, params: Iterable, lr: float = 0.01, p_bound: float | None = None):
        super().__init__(params, {"lr": lr, "p_bound": p_bound})

    @torch.no_grad()
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group; its norms now are the ones that `p_bound` refers to."""
        super().add_param_group(param_group)
        for p in self.param_groups[-1]["params"]:
            self.state[p]["initial_norm"] = torch.linalg.vector_norm(p, dtype=torch.float64).item()

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        eta = group["lr"]
        prefactor = 1 / math.sqrt(1 + eta**2)
        ratio = _ratio(_norms(params), _norms(grads), params[0].dtype)
        torch._foreach_mul_(params, _scalars(torch.where(ratio > 0, prefactor, torch.ones_like(ratio)), params))
        torch._foreach_addcmul_(params, grads, _scalars(-prefactor * eta * ratio, params))
        if group["p_bound"] is not None:
            norms = _norms(params)
            limits = group["p_bound"] * norms.new_tensor([self.state[p]["initial_norm"] for p in params])
            torch._foreach_mul_(params, _scalars(torch.where(norms > limits, limits / norms, 1.0), params))


class LARS(_RelativeStep):
    """Layer-wise adaptive rate scaling, for each parameter tensor w with gradient g:

        λ = trust · ‖w‖/(‖g‖ + wd·‖w‖),   v ← momentum · v + lr · λ · (g + wd·w),   w ← w − v

    Without momentum and weight decay a step has relative size lr · trust exactly (the paper's Equation 5). Where λ is
    0/0, or overflows the dtype, it counts as 0; a zero weight has λ = 0 and stays zero. Where g is NaN or infinite w
    becomes NaN.

    Args:
        params: parameters or parameter groups, as for every torch optimiser.
        lr: the global learning rate, ≥ 0.
        momentum: ≥ 0.
        trust_coefficient: > 0; 0.001 in the source.
        weight_decay: wd ≥ 0.

    Raises:
        InputError: a hyperparameter out of range, complex parameters, sparse gradients.

    Source: You, Gitman, Ginsburg, Large batch training of convolutional networks, 2017, Algorithm 1.
    """

    _options = {  # noqa: RUF012
        "lr": (0, True, False),
        "momentum": (0, True, False),
        "trust_coefficient": (0, False, False),
        "weight_decay": (0, True, False),
    }

    def __init__(
        self,
        params: Iterable,
        lr: float,
        momentum: float = 0.0,
        trust_coefficient: float = 0.001,
        weight_decay: float = 0.0,
    ):
        options = {"momentum": momentum, "trust_coefficient": trust_coefficient, "weight_decay": weight_decay}
        super().__init__(params, {"lr": lr, **options})

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        decay = group["weight_decay"]
        norms, grad_norms = _norms(params), _norms(grads)
        rate = group["lr"] * group["trust_coefficient"]
        rates = rate * _ratio(norms, grad_norms + decay * norms, params[0].dtype)
        directions = torch._foreach_add(grads, params, alpha=decay) if decay else grads
        if group["momentum"]:
            for p in params:
                self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
            velocities = [self.state[p]["momentum_buffer"] for p in params]
            torch._foreach_mul_(velocities, group["momentum"])
            torch._foreach_addcmul_(velocities, directions, _scalars(rates, params))
            torch._foreach_sub_(params, velocities)
        else:
            torch._foreach_addcmul_(params, directions, _scalars(-rates, params))


def _describe(p: Tensor) -> str:
    return f"shape {tuple(p.shape)} and dtype {str(p.dtype).removeprefix('torch.')}"
