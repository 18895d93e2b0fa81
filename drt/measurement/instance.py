"""Instances: a network, its perturbation and inputs; what several measurements of one instance share is computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from drt.errors import InputError
from drt.measurement import propagate, rounding
from drt.network.network import ArrayLike, Network, as_float64, broadcast_batch, check_length
from drt.numeric.caching import cached_property
from drt.numeric.numbers import LOG2
from drt.numeric.spectra import Spectrum, norm, singular_values, spectrum, times_power_of_two


class PerturbedNetwork:
    """A network f and the perturbation ΔW_l (and Δb_l) that makes f̃.

    `known` may hold the singular values of the W_l ("w") and ΔW_l ("dw"), one (…, r) tensor a layer, where a
    construction knows them: then no SVD is spent on them.

    Raises:
        InputError: no network, shapes that do not match, NaN, a zero weight matrix.
    """

    def __init__(
        self,
        net: Network,
        dweights: Sequence[ArrayLike],
        dbiases: Sequence[ArrayLike | None] | None = None,
        known: Mapping[str, Sequence[Tensor]] | None = None,
    ):
        if not isinstance(net, Network):
            raise InputError(f"net must be a drt.Network, got {type(net).__name__}")
        self.net = net
        self.dweights = _check_dweights(net, dweights)
        self.dbiases = _check_dbiases(net, dbiases)
        self.known = known or {}

    @cached_property
    def layers(self) -> tuple[propagate.ScaledLayer, ...]:
        """The layers' matrices, scaled."""
        return propagate.scale_layers(self.net, self.dweights, self.dbiases)

    @cached_property
    def spectra(self) -> tuple[Spectrum, Spectrum, Spectrum]:
        """Spectra of W, ΔW and W̃; all SVDs in one go, none where the singular values are known."""
        matrices = {
            "w": [layer.w for layer in self.layers],
            "dw": [layer.dw for layer in self.layers],
            "wt": [layer.wt for layer in self.layers],
        }
        wanted = [key for key in matrices if key not in self.known]
        computed = iter(singular_values([m for key in wanted for m in matrices[key]]))
        scales = [layer.exponent for layer in self.layers]
        spectra = []
        for key, group in matrices.items():
            if key in self.known:
                values = [times_power_of_two(s, -e[..., None]) for s, e in zip(self.known[key], scales, strict=True)]
            else:
                values = [next(computed) for _ in group]
            spectra.append(spectrum(group, values, [e * LOG2 for e in scales]))
        return spectra[0], spectra[1], spectra[2]


class Instance(PerturbedNetwork):
    """A perturbed network and inputs x (…, n_0); all batch dimensions broadcast to `batch_shape`.

    Raises:
        InputError: as for `PerturbedNetwork`, or inputs of another width, NaN, or zero.
    """

    def __init__(
        self,
        net: Network,
        dweights: Sequence[ArrayLike],
        x: ArrayLike,
        dbiases: Sequence[ArrayLike | None] | None = None,
        known: Mapping[str, Sequence[Tensor]] | None = None,
    ):
        super().__init__(net, dweights, dbiases, known)
        self.x = net.check_input(x)
        self.batch_shape = broadcast_batch(
            ("weights", net.batch_shape),
            *((f"dweights[{i}]", tuple(dw.shape[:-2])) for i, dw in enumerate(self.dweights)),
            *((f"dbiases[{i}]", tuple(db.shape[:-1])) for i, db in enumerate(self.dbiases) if db is not None),
            ("x", tuple(self.x.shape[:-1])),
        )

    @classmethod
    def of_checked(
        cls,
        net: Network,
        dweights: Sequence[Tensor],
        x: Tensor,
        dbiases: Sequence[Tensor | None],
        known: Mapping[str, Sequence[Tensor]],
        batch_shape: tuple[int, ...],
    ) -> Instance:
        """An instance of parts of one that was checked already; nothing is checked again.

        Args:
            net: f.
            dweights: ΔW_1 … ΔW_L, each (…, n_l, n_{l−1}).
            x: inputs (…, n_0).
            dbiases: Δb_1 … Δb_L, each (…, n_l) or None.
            known: singular values that a construction knows (`PerturbedNetwork`).
            batch_shape: what all their batch dimensions broadcast to.
        """
        instance = cls.__new__(cls)
        instance.net, instance.dweights, instance.x = net, tuple(dweights), x
        instance.dbiases, instance.known, instance.batch_shape = tuple(dbiases), known, batch_shape
        return instance

    def __repr__(self) -> str:
        """Of a single instance, the text that makes it again; of a batch, its shape."""
        if self.batch_shape:
            return f"Instance({self.net!r}, batch={self.batch_shape})"
        weights, dweights = ([w.tolist() for w in group] for group in (self.net.weights, self.dweights))
        specs = [a.spec for a in self.net.activations]
        biases, dbiases = (
            [None if b is None else b.tolist() for b in group] for group in (self.net.biases, self.dbiases)
        )
        network = f"Network({weights}, {specs}{f', {biases}' if self.net.has_biases else ''})"
        moved = f", {dbiases}" if any(b is not None for b in dbiases) else ""
        return f"Instance({network}, {dweights}, {self.x.tolist()}{moved})"

    @cached_property
    def states(self) -> propagate.Forward:
        """The forward pass of f and f̃ − f."""
        return propagate.forward(self.net, self.layers, self.x)

    @cached_property
    def sweep(self) -> propagate.Backward:
        """The backward sweep of the J_l and their changes."""
        return propagate.backward(self.net, self.layers, self.states)

    @cached_property
    def error_bounds(self) -> rounding.ErrorBounds:
        """Rounding error bounds of the forward pass."""
        return rounding.of_function(self.net, self.states, *self.spectra)

    @cached_property
    def jacobian_error_bounds(self) -> list[tuple[Tensor, Tensor]]:
        """Rounding error bounds of the backward sweep."""
        return rounding.of_jacobians(self.net, self.layers, self.states, self.sweep, self.error_bounds, self.spectra)


def _check_dweights(net: Network, dweights: Sequence[ArrayLike]) -> tuple[Tensor, ...]:
    check_length("dweights", dweights, net.depth)
    checked = tuple(as_float64(dw, f"dweights[{i}]", 2) for i, dw in enumerate(dweights))
    for i, (dw, w) in enumerate(zip(checked, net.weights, strict=True)):
        if dw.shape[-2:] != w.shape[-2:]:
            raise InputError(f"dweights[{i}] has shape {tuple(dw.shape)}, but weights[{i}] has {tuple(w.shape)}")
        if (norm(w, 2) == 0).any():
            raise InputError(f"weights[{i}] must be non-zero: relative perturbations divide by its norm, which is 0")
    return checked


def _check_dbiases(net: Network, dbiases: Sequence[ArrayLike | None] | None) -> tuple[Tensor | None, ...]:
    if dbiases is None:
        return (None,) * net.depth
    check_length("dbiases", dbiases, net.depth)
    checked = tuple(None if b is None else as_float64(b, f"dbiases[{i}]", 1) for i, b in enumerate(dbiases))
    for i, (db, b) in enumerate(zip(checked, net.biases, strict=True)):
        if db is not None and (b is None or db.shape[-1] != b.shape[-1]):
            raise InputError(f"dbiases[{i}] has shape {tuple(db.shape)}, but biases[{i}] has {_shape(b)}")
    return checked


def _shape(value: Tensor | None) -> str:
    return "none" if value is None else str(tuple(value.shape))
