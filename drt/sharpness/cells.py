"""Cells of `drt.sharpness`: a claim's bound at a cell's κ, δ and β/α, the search inside it, and the networks found, certified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from drt.errors import InputError
from drt.exact.certify import certify
from drt.falsify.layout import Layout
from drt.falsify.target import Target
from drt.measurement.measurement import Measurement
from drt.measurement.quantity import FUNCTION, JACOBIAN, Quantity
from drt.network.activations import parse_activation
from drt.numeric.numbers import Number, maximum
from drt.sharpness.climb import ASCENTS, search
from drt.sharpness.inside import Matrices, Problem, matrices
from drt.theory.registry import Claim
from drt.witness.witness import Witness

KAPPAS = ("kappa", "kappa_w", "kappa_dw", "kappa_wt")
PLAIN = ("alpha", "beta", "alphas", "betas", "depth", "widths", "batch_shape", "quantity")
UNFIT = ("relu", "scalars", "small", "lipschitz")  # hypotheses on φ, widths or δ that would need cells of their own
RESTARTS = 16
CERTIFICATE_BITS = 256
FEWEST_STEPS, MOST_STEPS = 20, 400  # of each ascent
STEPS_PER_UNIT = 50_000  # rows × layers
OVERHEAD = 250  # rows that a step's fixed cost is worth
Setting = tuple[Tensor, list[str]]  # the input and the φ of each layer


@dataclass(frozen=True)
class Cell:
    """One cell of a grid, and what was found in it: a certified lower end of its sharpness.

    change, bound: of the network found, the lower end of the actual change and the upper end of the bound.
    answer: what the certifier says of the claim there (violated, attained, holds, undecided).
    """

    depth: int
    width: int
    kappa: float
    beta_over_alpha: float
    delta: float
    sharpness: float
    change: float
    bound: float
    answer: str


Found = tuple[Cell, Witness]
COLUMNS = tuple(field.name for field in fields(Cell))


class _AtCell:
    """A measurement with its κ's, δ and ρ raised to a cell's; remembers what a formula reads."""

    def __init__(self, m: Any, kappa: float, delta: float):
        self._m, self._kappa, self._delta = m, kappa, delta
        self.reads: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.reads.add(name)
        value = getattr(self._m, name)
        if name in KAPPAS:
            return maximum(value, self._kappa)
        return maximum(value, self._delta) if name in ("delta", "rho") else value


def reads(claim: Claim) -> set[str]:
    """The fields of a measurement that a claim's bound depends on.

    Raises:
        InputError: a claim that has no sharpness in cells of κ, δ, β/α: its bound reads something else, or it asks for more.
    """
    unfit = [name for name in claim.hypotheses if name in UNFIT]
    if unfit or claim.left != "relative":
        why = f"it asks for {unfit[0]}" if unfit else "its left side is not relative"
        raise InputError(f"claim {claim.id} has no sharpness over κ, β/α and δ: {why}")
    layout = Layout((2, 2, 2), ("identity", "identity"))
    theta = torch.tensor([[1.0, 0, 0, 2, 1, 0, 0, 2, 1, 0, 0, 1, 1, 0, 0, 1, 1, 1]], dtype=torch.float64)
    view = _AtCell(Measurement.of(layout.instance(theta), claim.quantity), 1.0, 1.0)
    claim.formula(view)  # type: ignore[arg-type]  # it has a measurement's fields
    other = view.reads - {*KAPPAS, *PLAIN, "delta", "rho"}
    if other:
        raise InputError(
            f"claim {claim.id} has no sharpness over κ, β/α and δ: its bound reads {', '.join(sorted(other))}"
        )
    return view.reads


def at_cell(claim: Claim, kappa: float, delta: float) -> Claim:
    """The claim with its bound taken at a cell's κ and δ."""

    def formula(m: Measurement) -> Number:
        return claim.formula(_AtCell(m, kappa, delta))  # type: ignore[arg-type]

    return replace(claim, formula=formula)


def _full(block: Tensor, rest: Tensor, width: int) -> Tensor:
    p = block.shape[-1]
    matrix = torch.diag_embed(rest.unsqueeze(-1).expand(*rest.shape, width)).clone()
    matrix[..., :p, :p] = block
    return matrix


