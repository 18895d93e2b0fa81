"""Sharpness: how much of a bound is real, cell by cell.

A cell fixes L layers of n units, κ, β/α and δ. Its sharpness is

    sup ‖f̃ − f‖/‖f‖  over networks with κ(·) ≤ κ, δ_l ≤ δ, slopes in [α, β]   /   the bound's value at exactly (κ, δ, β/α)

(for Jacobians ‖J̃_0 − J_0‖_F/‖J_0‖_F): 1 where the constant is attained, small where it is slack, above 1 where the claim is
false. κ(·) are the condition numbers that the bound reads, those of the W_l always; where it reads ρ_l, δ stands for ρ.

What is stored is a certified lower bound of it: the change of one network, by exact arithmetic, over the bound at the larger of
the cell's values and the network's own, so that no rounding flatters it. It is a search's result, hence a lower bound only.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from drt.errors import InputError
from drt.exact.certify import certify
from drt.falsify.space import MAX_DEPTH, MAX_WIDTH
from drt.falsify.target import Target
from drt.numeric.files import write_atomically
from drt.numeric.pool import Progress, one_thread, silent, workers
from drt.sharpness.cells import CERTIFICATE_BITS, COLUMNS, Block, Cell, Found, reads, run_block
from drt.witness.witness import Witness


@dataclass(frozen=True, kw_only=True)
class Sharpness:
    """The result of a search.

    cells: in the grid's order; of the finished blocks if interrupted. violations: cells whose network violates the claim,
    certified. best: the sharpest cell's network.
    """

    claim: str
    statement: str
    seed: int
    cells: tuple[Cell, ...]
    violations: int
    interrupted: bool
    seconds: float
    best: Witness | None

    def as_dict(self) -> dict[str, Any]:
        """What `drt sharpness --json` prints: all but the network, which has a file of its own."""
        shown = {name: value for name, value in vars(self).items() if name != "best"}
        return shown | {"cells": [asdict(cell) for cell in self.cells]}


@dataclass(frozen=True)
class CellGrid:
    """The cells: every combination of depth L, width n, κ, ratio = β/α, and δ."""

    depth: tuple[int, ...] = (1, 2, 3)
    width: tuple[int, ...] = (1, 2, 4, 16)
    kappa: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)
    ratio: tuple[float, ...] = (1.0, 2.0, 10.0)
    delta: tuple[float, ...] = (1e-3, 0.1, 1.0, 10.0)

    def __post_init__(self) -> None:
        for name, low, high in (
            ("depth", 1, MAX_DEPTH), ("width", 1, MAX_WIDTH), ("kappa", 1, 1e6), ("ratio", 1, 1e6), ("delta", 1e-12, 1e6),
        ):  # fmt: skip
            values = getattr(self, name)
            if not values:
                raise InputError(f"--{name} is empty; expected at least one value")
            for value in values:
                if not low <= value <= high:  # NaN too
                    raise InputError(f"--{name} {value:g} must be from {low:g} to {high:g}")

    @classmethod
    def from_text(cls, **lists: str | None) -> CellGrid:
        """From texts such as kappa="1,2,5"; what is None keeps its default.

        Raises:
            InputError: an empty list, something that is not a number, or a number out of range.
        """
        chosen: dict[str, Any] = {}
        for name, text in lists.items():
            if text is None:
                continue
            number, kind = (int, "whole numbers") if name in ("depth", "width") else (float, "numbers")
            try:
                chosen[name] = tuple(dict.fromkeys(number(part) for part in text.split(",") if part.strip()))
            except ValueError:
                raise InputError(f"--{name} {text!r} must be {kind} with commas between") from None
        return cls(**chosen)

    def blocks(self, target: Target, budget: float, seed: int) -> list[Block]:
        """The cells in blocks of one L, n and β/α, which share the budget."""
        shapes = list(product(self.depth, self.width, self.ratio))
        cells, share = tuple(product(self.kappa, self.delta)), budget / len(shapes)
        return [Block(target, *shape, cells, seed + i, share) for i, shape in enumerate(shapes)]


def sharpness(
    target: Target,
    grid: CellGrid,
    budget: float = 120.0,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress = silent,
) -> Sharpness:
    """The sharpness of a claim in every cell of a grid.

    Args:
        target: the claim.
        grid: the cells.
        budget: units of work for all cells together, each about a second of one core.
        seed: of everything random: the same seed gives the same cells.
        jobs: processes.
        progress: told (blocks done, blocks in all, the largest sharpness).

    Raises:
        InputError: a claim whose bound is not one in κ, β/α, δ or ρ.
    """
    begin = time.perf_counter()
    reads(target.claim)
    blocks = grid.blocks(target, budget, seed)
    done: dict[int, list[Found]] = {}
    interrupted = False
    with one_thread():
        try:
            for index, rows in _run(blocks, jobs):
                done[index] = rows
                largest = max(cell.sharpness for found in done.values() for cell, _ in found)
                progress(len(done), len(blocks), f"largest actual/bound {largest:.6g}")
        except KeyboardInterrupt:
            interrupted = True
        found = [pair for index in sorted(done) for pair in done[index]]
        above = [witness for cell, witness in found if cell.sharpness > 1]
        violations = sum(certify(w, target.claim, max_bits=CERTIFICATE_BITS).answer == "violated" for w in above)
    return Sharpness(
        claim=target.claim.id,
        statement=target.claim.statement,
        seed=seed,
        cells=tuple(cell for cell, _ in found),
        violations=violations,
        interrupted=interrupted,
        seconds=round(time.perf_counter() - begin, 3),
        best=max(found, key=lambda pair: pair[0].sharpness)[1] if found else None,
    )


def _run(blocks: list[Block], jobs: int) -> Iterator[tuple[int, list[Found]]]:
    """(index, rows) of each block as it is finished."""
    if jobs == 1:
        for i, block in enumerate(blocks):
            yield i, block.run()
        return
    with workers(jobs) as pool:
        futures = {pool.submit(run_block, block): i for i, block in enumerate(blocks)}
        for future in as_completed(futures):
            yield futures[future], future.result()


def to_csv(result: Sharpness) -> str:
    """The cells, one a line."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(cell) for cell in result.cells)
    return stream.getvalue()


def write(result: Sharpness, folder: Path) -> list[Path]:
    """Write the CSV, and the witness of the sharpest cell; their paths."""
    stem = f"sharpness-{result.claim}"
    table = folder / f"{stem}.csv"
    write_atomically(table, to_csv(result).encode())
    if result.best is None:
        return [table]
    witness = folder / f"{stem}.json"
    result.best.save(witness)
    return [table, witness]


@dataclass(frozen=True)
class Summary:
    """Of the cells of one depth and width: how many, the smallest, median and largest sharpness, and where it is largest."""

    depth: int
    width: int
    cells: int
    smallest: float
    median: float
    largest: float
    at: Cell


def summary(result: Sharpness) -> list[Summary]:
    """One for each depth and width."""
    groups: dict[tuple[int, int], list[Cell]] = {}
    for cell in result.cells:
        groups.setdefault((cell.depth, cell.width), []).append(cell)
    rows = []
    for (depth, width), cells in groups.items():
        ranked = sorted(cells, key=lambda cell: cell.sharpness)
        smallest, median, largest = (ranked[k].sharpness for k in (0, len(ranked) // 2, -1))
        rows.append(Summary(depth, width, len(cells), smallest, median, largest, ranked[-1]))
    return rows
