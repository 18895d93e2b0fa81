"""Norms and updates of many tensors of one shape, with few calls and few passes over the memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

NATIVE = (torch.float32, torch.float64)
STACKED = 2**12  # entries; up to so many, a copy into a stack costs less than two calls for each tensor
TOGETHER = 2**16  # entries of the weights updated together: a core's cache keeps them between norms and update
LONG = 2**15  # entries; from so many on several cores pay, and a dot product uses them where a norm uses one
_TINY = 1e-30  # smaller factors lose digits in float32


@contextmanager
def one_thread_if(short: bool) -> Iterator[None]:
    """Torch on one thread where waking the others for every short tensor costs more than they do."""
    threads = torch.get_num_threads()
    if not short or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def norms_of(tensors: list[Tensor]) -> list[float]:
    """‖t‖_F of every tensor.

    The squares are summed in the tensors' own precision only where none of them can overflow or vanish: in float32
    a gradient of 1e-23 has a norm of 0, and first-layer gradients of deep networks do get that small.
    """
    if tensors[0].dtype not in NATIVE:
        return _wide_norms(tensors)
    if tensors[0].numel() >= LONG and tensors[0].device.type == "cpu":
        flat = [t.reshape(-1) for t in tensors]
        return _checked([math.sqrt(torch.dot(v, v).item()) for v in flat], tensors)
    return _checked(_numbers(torch._foreach_norm(tensors)), tensors)


def _wide_norms(tensors: list[Tensor]) -> list[float]:
    return _numbers(torch._foreach_norm(tensors, 2, torch.float64))


def _numbers(scalars: tuple[Tensor, ...]) -> list[float]:
    if scalars[0].device.type == "cpu":
        return [s.item() for s in scalars]
    return torch.stack(scalars).tolist()  # one wait for the device


def _checked(norms: list[float], tensors: list[Tensor]) -> list[float]:
    """The norms, those that were out of range summed again in float64."""
    if min(norms) > 1e-15 and max(norms) < 1e15:
        return norms
    return [n if 1e-15 < n < 1e15 else w for n, w in zip(norms, _wide_norms(tensors), strict=True)]


def ratios(numerators: Iterable[float], denominators: Iterable[float], dtype: torch.dtype) -> list[float]:
    """Quotients, and 0 where the denominator is zero, or so small that the dtype cannot hold the quotient, or NaN."""
    largest = torch.finfo(dtype).max
    return [r if d and (r := n / d) <= largest else 0.0 for n, d in zip(numerators, denominators, strict=True)]


def _fused(tensors: list[Tensor], others: list[Tensor], rate: float, decay: float) -> None:
    """SGD with weight decay, t − rate·(other + decay·t) in place of t, for every t: one pass over the memory."""
    torch._fused_sgd_(
        tensors, others, [], lr=rate, weight_decay=decay, momentum=0.0, dampening=0.0, nesterov=False, maximize=False,
        is_first_step=True,
    )  # fmt: skip


def combine(tensors: list[Tensor], others: list[Tensor], scales: list[float], factors: list[float], fuse: bool) -> None:
    """scale·t + factor·other in place of t, for every t; fuse: they are contiguous, and on a device that can."""
    if fuse and min(map(abs, factors)) > _TINY:
        for t, other, scale, factor in zip(tensors, others, scales, factors, strict=True):
            _fused([t], [other], -factor, (scale - 1) / factor)
    else:
        # One factor for all is a tensor: as a number, it would be made one for every t.
        first = tensors[0]
        torch._foreach_mul_(tensors, first.new_tensor(scales[0]) if len(set(scales)) == 1 else scales)
        torch._foreach_addcmul_(tensors, others, [first.new_ones(())] * len(tensors), factors)


class Stack:
    """Copies of small weights and their gradients, one after the other: one call does what would take two for each."""

    def __init__(self, params: list[Tensor]):
        self.count = len(params)
        self.both = params[0].new_empty(2 * self.count, *params[0].shape)
        self.rows = self.both.reshape(2 * self.count, -1)
        self.grads = self.rows[self.count :]
        self.each = list(self.both.unbind())[self.count :]

    def norms(self, params: list[Tensor], grads: list[Tensor]) -> list[float]:
        """‖W‖_F of all, then ‖g‖_F of all."""
        both = params + grads
        torch.stack(both, out=self.both)
        return _checked(torch.linalg.vector_norm(self.rows, dim=1).tolist(), both)

    def combine(self, params: list[Tensor], scale: float, factors: list[float]) -> None:
        """scale·W + factor·g in place of W, for every W."""
        self.grads.mul_(self.grads.new_tensor(factors).unsqueeze(1))
        _fused(params, self.each, -1.0, scale - 1)
