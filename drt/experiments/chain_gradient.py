"""Forward and backward through a chain of layers, along a line of weights, into memory that is reused.

A fresh tensor of a few hundred kilobytes costs as much as the product that fills it: the system maps and clears its pages.
So each hidden state has its own memory, written again at every point of the line.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu_

from drt.errors import InputError
from drt.network.activations import Activation, PiecewiseLinear
from drt.network.network import activation_of
from drt.training.training import Residual

ENTRIES_PER_BLOCK = 320_000  # of the widest hidden state: more inputs at a time leave the cache, fewer cost calls
Line = tuple[Tensor, Tensor]  # a parameter and its direction


class _Layer:
    """z = h W(η)ᵀ + b(η); the output is φ(z), or h + φ(z) where it is residual."""

    def __init__(self, weight: Line, bias: Line | None, phi: Activation, residual: bool, rows: int):
        self.weight, self.bias, self.phi, self.residual = weight, bias, phi, residual
        self.moved = torch.empty_like(weight[0])
        self.z = weight[0].new_empty(rows, len(weight[0]))  # φ(z), where φ can be applied in place
        self.spare = torch.empty_like(self.z) if residual else self.z
        # A leaky ReLU can: its output tells the sign of z.
        self.leak: float | None = None
        if isinstance(phi, PiecewiseLinear) and phi.kinks in ((), (0.0,)) and phi.slopes[-1] == 1:
            self.leak = phi.slopes[0]

    def move(self, eta: float) -> None:
        """Set W(η)."""
        torch.add(*self.weight, alpha=eta, out=self.moved)

    def pre_activate(self, h: Tensor, eta: float) -> None:
        """Set z."""
        torch.mm(h, self.moved.mT, out=self.z[: len(h)])
        if self.bias is not None:
            self.z[: len(h)].add_(torch.add(*self.bias, alpha=eta))

    def activate(self, h: Tensor) -> Tensor:
        """The output, from z."""
        z = self.z[: len(h)]
        value = self.phi(z) if self.leak is None else leaky_relu_(z, self.leak)
        return torch.add(h, value, out=self.spare[: len(h)]) if self.residual else value

    def through_phi(self, grad: Tensor) -> Tensor:
        """∂𝓛/∂z from the output's gradient, which is overwritten unless the layer is residual."""
        z = self.z[: len(grad)]
        if self.leak is None:
            return grad * self.phi.slope(z)
        target = self.spare[: len(grad)] if self.residual else grad
        return torch.ops.aten.leaky_relu_backward.grad_input(grad, z, self.leak, True, grad_input=target)


class ChainGradient:
    """Mean cross-entropy, and its gradient in one layer's weight, at p + η·direction for every parameter p.

    `drt.experiments.gradient_slice` says what this saves.

    Args:
        model: a chain, for which `layers_of` is not None.
        directions: of every parameter, by its name.
        x: (N, n_0), the inputs. labels: (N,), their classes.
        layer: l, whose gradient is computed, from 1.
    """

    def __init__(self, model: nn.Sequential, directions: dict[str, Tensor], x: Tensor, labels: Tensor, layer: int):
        lines = {id(p): (p.detach(), directions[name]) for name, p in model.named_parameters()}
        chain = layers_of(model) or []
        rows = max(1, ENTRIES_PER_BLOCK // max(linear.out_features for linear, _, _ in chain))
        self.layers = []
        for linear, phi, residual in chain:
            bias = None if linear.bias is None else lines[id(linear.bias)]
            self.layers.append(_Layer(lines[id(linear.weight)], bias, phi, residual, rows))
        first, last = self.layers[0], self.layers[-1]
        # The logits of one class lie side by side: softmax and the product run along the inputs, not along ten classes.
        last.z = last.spare = x.new_empty(len(last.moved), rows).mT
        # z_1 is affine in η: its two products are made once.
        start, slope = (x @ w.mT for w in first.weight)
        if first.bias is not None:
            start, slope = start + first.bias[0], slope + first.bias[1]
        self.blocks = list(zip(*(t.split(rows) for t in (x, labels, start, slope)), strict=True))
        self.inputs, self.layer = len(x), layer
        # Gradients of hidden states: two memories of each width, by turns.
        self.scratch = {(k % 2, m.moved.shape[1]): x.new_empty(rows, m.moved.shape[1]) for k, m in self.pairs()}
        self.gradient = torch.empty_like(self.layers[layer - 1].moved)

    def pairs(self) -> Iterator[tuple[int, _Layer]]:
        """Layers l+1 … L, numbered, from the last."""
        for k in range(len(self.layers), self.layer, -1):
            yield k, self.layers[k - 1]

    @torch.no_grad()
    def evaluate(self, eta: float) -> tuple[Tensor, Tensor]:
        """The loss and layer l's gradient at η; the latter is overwritten by the next call."""
        for part in self.layers[1:]:
            part.move(eta)
        self.gradient.zero_()
        loss = self.gradient.new_zeros(())
        for x, labels, start, slope in self.blocks:
            torch.add(start, slope, alpha=eta, out=self.layers[0].z[: len(x)])
            h, below = self.layers[0].activate(x), x
            for k, part in enumerate(self.layers[1:], start=2):
                if k == self.layer:
                    below = h
                part.pre_activate(h, eta)
                h = part.activate(h)
            with torch.enable_grad():
                logits = h.mT.unsqueeze(0).requires_grad_()
                block_loss = cross_entropy(logits, labels.unsqueeze(0), reduction="sum") / self.inputs
                (grad,) = torch.autograd.grad(block_loss, logits)
            grad = grad[0].mT
            loss += block_loss.detach()
            for k, part in self.pairs():
                dz = part.through_phi(grad)
                if part.residual:
                    grad.addmm_(dz, part.moved)
                else:
                    grad = torch.mm(dz, part.moved, out=self.scratch[k % 2, part.moved.shape[1]][: len(x)])
            self.gradient.addmm_(self.layers[self.layer - 1].through_phi(grad).mT, below)
        return loss, self.gradient


def layers_of(model: nn.Sequential) -> list[tuple[nn.Linear, Activation, bool]] | None:
    """(Linear, φ, whether residual) of each layer; None if the model is not a chain of such layers."""
    modules = list(model)
    found: list[tuple[nn.Linear, Activation, bool]] = []
    try:
        while modules:
            first = modules.pop(0)
            if isinstance(first, Residual):
                found.append((first.linear, activation_of(first.activation, len(found)), True))
            elif isinstance(first, nn.Linear):
                found.append((first, activation_of(modules.pop(0), len(found)), False))
            else:
                return None
    except (InputError, IndexError):
        return None
    return None if not found or found[0][2] else found
