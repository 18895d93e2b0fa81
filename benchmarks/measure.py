"""Time of the whole check of a network (function, all Jacobians, all condition numbers), against three others, in one run.

    python benchmarks/measure.py [--repeats 5]

ours      `measure_all`: change of f and of every J_l, δ, ρ, κ(W), κ(ΔW), κ(W̃), for a batch
vmap      torch.func.vmap(jacrev) of every layer-to-output map, for f and f̃, subtracted; torch.linalg.svdvals
loop      torch.autograd.functional.jacobian and numpy.linalg.svd, one network at a time (fewer networks, scaled up)
floor     the SVDs and the matrix products alone: 3 L svdvals, 4 L products (J_l, and three for ΔJ_l), on both cores

Times are per network; the ratios are the result. Timings are a benchmark, never a test.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from drt.measurement.batches import pieces
from drt.measurement.instance import Instance
from drt.measurement.measurement import measure_all
from drt.measurement.sampling import Recipe, generator
from drt.network.network import Network

SIZES = ((2, 4, 16384), (4, 8, 4096), (8, 16, 1024), (16, 32, 128), (16, 64, 32))


def best(work: Callable[[], object], repeats: int) -> float:
    """The shortest of several runs, after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def check(piece: Instance) -> None:
    function, jacobians = measure_all(piece)
    for m in (function, *jacobians):
        _ = m.change, m.delta, m.rho, m.kappa


def ours(instance: Instance) -> None:
    for piece in pieces(Instance(instance.net, instance.dweights, instance.x, known=instance.known)):
        check(piece)


def tail(weights: list[Tensor], net: Network, layer: int) -> Callable[..., Tensor]:
    def f(h: Tensor, *ws: Tensor) -> Tensor:
        for w in ws:
            h = torch.nn.functional.leaky_relu(w @ h, 0.1)
        return h

    return f


def by_vmap(instance: Instance) -> None:
    net = instance.net
    moved = [w + dw for w, dw in zip(net.weights, instance.dweights, strict=True)]
    with torch.no_grad():
        sides = []
        for weights in (list(net.weights), moved):
            h, jacobians = instance.x, []
            for layer in range(net.depth):
                rest = weights[layer:]
                jacobians.append(torch.func.vmap(torch.func.jacrev(tail(rest, net, layer)))(h, *rest))
                h = torch.nn.functional.leaky_relu((weights[layer] @ h.unsqueeze(-1)).squeeze(-1), 0.1)
            sides.append((h, jacobians))
    (f, js), (ft, jts) = sides
    _ = (ft - f).norm(dim=-1) / f.norm(dim=-1)
    for j, jt in zip(js, jts, strict=True):
        _ = (jt - j).norm(dim=(-2, -1)) / j.norm(dim=(-2, -1))
    for group in (net.weights, instance.dweights, moved):
        for w in group:
            s = torch.linalg.svdvals(w)
            _ = s[..., 0] / s[..., -1]


def by_loop(instance: Instance, count: int) -> None:
    net = instance.net
    for i in range(count):
        weights = [w[i] for w in net.weights]
        moved = [w + dw[i] for w, dw in zip(weights, instance.dweights, strict=True)]
        for group in (weights, moved):
            h = instance.x[i]
            for layer in range(net.depth):
                rest = group[layer:]
                f = tail(rest, net, layer)
                torch.autograd.functional.jacobian(lambda v, f=f, rest=rest: f(v, *rest), h)
                h = torch.nn.functional.leaky_relu(group[layer] @ h, 0.1)
        for group in (weights, moved, [dw[i] for dw in instance.dweights]):
            for w in group:
                s = np.linalg.svd(w.numpy(), compute_uv=False)
                _ = s[0] / s[-1]


def floor(instance: Instance, pool: ThreadPoolExecutor) -> None:
    net = instance.net
    moved = [w + dw for w, dw in zip(net.weights, instance.dweights, strict=True)]
    stacked = torch.cat([*net.weights, *instance.dweights, *moved])
    list(pool.map(torch.linalg.svdvals, stacked.chunk(2)))

    def products(part: slice) -> None:
        j = torch.eye(net.widths[-1], dtype=torch.float64).expand(len(instance.x[part]), -1, -1)
        for w in reversed(net.weights):
            for _ in range(4):
                product = j @ w[part]
            j = product

    half = len(instance.x) // 2
    list(pool.map(products, (slice(0, half), slice(half, None))))


def row(depth: int, n: int, batch: int, weights: str, repeats: int, pool: ThreadPoolExecutor) -> str:
    """One line of the table. "kappa": W and ΔW with prescribed spectra, so that only W̃ needs an SVD; "gaussian": none known."""
    perturbation = "kappa" if weights == "kappa" else "gaussian"
    recipe = Recipe((n,) * (depth + 1), "leaky_relu:0.1", weights=weights, perturbation=perturbation, delta=1e-2)
    instance = recipe.draw(batch, generator(0))
    few = 2 if depth * n > 200 else 8
    own = best(lambda: ours(instance), repeats) / batch
    vmap = best(lambda: by_vmap(instance), max(repeats // 2, 1)) / batch
    loop = best(lambda: by_loop(instance, few), 1) / few
    bare = best(lambda: floor(instance, pool), repeats) / batch
    times = " ".join(f"{t * 1e6:8.1f}us" for t in (own, vmap, loop, bare))
    return f"{(depth, n)!s:>9} {weights:>8} {times}   {vmap / own:9.1f} {loop / own:9.0f} {own / bare:10.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--largest", type=int, default=len(SIZES), help="how many of the sizes")
    arguments = parser.parse_args()
    pool = ThreadPoolExecutor(2)
    torch.set_num_threads(2)
    print("   (L, n)  weights       ours       vmap       loop      floor   vmap/ours loop/ours ours/floor")
    for depth, n, batch in SIZES[: arguments.largest]:
        for weights in ("gaussian", "kappa"):
            print(row(depth, n, batch, weights, arguments.repeats, pool), flush=True)


if __name__ == "__main__":
    main()
