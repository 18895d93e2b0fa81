"""Enclosures of loss and gradients for all t of an interval: midpoint and radius, rounding included.

For |t − c| ≤ r every W_l + tΔW_l lies within r|ΔW_l| of its midpoint. Radii go forward and back with the states:
a product of A ± a with B ± b of inner length n lies within |A|b + a|B| + ab + (n+2)u(|A|+a)(|B|+b) of the product of the
midpoints as computed; φ is monotone; φ' over an interval with a kink is anything in [α, β].

So each piece of a piecewise-linear network is seen as it is once the intervals are shorter than the pieces, and an interval
with a kink holds the gradients of both sides. Used for what must hold of *every* t: an upper bound on max_t change_l(t).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from drt.activations import Activation, Negated
from drt.spectra import UNIT

if TYPE_CHECKING:
    from drt.descent import Descent

PIECES, SPLITS = 8, 10  # intervals at first; how many times those that matter are halved
KEPT = 256  # intervals halved a round
WORK = 1e7  # multiplications of a forward pass, beyond which intervals are not tried


class Ball(NamedTuple):
    """Midpoint and radius, entry by entry."""

    mid: Tensor
    rad: Tensor

    @property
    def mT(self) -> Ball:
        return Ball(self.mid.mT, self.rad.mT)

    @property
    def size(self) -> Tensor:
        """|x| at most."""
        return self.mid.abs() + self.rad

    def __matmul__(self, other: Ball) -> Ball:
        n = self.mid.shape[-1]
        exact = self.mid.abs() @ other.rad + self.rad @ other.size
        return Ball(self.mid @ other.mid, (exact + (n + 2) * UNIT * (self.size @ other.size)) * (1 + 2 * n * UNIT))

    def __mul__(self, other: Ball) -> Ball:  # type: ignore[override]
        exact = self.mid.abs() * other.rad + self.rad * other.size
        return Ball(self.mid * other.mid, (exact + 2 * UNIT * self.size * other.size) * (1 + 8 * UNIT))

    def __add__(self, other: Ball) -> Ball:  # type: ignore[override]
        total = self.mid + other.mid
        return Ball(total, (self.rad + other.rad + UNIT * total.abs()) * (1 + 8 * UNIT))

    def __neg__(self) -> Ball:
        return Ball(-self.mid, self.rad)


def _activate(phi: Activation, z: Ball) -> tuple[Ball, Ball]:
    """φ(z) and φ'(z)."""
    low, high = phi(z.mid - z.rad), phi(z.mid + z.rad)
    slack = phi.ulps * UNIT * phi.beta * z.size
    h = Ball((low + high) / 2, (high - low).abs() / 2 * (1 + 4 * UNIT) + 2 * slack)
    sign = -1.0 if isinstance(phi, Negated) else 1.0
    kinked = phi.has_kink_within(z.mid, z.rad)
    mid = torch.where(kinked, sign * (phi.alpha + phi.beta) / 2, phi.slope(z.mid))
    rad = torch.where(kinked, (phi.beta - phi.alpha) / 2, phi.slope_variation(z.mid, z.rad))
    return h, Ball(mid, rad + phi.ulps * UNIT * phi.beta)


