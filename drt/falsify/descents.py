"""The attack on descent claims: extremal steps, and an evolution of small networks, losses and steps."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from drt.descent.losses import CrossEntropy, Loss, MeanSquaredError
from drt.descent.measurement import Descent, measure_descent
from drt.falsify import extremal_descent
from drt.falsify.engine import TIE, Engine, Find, Found, Source, WitnessedFind
from drt.falsify.space import Space
from drt.measurement.measured import Measured
from drt.network.network import Network
from drt.theory.base import Claim
from drt.theory.outcome import Outcome
from drt.theory.verdict import Verdicts
from drt.witness.witness import Witness

MEMBERS, GENERATIONS = 32, 6  # of a population
SURVIVORS = MEMBERS // 4  # of a generation: each has four mutants in the next
POPULATIONS_PER_UNIT = 6
MAX_DEPTH, MAX_WIDTH = 6, 8  # of what is sampled: deeper and wider networks show nothing else, and cost more
DEPTHS, WIDTHS = (1, 1, 2, 2, 3), (1, 1, 2, 3)  # and how often each
CERTIFIABLE = 0.8  # share of the populations with the form of a witness: one input, squared loss
ALONG_GRADIENT = 0.7  # share of those that step along the gradient
ONE_LAYER = 0.3  # share of those in which one layer moves, the others hardly
WIDEST_SIZES = -5.0, 1.0  # log₁₀ δ, unless the space asks for others
ROUNDING = 1e-12  # relative, of δ as it is sampled
HANDED_BACK = 3  # violations, of a generation
SMALLEST = ((1, 1), (1, 1, 1), (1, 1), (1, 1, 1), (1, 1, 1, 1))  # widths tried first: what they refute reads well


@dataclass(frozen=True)
class Population:
    """Networks of one shape with raw directions, inputs, targets and every layer's log₁₀ δ_l: what is sampled and bred."""

    activations: tuple[str, ...]
    loss: str
    along_gradient: bool
    tensors: tuple[Tensor, ...]  # W_1 … W_L, D_1 … D_L, x, y, log₁₀ δ (…, L); the batch leads

    def measure(self) -> Descent:
        """ΔW_l = δ_l‖W_l‖_F·(D_l, or −g_l, normalised)."""
        depth, (x, y, log_delta) = len(self.activations), self.tensors[-3:]
        weights, directions = list(self.tensors[:depth]), list(self.tensors[depth:-3])
        net = Network(weights, list(self.activations))
        loss: Loss = MeanSquaredError(y) if self.loss == "mse" else CrossEntropy(y[0].argmax(-1))
        if self.along_gradient:
            start = measure_descent(net, [torch.zeros_like(w) for w in weights], x, loss)
            # The raw direction keeps its say where the gradient is zero.
            directions = [
                torch.where(g.norm(dim=(-1, -2), keepdim=True) > 0, -g, d)
                for g, d in zip(start.segment.gradients, directions, strict=True)
            ]
        sizes = 10.0**log_delta
        steps = []
        for layer, (w, d) in enumerate(zip(weights, directions, strict=True)):
            of_w, of_d = (v.norm(dim=(-1, -2), keepdim=True) for v in (w, d))
            steps.append(sizes[:, layer].reshape(-1, 1, 1) * of_w / of_d.clamp(min=1e-300) * d)
        return measure_descent(net, steps, x, loss)

    def take(self, rows: Tensor) -> Population:
        """Some of its members."""
        return replace(self, tensors=tuple(t[rows] for t in self.tensors))

    def mutated(self, rng: torch.Generator, space: Space) -> Population:
        """Every number changed by a tenth of its size or so; some members more, some less; δ_l stays in its range."""
        scale = 10 ** (-2 * torch.rand(len(self.tensors[0]), generator=rng, dtype=torch.float64))
        changed = []
        for t in self.tensors:
            noise = torch.randn(t.shape, generator=rng, dtype=torch.float64) * scale.reshape(-1, *[1] * (t.ndim - 1))
            changed.append(t + noise * t.abs().clamp(min=0.01))
        return replace(self, tensors=(*changed[:-1], changed[-1].clamp(*_log_sizes(space))))


def _log_sizes(space: Space) -> tuple[float, float]:
    """log₁₀ of the sizes tried: those of the space, from 1e-5 to 10 unless it asks for others."""
    low, high = space.delta
    smallest, largest = (10**size for size in WIDEST_SIZES)
    return math.log10(min(max(low, smallest), high)), math.log10(max(min(high, largest), low, 1e-300))


