"""What every measurement has in common, and the fields that depend on the weights alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from drt.measurement.instance import PerturbedNetwork
from drt.measurement.quantity import Quantity
from drt.network.network import Network
from drt.numeric.caching import cached_property
from drt.numeric.lognumbers import LogNumber
from drt.numeric.spectra import UNIT


def exponential(field: str) -> Any:
    """The field whose logarithm is another field."""
    return property(lambda self: torch.exp(getattr(self, field)), doc=f"e to the power of {field}.")


class Measured(ABC):
    """A measurement of one quantity on a batch (…,) of instances: what a bound may read, with rounding errors bounded.

    Each quantity has a class of its own with exactly its own fields, which `FIELDS` names; another name is refused.
    """

    quantity: ClassVar[Quantity]
    FIELDS: ClassVar[tuple[str, ...]]
    SIGNED: ClassVar[tuple[str, ...]] = ()  # fields that may be negative
    layer = 0  # layers below it are not measured
    depth: int
    widths: tuple[int, ...]
    side = 0  # 0: values as computed; 1, −1: the upper or lower end of what rounding allows

    def __getattr__(self, name: str) -> Any:
        descriptor = getattr(type(self), name, None)
        if descriptor is not None:  # a field that failed while it was computed: its own error, not this one
            return descriptor.__get__(self, type(self))
        raise AttributeError(no_field(self.quantity, name, self.FIELDS))

    @property
    @abstractmethod
    def batch_shape(self) -> tuple[int, ...]:
        """The leading dimensions of every field."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where every field is."""

    @abstractmethod
    def inflated(self, side: int) -> Measured:
        """The same, with every measured number at the upper (+1) or lower (−1) end of its rounding error."""

    @abstractmethod
    def log_left(self, left: str) -> tuple[Tensor, Tensor, Tensor]:
        """The logarithm of a claim's left side, and its lower and upper ends; −∞ and ∞ where rounding allows anything."""

    @abstractmethod
    def size_of_logarithms(self, left: object) -> Tensor | float:
        """Σ|log| of the factors of a bound on this left side: they may cancel, their rounding errors do not."""

    @property
    def numbers(self) -> Any:
        """The fields as the numbers that a formula is evaluated on."""
        return self

    @property
    def rounding(self) -> Float[Tensor, "..."]:
        """∞ where rounding leaves no digit of what is measured, so that nothing can be asked of a bound; else finite."""
        return torch.zeros(self.batch_shape, dtype=torch.float64, device=self.device)


class InLogarithms:
    """The fields of a measurement as numbers by their logarithms, so that no formula of them overflows or cancels."""

    def __init__(self, measurement: Measured):
        self.measurement = measurement

    def __getattr__(self, name: str) -> Any:
        m = self.measurement
        if f"log_{name}" in m.FIELDS:
            value = LogNumber(getattr(m, f"log_{name}"))
        else:
            value = getattr(m, name)
            if name in m.FIELDS and not name.startswith("log_") and name not in COUNTS:
                value = (
                    LogNumber.of(value) if name in m.SIGNED or isinstance(value, float) else LogNumber.of_size(value)
                )
        self.__dict__[name] = value
        return value


COUNTS = ("depth", "widths", "inputs")  # fields that are whole numbers, and stay so in every kind of number


def no_field(quantity: Quantity, name: str, fields: tuple[str, ...]) -> str:
    """The message for a field that a measurement of this quantity does not have."""
    return f"a measurement of the {quantity} has no field {name!r}; it has {', '.join(fields)}"


