"""General-purpose searches, for `benchmarks/falsify.py` to compare the attack with.

All maximise the attack's own objective, log(actual/bound) where the claim applies, over L ≤ 4, n ≤ 4, the same φ and
δ from 1e-8 to 1e4; what they find is certified as the attack's finds are. The two optimisers draw architectures as the
attack does and evaluate whole populations at once; Hypothesis draws the architecture as part of each example.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import cma
import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis import target as towards
from scipy.optimize import differential_evolution

from drt.exact.certify import certify
from drt.falsify.engine import TIE
from drt.falsify.evolve import score
from drt.falsify.layout import Flat, Layout
from drt.falsify.networks import Bred
from drt.falsify.space import Space
from drt.falsify.target import Target
from drt.theory.registry import Claim

SPACE = Space(depth=(1, 4), width=(1, 4))
EXPONENTS = (-8, 4)  # of the scale of each ΔW_l
SHARE = 0.1  # of the budget, for one architecture of an optimiser
INAPPLICABLE = -1e3


class Over(BaseException):
    """Ends a search from inside its objective; not an Exception, which Hypothesis would take for a failing example."""


class Referee:
    """Scores instances, certifies what exceeds the bound, and stops the search once that succeeds or time is up."""

    def __init__(self, target: Target, budget: float):
        self.target, self.claim = target, target.claim
        self.deadline = time.perf_counter() + budget
        self.highest = TIE  # a score that did not certify must be exceeded before the next attempt
        self.found = False

    def __call__(self, layout: Layout, theta: Flat) -> np.ndarray:
        """log(actual/bound) of each flat vector."""
        scores = score(self.claim, layout, theta, SPACE)
        best = int(scores.argmax())
        if scores[best] > self.highest:
            self.highest = float(scores[best])
            find = Bred(layout, theta[best : best + 1], (self.highest,), SPACE)
            certificate = certify(find.witness(self.claim, self.target.source), self.claim, max_bits=512)
            self.found = certificate.answer == "violated"
        if self.found or time.perf_counter() > self.deadline:
            raise Over
        return np.maximum(scores.numpy(), INAPPLICABLE)


def _draw_layout(claim: Claim, rng: random.Random) -> Layout:
    widths = SPACE.sample_widths(claim, rng)
    activations = SPACE.sample_activations(claim, len(widths) - 1, rng)
    return Layout(widths, activations, "biases" not in claim.hypotheses and rng.random() < 0.7)


def _decoded(layout: Layout, points: np.ndarray) -> Flat:
    """Points of [−1, 1]^(D + L): the entries, and the exponent of each ΔW_l's scale."""
    depth = len(layout.widths) - 1
    points = torch.from_numpy(np.clip(points, -1, 1))
    segments = list(points[:, :-depth].split(layout.sizes, -1))
    low, high = EXPONENTS
    scales = 10 ** (low + (high - low) * (points[:, -depth:] + 1) / 2)
    for k in range(depth):
        segments[depth + k] = segments[depth + k] * scales[:, k : k + 1]
    return torch.cat(segments, -1)


def _by_architecture(referee: Referee, number: int, budget: float, search: Callable[..., None]) -> None:
    rng = random.Random(number)
    while True:
        layout = _draw_layout(referee.claim, rng)
        dimension = sum(layout.sizes) + len(layout.widths) - 1
        share = time.perf_counter() + SHARE * budget
        search(
            lambda points, layout=layout: -referee(layout, _decoded(layout, points)),
            dimension,
            rng.getrandbits(31),
            lambda share=share: time.perf_counter() > share,
        )


def _evolve_differentially(loss: Callable, dimension: int, number: int, late: Callable[[], bool]) -> None:
    differential_evolution(
        lambda x: loss(x.T),
        [(-1, 1)] * dimension,
        rng=number,
        polish=False,
        vectorized=True,
        updating="deferred",
        callback=lambda intermediate_result: late(),
    )


def _adapt_covariance(loss: Callable, dimension: int, number: int, late: Callable[[], bool]) -> None:
    start = np.random.default_rng(number).uniform(-1, 1, dimension)
    options = {"seed": number + 1, "verbose": -9, "bounds": [-1, 1]}
    strategy = cma.CMAEvolutionStrategy(start, 0.5, options)
    while not strategy.stop() and not late():
        points = strategy.ask()
        strategy.tell(points, loss(np.array(points)).tolist())


@st.composite
def _instances(draw: Callable, claim: Claim) -> tuple[Layout, Flat]:
    """An architecture that meets the claim's hypotheses, and the entries of one instance."""
    depth = draw(st.integers(*SPACE.depth))
    widths = draw(st.lists(st.integers(*SPACE.width), min_size=depth + 1, max_size=depth + 1))
    if "widths" in claim.hypotheses:
        floor = 0 if claim.quantity == "function" else draw(st.integers(0, depth))
        widths = [*sorted(widths[:floor], reverse=True), min(widths), *sorted(widths[floor + 1 :])]
    # The φ are drawn by the attack's own code, its random choices made by Hypothesis.
    rng = draw(st.randoms(use_true_random=False))
    biased = "biases" not in claim.hypotheses and draw(st.booleans())
    layout = Layout(tuple(widths), SPACE.sample_activations(claim, depth, rng), biased)
    size = sum(layout.sizes)
    entries = draw(st.lists(st.floats(-10, 10), min_size=size, max_size=size))
    exponents = draw(st.lists(st.integers(*EXPONENTS), min_size=depth, max_size=depth))
    segments = list(torch.tensor(entries, dtype=torch.float64).split(layout.sizes))
    for k, exponent in enumerate(exponents):
        segments[depth + k] = segments[depth + k] * 10.0**exponent
    return layout, torch.cat(segments)[None]


def _examples(referee: Referee, number: int, guided: bool) -> None:
    @seed(number)
    @settings(
        max_examples=10**9,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
    )
    @given(_instances(referee.claim))
    def holds(instance: tuple[Layout, Flat]) -> None:
        reached = float(referee(*instance)[0])
        if guided and reached > INAPPLICABLE:
            towards(reached)

    holds()


def search(peer: str, target: Target, budget: float, number: int) -> bool:
    """Whether the peer refutes the claim, certified, within the budget in seconds."""
    referee = Referee(target, budget)
    try:
        while True:  # Hypothesis may think that it has tried everything
            if peer.startswith("hypothesis"):
                _examples(referee, number, peer.endswith("target"))
            else:
                _by_architecture(referee, number, budget, PEERS[peer])
            number += 1
    except Over:
        return referee.found


PEERS: dict[str, Callable] = {
    "hypothesis": _examples,
    "hypothesis+target": _examples,
    "differential evolution": _evolve_differentially,
    "cma-es": _adapt_covariance,
}