def witness_at(target: Target, claim: Claim, problem: Problem, at: Matrices, row: int) -> Witness:
    """One row of a search as a network.

    Args:
        target: where the claim comes from.
        claim: what the witness is about.
        problem: the cells that were searched.
        at: their matrices.
        row: which of them.
    """
    w, dw = (_full(b[row], r[row], problem.width) for b, r in ((at.w, at.w_rest), (at.dw, at.dw_rest)))
    x, specs = SETTINGS[claim.quantity](problem, at, row, w, dw)
    net = Layout((problem.width,) * (problem.depth + 1), tuple(specs)).instance(
        torch.cat([w.flatten(), dw.flatten(), x])
    )
    return Witness.from_floats(
        claim, net.net, net.dweights, net.x, hypotheses=claim.hypotheses, bound_source=target.source
    )


def _signal(problem: Problem, at: Matrices, row: int, w: Tensor, dw: Tensor) -> Setting:
    """X = e₁, and slopes r, 1, r with kinks at 0 and 1."""
    ratio = float(problem.ratio[row])
    spec = "identity" if ratio == 1 else f"piecewise_linear:0.0,1.0/{ratio!r},1.0,{ratio!r}"
    return torch.eye(problem.width, dtype=torch.float64)[0], [spec] * problem.depth


def _free_slopes(problem: Problem, at: Matrices, row: int, w: Tensor, dw: Tensor) -> Setting:
    """Any x, and a φ for each layer that has the slopes asked for."""
    x = torch.randn(problem.width, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return x, list(_activations(problem, at, row, w, dw, x))


SETTINGS: dict[Quantity, Callable[[Problem, Matrices, int, Tensor, Tensor], Setting]] = {
    FUNCTION: _signal,
    JACOBIAN: _free_slopes,
}


def _activations(problem: Problem, at: Matrices, row: int, w: Tensor, dw: Tensor, x: Tensor) -> Iterator[str]:
    """A φ for each layer that has the slopes asked for at the pre-activations: kinks half way between them."""
    ratio = float(problem.ratio[row])
    h, moved = x, x
    for k in range(problem.depth):
        if ratio == 1:
            yield "identity"
            continue
        points = torch.cat([w[k] @ h, (w[k] + dw[k]) @ moved])
        slopes = [
            torch.cat([s[row, k, :-1], s[row, k, -1].expand(problem.width - problem.block)]).clamp(1, ratio)
            for s in (at.slopes, at.slopes_after)
        ]
        order = points.argsort()
        ordered, wanted = points[order], torch.cat(slopes)[order]
        reach = ordered.abs().max()
        # Beyond all of them both extreme slopes, so that α = 1 and β/α = r.
        kinks = [*((ordered[1:] + ordered[:-1]) / 2).tolist(), *(float(c * reach) for c in (2, 3))]
        spec = f"piecewise_linear:{','.join(map(repr, kinks))}/{','.join(map(repr, [*wanted.tolist(), 1.0, ratio]))}"
        yield spec
        phi = parse_activation(spec)
        h, moved = phi(points[: problem.width]), phi(points[problem.width :])


@dataclass(frozen=True)
class Block:
    """The cells of one L, n and β/α, searched together. The budget buys steps: the same seed gives the same cells."""

    target: Target
    depth: int
    width: int
    ratio: float
    cells: tuple[tuple[float, float], ...]  # κ, δ
    seed: int
    budget: float

    def run(self) -> list[Found]:
        """Each cell's row, with its witness."""
        claim = self.target.claim
        read = reads(claim)
        kappa, delta = torch.tensor(self.cells, dtype=torch.float64).T
        ratio = torch.full_like(kappa, self.ratio)
        problem = Problem(
            claim.quantity, self.depth, self.width, kappa, ratio, delta,
            kappa_dw=not read.isdisjoint({"kappa", "kappa_dw"}),
            kappa_wt=not read.isdisjoint({"kappa", "kappa_wt"}),
            size="rho" if "rho" in read and "delta" not in read else "delta",
        )  # fmt: skip
        rows = RESTARTS * len(self.cells)
        steps = int(self.budget * STEPS_PER_UNIT / (ASCENTS * (rows + OVERHEAD) * self.depth))
        rng = torch.Generator().manual_seed(self.seed)
        found = search(problem, RESTARTS, min(max(steps, FEWEST_STEPS), MOST_STEPS), rng)
        at = matrices(problem, found)
        found_rows = []
        for i, (k, d) in enumerate(self.cells):
            witness = witness_at(self.target, claim, problem, at, i)
            certificate = certify(witness, at_cell(claim, k, d), max_bits=CERTIFICATE_BITS)
            values = (certificate.ratio[0], certificate.lhs[0], certificate.rhs[1], certificate.answer)
            found_rows.append((Cell(self.depth, self.width, k, self.ratio, d, *values), witness))
        return found_rows


def run_block(block: Block) -> list[Found]:
    """`Block.run`, for another process."""
    return block.run()
