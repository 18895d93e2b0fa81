"""The attack on descent claims: an evolution of small networks, losses and steps; what it finds is certified and shrunk."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from drt.descent.losses import CrossEntropy, Loss, MeanSquaredError
from drt.descent.measurement import Descent, measure_descent
from drt.exact.certify import certify
from drt.falsify import extremal_descent
from drt.falsify.attack import TIE
from drt.falsify.shrink import shrink
from drt.falsify.space import Space
from drt.falsify.target import Target
from drt.network.network import Network
from drt.theory.outcome import Outcome
from drt.theory.registry import Claim, claims
from drt.theory.verdict import Verdicts
from drt.witness.witness import Witness

BATCH, GENERATIONS = 32, 6
POPULATIONS_PER_UNIT = 8
LEAST = 16  # populations, whatever the budget
MAX_DEPTH, MAX_WIDTH = 6, 8  # of what is drawn: deeper and wider networks show nothing else, and cost more
CERTIFIABLE = 0.8  # share of the attack whose finds have the form of a witness: one input, squared loss
ROUNDING = 1e-12  # relative, of δ as it is drawn
TRIED = 3  # finds of a generation that are certified
SMALLEST = ((1, 1), (1, 1, 1), (1, 1), (1, 1, 1), (1, 1, 1, 1))  # tried first: what they refute reads well


@dataclass(frozen=True)
class Population:
    """Networks of one shape with raw directions, inputs, targets and every layer's log₁₀ δ_l: what is drawn and bred."""

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
    return math.log10(min(max(low, 1e-5), high)), math.log10(max(min(high, 10.0), low, 1e-300))


def draw(
    dice: random.Random,
    rng: torch.Generator,
    claim: Claim | None = None,
    space: Space = Space(),  # noqa: B008  (frozen)
    certifiable: bool = False,
) -> Population:
    """A population over depth, widths, φ, loss, direction and size; targets near the outputs as well as far from them.

    certifiable: one input and the squared loss, which a witness can hold.
    """
    inputs = 1 if certifiable else dice.choice((1, 2, 4))
    if space.widths is not None:
        widths = list(space.widths)
    else:
        (shallow, deep), (narrow, wide) = space.depth, space.width
        depth = min(dice.choice((1, 1, 2, 2, 3)) + shallow - 1, max(shallow, min(deep, MAX_DEPTH)))
        widths = [
            min(dice.choice((1, 1, 2, 3)) + narrow - 1, max(narrow, min(wide, MAX_WIDTH))) for _ in range(depth + 1)
        ]
    depth = len(widths) - 1
    activations = space.draw_activations(claim or claims["lemma1"], depth, dice)

    def gaussian(*shape: int) -> Tensor:
        return torch.randn(BATCH, *shape, generator=rng, dtype=torch.float64)

    shapes = list(zip(widths[1:], widths, strict=False))
    weights, directions = [gaussian(n, m) for n, m in shapes], [gaussian(n, m) for n, m in shapes]
    x = gaussian(inputs, widths[0])
    h = x
    for w, phi in zip(weights, Network(weights, list(activations)).activations, strict=True):
        h = phi(h @ w.mT)
    # At 2h a linear layer's gradient changes just as fast as trust allows.
    y = h * dice.choice((0.0, 1.0, 2.0)) + gaussian(inputs, widths[-1]) * 10 ** dice.uniform(-2, 2)
    low, high = _log_sizes(space)
    log_delta = low + (high - low) * torch.rand(BATCH, 1, generator=rng, dtype=torch.float64)
    log_delta = log_delta.repeat(1, depth)
    if dice.random() < 0.3:  # one layer moves, the others hardly
        log_delta[:, torch.arange(depth) != dice.randrange(depth)] = low
    loss = "mse" if certifiable or widths[-1] == 1 or dice.random() < 0.5 else "cross-entropy"
    return Population(activations, loss, dice.random() < 0.7, (*weights, *directions, x, y, log_delta))


@dataclass
class Hunt:
    """What an attack on a descent claim has found: the witness refutes it, or comes closest of those that can be certified."""

    witness: Witness | None = None
    status: str = "survived"
    instances: int = 0
    log_ratio: float = -math.inf
    interrupted: bool = False


