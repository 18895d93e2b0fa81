"""Time of one step at 100 layers: Fromage and LARS over torch.optim.SGD and Adam, one thread, one run.

python benchmarks/optim.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch

from drt.optim import LARS, Fromage

LAYERS, ROUNDS = 100, 7


def seconds(step: Callable[[], object], repeats: int) -> float:
    step()  # what the one before left in the caches is not its own
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


@torch.no_grad()
def floor(params: list[torch.Tensor], grads: list[torch.Tensor]) -> None:
    """What cannot be avoided with torch's kernels: all norms are read off, then all weights are changed."""
    torch.stack(torch._foreach_norm(params + grads)).tolist()
    torch._foreach_add_(params, grads, alpha=-1e-9)


def main() -> None:
    torch.set_num_threads(1)
    for width, repeats in ((16, 50), (64, 30), (128, 15), (256, 5), (784, 1)):
        params = [torch.nn.Parameter(torch.randn(width, width)) for _ in range(LAYERS)]
        for p in params:
            p.grad = torch.randn(width, width)
        steps = {
            "SGD": torch.optim.SGD(params, lr=1e-9).step,
            "SGD foreach": torch.optim.SGD(params, lr=1e-9, foreach=True).step,
            "Adam": torch.optim.Adam(params, lr=1e-9).step,
            "floor": partial(floor, params, [p.grad for p in params]),
            "Fromage": Fromage(params, lr=1e-9).step,
            "Fromage p_bound": Fromage(params, lr=1e-9, p_bound=2.0).step,
            "LARS": LARS(params, lr=1e-9).step,
            "LARS momentum": LARS(params, lr=1e-9, momentum=0.9).step,
        }
        best = dict.fromkeys(steps, float("inf"))
        for _ in range(ROUNDS):  # interleaved, so that a slow moment hits all of them
            for name, step in steps.items():
                best[name] = min(best[name], seconds(step, repeats))
        for name in list(best)[3:]:
            ratios = ", ".join(f"{best[name] / best[other]:.2f} x {other}" for other in list(best)[:3])
            print(f"width {width:3d}  {name:15s} {1e3 * best[name]:7.2f} ms = {ratios}")


if __name__ == "__main__":
    main()
