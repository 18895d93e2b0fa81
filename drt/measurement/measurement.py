"""An instance → the exact relative change of its function or of a Jacobian, and every field that a bound on it may read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from drt.errors import InputError
from drt.measurement.instance import Instance
from drt.measurement.measured import WeightFields, exponential
from drt.measurement.propagate import log_norm
from drt.measurement.quantity import FUNCTION, JACOBIAN, Quantity
from drt.network.network import ArrayLike, Network
from drt.numeric.caching import cached_property
from drt.numeric.spectra import UNIT


class Measurement(WeightFields):
    """What `measure` and `measure_jacobian` return: everything that a bound may depend on.

    Shapes: (…,) is the batch. Beside the fields of the weights (`WeightFields`):

        change (…,)         ‖f̃ − f‖/‖f‖, or ‖J̃_l − J_l‖_F/‖J_l‖_F
        log_change (…,)     its logarithm, which neither overflows nor underflows

    and those of `FunctionMeasurement` or `JacobianMeasurement`. A measurement is an immutable view of its `instance`.
    """

    FIELDS: ClassVar[tuple[str, ...]] = (*WeightFields.FIELDS, "change", "log_change")
    change = exponential("log_change")

    def __init__(self, instance: Instance, layer: int = 0, side: int = 0):
        super().__init__(instance, layer, side)
        self.instance = instance

    @staticmethod
    def of(instance: Instance, quantity: Quantity, layer: int = 0) -> Measurement:
        """The measurement of this quantity: of the function, or of the layer-l-to-output Jacobian.

        Raises:
            InputError: a quantity that is not one of a network and an input.
        """
        if not quantity.of_network:
            raise InputError(
                f"quantity={quantity.value!r} is not measured on an instance; expected function or jacobian"
            )
        return FunctionMeasurement(instance) if quantity is FUNCTION else JacobianMeasurement(instance, layer)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        return self.instance.batch_shape

    def inflated(self, side: int) -> Measurement:
        return type(self)(self.instance, self.layer, side)

    @property
    @abstractmethod
    def log_change(self) -> Float[Tensor, "..."]: ...

    @property
    @abstractmethod
    def log_reference(self) -> Float[Tensor, "..."]:
        """The logarithm of what the change is relative to: finite unless that is zero or out of range."""

    @abstractmethod
    def _error_bounds(self) -> tuple[Tensor, Tensor]:
        """Bounds on the rounding errors of what is divided by, and of the change, both relative to the former."""

    def _relative(self, reference_error: float, shift: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log change + shift, and its ends; the reference's own error counts `reference_error` times."""
        epsilon, eta = self._error_bounds()
        value = self.log_change + shift
        # Two norms of at most n_l·n_L numbers, and logarithms of this size.
        logs = self.log_change.abs().nan_to_num(0, 0, 0) + shift.abs().nan_to_num(0, 0, 0)
        own = (self.widths[0] * self.widths[-1] + 16) * UNIT + 8 * UNIT * logs
        upper = torch.log(self.change + eta) - torch.log1p(-(reference_error * epsilon).clamp(max=1.0)) + shift + own
        lower = torch.log((self.change - eta).clamp(min=0.0)) - torch.log1p(reference_error * epsilon) + shift - own
        ends = torch.where(torch.isnan(lower), -torch.inf, lower), torch.where(torch.isnan(upper), torch.inf, upper)
        return value, ends[0].expand(value.shape), ends[1].expand(value.shape)

    def log_left(self, left: str) -> tuple[Tensor, Tensor, Tensor]:
        return self._relative(1.0, torch.zeros_like(self.log_change))

    @property
    def rounding(self) -> Float[Tensor, "..."]:
        """A derived bound on |computed − true|/true for `change`; ∞ where rounding leaves no digit of it."""
        value, lower, upper = self.log_left("relative")
        slack = torch.expm1(torch.maximum(upper - value, value - lower)).nan_to_num(nan=torch.inf, posinf=torch.inf)
        return torch.where(upper == -torch.inf, 0.0, slack)


