"""Optimisers that set the relative size of a step: Fromage (Algorithm 1 of the paper) and LARS (You et al. 2017)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from drt.errors import InputError
from drt.optimisers.tensor_lists import (
    CPU_DTYPES,
    STACKED_UP_TO,
    THREADED_FROM,
    Stack,
    axpby,
    combine,
    norm_of,
    norms_of,
    one_thread_if,
    ratios,
)


class _RelativeStep(torch.optim.Optimizer):
    """What Fromage and LARS share: checks, closures, and a loop over groups of tensors that are alike."""

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
            alike: defaultdict[tuple, tuple[list[Tensor], list[Tensor]]] = defaultdict(lambda: ([], []))
            for p in group["params"]:
                if (grad := p.grad) is None:
                    continue
                if grad.layout is not torch.strided:
                    raise InputError(
                        f"{type(self).__name__} needs dense gradients, got {grad.layout} for {_describe(p)}"
                    )
                key = (p.dtype, p.device, p.shape, p.is_contiguous() and grad.is_contiguous())
                params, grads = alike[key]
                params.append(p)
                grads.append(grad)
            for (dtype, device, shape, contiguous), (params, grads) in alike.items():
                fuse = contiguous and device.type == "cpu" and dtype in CPU_DTYPES
                with one_thread_if(shape.numel() < THREADED_FROM):
                    self._update(group, params, grads, fuse)
        return loss

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], fuse: bool) -> None:
        first, count = params[0], len(params)
        largest = torch.finfo(first.dtype).max
        if (
            fuse and first.numel() > STACKED_UP_TO
        ):  # one by one: between norms and update both tensors stay in the cache
            for p, grad in zip(params, grads, strict=True):
                (scale,), (factor,) = self._coefficients(group, [norm_of(p)], [norm_of(grad)], largest)
                axpby(p, grad, scale, factor)
            return
        stack = self._stack(params) if fuse and first.numel() else None
        norms = stack.norms(params, grads) if stack else norms_of(params + grads)
        scales, factors = self._coefficients(group, norms[:count], norms[count:], largest)
        if stack and len(set(scales)) == 1:
            stack.combine(params, scales[0], factors)
        else:
            combine(params, grads, scales, factors)

    def _stack(self, params: list[Tensor]) -> Stack:
        stacks: dict[tuple, Stack] = self.__dict__.setdefault("_stacks", {})  # no state: neither saved nor copied
        if (key := (params[0].dtype, params[0].shape, len(params))) not in stacks:
            stacks[key] = Stack(params)
        return stacks[key]

    def _coefficients(
        self, group: dict[str, Any], weights: list[float], grads: list[float], largest: float
    ) -> tuple[list[float], list[float]]:
        """The numbers a and b of a step W ← aW + bg of every tensor, given ‖W‖, ‖g‖ and the largest number of the dtype."""
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

    def _coefficients(
        self, group: dict[str, Any], weights: list[float], grads: list[float], largest: float
    ) -> tuple[list[float], list[float]]:
        prefactor = 1 / math.sqrt(1 + group["lr"] ** 2)
        rate, quotients = -prefactor * group["lr"], ratios(weights, grads, largest)
        return [prefactor if q else 1.0 for q in quotients], [rate * q for q in quotients]

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], fuse: bool) -> None:
        super()._update(group, params, grads, fuse)
        if group["p_bound"] is not None:
            limits = [group["p_bound"] * self.state[p]["initial_norm"] for p in params]
            shrink = [limit / n if n > limit else 1.0 for n, limit in zip(norms_of(params), limits, strict=True)]
            torch._foreach_mul_(params, shrink)


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

    def _coefficients(
        self, group: dict[str, Any], weights: list[float], grads: list[float], largest: float
    ) -> tuple[list[float], list[float]]:
        rates = self._rates(group, weights, grads, largest)
        return [1 - rate * group["weight_decay"] for rate in rates], [-rate for rate in rates]

    def _rates(self, group: dict[str, Any], weights: list[float], grads: list[float], largest: float) -> list[float]:
        """lr·λ of every tensor."""
        sums = [g + group["weight_decay"] * w for w, g in zip(weights, grads, strict=True)]
        return [group["lr"] * group["trust_coefficient"] * q for q in ratios(weights, sums, largest)]

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], fuse: bool) -> None:
        if not group["momentum"]:
            super()._update(group, params, grads, fuse)
            return
        norms, count, largest = norms_of(params + grads), len(params), torch.finfo(params[0].dtype).max
        rates = self._rates(group, norms[:count], norms[count:], largest)
        for p in params:
            self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
        velocities, decay = [self.state[p]["momentum_buffer"] for p in params], group["weight_decay"]
        directions = list(torch._foreach_add(grads, params, alpha=decay)) if decay else grads
        combine(velocities, directions, [group["momentum"]] * count, rates)
        torch._foreach_sub_(params, velocities)


def _describe(p: Tensor) -> str:
    return f"shape {tuple(p.shape)} and dtype {str(p.dtype).removeprefix('torch.')}"