def sample_population(
    dice: random.Random,
    rng: torch.Generator,
    claim: Claim,
    space: Space = Space(),  # noqa: B008  (frozen)
    certifiable: bool = False,
) -> Population:
    """A random population over depth, widths, φ, loss, direction and size; targets near the outputs as well as far from them.

    Args:
        dice: of the choices.
        rng: of the numbers.
        claim: whose hypotheses on φ are met.
        space: the ranges of depth, width, slopes and δ.
        certifiable: one input and the squared loss, which a witness can hold.
    """
    inputs = 1 if certifiable else dice.choice((1, 2, 4))
    if space.widths is not None:
        widths = list(space.widths)
    else:
        (shallow, deep), (narrow, wide) = space.depth, space.width
        depth = min(dice.choice(DEPTHS) + shallow - 1, max(shallow, min(deep, MAX_DEPTH)))
        widths = [min(dice.choice(WIDTHS) + narrow - 1, max(narrow, min(wide, MAX_WIDTH))) for _ in range(depth + 1)]
    depth = len(widths) - 1
    activations = space.sample_activations(claim, depth, dice)

    def gaussian(*shape: int) -> Tensor:
        return torch.randn(MEMBERS, *shape, generator=rng, dtype=torch.float64)

    shapes = list(zip(widths[1:], widths, strict=False))
    weights, directions = [gaussian(n, m) for n, m in shapes], [gaussian(n, m) for n, m in shapes]
    x = gaussian(inputs, widths[0])
    h = x
    for w, phi in zip(weights, Network(weights, list(activations)).activations, strict=True):
        h = phi(h @ w.mT)
    # At 2h a linear layer's gradient changes just as fast as trust allows.
    y = h * dice.choice((0.0, 1.0, 2.0)) + gaussian(inputs, widths[-1]) * 10 ** dice.uniform(-2, 2)
    low, high = _log_sizes(space)
    log_delta = low + (high - low) * torch.rand(MEMBERS, 1, generator=rng, dtype=torch.float64)
    log_delta = log_delta.repeat(1, depth)
    if dice.random() < ONE_LAYER:  # one layer moves, the others hardly
        log_delta[:, torch.arange(depth) != dice.randrange(depth)] = low
    loss = "mse" if certifiable or widths[-1] == 1 or dice.random() < 0.5 else "cross-entropy"
    return Population(activations, loss, dice.random() < ALONG_GRADIENT, (*weights, *directions, x, y, log_delta))


@dataclass(frozen=True)
class Member(WitnessedFind):
    """One instance of a population, with its log(actual/bound), and whether it is violated in floating point."""

    net: Network
    dweights: tuple[Tensor, ...]
    x: Tensor  # (inputs, n_0)
    loss: Loss
    score: float
    rank: int | None  # among the violations of its population; None if it is none

    @property
    def log_ratio(self) -> float:
        return self.score

    @property
    def violates(self) -> bool:
        return self.rank is not None

    @property
    def exceeds(self) -> bool:
        return self.violates

    @property
    def exact(self) -> bool:
        return len(self.x) == 1 and isinstance(self.loss, MeanSquaredError)

    @property
    def numbers(self) -> int:
        return 2 * sum(w.numel() for w in self.net.weights) + self.net.widths[0] + self.net.widths[-1]

    @property
    def kind(self) -> Hashable:
        return self.rank, self.exact, self.net.widths

    def witness(self, claim: Claim, source: Source) -> Witness:
        assert isinstance(self.loss, MeanSquaredError)
        target = self.loss.targets[0]
        return Witness.from_floats(claim, self.net, self.dweights, self.x[0], target=target, bound_source=source)


def member(m: Descent, row: int, log_ratio: float = -math.inf, rank: int | None = None) -> Member:
    """One row of a measured population.

    Args:
        m: the population, its batch (B,).
        row: which of them.
        log_ratio: its log(actual/bound), where that is known.
        rank: its place among those that are tried, None where it has none.
    """
    s = m.segment
    net = Network([w[row] for w in s.net.weights], list(s.net.activations))
    loss = MeanSquaredError(s.loss.targets[row]) if isinstance(s.loss, MeanSquaredError) else s.loss
    return Member(net, tuple(dw[row] for dw in s.dweights), s.x[row], loss, log_ratio, rank)


def measured(witness: Witness) -> Descent:
    """A witness in floating point."""
    net, dweights, x = witness.network()
    target = torch.tensor([float(v.p) / float(v.q) for v in witness.target or ()], dtype=torch.float64)
    return measure_descent(net, dweights, x.unsqueeze(0), MeanSquaredError(target.unsqueeze(0)))