class FunctionMeasurement(Measurement):
    """A measurement of the function, which has the norms of states as well.

    norm_x, norm_f, norm_df (…,)   ‖x‖, ‖f‖, ‖f̃ − f‖
    norm_dwh (…, n)                ‖ΔW_k h_{k−1}‖
    log_norm_…                     the logarithm of each, which neither overflows nor underflows
    """

    quantity = FUNCTION
    FIELDS: ClassVar[tuple[str, ...]] = (
        *Measurement.FIELDS, "norm_x", "norm_f", "norm_df", "norm_dwh",
        "log_norm_x", "log_norm_f", "log_norm_df", "log_norm_dwh",
    )  # fmt: skip

    def _error_bounds(self) -> tuple[Tensor, Tensor]:
        return self.instance.error_bounds.epsilon, self.instance.error_bounds.eta

    def size_of_logarithms(self, left: object) -> Tensor | float:
        size = super().size_of_logarithms(left)
        if left != "absolute":
            return size
        norms = torch.cat([self.log_norm_x[..., None], self.log_norm_w, self.log_norm_wt, self.log_norm_dwh], -1)
        return size + norms.abs().nan_to_num(0, 0, 0).sum(-1)

    def log_left(self, left: str) -> tuple[Tensor, Tensor, Tensor]:
        """log(change) ("relative") or log ‖f̃ − f‖ ("absolute"), where ‖f‖'s own error does not matter; and both ends."""
        return super().log_left(left) if left == "relative" else self._relative(0.0, self.log_norm_f)

    def _end(self, log_norm: Tensor, log_error: Tensor, entries: int) -> Tensor:
        """The upper or lower end of the logarithm of a norm of so many entries, their error's norm being known."""
        own = (entries + 8 + 8 * log_norm.abs().nan_to_num(0, 0, 0)) * UNIT
        if self.side > 0:
            return torch.logaddexp(log_norm, log_error) + own
        end = log_norm + torch.log1p(-torch.exp(log_error - log_norm).clamp(max=1.0)) - own
        return torch.where(torch.isnan(end), -torch.inf, end)

    @cached_property
    def log_norm_x(self) -> Float[Tensor, "..."]:
        value = self.instance.states.log_h[..., 0].expand(self.batch_shape)
        return self._end(value, torch.full_like(value, -torch.inf), self.widths[0]) if self.side else value

    @cached_property
    def log_norm_f(self) -> Float[Tensor, "..."]:
        value = self.instance.states.log_h[..., -1].expand(self.batch_shape)
        if not self.side:
            return value
        return self._end(value, value + torch.log(self.instance.error_bounds.epsilon), self.widths[-1])

    @cached_property
    def log_norm_df(self) -> Float[Tensor, "..."]:
        states = self.instance.states
        value = states.log_dh[..., -1].expand(self.batch_shape)
        if not self.side:
            return value
        return self._end(value, states.log_h[..., -1] + torch.log(self.instance.error_bounds.eta), self.widths[-1])

    @cached_property
    def log_norm_dwh(self) -> Float[Tensor, "... n"]:
        states = self.instance.states
        if not self.side:
            return self._of_layers(states.log_dwh)
        scale = states.log_h[..., :-1] + self.instance.spectra[0].log_scale
        error = scale + torch.log(self.instance.error_bounds.dwh)
        return self._of_layers(self._end(states.log_dwh, error, max(self.widths)))

    norm_x, norm_f, norm_df, norm_dwh = (exponential(f"log_norm_{name}") for name in ("x", "f", "df", "dwh"))

    @cached_property
    def log_change(self) -> Float[Tensor, "..."]:
        return self.instance.states.log_change[..., -1].expand(self.batch_shape)

    @property
    def log_reference(self) -> Float[Tensor, "..."]:
        """Log ‖f‖: finite unless it is zero or out of range."""
        return self.log_norm_f