def gradients(m: Descent, mid: Tensor, rad: Tensor) -> tuple[Ball, list[Ball]] | None:
    """Outputs and gradients g_l for all t within `rad` of `mid`, both (T, …); None where the loss has no enclosure."""
    net, batch = m.instance.net, len(m.batch_shape)
    c, r = (v.reshape(*v.shape, *[1] * (batch + 1 - v.ndim), 1, 1) for v in (mid, rad))
    weights = []
    for w, dw in zip(net.weights, m.instance.dweights, strict=True):
        at = w + c * dw
        weights.append(Ball(at, (r * dw.abs() + 2 * UNIT * (w.abs() + (c * dw).abs())) * (1 + 8 * UNIT)))
    h, slopes = [Ball(m.x, torch.zeros_like(m.x))], []
    for layer, (weight, phi) in enumerate(zip(weights, net.activations, strict=True)):
        z = h[-1] @ weight.mT
        bias = net.biases[layer]
        if bias is not None:
            z = z + Ball(bias.unsqueeze(-2), torch.zeros_like(bias).unsqueeze(-2))
        out, slope = _activate(phi, z)
        h.append(out)
        slopes.append(slope)
    enclosure = m.loss.gradient_interval(*h[-1])
    if enclosure is None:
        return None
    back = Ball(enclosure[0], enclosure[1] + 8 * UNIT * enclosure[0].abs())
    found: list[Ball] = []
    for layer in range(net.depth - 1, -1, -1):
        e = back * slopes[layer]
        found.insert(0, e.mT @ h[layer])
        back = e @ weights[layer]
    return h[-1], found


def _norm_ends(x: Ball) -> tuple[Tensor, Tensor]:
    """The least and the largest ‖X‖_F."""
    mid, rad = torch.linalg.matrix_norm(x.mid), torch.linalg.matrix_norm(x.rad)
    own = 2 * x.mid.shape[-1] * x.mid.shape[-2] * UNIT
    return ((mid - rad) * (1 - own)).clamp(min=0), (mid + rad) * (1 + own)


def change_ends(m: Descent, mid: Tensor, rad: Tensor) -> tuple[Tensor, Tensor] | None:
    """The least and the largest change_l(t) over each interval, (T, …, L)."""
    if m.work * mid.numel() > WORK:
        return None
    start = _at(m, 0.0)
    there = gradients(m, mid, rad)
    if start is None or there is None:
        return None
    ends = []
    for before, after in zip(start[1], there[1], strict=True):
        (low, high), (least, largest) = _norm_ends(after + -before), _norm_ends(before)
        ends.append((low / largest, torch.where(least > 0, high / least, torch.inf)))
    lows, highs = zip(*ends, strict=True)
    return torch.stack(lows, -1) * (1 - 4 * UNIT), torch.stack(highs, -1) * (1 + 4 * UNIT)


def _at(m: Descent, t: float) -> tuple[Ball, list[Ball]] | None:
    if m.work > WORK:
        return None
    mid = torch.full_like(m.norm_g[..., 0], t).unsqueeze(0)
    return gradients(m, mid, torch.zeros_like(mid))


def upper_bound(m: Descent) -> Float[Tensor, "... L"]:
    """An upper bound on sup_t change_l(t), ∞ where there is none; intervals where it is large are halved."""
    half = torch.full((PIECES, *m.batch_shape), 0.5 / PIECES, dtype=torch.float64, device=m.device)
    mid = (torch.arange(PIECES, dtype=torch.float64, device=m.device) + 0.5).reshape(-1, *[1] * len(m.batch_shape))
    mid = mid / PIECES
    mid = mid.expand(half.shape)
    ends = change_ends(m, mid, half)
    if ends is None:
        return torch.full_like(m.largest, torch.inf)
    kept = int(min(KEPT, WORK / m.work / max(half[0].numel(), 1) / 2))
    settled, upper = m.largest, ends[1]  # what is attained need not be halved
    for _ in range(SPLITS if kept else 0):
        order = (upper / settled).nan_to_num(torch.inf).amax(-1).argsort(0, descending=True)
        keep, rest = order[:kept], order[kept:]
        if len(rest):
            dropped = torch.gather(upper, 0, rest.unsqueeze(-1).expand(*rest.shape, upper.shape[-1]))
            settled = torch.maximum(settled, dropped.amax(0))
        c, r = torch.gather(mid, 0, keep), torch.gather(half, 0, keep) / 2
        mid, half = torch.cat([c - r, c + r]), torch.cat([r, r])
        ends = change_ends(m, mid, half * (1 + 4 * UNIT))
        assert ends is not None  # kept is what the work allows
        upper = ends[1]
    return torch.maximum(settled, upper.amax(0))
