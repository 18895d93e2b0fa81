"""Extremal constructions: the small networks at which a bound is attained, or nearly, or at which a false one breaks.

Each is a function of (depth L, width n, slope α of φ, κ, δ) that returns a batch, κ and δ being (B,) tensors; ε = 10⁻³ makes
one signal small against another. In words: the *signal* f lives on the first coordinate, the *error* f̃ − f is steered
to where φ and the weights amplify it most.

Source: measured shapes (which bound each of them attains is stated with it); proofs_checks/coq/FunctionWidths.v.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from drt.measurement.instance import Instance
from drt.network.activations import Activation, identity, leaky_relu, relu
from drt.network.network import Network

EPSILON = 1e-3
Vector = Float[Tensor, " B"]


def _constant(value: float, like: Vector) -> Vector:
    return torch.full_like(like, value)


def _matrix(rows: list[list[Tensor | float]], like: Vector) -> Float[Tensor, "B m n"]:
    return torch.stack(
        [torch.stack([v if isinstance(v, Tensor) else _constant(float(v), like) for v in row], -1) for row in rows], -2
    )


def _diag(first: Tensor | float, rest: Tensor | float, n: int, like: Vector) -> Float[Tensor, "B n n"]:
    """diag(first, rest, …, rest)."""
    first, rest = (v if isinstance(v, Tensor) else _constant(float(v), like) for v in (first, rest))
    return torch.diag_embed(torch.stack([first] + [rest] * (n - 1), -1))


def _normalised(dw: Tensor, w: Tensor, delta: Vector) -> Tensor:
    """ΔW scaled so that ‖ΔW‖_F = δ‖W‖_F."""
    factor = delta * torch.linalg.matrix_norm(w) / torch.linalg.matrix_norm(dw)
    return dw * factor[:, None, None]


def _leaky(alpha: float) -> Activation:
    return identity() if alpha == 1 else relu() if alpha == 0 else leaky_relu(alpha)


def _unit(n: int, like: Vector, sign: float = 1.0) -> Float[Tensor, "B n"]:
    x = torch.zeros(len(like), n, dtype=torch.float64, device=like.device)
    x[:, 0] = sign
    return x


def scalars(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """N = 1, W_l = 1, ΔW_l = δ, x = 1: both sides of every function bound equal Π(1 + δ) − 1."""
    one = _matrix([[1]], delta)
    return Instance(Network([one] * depth, _leaky(alpha)), [_matrix([[delta]], delta)] * depth, _unit(1, delta))


def last_scalar(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """Scalars of which only the last layer moves: δ = (0, …, 0, δ)."""
    one, zero = _matrix([[1]], delta), _matrix([[0]], delta)
    return Instance(
        Network([one] * depth, _leaky(alpha)), [zero] * (depth - 1) + [_matrix([[delta]], delta)], _unit(1, delta)
    )


def first_scalar(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """Scalars of which only the first layer moves: δ = (δ, 0, …, 0)."""
    one, zero = _matrix([[1]], delta), _matrix([[0]], delta)
    return Instance(
        Network([one] * depth, _leaky(alpha)), [_matrix([[delta]], delta)] + [zero] * (depth - 1), _unit(1, delta)
    )


def sign_flip(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """Scalars, x = −1, ΔW_1 = −δ: f runs through slope α, f̃ through β. δ → ∞ attains (β/α)^L [Π(1 + δ) − 1]."""
    one = _matrix([[1]], delta)
    dw = [_matrix([[-delta]], delta)] + [_matrix([[delta]], delta)] * (depth - 1)
    return Instance(Network([one] * depth, _leaky(alpha)), dw, _unit(1, delta, -1.0))


def last_sign_flip(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """The same, flipped at the last layer: only its slope changes."""
    one, zero = _matrix([[1]], delta), _matrix([[0]], delta)
    dw = [zero] * (depth - 1) + [_matrix([[-delta]], delta)]
    return Instance(Network([one] * depth, _leaky(alpha)), dw, _unit(1, delta, -1.0))


def channels(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """W = diag(1, κ, …, κ), ΔW_1 turns e₁ into e₂: signal through s_min and slope α, error through s_max and slope β."""
    n = max(n, 2)
    w = _diag(1.0, kappa, n, delta)
    turn = torch.eye(n, dtype=torch.float64, device=delta.device)[[1, 0, *range(2, n)]].expand(len(delta), n, n).clone()
    turn[:, 1, 0] = kappa  # every other singular value is 1: κ(ΔW_1) = κ
    dw = [-_normalised(turn, w, delta)] + [w * delta[:, None, None]] * (depth - 1)
    return Instance(Network([w] * depth, _leaky(alpha)), dw, _unit(n, delta, -1.0))


def rank_one_channels(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """The same with ΔW_1 ∝ e₂e₁ᵀ and ΔW_l ∝ e₂e₂ᵀ: nearly attains `spectral.function`."""
    n = max(n, 2)
    w = _diag(1.0, kappa, n, delta)
    size = kappa * delta
    first, later = (torch.zeros_like(w) for _ in range(2))
    first[:, 1, 0], later[:, 1, 1] = -size, size
    return Instance(Network([w] * depth, _leaky(alpha)), [first] + [later] * (depth - 1), _unit(n, delta, -1.0))


def aware(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """W = diag(1, κ, …, κ), ΔW ∝ diag(κ, 1, …, 1), x = e₁: κ·√(((n−1)κ²+1)/(κ²+n−1))·δ at L = 1, κ²δ as n → ∞."""
    w, shape = _diag(1.0, kappa, n, delta), _diag(kappa, 1.0, n, delta)
    return Instance(Network([w] * depth, _leaky(alpha)), [_normalised(shape, w, delta)] * depth, _unit(n, delta))


def aware_first(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """ΔW_1 ∝ e₁ → e₂ with κ in that entry alone, later layers diag(1, κ, …): κ² from the first, κ from each other layer."""
    n = max(n, 2)
    w = _diag(1.0, kappa, n, delta)
    zero = torch.zeros_like(w)
    turn = torch.eye(n, dtype=torch.float64, device=delta.device)[[1, 0, *range(2, n)]].expand(len(delta), n, n).clone()
    turn[:, 1, 0] = kappa
    dw = [-_normalised(turn, w, delta)] + [zero] * (depth - 1)
    return Instance(Network([w] * depth, _leaky(alpha)), dw, _unit(n, delta, -1.0))


def identity_rank_one(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """W = I_n, ΔW ∝ e₁e₁ᵀ, x = e₁: ‖ΔWx‖ = √n·δ; breaks what asks nothing of ΔW and counts in Frobenius norms."""
    w = _diag(1.0, 1.0, n, delta)
    dw = torch.zeros_like(w)
    dw[:, 0, 0] = 1
    return Instance(Network([w] * depth, _leaky(alpha)), [_normalised(dw, w, delta)] * depth, _unit(n, delta))


def identity_skew(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """W = I_n, ΔW ∝ diag(κ, 1, …, 1), x = e₁: W is perfectly conditioned, ΔW is not."""
    w = _diag(1.0, 1.0, n, delta)
    dw = _normalised(_diag(kappa, 1.0, n, delta), w, delta)
    return Instance(Network([w] * depth, _leaky(alpha)), [dw] * depth, _unit(n, delta))


def fall(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """Widths 2-1-…-1, W_1 = (1 0), ΔW_1 = (0 δ), x = (ε, 1): a falling width kills the signal."""
    first, one = _matrix([[1, 0]], delta), _matrix([[1]], delta)
    dw = [_matrix([[0, delta]], delta)] + [_matrix([[delta]], delta)] * (depth - 1)
    x = _constant(EPSILON, delta)[:, None] * torch.tensor([1.0, 1 / EPSILON], dtype=torch.float64, device=delta.device)
    return Instance(Network([first] + [one] * (depth - 1), _leaky(alpha)), dw, x)


def late_fall(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """Widths 2-…-2-1: the fall at the last layer."""
    eye, zero = _diag(1.0, 1.0, 2, delta), torch.zeros(len(delta), 2, 2, dtype=torch.float64, device=delta.device)
    last, dlast = _matrix([[1, 0]], delta), _matrix([[0, delta]], delta)
    x = _constant(EPSILON, delta)[:, None] * torch.tensor([1.0, 1 / EPSILON], dtype=torch.float64, device=delta.device)
    return Instance(Network([eye] * (depth - 1) + [last], _leaky(alpha)), [zero] * (depth - 1) + [dlast], x)


def bulge(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """Widths 1-2-…-2-1, f = e₁ᵀ(ε, 1)ᵀx: J nearly vanishes, ΔJ does not; all matrices perfectly conditioned."""
    up, down = _matrix([[EPSILON], [1]], delta), _matrix([[1, 0]], delta)
    if depth == 1:
        return fall(1, n, alpha, kappa, delta)
    eye, zero = _diag(1.0, 1.0, 2, delta), torch.zeros(len(delta), 2, 2, dtype=torch.float64, device=delta.device)
    dw = [torch.zeros_like(up)] + [zero] * (depth - 2) + [_matrix([[0, delta]], delta)]
    return Instance(Network([up] + [eye] * (depth - 2) + [down], _leaky(alpha)), dw, _unit(1, delta))


def kink(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """W = I, ΔW = δ·(e₂e₁ᵀ + e₁e₂ᵀ), x = (1, −ε·δ): the second unit crosses its kink however small δ is."""
    eye = _diag(1.0, 1.0, 2, delta)
    swap = eye[:, [1, 0]] * delta[:, None, None]
    x = torch.stack([torch.ones_like(delta), -EPSILON * delta], -1)
    return Instance(Network([eye] * depth, _leaky(alpha)), [swap] + [torch.zeros_like(eye)] * (depth - 1), x)


def rotation(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """W = I₂, x = (ε, −1), ΔW = δ·rotation by 90°: κ = 1 throughout; with ReLU only ε survives in f, δ in f̃ − f."""
    eye = _diag(1.0, 1.0, 2, delta)
    turn = _matrix([[0, -1], [1, 0]], delta) * delta[:, None, None]
    x = torch.stack([_constant(EPSILON, delta), _constant(-1.0, delta)], -1)
    return Instance(Network([eye] * depth, _leaky(alpha)), [turn] + [torch.zeros_like(eye)] * (depth - 1), x)


def bias_cancels(depth: int, n: int, alpha: float, kappa: Vector, delta: Vector) -> Instance:
    """Scalars with b_L = ε − 1: the bias cancels the signal, f = ε, but not its change."""
    one = _matrix([[1]], delta)
    biases = [None] * (depth - 1) + [_constant(EPSILON - 1, delta)[:, None]]
    net = Network([one] * depth, _leaky(alpha), biases)
    return Instance(net, [_matrix([[delta]], delta)] * depth, _unit(1, delta))


Build = Callable[[int, int, float, Vector, Vector], Instance]
constructions: dict[str, Build] = {
    f.__name__: f
    for f in (
        scalars, first_scalar, last_scalar, sign_flip, last_sign_flip, channels, rank_one_channels, aware, aware_first,
        identity_rank_one, identity_skew, fall, late_fall, bulge, kink, rotation, bias_cancels,
    )
}  # fmt: skip
# Those whose width matters.
WIDE = ("aware", "aware_first", "channels", "identity_rank_one", "identity_skew")


@dataclass(frozen=True)
class ConstructionGrid:
    """Where the constructions are evaluated."""

    depths: tuple[int, ...] = (1, 2, 3, 4)
    widths: tuple[int, ...] = (2, 3, 16)
    alphas: tuple[float, ...] = (0.1, 0.5, 1.0)
    kappas: tuple[float, ...] = (1.0, 2.0, 10.0)
    deltas: tuple[float, ...] = (1e-8, 1e-3, 0.1, 1.0, 10.0, 1e4)

    def instances(self, names: Sequence[str] | None = None) -> Iterator[tuple[str, Instance]]:
        """(name, batch over κ and δ) for the named constructions (all by default), every depth, α and width; shallow first."""
        kappa, delta = (v.flatten() for v in torch.meshgrid(
            torch.tensor(self.kappas, dtype=torch.float64), torch.tensor(self.deltas, dtype=torch.float64), indexing="ij"
        ))  # fmt: skip
        for depth, alpha in product(self.depths, self.alphas):
            for name in constructions if names is None else names:
                for n in self.widths if name in WIDE else self.widths[:1]:
                    yield name, constructions[name](depth, n, alpha, kappa, delta)
