"""Time of one step at 100 layers: Fromage and LARS over torch.optim.SGD, one thread, one run.

python benchmarks/optim.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from drt.optim import LARS, Fromage

LAYERS, ROUNDS = 100, 7


def seconds(step: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def main() -> None:
    torch.set_num_threads(1)
    for width, repeats in ((16, 50), (64, 30), (128, 15), (256, 5), (784, 1)):
        params = [torch.nn.Parameter(torch.randn(width, width)) for _ in range(LAYERS)]
        for p in params:
            p.grad = torch.randn(width, width)
        optimisers = {
            "SGD": torch.optim.SGD(params, lr=1e-9),
            "SGD momentum": torch.optim.SGD(params, lr=1e-9, momentum=0.9),
            "Adam": torch.optim.Adam(params, lr=1e-9),
            "Fromage": Fromage(params, lr=1e-9),
            "Fromage p_bound": Fromage(params, lr=1e-9, p_bound=2.0),
            "LARS": LARS(params, lr=1e-9),
            "LARS momentum": LARS(params, lr=1e-9, momentum=0.9),
        }
        best = dict.fromkeys(optimisers, float("inf"))
        for _ in range(ROUNDS):  # interleaved, so that a slow moment hits all of them
            for name, optimiser in optimisers.items():
                best[name] = min(best[name], seconds(optimiser.step, repeats))
        for name in list(best)[3:]:
            plain, momentum = best[name] / best["SGD"], best[name] / best["SGD momentum"]
            print(
                f"width {width:3d}  {name:15s} {1e3 * best[name]:7.2f} ms = {plain:.2f} x SGD, "
                f"{momentum:.2f} x SGD with momentum, {best[name] / best['Adam']:.2f} x Adam"
            )


if __name__ == "__main__":
    main()
