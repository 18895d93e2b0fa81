"""Time of Figure 1's slices: `drt.experiments.gradient_slice` over the straightforward loop, on the same two cores, in one run.

    python benchmarks/slices.py [--width 64] [--digits 5000] [--etas 100] [--checkpoints 10] [--dtype float64]

Straightforward: for every η set all weights, a full forward and backward pass with gradients of all parameters; torch on two
threads; and, so that only the method differs, in the same two processes as ours. Ours: checkpoints dealt to two one-thread
processes. The floor: the matrix products that remain (forward and backward through layers 2 … L, and layer 1's gradient), as
single calls into memory that is in use already, in the same two processes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy

from drt.experiments.gradient_slice import slice_along_gradient
from drt.numeric.pool import workers
from drt.training.data import load_digits
from drt.training.training import Checkpoint, TrainingConfig, make_model, train

CORES = 2
DEPTH = 16


@dataclass(frozen=True)
class Job:
    """What is timed."""

    width: int
    digits: int
    etas: tuple[float, ...]
    dtype: torch.dtype


def inputs(job: Job) -> tuple[torch.Tensor, torch.Tensor]:
    digits = load_digits()
    assert digits.labels is not None
    return digits.images[: job.digits].to(job.dtype), digits.labels[: job.digits]


def model_of(job: Job, checkpoint: Checkpoint) -> torch.nn.Sequential:
    model = make_model(TrainingConfig((job.width,) * (DEPTH - 1)), 784, 10)
    model.load_state_dict(checkpoint.state)
    return model.to(job.dtype)


def straightforward(job: Job, checkpoint: Checkpoint) -> torch.Tensor:
    x, labels = inputs(job)
    model = model_of(job, checkpoint)
    weights = list(model.parameters())
    start = [w.detach().clone() for w in weights]
    gradients = torch.autograd.grad(cross_entropy(model(x), labels), weights)
    changes = torch.empty(len(job.etas), dtype=job.dtype)
    for i, eta in enumerate(job.etas):
        with torch.no_grad():
            for w, w0, g in zip(weights, start, gradients, strict=True):
                w.copy_(w0 - eta * w0.norm() / g.norm() * g)
        model.zero_grad()
        cross_entropy(model(x), labels).backward()
        changes[i] = (weights[0].grad - gradients[0]).norm() / gradients[0].norm()  # type: ignore[operator]
    return changes


def ours(job: Job, checkpoint: Checkpoint) -> torch.Tensor:
    return slice_along_gradient(model_of(job, checkpoint), *inputs(job), job.etas).changes


def floor(job: Job, checkpoint: Checkpoint) -> torch.Tensor:
    x, _ = inputs(job)
    widths = [p.shape[0] for p in model_of(job, checkpoint).parameters()]
    states = [torch.zeros(len(x), n, dtype=job.dtype) for n in widths]
    weights = [torch.zeros(m, n, dtype=job.dtype) for m, n in zip(widths[1:], widths, strict=False)]
    gradient = torch.zeros(widths[0], 784, dtype=job.dtype)
    for _ in job.etas:
        for k, weight in enumerate(weights):
            torch.mm(states[k], weight.mT, out=states[k + 1])
            torch.mm(states[k + 1], weight, out=states[k])
        torch.mm(states[0].mT, x, out=gradient)
    return torch.zeros(0)


def timed(work: Callable, job: Job, checkpoints: tuple[Checkpoint, ...], pool: ProcessPoolExecutor | None):
    begin = time.perf_counter()
    if pool is None:
        results = [work(job, c) for c in checkpoints]
    else:
        results = [f.result() for f in [pool.submit(work, job, c) for c in checkpoints]]
    return time.perf_counter() - begin, torch.stack(results)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, action="append", help="64, 128 and 784 if not given")
    parser.add_argument("--digits", type=int, default=5000)
    parser.add_argument("--etas", type=int, default=100, help="784 takes a twentieth of them")
    parser.add_argument("--checkpoints", type=int, default=10, help="784 takes two of them")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    options = parser.parse_args()
    for width in options.width or (64, 128, 784):
        wide = width > 256
        count = max(2, options.etas // 20) if wide else options.etas
        job = Job(width, options.digits, tuple(i / 10 / count for i in range(count)), getattr(torch, options.dtype))
        due = tuple(range(0, 100, 10))[: 2 if wide else options.checkpoints]
        config = TrainingConfig((width,) * (DEPTH - 1), steps_per_epoch=due[-1] or 1, epochs=1, checkpoints=due)
        checkpoints = train(config, load_digits()).checkpoints
        torch.set_num_threads(CORES)
        straightforward(job, checkpoints[0]) if not wide else None  # warm up
        slow, expected = timed(straightforward, job, checkpoints, None)
        with workers(CORES) as pool:
            list(pool.map(inputs, [job] * CORES))  # the processes' start and the digits are not what is timed
            alike, _ = timed(straightforward, job, checkpoints, pool)
            fast, found = timed(ours, job, checkpoints, pool)
            least, _ = timed(floor, job, checkpoints, pool)
        error = ((found - expected).abs() / expected)[:, 1:].max().item()
        print(
            f"width {width:3d}, {len(checkpoints)} checkpoints x {count} etas, {options.digits} digits, {options.dtype}: "
            f"straightforward {slow:.1f} s, in two processes as well {alike:.1f} s, ours {fast:.1f} s = {slow / fast:.2f} x and "
            f"{alike / fast:.2f} x faster; floor {least:.1f} s "
            f"({fast / least:.2f} x above it); largest relative difference {error:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
