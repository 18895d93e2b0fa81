"""Norms and updates of many tensors of one shape, with few calls and few passes over the memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

CPU_DTYPES = (torch.float32, torch.float64)
STACKED_UP_TO = 2**12  # entries; up to so many, a copy into a stack costs less than two calls for each tensor
THREADED_FROM = 2**15  # entries; from so many on several cores pay, and a dot product uses them where a norm uses one
KEEPS_DIGITS_FROM = 1e-30  # smaller factors lose digits in float32
SAFE_NORM_ABOVE, SAFE_NORM_BELOW = 1e-15, 1e15  # norms whose squares float32 sums well


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


def norm_of(t: Tensor) -> float:
    """‖t‖_F of a float32 or float64 tensor on the CPU.

    The squares are summed in the tensor's own precision only where none of them can overflow or vanish: in float32 a
    gradient of 1e-23 has a norm of 0, and first-layer gradients of deep networks do get that small.
    """
    if t.numel() < THREADED_FROM or torch.get_num_threads() == 1:
        array = t.numpy(force=True)
        norm = math.sqrt(np.vdot(array, array))  # numpy's takes half the time of torch's on one thread
    else:
        flat = t.reshape(-1)
        norm = math.sqrt(torch.dot(flat, flat).item())
    return norm if SAFE_NORM_ABOVE < norm < SAFE_NORM_BELOW else torch.linalg.vector_norm(t, dtype=torch.float64).item()


def norms_of(tensors: list[Tensor]) -> list[float]:
    """‖t‖_F of every tensor, wherever they are."""
    if tensors[0].device.type == "cpu" and tensors[0].dtype in CPU_DTYPES:
        return [norm_of(t) for t in tensors]
    scalars = torch._foreach_norm(tensors, 2, torch.float64)
    return torch.stack(scalars).tolist()  # one wait for the device


def ratios(numerators: list[float], denominators: list[float], largest: float) -> list[float]:
    """Quotients; 0 where the denominator is zero, or so small that the quotient exceeds the largest number, or NaN."""
    return [q if d and (q := n / d) <= largest else 0.0 for n, d in zip(numerators, denominators, strict=True)]


def _fused(tensors: list[Tensor], others: list[Tensor], rate: float, decay: float) -> None:
    """SGD with weight decay, t − rate·(other + decay·t) in place of t, for every t: one pass over the memory."""
    torch._fused_sgd_(
        tensors, others, [], lr=rate, weight_decay=decay, momentum=0.0, dampening=0.0, nesterov=False, maximize=False,
        is_first_step=True,
    )  # fmt: skip


def axpby(t: Tensor, other: Tensor, scale: float, factor: float) -> None:
    """scale·t + factor·other in place of t.

    Args:
        t: a contiguous float32 or float64 tensor on the CPU.
        other: another of its shape and dtype.
        scale: of t.
        factor: of the other.
    """
    if abs(factor) > KEEPS_DIGITS_FROM:
        _fused([t], [other], -factor, (scale - 1) / factor)
    else:
        t.mul_(scale).add_(other, alpha=factor)


def combine(tensors: list[Tensor], others: list[Tensor], scales: Sequence[float], factors: Sequence[float]) -> None:
    """scale·t + factor·other in place of t, for every t.

    Args:
        tensors: the t, of one shape, dtype and device.
        others: one for each t, alike.
        scales: one for each t.
        factors: one for each t.
    """
    # One factor for all is a tensor: as a number, it would be made one for every t.
    first = tensors[0]
    torch._foreach_mul_(tensors, first.new_tensor(scales[0]) if len(set(scales)) == 1 else list(scales))
    torch._foreach_addcmul_(tensors, others, [first.new_ones(())] * len(tensors), list(factors))


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
        rows = self.rows.numpy()
        with np.errstate(all="ignore"):  # norms out of range are summed again
            norms = np.sqrt(rows[:, None, :] @ rows[:, :, None]).ravel().tolist()
        if min(norms) > SAFE_NORM_ABOVE and max(norms) < SAFE_NORM_BELOW:
            return norms
        return [n if SAFE_NORM_ABOVE < n < SAFE_NORM_BELOW else norm_of(t) for n, t in zip(norms, both, strict=True)]

    def combine(self, params: list[Tensor], scale: float, factors: Sequence[float]) -> None:
        """scale·W + factor·g in place of W, for every W."""
        self.grads.mul_(self.grads.new_tensor(factors).unsqueeze(1))
        _fused(params, self.each, -1.0, scale - 1)
