"""The attack: units of work of several strategies, dealt in waves, the better strategy getting more of them.

A unit is a pure function of (claim, space, seed, index, seeds found so far), so the same seed gives the same attack whatever
the number of processes and whatever else the machine does: the budget buys units.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import chain

import torch

from drt.falsify.ascend import Free, Spectral, ascend
from drt.falsify.evolve import evolve, score, structured
from drt.falsify.extremal import WIDE, Grid
from drt.falsify.layout import Flat, Layout, layout_of
from drt.falsify.space import MAX_WIDTH, Space
from drt.falsify.target import Target
from drt.theory.base import Claim

STRATEGIES = ("evolve", "ascend-free", "polish", "ascend-spectral")
WAVE = 4
SEARCH_FROM = 1.0  # units of budget below which only the constructions are tried
TIE = 1e-9  # |log(actual/bound)| below which a bound counts as attained
SMALLEST = 300  # structured instances of each of the smallest architectures
KEPT = 8  # instances that a unit hands back


@dataclass(frozen=True)
class Find:
    """Flat vectors of one layout with their log(actual/bound), best first, and the part of the space they were bred in."""

    layout: Layout
    theta: Flat
    scores: tuple[float, ...]
    niche: Space

    @property
    def promise(self) -> float:
        """The best score; −∞ for a tie. Where a bound is attained it is seldom broken, yet every search is drawn there."""
        return self.scores[0] if abs(self.scores[0]) > TIE else -math.inf


@dataclass(frozen=True)
class Unit:
    """One piece of work: a strategy, a layout to start from, and a seed."""

    index: int
    strategy: str
    layout: Layout
    niche: Space
    seed: int
    start: Flat | None = None


@dataclass
class Attack:
    """What an attack has found so far."""

    claim: Claim
    space: Space
    finds: list[Find] = field(default_factory=list)
    instances: int = 0
    units: int = 0

    @property
    def best(self) -> Find | None:
        """The find with the largest ratio."""
        return max(self.finds, key=lambda f: f.scores[0], default=None)

    def add(self, find: Find | None, instances: int) -> None:
        """Take in a unit's result; per layout only the best find is kept."""
        self.instances += instances
        if find is None:
            return
        known = next((f for f in self.finds if (f.layout, f.niche) == (find.layout, find.niche)), None)
        if known is None or known.scores[0] < find.scores[0]:
            self.finds = [f for f in self.finds if f is not known] + [find]


def _top(layout: Layout, theta: Flat, scores: torch.Tensor, niche: Space) -> Find | None:
    order = scores.argsort(descending=True)[:KEPT]
    order = order[torch.isfinite(scores[order])]
    return Find(layout, theta[order], tuple(scores[order].tolist()), niche) if len(order) else None


def try_constructions(claim: Claim, space: Space, wide: bool = False) -> Iterator[tuple[Find | None, int]]:
    """Every extremal construction inside the space, as it is; the wide ones: widths to 128, κ from nearly 1 upwards."""
    relu = "relu" in claim.hypotheses or "transmission" not in claim.hypotheses
    grid = Grid(
        depths=_within(space.depth, (1, 2) if wide else (1, 2, 4, 6)),
        widths=(24, MAX_WIDTH) if wide else (2, 3, 6),
        alphas=(*((0.0,) if relu else ()), *_alphas(space)[:: 2 if wide else 1]),
        kappas=_within(space.kappa, (1.02, 1.2, 2.0, 4.0, 10.0, 100.0) if wide else (1.0, 2.0, 10.0)),
        deltas=_within(space.delta, (1e-3, 1.0) if wide else (1e-8, 1e-3, 0.1, 1.0, 10.0, 1e4)),
    )
    for _, instance in grid.instances(WIDE if wide else None):
        layout = layout_of(instance)
        biased = layout.biased and "biases" in claim.hypotheses
        if biased or not space.admits(claim, layout.widths) or not _phi_fits(claim, layout):
            continue
        theta = layout.flatten(instance)
        yield _top(layout, theta, score(claim, layout, theta, space), space), len(theta)


def try_structured(claim: Claim, space: Space, seed: int) -> Iterator[tuple[Find | None, int]]:
    """A few hundred structured instances of the smallest networks: what is easily broken breaks here, in milliseconds."""
    dice, rng = random.Random(seed), torch.Generator().manual_seed(seed)
    for widths in ((1, 1), (1, 1, 1), (2, 2), (2, 2, 2)):
        if space.admits(claim, widths):
            layout = Layout(widths, space.draw_activations(claim, len(widths) - 1, dice))
            if _phi_fits(claim, layout):
                theta = structured(layout, SMALLEST, space, rng)
                yield _top(layout, theta, score(claim, layout, theta, space), space), SMALLEST


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


