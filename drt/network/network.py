"""Multilayer perceptrons (Definition 1 of the paper), batched, and their Jacobians (Proposition 1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from drt.errors import InputError
from drt.network.activations import Activation, ActivationModule, as_activation, identity, leaky_relu, relu
from drt.numeric.spectra import is_finite

ArrayLike = Tensor | np.ndarray | Sequence


def default_device() -> torch.device:
    """The GPU where torch has one, else the CPU: where arrays that are not tensors yet are put."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def as_float64(value: ArrayLike, name: str, ndim: int) -> Tensor:
    """The value as a float64 tensor with at least `ndim` dimensions, none of them empty, all entries finite.

    Raises:
        InputError: it is not floating point, has too few dimensions, is empty, or holds NaN or infinity.
    """
    if not isinstance(value, Tensor):
        try:
            array = np.asarray(value)
        except (ValueError, TypeError, RuntimeError) as error:  # ragged, or a list of tensors
            raise InputError(f"{name} is not an array of numbers: {error}") from None
        if array.dtype.kind != "f":
            raise InputError(f"{name} must be floating point, got dtype {array.dtype}")
        value = torch.as_tensor(array.astype(np.float64), device=default_device())
    if not value.is_floating_point():
        raise InputError(f"{name} must be floating point, got dtype {str(value.dtype).removeprefix('torch.')}")
    if value.ndim < ndim:
        raise InputError(f"{name} needs at least {ndim} dimension(s), got shape {tuple(value.shape)}")
    if value.numel() == 0:
        raise InputError(f"{name} must not be empty, got shape {tuple(value.shape)}")
    value = value.to(torch.float64)
    if not is_finite(value):
        raise InputError(f"{name} must be finite, got {_first_bad(value)}")
    return value


def _first_bad(value: Tensor) -> str:
    index = tuple(torch.nonzero(~torch.isfinite(value))[0].tolist())
    return f"{value[index].item()} at index {index}"


