"""Time of a certificate: function and Jacobian claims with every condition number, one thread, one run.

python benchmarks/certify.py
"""

from __future__ import annotations

import time

import torch

import drt
from drt.exact.certify import certify
from drt.witness.witness import Witness

SIZES = ((1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (16, 64))
AIMS = {(8, 16): 0.05, (16, 64): 1.0}  # seconds, for theorem1.function
ROUNDS = 5


def instance(claim: str, depth: int, width: int, activation: str) -> Witness:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64) / width**0.5

    net = drt.Network([draw(width, width) for _ in range(depth)], activation)
    return Witness.from_floats(claim, net, [0.1 * draw(width, width) for _ in range(depth)], draw(width))


def main() -> None:
    torch.set_num_threads(1)
    for depth, width in SIZES:
        for claim in ("theorem1.function", "theorem1.jacobian"):
            for activation in ("leaky_relu:0.1", "tanh_blend:0.5"):
                start = time.perf_counter()
                witness = instance(claim, depth, width, activation)
                made = time.perf_counter() - start
                certificates = [certify(witness) for _ in range(ROUNDS)]
                best = min(c.seconds for c in certificates)
                aim = AIMS.get((depth, width)) if claim == "theorem1.function" else None
                verdict = "" if aim is None else f", aim {1e3 * aim:.0f} ms: {'met' if best < aim else 'MISSED'}"
                print(
                    f"(L, n) = ({depth:2d}, {width:2d})  {claim:18s} {activation:15s} {1e3 * best:8.1f} ms "
                    f"({certificates[0].answer}, {certificates[0].bits} bits; witness made in {1e3 * made:.1f} ms){verdict}"
                )


if __name__ == "__main__":
    main()
