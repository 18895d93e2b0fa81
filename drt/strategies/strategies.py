"""Hypothesis strategies: activations, matrices, widths, networks, perturbations, inputs, and whole instances.

Everything meets its hypotheses by construction; nothing is drawn and thrown away. Drawn are small whole numbers, powers
of two and floats in a range, so that examples shrink to diagonal matrices with simple entries and φ the identity.

A range is `(LOW, HIGH)`, both included; a number stands for the range that holds it alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor

from drt.errors import InputError
from drt.measurement.instance import Instance
from drt.measurement.measurement import Measurement
from drt.measurement.quantity import FUNCTION, JACOBIAN, OF_NETWORKS, Quantity
from drt.measurement.sampling import Matrix, scaled_to
from drt.network import activations as phi
from drt.network.activations import Activation
from drt.network.network import Network
from drt.strategies.draws import Range, checked_range, factors, nonzero_vectors, numbers
from drt.strategies.factors import Factors
from drt.strategies.plans import Plan, planned
from drt.theory.hypotheses import hypotheses as registered
from drt.theory.hypotheses import resolve
from drt.theory.registry import Claim, find

MAX_KAPPA, MAX_DELTA = 1e9, 1e6
MAX_DEPTH, MAX_WIDTH = 64, 64
DEFAULT_HYPOTHESES = ("transmission", "conditioning", "widths")


def activations(
    alpha: float | Range = (1 / 16, 1), beta: float | Range = (1, 4), smooth: bool = True, relu: bool = False
) -> SearchStrategy[Activation]:
    """φ with α and β in these ranges, increasing or decreasing: identity, leaky ReLU, piecewise linear, smooth blends.

    Meets "transmission" unless `relu`, which adds ReLU (α = 0 whatever the range); "lipschitz" where beta ends at 1;
    shrinks to the identity, then to leaky ReLU.

    Args:
        alpha: the range of α, or α.
        beta: the range of β, or β.
        smooth: whether there are smooth blends, or only piecewise linear φ.
        relu: whether ReLU is among them.

    Raises:
        InputError: ranges that do not allow 0 < α ≤ β < ∞.
    """
    low, high = checked_range("alpha", alpha, 0.0, math.inf)
    least, most = checked_range("beta", beta, 0.0, math.inf)
    if not (0 < low <= most < math.inf and high < math.inf):
        raise InputError(f"alpha={alpha!r} and beta={beta!r} must allow 0 < alpha <= beta < inf")
    families = [_piecewise_linear(low, high, least, most)]
    if low < 1 and least <= 1 <= most:
        slopes = numbers(low, min(high, 1.0))
        blends = [phi.tanh_blend, phi.softplus_blend] if smooth else []
        families = [slopes.map(f) for f in (phi.leaky_relu, *blends)] + families
    curved = st.one_of(families)
    if relu:
        curved |= st.builds(phi.relu)
    curved |= curved.map(phi.negated)
    if not (low <= 1 <= high and least <= 1 <= most):
        return curved
    # Half of them: bounds are tight there.
    return st.booleans().flatmap(lambda other: curved if other else st.builds(phi.identity))


@st.composite
def _piecewise_linear(draw: DrawFn, low: float, high: float, least: float, most: float) -> Activation:
    b = draw(numbers(max(low, least), most))
    a = draw(numbers(low, min(high, b)))
    kinks = sorted(draw(st.sets(st.sampled_from([0.0, 1.0, -1.0, 0.5, -0.5]), min_size=1, max_size=3)))
    slopes = [a, *(draw(st.sampled_from([a, b])) for _ in kinks[1:]), b]
    return phi.piecewise_linear(kinks, slopes if draw(st.booleans()) else slopes[::-1])


def matrices(m: int, n: int, kappa: float | Range | None = None, rank: int | None = None) -> SearchStrategy[Matrix]:
    """m×n matrices, as `Matrix(values, singular)`, with exactly the κ and rank asked for and their singular values.

    The smallest non-zero singular value is a power of two. Shrinks to diag(κ, …, 1).

    Args:
        m: rows.
        n: columns.
        kappa: of the non-zero singular values, a number or a range, from 1 to 10 unless given; 1 where there is only one.
        rank: full unless given, which meets "conditioning-w".

    Raises:
        InputError: m, n or rank out of range, or κ not in [1, 10⁹].
    """
    for name, size in (("m", m), ("n", n)):
        checked_range(name, size, 1, MAX_WIDTH)
    if rank is not None:
        checked_range("rank", rank, 1, min(m, n))
    return factors(m, n, _kappa(kappa), rank).map(Factors.matrix)


def _kappa(kappa: float | Range | None) -> Range:
    return checked_range("kappa", (1, 10) if kappa is None else kappa, 1.0, MAX_KAPPA)


def widths(
    quantity: str | None = None, depth: int | Range = (1, 4), width: int | Range = (1, 4)
) -> SearchStrategy[tuple[int, ...]]:
    """(n_0, …, n_L) that never contract ("function"), form a valley ("jacobian"), or are any (None).

    With a quantity, meets "widths" for it; of a valley every end is one, so it does for all J_l.

    Raises:
        InputError: an unknown quantity, or a range that is not one of whole numbers from 1 to 64.
    """
    low, high = checked_range("depth", depth, 1, MAX_DEPTH)
    sizes = st.integers(*checked_range("width", width, 1, MAX_WIDTH))  # type: ignore[arg-type]
    some = st.lists(sizes, min_size=int(low) + 1, max_size=int(high) + 1)
    drawn = {
        None: some.map(tuple),
        FUNCTION: some.map(sorted).map(tuple),
        JACOBIAN: st.tuples(some, st.integers(0, int(high))).map(_valley),
    }
    if quantity not in drawn:
        raise InputError(f"quantity={quantity!r} must be function, jacobian or None")
    return drawn[quantity]  # type: ignore[index]  # by its name


def _valley(drawn: tuple[list[int], int]) -> tuple[int, ...]:
    sizes, falling = drawn
    return (*sorted(sizes[:falling], reverse=True), *sorted(sizes[falling:]))


@st.composite
def _networks(draw: DrawFn, shapes: SearchStrategy, functions: SearchStrategy, kappa: Range) -> Network:
    sizes = draw(shapes)
    weights = [draw(factors(m, n, kappa)).matrix().values for n, m in zip(sizes, sizes[1:], strict=False)]
    return Network(weights, draw(st.lists(functions, min_size=len(weights), max_size=len(weights))))


def networks(
    widths: Sequence[int] | SearchStrategy[tuple[int, ...]] | None = None,
    depth: int | Range = (1, 4),
    width: int | Range = (1, 4),
    activations: SearchStrategy[Activation] | None = None,
    kappa: float | Range | None = None,
) -> SearchStrategy[Network]:
    """Networks without biases, a φ for each layer.

    Meets "biases" and "conditioning-w"; "transmission" with the default activations; "widths" where the widths do.

    Args:
        widths: (n_0, …, n_L), a strategy for them, or None: any of the depths and widths below.
        depth: the range of L, or L.
        width: the range of every n_l, or one for all.
        activations: a strategy for φ; the default of `activations` unless given.
        kappa: of the W_l, as for `matrices`.

    Raises:
        InputError: ranges as for `widths` and `matrices`, or widths that are not two or more whole numbers.
    """
    shapes = widths if isinstance(widths, SearchStrategy) else _shapes(widths, depth, width)
    return _networks(shapes, _ANY if activations is None else activations, _kappa(kappa))


_ANY = activations()
_any_widths = widths


def _shapes(fixed: Sequence[int] | None, depth: int | Range, width: int | Range) -> SearchStrategy[tuple[int, ...]]:
    if fixed is None:
        return _any_widths(None, depth, width)
    if isinstance(fixed, str) or not hasattr(fixed, "__len__") or len(fixed) < 2:
        raise InputError(f"widths={fixed!r} must be at least two whole numbers, or a strategy")
    for n in fixed:
        checked_range("widths", n, 1, MAX_WIDTH)
    return st.just(tuple(fixed))


@st.composite
def _perturbations(draw: DrawFn, net: Network, delta: Range, rank: int | None, kappa: Range) -> list[Tensor]:
    changes = []
    for w in net.weights:
        m, n = w.shape[-2:]
        r = draw(st.integers(0, min(m, n) - 1)) if rank is None else min(m, n) - min(rank, m, n)
        shape = draw(factors(m, n, kappa, min(m, n) - r)).matrix()
        changes.append(scaled_to(shape, Matrix(w), draw(numbers(*delta))).values)
    return changes


def perturbations(
    net: Network, delta: float | Range = (0, 10), rank: int | None = None, kappa: float | Range | None = None
) -> SearchStrategy[list[Tensor]]:
    """ΔW_1 … ΔW_L for a network, each of a relative size δ_l = ‖ΔW_l‖_F/‖W_l‖_F in the range.

    Nothing is promised of W̃ = W + ΔW. ΔW has full rank, or is zero, where rank is large: its part of "conditioning".
    Meets "small" where δ ≤ 1/(L√n).

    Args:
        net: the network.
        delta: the range of δ_l, or δ_l; 0 leaves a layer as it is.
        rank: of every ΔW_l, at most min(n_l, n_{l−1}); any unless given.
        kappa: of the ΔW_l, as for `matrices`.

    Raises:
        InputError: net is not a network, a range or rank out of bounds.
    """
    if not isinstance(net, Network):
        raise InputError(f"net must be a drt.Network, got {type(net).__name__}")
    if rank is not None:
        checked_range("rank", rank, 1, MAX_WIDTH)
    return _perturbations(net, checked_range("delta", delta, 0.0, MAX_DELTA), rank, _kappa(kappa))


def inputs(net: Network) -> SearchStrategy[Tensor]:
    """Inputs x ≠ 0 for a network, entries in [−4, 4], zeros and small ones often among them; shrinks to ones."""
    return nonzero_vectors(net.widths[0])


def instances(
    hypotheses: Sequence[str] | None = None,
    quantity: str = "function",
    claim: Claim | str | None = None,
    depth: int | Range = (1, 4),
    width: int | Range = (1, 4),
    alpha: float | Range = (1 / 16, 1),
    beta: float | Range = (1, 4),
    kappa: float | Range | None = None,
    delta: float | Range = (0, 10),
) -> SearchStrategy[Instance]:
    """Whole `drt.Instance`s that meet the named hypotheses, or those of a claim, by construction.

    Meets every built-in hypothesis: "transmission", "conditioning", "conditioning-w-dw", "conditioning-w", "widths" (for
    the quantity; every J_l), "small", "lipschitz", "scalars", "differentiable", "relu", and the implied "biases" and
    "nonzero" (f(x) ≠ 0 and J_l ≠ 0; never dropped). Your own, made with `drt.hypothesis`, are filtered for.

    Args:
        hypotheses: their names as for `drt.bound`; transmission, conditioning and widths where nothing else is said.
        quantity: "function" or "jacobian", which "widths" asks about; of the Jacobian, no z_l is at a kink of φ.
        claim: a claim or its id, in place of both.
        depth: L; not used with "scalars".
        width: the n_l; not used with "scalars".
        alpha: of φ; not used with "relu" and "scalars". Without "transmission", ReLU is drawn too.
        beta: of φ, likewise.
        kappa: of W_l and ΔW_l, from 1 to 10 unless given; under "conditioning" κ(W̃_l) ends there too.
        delta: δ_l; 0 leaves a layer as it is. Under "small" δ_l ends at 1/L.

    Raises:
        InputError: unknown names or claims; hypotheses or ranges that exclude each other.
    """
    names, quantity = _wanted(hypotheses, quantity, claim)
    if "relu" in names and {"transmission", "scalars"} & names:
        raise InputError(f"hypotheses={sorted(names)}: relu excludes transmission and scalars")
    if "lipschitz" in names:
        least, most = checked_range("beta", beta, 0.0, math.inf)
        if least > 1:
            raise InputError(f"beta={beta!r} must start at 1 or below: the hypothesis lipschitz asks for beta <= 1")
        beta = (least, min(most, 1.0))
    sizes = checked_range("delta", delta, 0.0, MAX_DELTA)
    depths = checked_range("depth", 2 if "scalars" in names else depth, 1, MAX_DEPTH)
    layers = checked_range("width", 1 if "scalars" in names else width, 1, MAX_WIDTH)
    if "small" in names and sizes[0] * depths[1] >= 1:
        raise InputError(f"delta={delta!r} must start below 1/{depths[1]}: the hypothesis small asks for rho <= 1/L")
    functions = activations(alpha, beta, relu="transmission" not in names)
    pattern = quantity if "widths" in names else None
    off_kinks = quantity == JACOBIAN or "differentiable" in names
    drawn = planned(Plan(names, pattern, off_kinks, depths, layers, functions, _kappa(kappa), sizes))
    own = [registered[name] for name in sorted(names) if registered[name].condition is not None]
    about = Quantity(quantity)  # type: ignore[call-arg]  # by its name
    return drawn.filter(lambda i: all(bool(h.met(Measurement.of(i, about)).all()) for h in own)) if own else drawn  # type: ignore[arg-type]


def _wanted(hypotheses: Sequence[str] | None, quantity: str, claim: Claim | str | None) -> tuple[frozenset[str], str]:
    """The hypotheses to meet, and the quantity."""
    if quantity not in OF_NETWORKS:
        raise InputError(f"quantity={quantity!r} must be one of {', '.join(OF_NETWORKS)}")
    if isinstance(hypotheses, str):
        raise InputError(f"hypotheses={hypotheses!r} must be a list of names")
    if claim is None:
        return frozenset(resolve(tuple(DEFAULT_HYPOTHESES if hypotheses is None else hypotheses))), quantity
    if hypotheses is not None:
        raise InputError(f"hypotheses={hypotheses!r} must be left out where claim={claim!r} brings its own")
    claim = find(claim) if isinstance(claim, str) else claim
    if not isinstance(claim, Claim):
        raise InputError(f"claim must be a claim or the id of one, got {claim!r}")
    if not claim.quantity.of_network:
        raise InputError(f"claim {claim.id} is about the {claim.quantity}: no instance of it can be drawn")
    return frozenset(claim.hypotheses), claim.quantity.value