@dataclass(frozen=True)
class Unit:
    """Populations to sample and breed, one of these widths each where they are given."""

    space: Space
    seed: int
    widths: tuple[tuple[int, ...] | None, ...] = (None,) * POPULATIONS_PER_UNIT


def examine(claim: Claim, space: Space, m: Descent) -> tuple[Found, Tensor]:
    """What a population shows, and its members, the closest to a violation first."""
    verdicts = Verdicts(claim, m)
    scores = verdicts.log_ratio.nan_to_num(-math.inf, math.inf, -math.inf).where(_sizes_inside(space, m), -math.inf)
    order = scores.argsort(descending=True)
    violated = verdicts.where(Outcome.VIOLATED) & (scores > -math.inf)
    # The maximum over t is only known from below: an excess that is no violation tells nothing.
    known = scores.where(violated | (scores <= TIE), -math.inf)
    rows = [row for row in order.tolist() if violated[row]][:HANDED_BACK]
    finds = [member(m, row, float(scores[row]), rank) for rank, row in enumerate(rows)]
    top = int(order[0])
    if -math.inf < scores[top] <= TIE:
        finds.append(member(m, top, float(scores[top])))
    return Found(tuple(finds), len(scores), float(known.max())), order


def _sizes_inside(space: Space, m: Descent) -> Tensor:
    """Where δ_l and κ(W_l) lie in the space's ranges."""
    sizes = (m.delta >= space.delta[0] * (1 - ROUNDING)) & (m.delta <= space.delta[1] * (1 + ROUNDING))
    return (sizes & (m.kappa_w >= space.kappa[0]) & (m.kappa_w <= space.kappa[1])).all(-1)


class Descents(Engine):
    """Claims about a loss and its gradients along a step."""

    section = "of a descent"

    def probes(self, claim: Claim) -> tuple[Callable[[], Measured], Callable[[int], Witness]]:
        space = Space(depth=(2, 2), width=(2, 2), delta=(1e-3, 0.1))
        dice, rng = random.Random(0), torch.Generator().manual_seed(0)
        population = sample_population(dice, rng, claim, space, certifiable=True)
        population = replace(population, along_gradient=False)  # one input's gradient has rank one
        source = {"file": "", "function": ""}
        return population.measure, lambda index: member(population.measure(), index).witness(claim, source)

    def openings(self, claim: Claim, space: Space, seed: int) -> Iterator[tuple[Found, bool]]:
        """The extremal steps, and populations of the smallest networks."""
        for _, m in extremal_descent.steps():
            if space.admits_shape(claim, m):
                yield examine(claim, space, m)[0], True
        for index, widths in enumerate(SMALLEST):
            if space.admits(claim, widths):
                yield self.run(claim, Unit(space, seed + index, (widths,))), True

    def plan(
        self, claim: Claim, space: Space, finds: Sequence[Find], dice: random.Random, first: int, count: int
    ) -> list[Unit]:
        """Populations of all kinds: each is bred by itself."""
        return [Unit(space, dice.getrandbits(62)) for _ in range(count)]

    def run(self, claim: Claim, unit: Unit) -> Found:
        """Each population for GENERATIONS; until a violation that can be certified is found."""
        dice, rng = random.Random(unit.seed), torch.Generator().manual_seed(unit.seed)
        finds: list[Find] = []
        instances, log_ratio = 0, -math.inf
        for widths in unit.widths:
            space = replace(unit.space, widths=widths) if widths else unit.space
            certifiable = widths is not None or dice.random() < CERTIFIABLE
            population = sample_population(dice, rng, claim, space, certifiable)
            for _ in range(GENERATIONS):
                found, order = examine(claim, unit.space, population.measure())
                finds += found.finds
                instances, log_ratio = instances + found.instances, max(log_ratio, found.log_ratio)
                if any(find.exceeds and find.exact for find in found.finds):
                    return Found(tuple(finds), instances, log_ratio)
                population = population.take(order[:SURVIVORS].repeat(MEMBERS // SURVIVORS)).mutated(rng, unit.space)
        return Found(tuple(finds), instances, log_ratio)

    def measure(self, claim: Claim, witness: Witness) -> Descent:
        return measured(witness)

    def inside(self, claim: Claim, space: Space, m: Measured) -> bool:
        assert isinstance(m, Descent)
        return space.admits_shape(claim, m) and bool(_sizes_inside(space, m))
