"""The attack on descent claims: exact counterexamples first, then an evolution of small networks, losses and steps."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from drt.claims.base import Claim
from drt.descent import Descent, measure_descent
from drt.exact_descent import COUNTEREXAMPLES
from drt.losses import CrossEntropy, Loss, MeanSquaredError
from drt.network import Network
from drt.verdict import Verdicts

ACTIVATIONS = ("identity", "leaky_relu:0.5", "leaky_relu:0.1", "tanh_blend:0.3", "softplus_blend:0.2")
BATCH, GENERATIONS = 32, 6
GENERATIONS_PER_SECOND = 2.0


@dataclass(frozen=True)
class Population:
    """Networks of one shape with raw directions, inputs, targets and log₁₀ η: what is drawn and bred."""

    activation: str
    loss: str
    along_gradient: bool
    tensors: tuple[Tensor, ...]  # W_1 … W_L, D_1 … D_L, x, y, log₁₀ η; the batch leads

    @property
    def depth(self) -> int:
        """L."""
        return (len(self.tensors) - 3) // 2

    def measure(self) -> Descent:
        """ΔW_l = η‖W_l‖_F·(D_l, or −g_l, normalised)."""
        depth, (x, y, log_eta) = self.depth, self.tensors[-3:]
        weights, directions = list(self.tensors[:depth]), list(self.tensors[depth:-3])
        net = Network(weights, self.activation)
        loss: Loss = MeanSquaredError(y) if self.loss == "mse" else CrossEntropy(y[0].argmax(-1))
        if self.along_gradient:
            start = measure_descent(net, [torch.zeros_like(w) for w in weights], x, loss)
            # The raw direction keeps its say where the gradient is zero.
            directions = [
                torch.where(g.norm(dim=(-1, -2), keepdim=True) > 0, -g, d)
                for g, d in zip(start.gradients, directions, strict=True)
            ]
        sizes = 10.0 ** log_eta.clamp(-8, 1).reshape(-1, 1, 1)
        steps = []
        for w, d in zip(weights, directions, strict=True):
            norms = (v.norm(dim=(-1, -2), keepdim=True) for v in (w, d))
            of_w, of_d = norms
            steps.append(sizes * of_w / of_d.clamp(min=1e-300) * d)
        return measure_descent(net, steps, x, loss)

    def take(self, rows: Tensor) -> Population:
        """Some of its members."""
        return Population(self.activation, self.loss, self.along_gradient, tuple(t[rows] for t in self.tensors))

    def mutated(self, rng: torch.Generator) -> Population:
        """Every number changed by a tenth of its size or so; some members more, some less."""
        scale = 10 ** (-2 * torch.rand(len(self.tensors[0]), generator=rng, dtype=torch.float64))
        changed = []
        for t in self.tensors:
            noise = torch.randn(t.shape, generator=rng, dtype=torch.float64) * scale.reshape(-1, *[1] * (t.ndim - 1))
            changed.append(t + noise * t.abs().clamp(min=0.01))
        return Population(self.activation, self.loss, self.along_gradient, tuple(changed))


def draw(dice: random.Random, rng: torch.Generator, batch: int = BATCH) -> Population:
    """A population over depth, widths, φ, loss, direction and size; targets near the outputs as well as far from them."""
    depth, inputs = dice.choice((1, 1, 2, 2, 3)), dice.choice((1, 2, 4))
    widths = [dice.choice((1, 2, 4)) for _ in range(depth)] + [dice.choice((2, 3))]
    activation = dice.choice(ACTIVATIONS)

    def gaussian(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=rng, dtype=torch.float64)

    shapes = list(zip(widths[1:], widths, strict=False))
    weights, directions = [gaussian(n, m) for n, m in shapes], [gaussian(n, m) for n, m in shapes]
    if dice.random() < 0.3:  # one layer moves
        only = dice.randrange(depth)
        directions = [d if i == only else d * 1e-6 for i, d in enumerate(directions)]
    x = gaussian(inputs, widths[0])
    h = x
    for w, phi in zip(weights, Network(weights, activation).activations, strict=True):
        h = phi(h @ w.mT)
    y = h * dice.choice((0.0, 1.0)) + gaussian(inputs, widths[-1]) * 10 ** dice.uniform(-2, 2)
    log_eta = torch.rand(batch, generator=rng, dtype=torch.float64) * 4 - 4
    loss, along = dice.choice(("mse", "cross-entropy")), dice.random() < 0.7
    return Population(activation, loss, along, (*weights, *directions, x, y, log_eta))


def _score(claim: Claim, population: Population) -> tuple[Tensor, Tensor, Descent]:
    m = population.measure()
    verdicts = Verdicts(claim, m)
    return verdicts.log_ratio.nan_to_num(-math.inf, math.inf, -math.inf), verdicts.codes, m


def falsify_descent(claim: Claim, budget: float, seed: int) -> dict:
    """The outcome that `drt.falsify.pipeline.falsify` returns, for a descent claim; the budget buys generations."""
    begin = time.perf_counter()
    outcome: dict = {
        "claim": claim.id, "statement": claim.statement, "status": "survived", "certified": False, "answer": None,
        "ratio": None, "log_ratio": None, "depth": None, "widths": None, "alpha": None, "beta": None, "kappa": None,
        "seconds": 0.0, "instances": 0, "witness": None, "script": None, "counterexample": None, "interrupted": False,
    }  # fmt: skip
    known = COUNTEREXAMPLES.get(claim.id)
    certificate = None if known is None else known.certify(claim.id)
    if known is not None and certificate is not None and certificate.answer == "violated":
        ratio = sum(certificate.ratio) / 2
        outcome |= {
            "status": "refuted", "certified": True, "answer": "violated", "ratio": ratio, "log_ratio": math.log(ratio),
            "depth": len(known.weights), "widths": [len(known.x[0]), *(len(w) for w in known.weights)],
            "alpha": float(known.slope), "beta": 1.0, "instances": 1,
            "counterexample": f"{known}\n{certificate}",
        }  # fmt: skip
        outcome["seconds"] = round(time.perf_counter() - begin, 3)
        return outcome
    dice, rng = random.Random(seed), torch.Generator().manual_seed(seed)
    best = -math.inf
    for _ in range(max(1, round(budget * GENERATIONS_PER_SECOND / GENERATIONS))):
        population = draw(dice, rng)
        for _ in range(GENERATIONS):
            scores, codes, m = _score(claim, population)
            outcome["instances"] += len(codes)
            top = int(scores.argmax())
            if scores[top] > best:
                best = float(scores[top])
                outcome |= {"depth": m.depth, "widths": list(m.widths), "alpha": m.alpha, "beta": m.beta}
            if (codes == 1).any():
                outcome["status"] = "unconfirmed"
            parents = scores.argsort(descending=True)[: BATCH // 4]
            population = population.take(parents.repeat(4)).mutated(rng)
    if math.isfinite(best):
        outcome |= {"ratio": math.exp(min(best, 700.0)), "log_ratio": best}
    outcome["seconds"] = round(time.perf_counter() - begin, 3)
    return outcome
