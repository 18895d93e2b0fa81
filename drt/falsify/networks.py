"""The attack on functions and Jacobians: extremal constructions, evolution and gradient ascent of networks as flat vectors."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from drt.falsify.ascend import Free, Spectral, ascend
from drt.falsify.engine import TIE, Engine, Find, Found, Source, WitnessedFind
from drt.falsify.evolve import evolve, score, structured
from drt.falsify.extremal import WIDE, ConstructionGrid
from drt.falsify.layout import Flat, Layout, layout_of, measurement, objective
from drt.falsify.space import MAX_WIDTH, Space
from drt.measurement.instance import Instance
from drt.measurement.measured import Measured
from drt.measurement.measurement import Measurement
from drt.theory.base import Claim
from drt.witness.witness import Witness

STRATEGIES = ("evolve", "ascend-free", "polish", "ascend-spectral")
SMALLEST = ((1, 1), (1, 1, 1), (2, 2), (2, 2, 2))  # widths tried first: what they refute reads well
SAMPLED_OF_SMALLEST = 300  # structured instances of each of them
HANDED_BACK = 8  # instances, of a unit's population
# Of a unit: the rows of its population are as many as this number of entries allows, within these limits.
ENTRIES, FEWEST_ROWS, MOST_ROWS = 30_000, 32, 384
GENERATIONS = 80
POLISHING_GENERATIONS, POLISHING_STEPS, POLISHING_RATE = 30, 60, 0.02
ASCENT_STEPS, FEWEST_ASCENTS = 100, 16
ASCENT_NOISE = 0.1, 0.01  # on a structured start: relative, absolute
ASCENT_KAPPA = 10.0  # the largest condition number of an ascent by singular values
BIASED = 0.7  # share of the layouts with biases, where those are allowed
TURN_RATE = 0.5  # the better a find, the likelier its turn: the next one's odds are e^−½ of its
# Parts of the space away from κ = 1, or with δ of one magnitude, where ties do not draw the search; None is the space itself.
NICHES_OF_KAPPA = (None, None, (1.5, 10.0), (10.0, 1e3))
NICHES_OF_DELTA = (None, None, (1e-8, 1e-2), (1e-2, 2.0), (2.0, 1e4))


@dataclass(frozen=True)
class Bred(WitnessedFind):
    """Flat vectors of one layout with their log(actual/bound), best first, and the part of the space they were bred in."""

    layout: Layout
    theta: Flat
    scores: tuple[float, ...]
    niche: Space

    violates = False  # a score carries no rounding bound: only a certificate tells

    @property
    def log_ratio(self) -> float:
        return self.scores[0]

    @property
    def exceeds(self) -> bool:
        return self.scores[0] > TIE

    @property
    def numbers(self) -> int:
        return sum(self.layout.sizes)

    @property
    def kind(self) -> Hashable:
        return self.layout, self.niche

    exact = True

    @property
    def promise(self) -> float:
        """The priority of further search from here: the best log(actual/bound), or −∞ if it is a tie (ratio 1).

        Near a bound that is attained, violations are rare, but every search drifts there; without priority it looks elsewhere.
        """
        return self.scores[0] if abs(self.scores[0]) > TIE else -math.inf

    def witness(self, claim: Claim, source: Source) -> Witness:
        """The best, or for a violation the plainest of the good ones."""
        one = self.layout.instance(self.theta[self._plainest() if self.exceeds else 0])
        return Witness.from_floats(claim, one.net, one.dweights, one.x, bound_source=source)

    def _plainest(self) -> int:
        """Of the instances with half the best margin: the one whose entries span the fewest decades around 1."""
        spans = torch.log10(self.theta.abs().clamp(min=1e-300))
        spans = torch.where(self.theta == 0, 0.0, spans).abs().amax(-1)
        good = [i for i, score in enumerate(self.scores) if score >= self.scores[0] / 2]
        return min(good, key=lambda i: float(spans[i]))


@dataclass(frozen=True)
class Unit:
    """One piece of work: a strategy, a layout to start from, and a seed."""

    strategy: str
    layout: Layout
    niche: Space
    seed: int
    start: Flat | None = None


def _found(claim: Claim, layout: Layout, theta: Flat, space: Space) -> Found:
    """A batch of instances as they are."""
    return Found(_top(layout, theta, score(claim, layout, theta, space), space), len(theta))


def _top(layout: Layout, theta: Flat, scores: torch.Tensor, niche: Space) -> tuple[Bred, ...]:
    """The best of them, if any is an instance of the claim."""
    order = scores.argsort(descending=True)[:HANDED_BACK]
    order = order[torch.isfinite(scores[order])]
    return (Bred(layout, theta[order], tuple(scores[order].tolist()), niche),) if len(order) else ()


def try_constructions(claim: Claim, space: Space, wide: bool = False) -> Iterator[Found]:
    """Every extremal construction inside the space, as it is; the wide ones: widths to 128, κ from nearly 1 upwards."""
    relu = "relu" in claim.hypotheses or "transmission" not in claim.hypotheses
    grid = ConstructionGrid(
        depths=_within(space.depth, (1, 2) if wide else (1, 2, 4, 6)),
        widths=(24, MAX_WIDTH) if wide else (2, 3, 6),
        alphas=(*((0.0,) if relu else ()), *_alphas(space)[:: 2 if wide else 1]),
        kappas=_within(space.kappa, (1.02, 1.2, 2.0, 4.0, 10.0, 100.0) if wide else (1.0, 2.0, 10.0)),
        deltas=_within(space.delta, (1e-3, 1.0) if wide else (1e-8, 1e-3, 0.1, 1.0, 10.0, 1e4)),
    )
    for _, instance in grid.instances(WIDE if wide else None):
        layout = layout_of(instance)
        biased = layout.biased and "biases" in claim.hypotheses
        if not biased and space.admits(claim, layout.widths) and _phi_fits(claim, layout):
            yield _found(claim, layout, layout.flatten(instance), space)


def try_structured(claim: Claim, space: Space, seed: int) -> Iterator[Found]:
    """A few hundred structured instances of the smallest networks: what is easily broken breaks here, in milliseconds."""
    dice, rng = random.Random(seed), torch.Generator().manual_seed(seed)
    for widths in SMALLEST:
        if space.admits(claim, widths):
            layout = Layout(widths, space.sample_activations(claim, len(widths) - 1, dice))
            if _phi_fits(claim, layout):
                yield _found(claim, layout, structured(layout, SAMPLED_OF_SMALLEST, space, rng), space)


def _within(limits: tuple[float, float], wanted: tuple) -> tuple:
    """The wanted values inside the limits; the upper limit if there are none."""
    return tuple(v for v in wanted if limits[0] <= v <= limits[1]) or (limits[1],)


def _alphas(space: Space) -> tuple[float, ...]:
    if not space.beta[0] <= 1 <= space.beta[1]:
        return ()
    low, high = max(space.alpha[0], 1e-3), min(space.alpha[1], 1.0)
    return tuple(dict.fromkeys((low, min(max(0.5, low), high), high)))


def _phi_fits(claim: Claim, layout: Layout) -> bool:
    if "relu" in claim.hypotheses:
        return set(layout.activations) == {"relu"}
    if "scalars" in claim.hypotheses:
        return layout.widths == (1, 1, 1) and set(layout.activations) == {"identity"}
    return True


def _sample_layout(claim: Claim, space: Space, dice: random.Random) -> Layout:
    widths = space.sample_widths(claim, dice)
    activations = space.sample_activations(claim, len(widths) - 1, dice)
    return Layout(widths, activations, "biases" not in claim.hypotheses and dice.random() < BIASED)


def _sample_niche(space: Space, dice: random.Random) -> Space:
    """The space, or a part of it."""
    kappa, delta = dice.choice(NICHES_OF_KAPPA), dice.choice(NICHES_OF_DELTA)
    return replace(space, kappa=_overlap(kappa, space.kappa), delta=_overlap(delta, space.delta))


def _overlap(part: tuple[float, float] | None, whole: tuple[float, float]) -> tuple[float, float]:
    low, high = (max(part[0], whole[0]), min(part[1], whole[1])) if part else whole
    return (low, high) if low <= high else whole


class Networks(Engine):
    """Claims about the function and about Jacobians."""

    section = "of a network"

    def most_units(self, claim: Claim) -> float:
        """None for an identity: its two sides differ by rounding only, there is nothing to climb."""
        return 0 if claim.kind == "identity" else math.inf

    def probes(self, claim: Claim) -> tuple[Callable[[], Measured], Callable[[int], Witness]]:
        rng = torch.Generator().manual_seed(0)
        scalars = "scalars" in claim.hypotheses
        phi = "relu" if "relu" in claim.hypotheses else "identity" if scalars else "leaky_relu:0.5"
        layout = Layout((1, 1, 1) if scalars else (2, 2, 2), (phi, phi))
        theta = structured(layout, 64, Space(delta=(1e-3, 0.5), kappa=(1.0, 10.0)), rng)

        def witness_at(index: int) -> Witness:
            return Bred(layout, theta[[index]], (0.0,), Space()).witness(claim, {"file": "", "function": ""})

        return lambda: measurement(claim, layout.instance(theta)), witness_at

    def openings(self, claim: Claim, space: Space, seed: int) -> Iterator[tuple[Found, bool]]:
        """Small ones at once; of the wide ones all first, and the narrowest is taken."""
        yield from ((found, True) for found in try_structured(claim, space, seed))
        yield from ((found, True) for found in try_constructions(claim, space))
        yield from ((found, False) for found in try_constructions(claim, space, wide=True))

    def plan(
        self, claim: Claim, space: Space, finds: Sequence[Find], dice: random.Random, first: int, count: int
    ) -> list[Unit]:
        """Half explore (strategies in turn, fresh layouts and niches), half breed from the best finds."""
        bred = [find for find in finds if isinstance(find, Bred) and find.promise > -math.inf]
        ranked = sorted(bred, key=lambda find: -find.promise)
        units = []
        for index in range(first, first + count):
            seed = dice.getrandbits(62)
            if index % 2 and ranked:
                find = ranked[min(int(dice.expovariate(TURN_RATE)), len(ranked) - 1)]
                units.append(Unit(dice.choice(("polish", "evolve")), find.layout, find.niche, seed, find.theta))
            else:
                strategy = STRATEGIES[index // 2 % len(STRATEGIES)]
                units.append(Unit(strategy, _sample_layout(claim, space, dice), _sample_niche(space, dice), seed))
        return units

    def run(self, claim: Claim, unit: Unit) -> Found:
        rng = torch.Generator().manual_seed(unit.seed)
        layout, space = unit.layout, unit.niche
        count = max(FEWEST_ROWS, min(MOST_ROWS, ENTRIES // sum(layout.sizes)))
        start = structured(layout, count, space, rng)
        if unit.start is not None:
            start[: len(unit.start)] = unit.start
        if unit.strategy == "evolve":
            theta, scores, done = evolve(claim, layout, space, start, GENERATIONS, rng)
        elif unit.strategy == "polish":
            theta, scores, done = evolve(claim, layout, space, start, POLISHING_GENERATIONS, rng)
            best = theta[scores.argsort(descending=True)[: count // 4]]
            ascent = ascend(claim, layout, space, Free(layout, best), POLISHING_STEPS, rate=POLISHING_RATE)
            theta, scores, done = *ascent[:2], done + ascent[2]
        else:
            relative, absolute = ASCENT_NOISE
            noisy = start * (1 + relative * torch.randn(start.shape, dtype=torch.float64, generator=rng))
            noisy = noisy + absolute * torch.randn(start.shape, dtype=torch.float64, generator=rng)
            noisy = noisy[: max(count // 3, FEWEST_ASCENTS)]
            free = unit.strategy == "ascend-free"
            begin = Free(layout, noisy) if free else Spectral(layout, noisy, min(space.kappa[1], ASCENT_KAPPA))
            theta, scores, done = ascend(claim, layout, space, begin, ASCENT_STEPS)
        return Found(_top(layout, theta, scores, space), done)

    def measure(self, claim: Claim, witness: Witness) -> Measurement:
        return measurement(claim, Instance(*witness.network()))

    def inside(self, claim: Claim, space: Space, m: Measured) -> bool:
        assert isinstance(m, Measurement)
        return space.admits_shape(claim, m) and bool(objective(claim, m, space)[1])