class WeightFields(Measured):
    """The fields that depend on the W_l and ΔW_l of the layers measured, n = `depth` of them.

    delta, rho (…, n)    ‖ΔW_k‖_F/‖W_k‖_F and ‖ΔW_k‖₂/‖W_k‖₂
    kappa_w, kappa_dw, kappa_wt (…, n)   condition numbers of W_k, ΔW_k (1 where ΔW_k = 0), W̃_k; ∞ if rank-deficient
    kappa (…,)           the largest of all of them
    alpha, beta          smallest α_k, largest β_k; alphas, betas (n,): layer by layer
    depth, widths        n and (n_l, …, n_L)
    norm_w, norm_dw, norm_wt (…, n)   spectral norms ‖W_k‖₂, ‖ΔW_k‖₂, ‖W̃_k‖₂
    log_norm_…           the logarithm of each norm, which neither overflows nor underflows

    All dimensionless but the norms.
    """

    FIELDS: ClassVar[tuple[str, ...]] = (
        "delta", "rho", "kappa_w", "kappa_dw", "kappa_wt", "kappa", "alpha", "beta", "alphas", "betas", "depth", "widths",
        "norm_w", "norm_dw", "norm_wt", "log_norm_w", "log_norm_dw", "log_norm_wt",
    )  # fmt: skip

    def __init__(self, perturbed: PerturbedNetwork, layer: int, side: int):
        self._perturbed, self.layer, self.side = perturbed, layer, side
        net = perturbed.net
        self.widths = net.widths[layer:]
        self.depth = net.depth - layer
        self.alpha = min(a.alpha for a in net.activations[layer:])
        self.beta = max(a.beta for a in net.activations[layer:])

    @cached_property
    def numbers(self) -> InLogarithms:
        return InLogarithms(self)

    @property
    def net(self) -> Network:
        """The network f."""
        return self._perturbed.net

    @property
    def device(self) -> torch.device:
        return self.net.weights[0].device

    def _of_layers(self, x: Float[Tensor, "... L"]) -> Float[Tensor, "... n"]:
        return x[..., self.layer :].expand(*self.batch_shape, self.depth)

    def _stretched(self, x: Tensor, relative_error: Tensor | float) -> Tensor:
        return x * (1 + self.side * relative_error) if self.side else x

    def _constants(self, values: list[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.device)

    def size_of_logarithms(self, left: object) -> Tensor | float:
        ratios = torch.log(self.betas / self.alphas).nan_to_num(0, 0, 0).sum()
        return ratios + 2 * self.depth * torch.log(self.kappa).nan_to_num(0, 0, 0)

    @cached_property
    def alphas(self) -> Float[Tensor, " n"]:
        return self._constants([a.alpha for a in self.net.activations[self.layer :]])

    @cached_property
    def betas(self) -> Float[Tensor, " n"]:
        return self._constants([a.beta for a in self.net.activations[self.layer :]])

    @cached_property
    def delta(self) -> Float[Tensor, "... n"]:
        w, dw, _ = self._perturbed.spectra
        # A Frobenius norm of mn squares: relative error below (mn/2 + 2)u.
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return self._stretched(
            self._of_layers(dw.frobenius / w.frobenius), self._constants([(m * n + 4) * UNIT for m, n in pairs])
        )

    @cached_property
    def rho(self) -> Float[Tensor, "... n"]:
        w, dw, _ = self._perturbed.spectra
        return self._stretched(self._of_layers(dw.s_max / w.s_max), 2 * w.error[self.layer :])

    @cached_property
    def kappa_w(self) -> Float[Tensor, "... n"]:
        return self._of_layers(self._perturbed.spectra[0].kappa(self.side))

    @cached_property
    def kappa_dw(self) -> Float[Tensor, "... n"]:
        return self._of_layers(self._perturbed.spectra[1].kappa(self.side, of_zero=1.0))

    @cached_property
    def kappa_wt(self) -> Float[Tensor, "... n"]:
        return self._of_layers(self._perturbed.spectra[2].kappa(self.side))

    @cached_property
    def kappa(self) -> Float[Tensor, "..."]:
        return torch.maximum(torch.maximum(self.kappa_w, self.kappa_dw), self.kappa_wt).amax(-1)

    def _log_norm(self, which: int) -> Float[Tensor, "... n"]:
        s = self._perturbed.spectra[which]
        value = s.log_norm()
        if self.side:  # of s_max, and of a logarithm and a scale of this size
            value = value + self.side * (s.error + 4 * UNIT * (1 + s.log_scale.abs()))
        return self._of_layers(value)

    @cached_property
    def log_norm_w(self) -> Float[Tensor, "... n"]:
        return self._log_norm(0)

    @cached_property
    def log_norm_dw(self) -> Float[Tensor, "... n"]:
        return self._log_norm(1)

    @cached_property
    def log_norm_wt(self) -> Float[Tensor, "... n"]:
        return self._log_norm(2)

    norm_w, norm_dw, norm_wt = (exponential(f"log_norm_{name}") for name in ("w", "dw", "wt"))