class JacobianMeasurement(Measurement):
    """A measurement of J_l = ∂f/∂h_l, every field restricted to layers l+1 … L.

    derivative_gap (…,)      ‖J_l − ∂f/∂h_l‖_F/‖J_l‖_F, J_l the product Φ'_L W_L ··· Φ'_{l+1} W_{l+1}, the derivative
                             taken by automatic differentiation of f itself
    jacobian_rounding (…,)   a derived bound on the relative rounding error of J_l
    """

    quantity = JACOBIAN
    FIELDS: ClassVar[tuple[str, ...]] = (*Measurement.FIELDS, "derivative_gap", "jacobian_rounding")

    def _error_bounds(self) -> tuple[Tensor, Tensor]:
        return self.instance.jacobian_error_bounds[self.layer]

    @cached_property
    def log_change(self) -> Float[Tensor, "..."]:
        sweep = self.instance.sweep
        return (log_norm(sweep.dj[self.layer], 2) - log_norm(sweep.j[self.layer], 2)).expand(self.batch_shape)

    @property
    def log_reference(self) -> Float[Tensor, "..."]:
        """Log ‖J_l‖_F up to the scale taken out: finite unless it is zero or out of range."""
        return log_norm(self.instance.sweep.j[self.layer], 2).expand(self.batch_shape)

    @cached_property
    def derivative_gap(self) -> Float[Tensor, "..."]:
        net, x = self.net, self.instance.x
        batch, outputs = self.batch_shape, self.widths[-1]
        with torch.enable_grad():
            # A copy of h_l for each output, so that one backward pass has all the rows of the Jacobian.
            h = net.hidden_states(x)[self.layer].detach().expand(outputs, *batch, -1).clone().requires_grad_()
            out = h
            for layer in range(self.layer + 1, net.depth + 1):
                out = net.activations[layer - 1](net.pre_activation(layer, out))
            (rows,) = torch.autograd.grad(out.diagonal(dim1=0, dim2=-1).sum(), h)
        product = net.jacobians(x)[self.layer].expand(*batch, -1, -1)
        return torch.linalg.matrix_norm(product - rows.movedim(0, -2)) / torch.linalg.matrix_norm(product)

    @property
    def jacobian_rounding(self) -> Float[Tensor, "..."]:
        return self._error_bounds()[0].expand(self.batch_shape)


def measure(
    net: Network, dweights: Sequence[ArrayLike], x: ArrayLike, dbiases: Sequence[ArrayLike | None] | None = None
) -> FunctionMeasurement:
    """The function: ‖f̃(x) − f(x)‖₂/‖f(x)‖₂ and what bounds it, for W̃_l = W_l + ΔW_l.

    Args:
        net: f, its weights (…, n_l, n_{l−1}).
        dweights: ΔW_1 … ΔW_L, shaped as the weights; zero is allowed.
        x: inputs (…, n_0), none of them zero. All batch dimensions broadcast.
        dbiases: Δb_l, where the network has biases and they move too.

    Raises:
        InputError: shapes that do not match, NaN, zero weights, a zero input.
    """
    return FunctionMeasurement(Instance(net, dweights, x, dbiases))


def measure_jacobian(
    net: Network,
    dweights: Sequence[ArrayLike],
    x: ArrayLike,
    layer: int = 0,
    dbiases: Sequence[ArrayLike | None] | None = None,
) -> JacobianMeasurement:
    """The layer-l-to-output Jacobian: ‖J̃_l − J_l‖_F/‖J_l‖_F; every field is restricted to layers l+1 … L.

    Args: as for `measure`, and layer: l, from 0 (the input) to L − 1.

    Raises:
        InputError: as for `measure`, or a layer out of range.
    """
    check_layer(layer, net.depth)
    return JacobianMeasurement(Instance(net, dweights, x, dbiases), layer)


def check_layer(layer: int, depth: int) -> None:
    """Raise InputError unless 0 ≤ layer < depth."""
    if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer < depth:
        raise InputError(f"layer must be an integer from 0 to {depth - 1}, got layer={layer!r}")


def measure_all(instance: Instance) -> tuple[FunctionMeasurement, list[JacobianMeasurement]]:
    """The function's measurement and those of J_0 … J_{L−1}, sharing every SVD and both sweeps."""
    jacobians = [JacobianMeasurement(instance, layer) for layer in range(instance.net.depth)]
    return FunctionMeasurement(instance), jacobians