def witness_of(target: Target, claim: Claim, m: Descent, row: int) -> Witness:
    """One member of a population of one input and squared loss, exactly."""
    s = m.segment
    net = Network([w[row] for w in s.net.weights], list(s.net.activations))
    assert isinstance(s.loss, MeanSquaredError)
    return Witness.from_floats(
        claim, net, [dw[row] for dw in s.dweights], s.x[row, 0], target=s.loss.targets[row, 0],
        bound_source=target.source,
    )  # fmt: skip


def measured(witness: Witness) -> Descent:
    """A witness in floating point."""
    net, dweights, x = witness.network()
    target = torch.tensor([float(v.p) / float(v.q) for v in witness.target or ()], dtype=torch.float64)
    return measure_descent(net, dweights, x.unsqueeze(0), MeanSquaredError(target.unsqueeze(0)))


def hunt(
    found: Hunt,
    target: Target,
    space: Space,
    budget: float,
    seed: int,
    shrinking: int,
    progress: Callable[[int, int, str], None],
) -> None:
    """Breed populations until a violation is certified; then shrink it, looking at `shrinking` candidates at most.

    The budget buys populations, LEAST of them at least, so the same seed gives the same finds.
    """
    claim = target.claim
    dice, rng = random.Random(seed), torch.Generator().manual_seed(seed)
    total = max(LEAST, round(budget * POPULATIONS_PER_UNIT))
    closest = -math.inf

    def violated(witness: Witness) -> bool:
        return (
            (space.widths is None or _widths(witness) == space.widths)
            and space.depth[0] <= len(witness.weights) <= space.depth[1]
            and certify(witness, claim, max_bits=256).answer == "violated"
        )

    def examine(m: Descent, certifiable: bool) -> Tensor | None:
        """Its members, the closest to a violation first; None once a violation is certified."""
        nonlocal closest
        verdicts = Verdicts(claim, m)
        sizes = (m.delta >= space.delta[0] * (1 - ROUNDING)) & (m.delta <= space.delta[1] * (1 + ROUNDING))
        inside = (sizes & (m.kappa_w >= space.kappa[0]) & (m.kappa_w <= space.kappa[1])).all(-1)
        scores = verdicts.log_ratio.nan_to_num(-math.inf, math.inf, -math.inf).where(inside, -math.inf)
        found.instances += len(scores)
        order = scores.argsort(descending=True)
        top = float(scores[order[0]])
        # The maximum over t is only known from below: an excess that is no violation tells nothing.
        known = scores.where(verdicts.where(Outcome.VIOLATED) | (scores <= TIE), -math.inf)
        found.log_ratio = max(found.log_ratio, float(known.max()))
        if certifiable and closest < top <= TIE:
            closest, found.witness = top, witness_of(target, claim, m, int(order[0]))
        for row in [i for i in order.tolist() if verdicts.where(Outcome.VIOLATED)[i] and inside[i]][:TRIED]:
            found.status = "unconfirmed"
            if certifiable and violated(witness := witness_of(target, claim, m, row)):
                found.witness, found.status = witness, "refuted"
                found.witness = shrink(witness, violated, shrinking)
                return None
        return order

    try:
        for _, m in extremal_descent.steps():
            admitted = space.admits(claim, m.widths) and space.admits_slopes(claim, m.alpha, m.beta)
            if admitted and examine(m, certifiable=True) is None:
                return
        for done in range(total):
            progress(done, total, f"largest actual/bound {math.exp(min(found.log_ratio, 700)):.6g}")
            certifiable = dice.random() < CERTIFIABLE
            plain = SMALLEST[done] if done < len(SMALLEST) and not space.widths else None
            within = plain is not None and space.depth[0] < len(plain) <= space.depth[1] + 1 and space.width[0] == 1
            if within:
                certifiable = True
            population = draw(dice, rng, claim, replace(space, widths=plain) if within else space, certifiable)
            for _ in range(GENERATIONS):
                order = examine(population.measure(), certifiable)
                if order is None:
                    return
                population = population.take(order[: BATCH // 4].repeat(4)).mutated(rng, space)
    except KeyboardInterrupt:
        found.interrupted = True


def _widths(witness: Witness) -> tuple[int, ...]:
    return (len(witness.x), *(len(w) for w in witness.weights))