def broadcast_batch(*named: tuple[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The common leading batch shape.

    Raises:
        InputError: two of the shapes do not broadcast together.
    """
    shape: tuple[int, ...] = ()
    for name, batch in named:
        try:
            shape = np.broadcast_shapes(shape, batch)  # torch's own imports sympy: one second
        except ValueError:
            raise InputError(f"{name} has batch shape {batch}, which does not broadcast with {shape}") from None
    return shape


def check_length(name: str, values: object, depth: int) -> None:
    """Raise InputError unless `values` is a sequence of one entry for each of `depth` layers."""
    if not hasattr(values, "__len__") or isinstance(values, str):
        raise InputError(f"{name} must be a list with one entry for each of {depth} layer(s), got {values!r}")
    if len(values) != depth:
        raise InputError(f"{name} must have one entry for each of {depth} layer(s), got {len(values)}")


def apply(matrix: Float[Tensor, "... n m"], vector: Float[Tensor, "... m"]) -> Float[Tensor, "... n"]:
    """Matrix times vector, both batched; one matrix for many vectors is a single product."""
    if matrix.ndim == 2:
        return vector @ matrix.mT
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


class Network:
    """f(x) = h_L, where h_0 = x and h_l = φ_l(W_l h_{l−1} + b_l); the paper has no biases b_l.

    Args:
        weights: W_1 … W_L, each (…, n_l, n_{l−1}); arrays or tensors, kept as float64. Batch dimensions broadcast.
        activation: one φ for all layers, or one for each; an `Activation` or its text (`leaky_relu:0.1`).
        biases: None, or for each layer None or (…, n_l).

    Attributes:
        weights, activations, biases: tuples of length L.
        widths: (n_0, …, n_L).
        depth: L.
        alpha, beta: the smallest α_l and the largest β_l.

    Raises:
        InputError: no layers, shapes that do not chain, wrong dtypes, NaN or infinity, unknown activation.
    """

    def __init__(
        self,
        weights: Sequence[ArrayLike],
        activation: Activation | str | Callable[[], Activation] | Sequence,
        biases: Sequence[ArrayLike | None] | None = None,
    ):
        if isinstance(weights, Tensor | np.ndarray | str) or not hasattr(weights, "__len__") or not len(weights):
            raise InputError(f"weights must be a non-empty list of matrices, got {_describe(weights)}")
        self.weights = tuple(as_float64(w, f"weights[{i}]", 2) for i, w in enumerate(weights))
        self.depth = len(self.weights)
        self.widths = (self.weights[0].shape[-1], *(w.shape[-2] for w in self.weights))
        for i, (below, above) in enumerate(zip(self.weights, self.weights[1:], strict=False), start=1):
            if above.shape[-1] != below.shape[-2]:
                raise InputError(
                    f"weights[{i}] has shape {tuple(above.shape)}: it must have {below.shape[-2]} columns, "
                    f"the rows of weights[{i - 1}]"
                )
        if isinstance(activation, list | tuple):
            if len(activation) != self.depth:
                raise InputError(
                    f"activation must be one, or {self.depth} for {self.depth} layers; got {len(activation)}"
                )
            self.activations = tuple(map(as_activation, activation))
        else:
            self.activations = (as_activation(cast(Activation, activation)),) * self.depth
        self.biases = self._check_biases(biases)
        self.batch_shape = broadcast_batch(
            *((f"weights[{i}]", tuple(w.shape[:-2])) for i, w in enumerate(self.weights)),
            *((f"biases[{i}]", tuple(b.shape[:-1])) for i, b in enumerate(self.biases) if b is not None),
        )
        self.alpha = min(a.alpha for a in self.activations)
        self.beta = max(a.beta for a in self.activations)

    def _check_biases(self, biases: Sequence[ArrayLike | None] | None) -> tuple[Tensor | None, ...]:
        if biases is None:
            return (None,) * self.depth
        check_length("biases", biases, self.depth)
        checked = tuple(None if b is None else as_float64(b, f"biases[{i}]", 1) for i, b in enumerate(biases))
        for i, b in enumerate(checked):
            if b is not None and b.shape[-1] != self.widths[i + 1]:
                raise InputError(
                    f"biases[{i}] has shape {tuple(b.shape)}: its last dimension must be {self.widths[i + 1]}"
                )
        return checked

    @property
    def has_biases(self) -> bool:
        """Whether any layer has a bias; the paper's networks have none."""
        return any(b is not None for b in self.biases)

    def check_input(self, x: ArrayLike) -> Float[Tensor, "... n_0"]:
        """The input as float64, its width checked, and no input zero (every claim is about x ≠ 0)."""
        x = as_float64(x, "x", 1)
        if x.shape[-1] != self.widths[0]:
            raise InputError(f"x has shape {tuple(x.shape)}: its last dimension must be n_0 = {self.widths[0]}")
        if (x == 0).all(-1).any():
            raise InputError("x must be non-zero, got an input whose entries are all 0")
        broadcast_batch(("weights", self.batch_shape), ("x", tuple(x.shape[:-1])))
        return x

    def pre_activation(self, layer: int, h: Float[Tensor, "... m"]) -> Float[Tensor, "... n"]:
        """z_l = W_l h_{l−1} + b_l, for layer l = 1 … L."""
        z, bias = apply(self.weights[layer - 1], h), self.biases[layer - 1]
        return z if bias is None else z + bias

    def hidden_states(self, x: ArrayLike) -> list[Tensor]:
        """h_0 … h_L at inputs x of shape (…, n_0)."""
        states = [self.check_input(x)]
        for layer, phi in enumerate(self.activations, start=1):
            states.append(phi(self.pre_activation(layer, states[-1])))
        return states

    def __call__(self, x: ArrayLike) -> Float[Tensor, "... n_L"]:
        """f(x)."""
        return self.hidden_states(x)[-1]

    def jacobians(self, x: ArrayLike) -> list[Tensor]:
        """J_0 … J_L at x, J_l = ∂f/∂h_l = Φ'_L W_L ··· Φ'_{l+1} W_{l+1} of shape (…, n_L, n_l); J_L is the identity.

        One backward sweep, L − l products for all l together. At a kink the slope on its left is taken.
        Source: Proposition 1.
        """
        states = self.hidden_states(x)
        batch = states[-1].shape[:-1]
        eye = torch.eye(self.widths[-1], dtype=torch.float64, device=states[-1].device)
        jacobians = [eye.expand(*batch, -1, -1)]
        for layer in range(self.depth, 0, -1):
            slopes = self.activations[layer - 1].slope(self.pre_activation(layer, states[layer - 1]))
            jacobians.append((jacobians[-1] * slopes.unsqueeze(-2)) @ self.weights[layer - 1])
        return jacobians[::-1]

    @classmethod
    def from_torch(cls, model: torch.nn.Sequential) -> Network:
        """A network from a `torch.nn.Sequential` of Linear and activation modules, as drt or torch names them.

        A Linear without an activation after it is followed by the identity. Weights are copied, as float64.

        Raises:
            InputError: a module that is neither, or an activation before any Linear or after another.
        """
        if not isinstance(model, torch.nn.Sequential):
            raise InputError(f"model must be a torch.nn.Sequential, got {type(model).__name__}")
        weights: list[Tensor] = []
        biases: list[Tensor | None] = []
        activations: list[Activation | None] = []
        for i, module in enumerate(model):
            if isinstance(module, torch.nn.Linear):
                weights.append(module.weight.detach().clone())
                biases.append(None if module.bias is None else module.bias.detach().clone())
                activations.append(None)
            else:
                phi = activation_of(module, i)
                if not activations or activations[-1] is not None:
                    raise InputError(f"model[{i}] = {module} must follow a Linear module")
                activations[-1] = phi
        return cls(weights, [a or identity() for a in activations], biases)

    def to_torch(self) -> torch.nn.Sequential:
        """The same function as a `torch.nn.Sequential` of Linear and activation modules, float64.

        Raises:
            InputError: the network is a batch of networks.
        """
        if self.batch_shape:
            raise InputError(f"to_torch needs a single network, got batch shape {self.batch_shape}")
        modules: list[torch.nn.Module] = []
        for weight, bias, phi in zip(self.weights, self.biases, self.activations, strict=True):
            rows, columns = weight.shape
            linear = torch.nn.Linear(columns, rows, bias=bias is not None, dtype=torch.float64, device=weight.device)
            with torch.no_grad():
                linear.weight.copy_(weight)
                if bias is not None:
                    linear.bias.copy_(bias)
            modules += [linear, phi.module()]
        return torch.nn.Sequential(*modules)

    def __repr__(self) -> str:
        names = sorted({a.spec for a in self.activations})
        return f"Network(widths={self.widths}, activation={', '.join(names)}, batch={self.batch_shape})"


def _describe(value: object) -> str:
    return f"shape {tuple(value.shape)}" if isinstance(value, Tensor | np.ndarray) else repr(value)


def activation_of(module: torch.nn.Module, index: int) -> Activation:
    """The φ of a torch module.

    Raises:
        InputError: it is no activation that is known; `index` says which module of a model it is.
    """
    if isinstance(module, ActivationModule):
        return module.activation
    if isinstance(module, torch.nn.LeakyReLU):
        return leaky_relu(module.negative_slope)
    if isinstance(module, torch.nn.ReLU):
        return relu()
    if isinstance(module, torch.nn.Identity):
        return identity()
    raise InputError(
        f"model[{index}] = {module} is not known; expected Linear, LeakyReLU, ReLU, Identity or a drt activation"
    )
