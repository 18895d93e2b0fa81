"""Evolution of structured instances: what gradients cannot do. Signs of slopes flip, entries vanish, scales jump decades."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from drt.falsify.layout import Flat, Layout, measurement, objective, usable
from drt.falsify.space import Space
from drt.theory.base import Claim

PALETTE = torch.tensor([1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 1e-3, -1e-3, 10.0, -10.0, 0.1, -0.1], dtype=torch.float64)

# Odds of structured instances: how often each shape of a W_l (diagonal, the same with its rows permuted, a single entry, which is
# singular unless the matrix is a vector, Gaussian), and of a ΔW_l (those, and ±W_l), is taken; and shares of the instances.
ODDS_OF_W = (4.0, 2.0, 0.1, 1.0)
ODDS_OF_DW = (3.0, 3.0, 2.0, 1.0, 2.0, 2.0)
NEARLY_ONE_HOT = 0.7  # x and b; the others are Gaussian
WITH_BIAS = 0.7  # where biases are allowed
LARGE_SINGULAR_VALUE, NEGATIVE = 0.5, 0.3  # entries of a diagonal that are κ, not 1; and that are negative
SAME_DELTA = 0.5  # instances whose δ_l are all the same
STILL = 0.15  # layers that do not move
LARGEST_KAPPA = 100.0  # of a start, whatever the space allows
SURVIVING, MUTATED_TWICE = 4, 0.3  # of a generation one in so many survives; of its children so many are mutated again


def score(claim: Claim, layout: Layout, theta: Flat, space: Space) -> Tensor:
    """log(actual/bound) of each flat vector (B,); −∞ where it is no instance of the claim.

    Args:
        claim: whose two sides are compared.
        layout: of the flat vectors.
        theta: the flat vectors (B, D).
        space: outside of which an instance does not count.
    """
    result = torch.full(theta.shape[:1], -torch.inf, dtype=torch.float64)
    ok = usable(theta, layout)
    if ok.any():
        with torch.no_grad():
            gap, counts = objective(claim, measurement(claim, layout.instance(theta[ok])), space)
        result[ok] = torch.where(counts, gap, -torch.inf)
    return result


def _normal(rng: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=rng)


def _pick(rng: Generator, count: int, *shape: int) -> Tensor:
    return torch.randint(count, shape, generator=rng)


def structured(layout: Layout, count: int, space: Space, rng: Generator) -> Flat:
    """Starting points: each matrix diagonal with singular values 1 and κ, one-entry, orthogonal or Gaussian; x one-hot or not.

    κ and δ are spread over the space's ranges on a logarithmic scale, δ the same for all layers in half the instances.

    Args:
        layout: of the flat vectors.
        count: how many of them.
        space: the ranges of κ and δ.
        rng: of everything random.
    """

    def spread(low: float, high: float, *shape: int) -> Tensor:
        low, high = max(low, 1e-12), max(high, 1e-12)
        return low * (high / low) ** torch.rand(*shape, dtype=torch.float64, generator=rng)

    kappa = spread(space.kappa[0], min(space.kappa[1], LARGEST_KAPPA), count)
    delta = spread(*space.delta, count)
    parts: list[Tensor] = []
    weights: list[Tensor] = []
    for kind, layer, shape in layout.shapes:
        if kind in ("x", "b"):
            noise = _normal(rng, count, *shape)
            hot = torch.nn.functional.one_hot(_pick(rng, shape[0], count), shape[0]) * torch.sign(
                _normal(rng, count, 1)
            )
            near = hot + noise * spread(1e-8, 1e-1, count, 1)
            vector = torch.where(torch.rand(count, 1, generator=rng) < NEARLY_ONE_HOT, near, noise)
            keep = kind == "x" or torch.rand(count, 1, generator=rng) < WITH_BIAS
            parts.append(vector * keep)
            continue
        rank = min(shape)
        high = torch.rand(count, rank, generator=rng) < LARGE_SINGULAR_VALUE
        s = torch.where(high, kappa[:, None], 1.0) * torch.where(
            torch.rand(count, rank, generator=rng) < NEGATIVE, -1.0, 1.0
        )
        diagonal = torch.zeros(count, *shape, dtype=torch.float64)
        diagonal[:, torch.arange(rank), torch.arange(rank)] = s
        turned = diagonal[:, torch.randperm(shape[0], generator=rng)]
        single = torch.zeros(count, shape[0] * shape[1], dtype=torch.float64)
        single.scatter_(1, _pick(rng, shape[0] * shape[1], count, 1), 1.0)
        dense = _normal(rng, count, *shape)
        choices = [diagonal, turned, single.reshape(count, *shape), dense]
        if kind == "dw":
            choices += [weights[layer], -weights[layer]]
        stacked = torch.stack(choices, 1)
        odds = torch.tensor(ODDS_OF_W if kind == "w" else ODDS_OF_DW)
        chosen = torch.multinomial(odds, count, replacement=True, generator=rng)
        matrix = stacked[torch.arange(count), chosen]
        if kind == "w":
            weights.append(matrix)
        else:
            own = torch.where(torch.rand(count, generator=rng) < SAME_DELTA, delta, spread(*space.delta, count))
            size = own * torch.linalg.matrix_norm(weights[layer]) / torch.linalg.matrix_norm(matrix)
            still = torch.rand(count, generator=rng) < STILL
            matrix = matrix * torch.where(still, 0.0, size)[:, None, None]
        parts.append(matrix.reshape(count, -1))
    return torch.cat([p.reshape(count, -1) for p in parts], -1)


def mutate(layout: Layout, theta: Flat, mates: Flat, rng: Generator) -> Flat:
    """One random change to each instance: of an entry, of a segment, or of how x lies to the first layer's kinks.

    Args:
        layout: of the flat vectors.
        theta: the instances (B, D).
        mates: others (B, D), of which a whole segment may be taken.
        rng: of everything random.
    """
    count, size = theta.shape
    entry = torch.nn.functional.one_hot(_pick(rng, size, count), size).bool()
    segment = layout.masks[_pick(rng, len(layout.sizes), count)]
    decade = 10 ** _normal(rng, count, 1)
    rms = ((theta**2 * segment).sum(-1, keepdim=True) / segment.sum(-1, keepdim=True)).sqrt()
    changes = [
        torch.where(entry, theta * decade, theta),
        torch.where(entry, 0.0, theta),
        torch.where(entry, -theta, theta),
        torch.where(entry, PALETTE[_pick(rng, len(PALETTE), count, 1)] * torch.where(decade > 3, rms, 1.0), theta),
        torch.where(segment, theta * decade, theta),
        torch.where(segment, theta + rms * decade * 0.1 * _normal(rng, count, size), theta),
        torch.where(segment, -theta, theta),
        torch.where(segment, mates, theta),
        torch.where(segment & ~entry, 0.0, theta),
        theta * (1 + 0.05 * _normal(rng, count, size)),
        torch.where(entry, theta * (1 + 0.1 * _normal(rng, count, 1)), theta),
        _align(layout, theta, rng),
        _towards_kink(layout, theta, rng),
    ]
    chosen = _pick(rng, len(changes), count)
    return torch.stack(changes, 1)[torch.arange(count), chosen]


def _align(layout: Layout, theta: Flat, rng: Generator) -> Flat:
    """ΔW_l = ±c·W_l for one layer, c as large as ΔW_l was."""
    depth = len(layout.widths) - 1
    layer = int(_pick(rng, depth, 1))
    parts = list(theta.split(layout.sizes, -1))
    w, dw = parts[layer], parts[depth + layer]
    size = dw.norm(dim=-1, keepdim=True) / w.norm(dim=-1, keepdim=True)
    parts[depth + layer] = w * size * torch.sign(_normal(rng, len(theta), 1))
    return torch.cat(parts, -1)


def _towards_kink(layout: Layout, theta: Flat, rng: Generator) -> Flat:
    """Move x along one row of W_1 until that unit's pre-activation is a tiny share of what it was, of either sign."""
    depth = len(layout.widths) - 1
    parts = list(theta.split(layout.sizes, -1))
    row = parts[0].reshape(-1, layout.widths[1], layout.widths[0])[:, int(_pick(rng, layout.widths[1], 1))]
    x = parts[2 * depth]
    z = (row * x).sum(-1, keepdim=True)
    tau = torch.sign(_normal(rng, len(theta), 1)) * 10 ** (-8 * torch.rand(len(theta), 1, generator=rng)) * 0.1
    moved = x - (1 - tau) * z * row / (row * row).sum(-1, keepdim=True).clamp(min=1e-300)
    parts[2 * depth] = moved
    return torch.cat(parts, -1)


def evolve(
    claim: Claim,
    layout: Layout,
    space: Space,
    start: Flat,
    generations: int,
    rng: Generator,
) -> tuple[Flat, Tensor, int]:
    """Elitist evolution from a starting population: (final population, its scores, instances evaluated).

    A generation keeps the best quarter and fills the rest with their mutants.

    Args:
        claim: whose log(actual/bound) is to grow.
        layout: of the flat vectors.
        space: outside of which an instance does not count.
        start: (B, D).
        generations: how many.
        rng: of mutations.
    """
    theta, scores = start, score(claim, layout, start, space)
    evaluated, keep = len(start), max(len(start) // SURVIVING, 1)
    for _ in range(generations):
        best = scores.topk(keep).indices
        parents = best[_pick(rng, keep, len(theta) - keep)]
        mates = theta[best[_pick(rng, keep, len(parents))]]
        children = mutate(layout, theta[parents], mates, rng)
        twice = torch.rand(len(children), 1, generator=rng) < MUTATED_TWICE
        children = torch.where(twice, mutate(layout, children, mates, rng), children)
        theta = torch.cat([theta[best], children])
        scores = torch.cat([scores[best], score(claim, layout, children, space)])
        evaluated += len(children)
    return theta, scores, evaluated
