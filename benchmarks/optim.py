"""Time of one step at 100 layers: Fromage and LARS over torch.optim.SGD, alone and within training, in one run.

    python benchmarks/optim.py [--threads 1]

Alone: steps one after the other, weights and gradients in the caches as far as they fit. Within training: one step after
each forward and backward pass, as optimisers are used; medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch.nn.functional import cross_entropy

from drt.optimisers.optim import LARS, Fromage

LAYERS, ROUNDS, RATE = 100, 7, 1e-6


def seconds(step: Callable[[], object], repeats: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def perceptron(width: int) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for _ in range(LAYERS):
        layers += [torch.nn.Linear(width, width, bias=False), torch.nn.LeakyReLU(0.1)]
        torch.nn.init.orthogonal_(layers[-2].weight, 1.4)  # signals keep their size
    return torch.nn.Sequential(*layers)


@torch.no_grad()
def floor(params: list[torch.Tensor]) -> None:
    """What cannot be avoided with torch's kernels: all norms are read off, then all weights are changed."""
    grads = [p.grad for p in params]
    torch.stack(torch._foreach_norm(params + grads)).tolist()
    torch._foreach_add_(params, grads, alpha=-RATE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    torch.set_num_threads(parser.parse_args().threads)
    for width, repeats, steps in ((16, 50, 100), (32, 50, 100), (64, 30, 80), (128, 15, 50), (256, 5, 20), (784, 1, 7)):
        model = perceptron(width)
        params = list(model.parameters())
        x, labels = torch.randn(64, width), torch.randint(width, (64,))
        optimisers = {
            "SGD": torch.optim.SGD(params, lr=RATE).step,
            "floor": partial(floor, params),
            "Fromage": Fromage(params, lr=RATE).step,
            "Fromage p_bound": Fromage(params, lr=RATE, p_bound=2.0).step,
            "LARS": LARS(params, lr=RATE).step,
            "LARS momentum": LARS(params, lr=RATE, momentum=0.9).step,
        }
        within: dict[str, list[float]] = {name: [] for name in optimisers}
        for _ in range(steps):  # interleaved, so that a slow moment hits all of them
            for name, step in optimisers.items():
                model.zero_grad()
                cross_entropy(model(x), labels).backward()
                within[name].append(seconds(step))
        alone = dict.fromkeys(optimisers, float("inf"))
        for _ in range(ROUNDS):
            for name, step in optimisers.items():
                step()  # what the one before left in the caches is not its own
                alone[name] = min(alone[name], seconds(step, repeats))
        usual = {name: statistics.median(times) for name, times in within.items()}
        print(f"width {width:3d}  SGD: alone {1e3 * alone['SGD']:.2f} ms, within training {1e3 * usual['SGD']:.2f} ms")
        for name in list(optimisers)[1:]:
            ratios = alone[name] / alone["SGD"], usual[name] / usual["SGD"]
            print(f"           {name:15s} {ratios[0]:.2f} x alone, {ratios[1]:.2f} x within training", flush=True)


if __name__ == "__main__":
    main()
