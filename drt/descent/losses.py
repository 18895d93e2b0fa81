"""Losses of a network's outputs o (…, N, n_L): value, gradient, and both their differences without cancellation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from drt.descent.chords import Chord
from drt.errors import InputError
from drt.network.network import as_float64
from drt.numeric.spectra import UNIT

LARGEST_EXPONENT = 745  # of modulus: exp(−746) is 0 in float64
GENTLE_CHANGE = 1.0  # of the logits, up to which log1p and expm1 beat two logarithms
QUADRATURE_NODES = 20  # of a custom loss's change


def softmax_rounding(n: int) -> float:
    """A bound on the relative rounding error of a softmax of n logits: 4(745 + n)u.

    An exponent of size e ≤ 745 is rounded by eu at most, which the exponential makes a relative error; for a larger one the
    exponential is 0, which no relative error describes: that is below what is added for underflow. The sum of n exponentials,
    of one sign, costs nu. Numerator and denominator have one each, and the rest is of second order.
    """
    return 4 * (LARGEST_EXPONENT + n) * UNIT


class Loss:
    """𝓛(o) → (…,), a function of all outputs together, continuously differentiable."""

    name: str
    smoothness: float | None = None  # N times the Lipschitz constant of each input's gradient; None where unknown

    def __call__(self, o: Float[Tensor, "... N n"]) -> Float[Tensor, "..."]:
        """𝓛(o)."""
        raise NotImplementedError

    def difference(self, o: Tensor, do: Tensor) -> Float[Tensor, "..."]:
        """𝓛(o + do) − 𝓛(o)."""
        raise NotImplementedError

    def gradient(self, o: Float[Tensor, "... N n"]) -> Float[Tensor, "... N n"]:
        """∂𝓛/∂o."""
        raise NotImplementedError

    def gradient_difference(self, o: Tensor, do: Tensor) -> Float[Tensor, "... N n"]:
        """∂𝓛/∂o at o + do, less that at o."""
        raise NotImplementedError

    def gradient_along(self, o: Chord) -> Chord | None:
        """An enclosure of ∂𝓛/∂o along a line; None where none is known."""
        return None

    def gradient_rate(self, o: Chord, do: Chord) -> Chord:
        """An enclosure of [∂𝓛/∂o(õ) − ∂𝓛/∂o(o₀)]/t along a line, of (õ − o₀)/t = do: o holds õ, and o₀ as its start."""
        raise NotImplementedError

    def difference_error(self, o: Tensor, do: Tensor) -> Float[Tensor, "..."]:
        """A bound on the rounding error of `difference`; ∞ where none is known."""
        return o.new_full(o.shape[:-2], torch.inf)

    def check(self, inputs: int, outputs: int) -> None:
        """Raise InputError unless the loss fits so many inputs and outputs."""


class MeanSquaredError(Loss):
    """𝓛(o) = ½·mean_i ‖o_i − y_i‖² over the N inputs; targets y (N, n_L), or (…, N, n_L)."""

    name = "mse"
    smoothness = 1.0

    def __init__(self, targets: Tensor):
        self.targets = as_float64(targets, "targets", 2)

    def __call__(self, o: Tensor) -> Tensor:
        return 0.5 * (o - self.targets).square().sum(-1).mean(-1)

    def difference(self, o: Tensor, do: Tensor) -> Tensor:
        return (do * (o - self.targets + 0.5 * do)).sum(-1).mean(-1)

    def gradient(self, o: Tensor) -> Tensor:
        return (o - self.targets) / o.shape[-2]

    def gradient_difference(self, o: Tensor, do: Tensor) -> Tensor:
        return do / o.shape[-2]

    def gradient_along(self, o: Chord) -> Chord:
        n, rounded = o.a.shape[-2], 8 * UNIT * (o.size + self.targets.abs())
        return Chord(self.gradient(o.a), self.gradient(o.b), o.r / n, (o.e + rounded) / n)

    def gradient_rate(self, o: Chord, do: Chord) -> Chord:
        n, rounded = o.a.shape[-2], 8 * UNIT * do.size
        return Chord(do.a / n, do.b / n, do.r / n, (do.e + rounded) / n)

    def difference_error(self, o: Tensor, do: Tensor) -> Tensor:
        terms = do.abs() * (o.abs() + self.targets.abs() + 0.5 * do.abs())
        return (o.shape[-1] + o.shape[-2] + 6) * UNIT * terms.sum(-1).mean(-1)

    def check(self, inputs: int, outputs: int) -> None:
        if tuple(self.targets.shape[-2:]) != (inputs, outputs):
            raise InputError(f"targets have shape {tuple(self.targets.shape)}; expected (…, {inputs}, {outputs})")


class CrossEntropy(Loss):
    """𝓛(o) = mean_i [log Σ_j exp(o_ij) − o_{i,y_i}]; labels y (N,), integers from 0."""

    name = "cross-entropy"
    smoothness = 1.0  # of softmax; ½ is the best

    def __init__(self, labels: Int64[Tensor, " N"]):
        labels = torch.as_tensor(labels)
        if labels.ndim != 1 or labels.is_floating_point() or labels.dtype == torch.bool or not len(labels):
            raise InputError(
                f"labels must be a non-empty list of integers, got shape {tuple(labels.shape)}, {labels.dtype}"
            )
        self.labels = labels.long()

    def _of_label(self, o: Tensor) -> Tensor:
        return o.gather(-1, self.labels.unsqueeze(-1).expand(*o.shape[:-1], 1))

    def __call__(self, o: Tensor) -> Tensor:
        return (torch.logsumexp(o, -1) - self._of_label(o).squeeze(-1)).mean(-1)

    def _log_ratio(self, o: Tensor, d: Tensor) -> Tensor:
        """Log Σ exp(o + d) − log Σ exp(o), (…, N, 1)."""
        small = torch.log1p(
            (torch.softmax(o, -1) * torch.expm1(d.clamp(-GENTLE_CHANGE, GENTLE_CHANGE))).sum(-1, keepdim=True)
        )
        large = torch.logsumexp(o + d, -1, keepdim=True) - torch.logsumexp(o, -1, keepdim=True)
        return torch.where(d.abs().amax(-1, keepdim=True) <= GENTLE_CHANGE, small, large)

    def difference(self, o: Tensor, do: Tensor) -> Tensor:
        # Shifting all logits of an input alike changes nothing: measured from the label's, nothing is subtracted later.
        return self._log_ratio(o, do - self._of_label(do)).squeeze(-1).mean(-1)

    def gradient(self, o: Tensor) -> Tensor:
        hot = torch.nn.functional.one_hot(self.labels, o.shape[-1])
        return (torch.softmax(o, -1) - hot) / o.shape[-2]

    def gradient_difference(self, o: Tensor, do: Tensor) -> Tensor:
        # p̃ − p = p·(exp(do − log Σ p exp(do)) − 1)
        shift = do - self._log_ratio(o, do)
        near = torch.softmax(o, -1) * torch.expm1(shift.clamp(max=GENTLE_CHANGE))
        change = torch.where(shift <= GENTLE_CHANGE, near, torch.softmax(o + do, -1) - torch.softmax(o, -1))
        return change / o.shape[-2]

    def difference_error(self, o: Tensor, do: Tensor) -> Tensor:
        # Probabilities: relative errors of 2(|o| + n)u; each input's term is at most 2·max|do|, or a logarithm of size |o + do|.
        largest, step = (o.abs() + do.abs()).amax(-1), 2 * do.abs().amax(-1)
        terms = torch.where(step <= 2 * GENTLE_CHANGE, step, step + largest)
        return ((8 * largest + 8 * o.shape[-1] + o.shape[-2] + 32) * UNIT * terms).mean(-1)

    def _probabilities(self, o: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """The least and the largest softmax of every entry of o within its radius."""
        # p_i = 1/(1 + Σ_{j≠i} exp(o_j − o_i)): extreme where o_i is at one end and every other at its other end.
        gaps, widths = o.unsqueeze(-2) - o.unsqueeze(-1), radius.unsqueeze(-2) + radius.unsqueeze(-1)
        widths = widths + 4 * UNIT * (gaps.abs() + widths)  # what they round, where both are large and their sum is not
        itself = torch.eye(o.shape[-1], dtype=torch.bool, device=o.device)
        high, low = (1 / torch.exp((gaps + side * widths).masked_fill(itself, 0.0)).sum(-1) for side in (-1, 1))
        rounded = softmax_rounding(o.shape[-1])
        return low * (1 - rounded), high * (1 + rounded)

    def _hull(self, o: Chord) -> tuple[Tensor, Tensor]:
        """`_probabilities` along a line."""
        return self._probabilities((o.a + o.b) / 2, ((o.b - o.a).abs() / 2 + o.off) * (1 + 8 * UNIT))

    def gradient_along(self, o: Chord) -> Chord:
        # Along the straight line |p''| ≤ p·range², and a chord misses at most s(1−s)/2·max|p''|; aside from it |dp| ≤ 2p·max|do|.
        most, step = self._hull(o)[1], o.b - o.a
        bend = 0.5 * (step.amax(-1, keepdim=True) - step.amin(-1, keepdim=True)).square()
        r = most * (bend + 2 * o.r.amax(-1, keepdim=True))
        rounded = softmax_rounding(o.a.shape[-1])
        e = most * (2 * o.e.amax(-1, keepdim=True) + 2 * rounded) + 8 * UNIT
        n = o.a.shape[-2]
        return Chord(self.gradient(o.a), self.gradient(o.b), r * (1 + rounded) / n, e * (1 + rounded) / n)

    def gradient_rate(self, o: Chord, do: Chord) -> Chord:
        # p̃ − p is the mean of (diag p − ppᵀ)Δo over the straight line from o₀ to õ.
        low, high = self._hull(o)
        p = Chord.constant((low + high) / 2, (high - low) / 2 + UNIT)
        ones = Chord.constant(torch.ones_like(o.a[..., :1, :1]).expand(*o.a.shape[:-2], o.a.shape[-1], 1))
        change = p * (do + -((p * do) @ ones))
        n, rounded = o.a.shape[-2], 8 * UNIT * change.size
        return Chord(change.a / n, change.b / n, change.r / n, (change.e + rounded) / n)

    def check(self, inputs: int, outputs: int) -> None:
        if len(self.labels) != inputs:
            raise InputError(f"labels has {len(self.labels)} entries; expected {inputs}, one for each input")
        wrong = torch.nonzero((self.labels < 0) | (self.labels >= outputs)).flatten()
        if len(wrong):
            i = int(wrong[0])
            raise InputError(
                f"labels[{i}] = {int(self.labels[i])} is out of range; expected 0 to {outputs - 1} for {outputs} outputs"
            )


class Custom(Loss):
    """Any callable of the outputs (N, n_L) that returns a scalar tensor, differentiated automatically.

    The change of the loss is the integral of its slope from o to o + do by Gauss and Legendre's rule, so that no digits
    cancel; the gradient's change is a difference of gradients.
    """

    name = "custom"

    def __init__(self, function: Callable[[Tensor], Tensor]):
        self.function = function
        nodes, weights = np.polynomial.legendre.leggauss(QUADRATURE_NODES)
        self.nodes, self.weights = (nodes + 1) / 2, weights / 2

    def _one(self, o: Tensor) -> Tensor:
        value = self.function(o)
        if not isinstance(value, Tensor) or value.ndim:
            shape = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
            raise InputError(f"loss must return a scalar tensor, got {shape}")
        return value

    def _each(self, o: Tensor) -> list[Tensor]:
        return list(o.reshape(-1, *o.shape[-2:]))

    def __call__(self, o: Tensor) -> Tensor:
        return torch.stack([self._one(part) for part in self._each(o)]).reshape(o.shape[:-2])

    def gradient(self, o: Tensor) -> Tensor:
        with torch.enable_grad():
            parts = [part.detach().requires_grad_() for part in self._each(o)]
            values = torch.stack([self._one(part) for part in parts])
            if not values.requires_grad:
                return torch.zeros_like(o)
            grads = torch.autograd.grad(values.sum(), parts)
        return torch.stack(grads).reshape(o.shape)

    def difference(self, o: Tensor, do: Tensor) -> Tensor:
        slopes = [
            (self.gradient(o + s * do) * do).sum((-1, -2)) * w for s, w in zip(self.nodes, self.weights, strict=True)
        ]
        return torch.stack(slopes).sum(0)

    def gradient_difference(self, o: Tensor, do: Tensor) -> Tensor:
        return self.gradient(o + do) - self.gradient(o)


def as_loss(loss: Loss | Callable[[Tensor], Tensor]) -> Loss:
    """A loss from itself, or from a callable of the outputs.

    Raises:
        InputError: it is neither.
    """
    if isinstance(loss, Loss):
        return loss
    if not callable(loss):
        raise InputError(f"loss must be a drt loss or a function of the outputs, got {loss!r}")
    return Custom(loss)
