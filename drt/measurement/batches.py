"""Large batches in pieces that fit into memory."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from torch import Tensor

from drt.measurement.instance import Instance

# Weight entries in a piece. A measurement takes about eight times the memory of its weights: 130 MB; smaller pieces are slower.
ENTRIES_PER_PIECE = 2**21


def pieces(instance: Instance, entries: int = ENTRIES_PER_PIECE) -> Iterator[Instance]:
    """The batch, cut along its first dimension into pieces of about `entries` weight entries; an unbatched instance stays whole.

    Each piece is an `Instance` of its own; nothing is copied and nothing is checked again.
    """
    if not instance.batch_shape:
        yield instance
        return
    net, rank = instance.net, len(instance.batch_shape)
    length = instance.batch_shape[0]
    each = sum(w[..., :, :].numel() // (w.shape[0] if w.ndim == rank + 2 else 1) for w in net.weights)
    size = max(1, min(length, entries // max(each, 1)))
    for start in range(0, length, size):
        part = slice(start, start + size)

        def cut(value: Tensor | None, dims: int, part: slice = part) -> Tensor | None:
            """The slice, where the value has the full batch and is not broadcast along it."""
            whole = value is None or value.ndim < rank + dims or value.shape[0] == 1
            return value if whole else value[part]  # type: ignore[index]

        part_of_net = copy.copy(net)
        part_of_net.weights = tuple(cut(w, 2) for w in net.weights)  # type: ignore[misc]
        part_of_net.biases = tuple(cut(b, 1) for b in net.biases)
        yield Instance.of_checked(
            part_of_net,
            [cut(dw, 2) for dw in instance.dweights],  # type: ignore[misc]
            cut(instance.x, 1),  # type: ignore[arg-type]
            [cut(db, 1) for db in instance.dbiases],
            {key: [cut(s, 1) for s in values] for key, values in instance.known.items()},  # type: ignore[misc]
            (min(size, length - start), *instance.batch_shape[1:]),
        )
