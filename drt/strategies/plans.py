"""How `drt.strategies.strategies.instances` builds an instance, layer by layer, so that no hypothesis has to be filtered for.

f(x) ≠ 0, J_l ≠ 0   W_l is replaced by one with the same κ and rank where it would kill h_{l−1} or ∂h_{l−1}/∂x
off the kinks       the same, and W_l scaled
κ(W̃_l), ρ_l         ΔW_l is replaced by δ_l·W_l, which changes no κ and has ρ_l = δ_l, where W̃_l is out of bounds
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor

from drt.measurement.instance import Instance
from drt.network.activations import Activation, identity, relu
from drt.network.network import Network
from drt.strategies.draws import Range, factors, nonzero_vectors, numbers, vectors
from drt.strategies.factors import CLEARLY_NON_ZERO, Factors, lets_through

THRESHOLD_ROOM = 1e-12  # of rounding, where a hypothesis has a threshold


@dataclass(frozen=True)
class Plan:
    """The hypotheses to meet, and what to draw from.

    pattern: the quantity for which widths are right, None for any. off_kinks: whether no z_l may be at a kink of φ.
    """

    hypotheses: frozenset[str]
    pattern: str | None
    off_kinks: bool
    depth: tuple[int, int]
    width: tuple[int, int]
    activations: SearchStrategy[Activation]
    kappa: Range
    delta: Range

    def rank(self, full: int, of_change: bool) -> SearchStrategy[int]:
        """Full rank where a hypothesis asks for it, any otherwise."""
        asking = {"conditioning", "conditioning-w-dw"} | (set() if of_change else {"conditioning-w"})
        return st.just(full) if asking & self.hypotheses else st.integers(0, full - 1).map(lambda less: full - less)

    def admits(self, w: Factors, dw: Factors, depth: int) -> bool:
        """Whether this ΔW keeps to the hypotheses about its size and about W̃ = W + ΔW."""
        if "small" in self.hypotheses and dw.s_max * depth > w.s_max * (1 - THRESHOLD_ROOM):
            return False
        if "conditioning" not in self.hypotheses:
            return True
        s = torch.linalg.svdvals(w.matrix().values + dw.matrix().values)
        return bool(CLEARLY_NON_ZERO * w.s_max < s[0] <= self.kappa[1] * (1 + THRESHOLD_ROOM) * s[-1])


@dataclass(frozen=True)
class Layer:
    """What has been drawn of layer l, what it makes of x, and whether the widths have begun to rise."""

    h: Tensor
    jacobian: Tensor
    rising: bool = False
    phi: Activation | None = None
    w: Tensor | None = None
    dw: Tensor | None = None
    b: Tensor | None = None
    db: Tensor | None = None


@st.composite
def planned(draw: DrawFn, plan: Plan) -> Instance:
    """An instance that meets the plan's hypotheses."""
    depth = draw(st.integers(*plan.depth))
    x = draw(nonzero_vectors(draw(st.integers(*plan.width))))
    # All of the least κ in half of the instances: bounds are tight there, and errors in them show.
    kappa = plan.kappa if draw(st.booleans()) else (plan.kappa[0], plan.kappa[0])
    layers = [Layer(x, torch.eye(len(x), dtype=torch.float64))]
    for left in reversed(range(depth)):
        # Each layer is drawn in one go, so that Hypothesis can shrink by leaving one out.
        layers.append(draw(_layer(plan, kappa, layers[-1], depth, last=left == 0)))
    weights, dweights, biases, dbiases, phis = zip(*((k.w, k.dw, k.b, k.db, k.phi) for k in layers[1:]), strict=True)
    return Instance(Network(weights, phis, biases), dweights, x, dbiases)


@st.composite
def _layer(draw: DrawFn, plan: Plan, kappa: Range, below: Layer, depth: int, last: bool) -> Layer:
    n = len(below.h)
    rising = plan.pattern == "function" or below.rising or draw(st.booleans())
    # Steps from n rather than widths: one smaller n_0 makes all layers smaller.
    up, down = plan.width[1] - n, n - plan.width[0]
    if plan.pattern is None:
        m = n + draw(st.integers(-down, up))
    else:
        m = n + draw(st.integers(0, up)) if rising else n - draw(st.integers(0, down))
    phi = draw(_activation(plan, below.phi, last))
    w = draw(factors(m, n, kappa, draw(plan.rank(min(m, n), of_change=False))))
    biased = "biases" not in plan.hypotheses and draw(st.booleans())
    b = draw(vectors(m)) if biased else None
    w, b, (h, jacobian) = _kept_alive(plan, w, b, phi, below)
    dw = draw(_change(plan, kappa, w, depth))
    return Layer(
        h, jacobian, rising, phi, w.matrix().values, dw.matrix().values, b, draw(vectors(m)) if biased else None
    )


def _activation(plan: Plan, below: Activation | None, last: bool) -> SearchStrategy[Activation]:
    """The φ of the layer below, or another one."""
    if "scalars" in plan.hypotheses:
        return st.just(identity())
    if "relu" in plan.hypotheses:
        return st.sampled_from([relu(), identity()] if last and below else [relu()])
    if below is None:
        return plan.activations
    return st.booleans().flatmap(lambda other: plan.activations if other else st.just(below))


def _kept_alive(
    plan: Plan, w: Factors, b: Tensor | None, phi: Activation, below: Layer
) -> tuple[Factors, Tensor | None, tuple[Tensor, Tensor]]:
    """The drawn W and b, or the first of their variants at which neither output nor Jacobian vanishes; then those two."""
    for i, candidate in enumerate(w.variants(int(below.h.abs().argmax()))):
        matrix = candidate.matrix().values
        # A bias that makes every pre-activation positive, should the drawn one silence the layer.
        bias = b if b is None or i == 0 else (matrix @ below.h).abs() + i
        through = lets_through(matrix, bias, phi, below.h, below.jacobian, plan.off_kinks)
        if through:
            return candidate, bias, through
    return reject()  # no h is known that all of them miss


@st.composite
def _change(draw: DrawFn, plan: Plan, kappa: Range, w: Factors, depth: int) -> Factors:
    """ΔW_l of a drawn size: along the singular vectors of W_l or along its own."""
    size = draw(numbers(*plan.delta))
    if "small" in plan.hypotheses:
        size = min(size, (1 - 2 * THRESHOLD_ROOM) / depth)
    m, n = w.left.nrows(), w.right.nrows()
    dw = draw(factors(m, n, kappa, draw(plan.rank(min(m, n), of_change=True))))
    if draw(st.booleans()):
        dw = replace(dw, left=w.left, right=w.right)
    dw = dw.scaled(size * w.frobenius / dw.frobenius)
    return dw if size == 0 or plan.admits(w, dw, depth) else w.scaled(size)
