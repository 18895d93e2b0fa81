"""Inputs to look at a network with: digits, rows of a file, or normal numbers."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from drt.errors import InputError
from drt.measurement.sampling import generator, normal
from drt.network.network import Network
from drt.training.data import load_digits

INPUTS_CHECKED = 256  # taken of digits, or drawn; also how many are measured at a time


def inputs_for(net: Network, data: str | None, seed: int = 0) -> Float[Tensor, "N n_0"]:
    """Inputs to check a network at: the first 256 digits of a source, every row of a .npy file, or normal numbers.

    Args:
        net: the network, for its n_0.
        data: as `load_digits` takes it; None: "mnist5k" if n_0 is 784, else 256 standard normal inputs.
        seed: of the digits' order, and of the normal numbers.

    Raises:
        InputError: no such source, or inputs that are not n_0 wide.
    """
    if data is None and net.widths[0] != 784:
        return normal((INPUTS_CHECKED, net.widths[0]), generator(seed)).to(net.weights[0])
    digits = load_digits(data or "mnist5k", seed)
    if digits.images.shape[1] != net.widths[0]:
        raise InputError(
            f"data={data!r} has inputs of {digits.images.shape[1]} numbers; expected n_0 = {net.widths[0]}"
        )
    rows = digits.images if digits.labels is None else digits.images[:INPUTS_CHECKED]
    return rows.to(net.weights[0])