def run_unit(claim: Claim, unit: Unit) -> tuple[Find | None, int]:
    """Do one unit of work: (the best it found, instances evaluated)."""
    rng = torch.Generator().manual_seed(unit.seed)
    layout, space = unit.layout, unit.niche
    size = sum(layout.sizes)

    count = max(32, min(384, 30_000 // size))
    start = structured(layout, count, space, rng)
    if unit.start is not None:
        start[: len(unit.start)] = unit.start
    if unit.strategy == "evolve":
        theta, scores, done = evolve(claim, layout, space, start, 80, rng)
        return _top(layout, theta, scores, space), done
    if unit.strategy == "polish":
        theta, scores, done = evolve(claim, layout, space, start, 30, rng)
        order = scores.argsort(descending=True)[: count // 4]
        theta, scores, more = ascend(claim, layout, space, Free(layout, theta[order]), 60, rate=0.02)
        return _top(layout, theta, scores, space), done + more
    # Ascents start at noisy versions of structured instances.
    noisy = start * (1 + 0.1 * torch.randn(start.shape, dtype=torch.float64, generator=rng))
    noisy = noisy + 0.01 * torch.randn(start.shape, dtype=torch.float64, generator=rng)
    noisy = noisy[: max(count // 3, 16)]
    free = unit.strategy == "ascend-free"
    begin = Free(layout, noisy) if free else Spectral(layout, noisy, min(space.kappa[1], 10.0))
    theta, scores, done = ascend(claim, layout, space, begin, 100)
    return _top(layout, theta, scores, space), done


def plan_wave(attack: Attack, rng: random.Random, index: int, count: int = WAVE) -> list[Unit]:
    """The next units: half explore (strategies in turn, fresh layouts and niches), half breed from the best finds."""
    units = []
    ranked = sorted((f for f in attack.finds if f.promise > -math.inf), key=lambda f: -f.promise)
    for k in range(count):
        seed = rng.getrandbits(62)
        if k % 2 and ranked:
            # The better the find, the likelier its turn.
            find = ranked[min(int(rng.expovariate(0.5)), len(ranked) - 1)]
            strategy = rng.choice(("polish", "evolve"))
            units.append(Unit(index + k, strategy, find.layout, find.niche, seed, find.theta))
        else:
            strategy = STRATEGIES[(index + k) // 2 % len(STRATEGIES)]
            layout, niche = _draw_layout(attack, rng), _draw_niche(attack.space, rng)
            units.append(Unit(index + k, strategy, layout, niche, seed))
    return units


def _draw_layout(attack: Attack, rng: random.Random) -> Layout:
    claim, space = attack.claim, attack.space
    widths = space.draw_widths(claim, rng)
    activations = space.draw_activations(claim, len(widths) - 1, rng)
    return Layout(widths, activations, "biases" not in claim.hypotheses and rng.random() < 0.7)


def _draw_niche(space: Space, rng: random.Random) -> Space:
    """The space, or a part of it away from κ = 1 or with δ of one magnitude, where ties do not draw the search."""
    kappa = rng.choice((space.kappa, space.kappa, (1.5, 10.0), (10.0, 1e3)))
    delta = rng.choice((space.delta, space.delta, (1e-8, 1e-2), (1e-2, 2.0), (2.0, 1e4)))
    kappa, delta = _overlap(kappa, space.kappa), _overlap(delta, space.delta)
    return replace(space, kappa=kappa, delta=delta)


def _overlap(part: tuple[float, float], whole: tuple[float, float]) -> tuple[float, float]:
    low, high = max(part[0], whole[0]), min(part[1], whole[1])
    return (low, high) if low <= high else whole


def work(target: Target, unit: Unit) -> tuple[Find | None, int]:
    """`run_unit` for another process, which loads the claim by name."""
    return run_unit(target.claim, unit)


def attack(
    state: Attack,
    budget: float,
    seed: int,
    pool: Executor | None,
    target: Target,
    enough: Callable[[Attack], bool],
) -> None:
    """Attack until `enough` says so or the units that the budget buys are used up.

    `enough` is called with the state so far, which an interrupt leaves whole: after a small instance that exceeds the
    bound, after all of them, and after every wave.
    """
    rng = random.Random(seed)
    smallest = try_structured(state.claim, state.space, seed)
    for wide in (False, True):
        known = try_constructions(state.claim, state.space, wide)
        for find, done in known if wide else chain(smallest, known):
            state.add(find, done)
            # Small ones at once; of the wide ones all first, and the narrowest is taken.
            if not wide and find is not None and find.scores[0] > TIE and enough(state):
                return
        if enough(state) or budget < SEARCH_FROM:
            return
    if state.claim.kind == "identity":  # its two sides differ by rounding only: there is nothing to climb
        return
    total = math.ceil(budget)
    while state.units < total:
        units = plan_wave(state, rng, state.units, min(WAVE, total - state.units))
        if pool is None:
            results = [run_unit(state.claim, unit) for unit in units]
        else:
            results = [future.result() for future in [pool.submit(work, target, unit) for unit in units]]
        for find, done in results:
            state.add(find, done)
        state.units += len(units)
        if enough(state):
            return
