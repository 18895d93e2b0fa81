"""Saved networks: safetensors with drt's own metadata, and torch state dicts, neither of which can run code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from drt.errors import InputError
from drt.network.activations import Activation
from drt.network.network import Network
from drt.numeric.files import write_atomically

FORMAT, VERSION = "drt-network", "1"
_RESERVED = ("format", "version", "activations")


def save_network(path: str | Path, net: Network, metadata: Mapping[str, str] | None = None) -> None:
    """Save W_l as "0.weight", "1.weight", … and biases as "0.bias", …, in safetensors, atomically.

    The file's metadata are `format` = drt-network, `version`, `activations` (one text per layer, joined by ";"), and
    the given ones. `load_network` gives back the same network, bit for bit.

    Raises:
        InputError: a batch of networks, metadata that are not texts or use those three keys, a path that cannot be written.
    """
    path, metadata = Path(path), dict(metadata or {})
    if net.batch_shape:
        raise InputError(f"save_network needs a single network, got batch shape {net.batch_shape}")
    for key, value in metadata.items():
        if not (isinstance(key, str) and isinstance(value, str)) or key in _RESERVED:
            raise InputError(
                f"metadata must map texts to texts, {', '.join(_RESERVED)} excepted; got {key!r}: {value!r}"
            )
    tensors: dict[str, Tensor] = {}
    for layer, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        tensors[f"{layer}.weight"] = weight
        if bias is not None:
            tensors[f"{layer}.bias"] = bias
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}  # clone: no shared memory
    activations = ";".join(a.spec for a in net.activations)
    metadata |= {"format": FORMAT, "version": VERSION, "activations": activations}
    try:
        write_atomically(path, safetensors.torch.save(tensors, metadata))
    except OSError as error:
        raise InputError(f"path={str(path)!r} cannot be written: {error.strerror or error}") from None


def load_network(
    path: str | Path, activation: Activation | str | Callable[[], Activation] | Sequence | None = None
) -> Network:
    """A network from safetensors, or from a torch state dict (which is loaded without running any code in it).

    The weights are the 2-D tensors named …weight, in natural order of their names (2 before 10); the bias of PREFIXweight
    is PREFIXbias. Names do not say how layers are connected: they are read as one chain. Float32 becomes float64, exactly.

    Args:
        path: the file.
        activation: one φ for all layers, or one for each (a text may hold several, joined by ";", as in
            "relu;relu;identity"); None takes what the file says.

    Raises:
        InputError: no readable file, neither of the two formats, a tensor that is no part of a multilayer perceptron
            (4-D weights, running statistics, integers), NaN or infinity, shapes that do not chain, no activation known.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise InputError(f"path={str(path)!r} is not a file; expected a network in safetensors or a torch state dict")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(f"path={str(path)!r} cannot be read: {error.strerror or error}") from None
    if not head:
        raise InputError(f"path={str(path)!r} is empty; expected a network in safetensors or a torch state dict")
    # safetensors: 8 bytes of length, then JSON. torch: a zip archive, or (before 1.6) a pickle of protocol 2.
    if head[8:9] == b"{":
        tensors, metadata = _read_safetensors(path)
    elif head.startswith((b"PK\x03\x04", b"\x80")):
        tensors, metadata = _read_state_dict(path), {}
    else:
        raise InputError(f"path={str(path)!r} is neither safetensors nor a torch state dict; it starts with {head!r}")
    if metadata.get("format") == FORMAT and metadata.get("version") != VERSION:
        raise InputError(
            f"path={str(path)!r} has version {metadata.get('version')!r} of {FORMAT}; expected {VERSION!r}"
        )
    if activation is None:
        if "activations" not in metadata:
            raise InputError(f"path={str(path)!r} does not say its activation; pass --activation, e.g. leaky_relu:0.1")
        activation = metadata["activations"]
    if isinstance(activation, str) and ";" in activation:
        activation = activation.split(";")
    try:
        weights, biases = _layers(tensors)
        return Network(weights, activation, biases)
    except InputError as error:
        raise InputError(f"path={str(path)!r}: {error}") from None


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safetensors.safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(f"path={str(path)!r} is not readable as safetensors: {_first_line(error)}") from None


def _read_state_dict(path: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken pickle or archive can raise nearly anything
        raise InputError(
            f"path={str(path)!r} is not loadable as a torch state dict without running code: {_first_line(error)}"
        ) from None
    if not isinstance(state, Mapping):
        raise InputError(f"path={str(path)!r} holds a {type(state).__name__}; expected a state dict, names to tensors")
    for name, value in state.items():
        if not (isinstance(name, str) and isinstance(value, Tensor)):
            raise InputError(
                f"path={str(path)!r} holds {name!r}: {type(value).__name__}; expected a state dict, names to tensors"
            )
    return {name: value.detach() for name, value in state.items()}


def _layers(tensors: Mapping[str, Tensor]) -> tuple[list[Tensor], list[Tensor | None]]:
    """The weights in natural order, and their biases."""
    weights = {name: t for name, t in tensors.items() if name.endswith("weight") and t.ndim == 2}
    biases = {name: name.removesuffix("weight") + "bias" for name in weights}
    for name, t in tensors.items():
        what = f"tensor {name!r} of shape {tuple(t.shape)} and dtype {str(t.dtype).removeprefix('torch.')}"
        if name not in weights and not (name in biases.values() and t.ndim == 1):
            raise InputError(f"{what} is no part of a multilayer perceptron; expected 2-D weights and their 1-D biases")
        if not t.is_floating_point() or t.layout != torch.strided or t.is_meta:
            raise InputError(f"{what} must be dense floating point")
        if not torch.isfinite(t.double()).all():
            raise InputError(f"{what} must be finite, got NaN or infinity")
    if not weights:
        raise InputError("there is no tensor whose name ends in 'weight'")
    names = sorted(weights, key=_natural)
    return [weights[name] for name in names], [tensors.get(biases[name]) for name in names]


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key by which "2" comes before "10": numbers, at the odd places, by their length first."""
    parts = re.split(r"([0-9]+)", name)
    return [(len(part.lstrip("0")), part.lstrip("0")) if i % 2 else (0, part) for i, part in enumerate(parts)]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
