"""The layers' numbers that bounds are made of, in logarithms with bounds on their errors."""

from __future__ import annotations

import torch
from torch import Tensor

from drt.measurement.measurement import Measurement
from drt.numeric.spectra import UNIT
from proofs_checks.terms import Log, exact, log_of, log_sum, size


def layer_numbers(m: Measurement, order: list[int]) -> dict[str, Log]:
    """Logarithms of every layer's α, β, ‖W‖₂, ‖ΔW‖₂, ‖W̃‖₂, s_min(W), δ, in the order of multiplication."""
    batch = (*m.batch_shape, m.depth)

    def constants(values: Tensor) -> Log:
        return exact(torch.log(values[order]).expand(batch))

    def norms(which: int) -> Log:
        s = m.instance.spectra[which]
        chosen = [k + m.layer for k in order]
        value, error, scale = s.s_max[..., chosen], (s.error * s.s_max)[..., chosen], s.log_scale[..., chosen]
        return _shifted(log_of(value, error), scale, batch)

    w, chosen = m.instance.spectra[0], [k + m.layer for k in order]
    smallest = log_of(w.s_min[..., chosen], (w.error * w.s_max)[..., chosen])
    shapes = zip(m.widths, m.widths[1:], strict=False)
    relative = torch.tensor([(a * b + 4) * UNIT for a, b in shapes], dtype=torch.float64)
    delta = m.delta
    numbers = {
        "α": constants(m.alphas),
        "β": constants(m.betas),
        "β−α": constants(m.betas - m.alphas),
        "‖W‖": norms(0),
        "‖ΔW‖": norms(1),
        "‖W̃‖": norms(2),
        "s": _shifted(smallest, w.log_scale[..., chosen], batch),
        "δ": log_of(delta[..., order], (delta * relative)[..., order].detach()),
    }
    numbers["‖W‖+‖ΔW‖"] = log_sum(numbers["‖W‖"], numbers["‖ΔW‖"])
    return numbers


def _shifted(log: Log, scale: Tensor, batch: tuple[int, ...]) -> Log:
    value = log.value + scale
    return Log(value.expand(batch), (log.error + 4 * UNIT * size(value)).expand(batch))
