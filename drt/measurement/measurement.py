"""An instance → the exact relative change and every quantity that a bound may read."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from drt.errors import InputError
from drt.measurement import propagate
from drt.measurement.instance import Instance
from drt.measurement.propagate import log_norm
from drt.network.network import ArrayLike, Network
from drt.numeric.caching import cached_property
from drt.numeric.spectra import UNIT


class Measurement:
    """What `measure` and `measure_jacobian` return: everything that a bound may depend on.

    Shapes: (…,) is the batch, n = `depth` the number of layers measured (L, or L − layer for a Jacobian).

        change (…,)         ‖f̃ − f‖/‖f‖, or ‖J̃_l − J_l‖_F/‖J_l‖_F
        delta, rho (…, n)   ‖ΔW_k‖_F/‖W_k‖_F and ‖ΔW_k‖₂/‖W_k‖₂
        kappa_w, kappa_dw, kappa_wt (…, n)   condition numbers of W_k, ΔW_k (1 where ΔW_k = 0), W̃_k; ∞ if rank-deficient
        kappa (…,)          the largest of all of them
        alpha, beta         smallest α_k, largest β_k; alphas, betas (n,): layer by layer
        depth, widths       n and (n_l, …, n_L)
        norm_w, norm_dw, norm_wt (…, n)   spectral norms ‖W_k‖₂, ‖ΔW_k‖₂, ‖W̃_k‖₂
        norm_x, norm_f, norm_df (…,), norm_dwh (…, n)   ‖x‖, ‖f‖, ‖f̃ − f‖, ‖ΔW_k h_{k−1}‖ (function only)
        log_norm_…          the logarithm of each norm, which neither overflows nor underflows
        log_change, log_reference (…,)   log of the change, and of what it is relative to

    All dimensionless but the norms. A measurement is an immutable view of its `instance`.
    """

    def __init__(self, instance: Instance, quantity: str, layer: int):
        self.instance = instance
        self.quantity = quantity
        self.layer = layer
        net = instance.net
        self.widths = net.widths[layer:]
        self.depth = net.depth - layer
        self.alpha = min(a.alpha for a in net.activations[layer:])
        self.beta = max(a.beta for a in net.activations[layer:])
        self._side = 0

    def inflated(self, side: int) -> Measurement:
        """The same, with every measured ratio at the upper (+1) or lower (−1) end of its rounding error."""
        view = copy.copy(self)
        view.__dict__ = {k: v for k, v in self.__dict__.items() if k in _PLAIN}
        view._side = side
        return view

    def _layers(self, x: Float[Tensor, "... L"]) -> Float[Tensor, "... n"]:
        return x[..., self.layer :].expand(*self.instance.batch_shape, self.depth)

    def _stretched(self, x: Tensor, relative_error: Tensor | float) -> Tensor:
        return x * (1 + self._side * relative_error) if self._side else x

    @property
    def device(self) -> torch.device:
        """Where every field is."""
        return self.instance.x.device

    def size_of_logarithms(self, left: object) -> Tensor | float:
        """Σ|log| of the factors of a bound on this left side: they may cancel, their rounding errors do not."""
        ratios = torch.log(self.betas / self.alphas).nan_to_num(0, 0, 0).sum()
        size = ratios + 2 * self.depth * torch.log(self.kappa).nan_to_num(0, 0, 0)
        if left != "absolute":
            return size
        norms = torch.cat([self.log_norm_x[..., None], self.log_norm_w, self.log_norm_wt, self.log_norm_dwh], -1)
        return size + norms.abs().nan_to_num(0, 0, 0).sum(-1)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The leading dimensions of every field."""
        return self.instance.batch_shape

    @cached_property
    def alphas(self) -> Float[Tensor, " n"]:
        return self._constants([a.alpha for a in self.instance.net.activations[self.layer :]])

    @cached_property
    def betas(self) -> Float[Tensor, " n"]:
        return self._constants([a.beta for a in self.instance.net.activations[self.layer :]])

    def _constants(self, values: list[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.device)

    @cached_property
    def delta(self) -> Float[Tensor, "... n"]:
        w, dw, _ = self.instance.spectra
        # A Frobenius norm of mn squares: relative error below (mn/2 + 2)u.
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return self._stretched(
            self._layers(dw.frobenius / w.frobenius), self._constants([(m * n + 4) * UNIT for m, n in pairs])
        )

    @cached_property
    def rho(self) -> Float[Tensor, "... n"]:
        w, dw, _ = self.instance.spectra
        return self._stretched(self._layers(dw.s_max / w.s_max), 2 * w.error[self.layer :])

    @cached_property
    def kappa_w(self) -> Float[Tensor, "... n"]:
        return self._layers(self.instance.spectra[0].kappa(self._side))

    @cached_property
    def kappa_dw(self) -> Float[Tensor, "... n"]:
        return self._layers(self.instance.spectra[1].kappa(self._side, of_zero=1.0))

    @cached_property
    def kappa_wt(self) -> Float[Tensor, "... n"]:
        return self._layers(self.instance.spectra[2].kappa(self._side))

    @cached_property
    def kappa(self) -> Float[Tensor, "..."]:
        return torch.maximum(torch.maximum(self.kappa_w, self.kappa_dw), self.kappa_wt).amax(-1)

    def _log_norm(self, which: int) -> Float[Tensor, "... n"]:
        s = self.instance.spectra[which]
        value = s.log_norm()
        # Of s_max, and of a logarithm and a scale of this size.
        return self._layers(
            value + self._side * (s.error + 4 * UNIT * (1 + s.log_scale.abs())) if self._side else value
        )

    @cached_property
    def log_norm_w(self) -> Float[Tensor, "... n"]:
        return self._log_norm(0)

    @cached_property
    def log_norm_dw(self) -> Float[Tensor, "... n"]:
        return self._log_norm(1)

    @cached_property
    def log_norm_wt(self) -> Float[Tensor, "... n"]:
        return self._log_norm(2)

    def _function_only(self, field: str) -> propagate.Forward:
        if self.quantity != "function":
            raise InputError(f"{field} is measured for the function only, not for the {self.quantity}")
        return self.instance.states

    def _end(self, log_norm: Tensor, log_error: Tensor, entries: int) -> Tensor:
        """The upper or lower end of the logarithm of a norm of so many entries, their error's norm being known."""
        own = (entries + 8 + 8 * log_norm.abs().nan_to_num(0, 0, 0)) * UNIT
        if self._side > 0:
            return torch.logaddexp(log_norm, log_error) + own
        end = log_norm + torch.log1p(-torch.exp(log_error - log_norm).clamp(max=1.0)) - own
        return torch.where(torch.isnan(end), -torch.inf, end)

    @cached_property
    def log_norm_x(self) -> Float[Tensor, "..."]:
        value = self._function_only("log_norm_x").log_h[..., 0].expand(self.batch_shape)
        return self._end(value, torch.full_like(value, -torch.inf), self.widths[0]) if self._side else value

    @cached_property
    def log_norm_f(self) -> Float[Tensor, "..."]:
        value = self._function_only("log_norm_f").log_h[..., -1].expand(self.batch_shape)
        if not self._side:
            return value
        return self._end(value, value + torch.log(self.instance.error_bounds.epsilon), self.widths[-1])

    @cached_property
    def log_norm_df(self) -> Float[Tensor, "..."]:
        states = self._function_only("log_norm_df")
        value = states.log_dh[..., -1].expand(self.batch_shape)
        if not self._side:
            return value
        return self._end(value, states.log_h[..., -1] + torch.log(self.instance.error_bounds.eta), self.widths[-1])

    @cached_property
    def log_norm_dwh(self) -> Float[Tensor, "... n"]:
        states = self._function_only("log_norm_dwh")
        if not self._side:
            return self._layers(states.log_dwh)
        scale = states.log_h[..., :-1] + self.instance.spectra[0].log_scale
        error = scale + torch.log(self.instance.error_bounds.dwh)
        return self._layers(self._end(states.log_dwh, error, max(self.widths)))

    def __getattr__(self, name: str) -> Tensor:
        """Each norm is the exponential of its logarithm."""
        if name.startswith("norm_"):
            return torch.exp(getattr(self, f"log_{name}"))
        raise AttributeError(f"a measurement has no field {name!r}")

    @cached_property
    def log_change(self) -> Float[Tensor, "..."]:
        if self.quantity == "function":
            return self.instance.states.log_change[..., -1].expand(self.batch_shape)
        sweep = self.instance.sweep
        return (log_norm(sweep.dj[self.layer], 2) - log_norm(sweep.j[self.layer], 2)).expand(self.batch_shape)

    @cached_property
    def change(self) -> Float[Tensor, "..."]:
        return torch.exp(self.log_change)

    @property
    def log_reference(self) -> Float[Tensor, "..."]:
        """Log ‖f‖, or log ‖J_l‖_F up to the scale taken out: finite unless it is zero or out of range."""
        if self.quantity == "function":
            return self.log_norm_f
        return log_norm(self.instance.sweep.j[self.layer], 2).expand(self.batch_shape)

    def log_left(self, left: str) -> tuple[Tensor, Tensor, Tensor]:
        """The left side of a claim, log(change) ("relative") or log ‖f̃ − f‖ ("absolute"), and its lower and upper ends.

        The ends are what the derived rounding bounds allow; −∞ and ∞ where they allow anything.
        """
        shift = torch.zeros_like(self.log_change) if left == "relative" else self.log_norm_f
        if self.quantity == "function":
            epsilon, eta = self.instance.error_bounds.epsilon, self.instance.error_bounds.eta
        else:
            epsilon, eta = self.instance.jacobian_error_bounds[self.layer]
        value = self.log_change + shift
        # Two norms of at most n_l·n_L numbers, and logarithms of this size.
        logs = self.log_change.abs().nan_to_num(0, 0, 0) + shift.abs().nan_to_num(0, 0, 0)
        own = (self.widths[0] * self.widths[-1] + 16) * UNIT + 8 * UNIT * logs
        relative = 1.0 if left == "relative" else 0.0  # ‖f‖'s own error matters only where it divides
        upper = torch.log(self.change + eta) - torch.log1p(-(relative * epsilon).clamp(max=1.0)) + shift + own
        lower = torch.log((self.change - eta).clamp(min=0.0)) - torch.log1p(relative * epsilon) + shift - own
        ends = torch.where(torch.isnan(lower), -torch.inf, lower), torch.where(torch.isnan(upper), torch.inf, upper)
        return value, ends[0].expand(value.shape), ends[1].expand(value.shape)

    @property
    def rounding(self) -> Float[Tensor, "..."]:
        """A derived bound on |computed − true|/true for `change`; ∞ where rounding leaves no digit of it."""
        value, lower, upper = self.log_left("relative")
        slack = torch.expm1(torch.maximum(upper - value, value - lower)).nan_to_num(nan=torch.inf, posinf=torch.inf)
        return torch.where(upper == -torch.inf, 0.0, slack)


_PLAIN = {"instance", "quantity", "layer", "widths", "depth", "alpha", "beta", "_side"}


def measure(
    net: Network, dweights: Sequence[ArrayLike], x: ArrayLike, dbiases: Sequence[ArrayLike | None] | None = None
) -> Measurement:
    """The function: ‖f̃(x) − f(x)‖₂/‖f(x)‖₂ and what bounds it, for W̃_l = W_l + ΔW_l.

    Args:
        net: f, its weights (…, n_l, n_{l−1}).
        dweights: ΔW_1 … ΔW_L, shaped as the weights; zero is allowed.
        x: inputs (…, n_0), none of them zero. All batch dimensions broadcast.
        dbiases: Δb_l, where the network has biases and they move too.

    Raises:
        InputError: shapes that do not match, NaN, zero weights, a zero input.
    """
    return Measurement(Instance(net, dweights, x, dbiases), "function", 0)


def measure_jacobian(
    net: Network,
    dweights: Sequence[ArrayLike],
    x: ArrayLike,
    layer: int = 0,
    dbiases: Sequence[ArrayLike | None] | None = None,
) -> Measurement:
    """The layer-l-to-output Jacobian: ‖J̃_l − J_l‖_F/‖J_l‖_F; every field is restricted to layers l+1 … L.

    Args: as for `measure`, and layer: l, from 0 (the input) to L − 1.

    Raises:
        InputError: as for `measure`, or a layer out of range.
    """
    check_layer(layer, net.depth)
    return Measurement(Instance(net, dweights, x, dbiases), "jacobian", layer)


def check_layer(layer: int, depth: int) -> None:
    """Raise InputError unless 0 ≤ layer < depth."""
    if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer < depth:
        raise InputError(f"layer must be an integer from 0 to {depth - 1}, got layer={layer!r}")


def measure_all(instance: Instance) -> tuple[Measurement, list[Measurement]]:
    """The function's measurement and those of J_0 … J_{L−1}, sharing every SVD and both sweeps."""
    jacobians = [Measurement(instance, "jacobian", layer) for layer in range(instance.net.depth)]
    return Measurement(instance, "function", 0), jacobians
