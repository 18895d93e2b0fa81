"""The change of a network followed through its layers: what each layer adds, and how much every other multiplies it by.

    function   h̃_l − h_l = D_l (W̃_l (h̃_{l−1} − h_{l−1}) + ΔW_l h_{l−1}),   D_l = diag of secant slopes of φ, in [α, β]
    Jacobian   ÃM̃ − AM = Ã (M̃ − M) + (Φ̃'ΔW) M + ((Φ̃' − Φ')W) M,   A = Φ'W, and transposed for factors on the right

so that f̃ − f is a sum of one term a layer, J̃_l − J_l of two. Jacobians start at the floor of the valley of widths. Every
product is split in two factors, a matrix and a diagonal of slopes, and the gain of each is measured: ‖out‖/‖in‖.
"""

from __future__ import annotations

import torch
from torch import Tensor

from drt.measurement.measurement import Measurement
from drt.measurement.propagate import log_norm
from drt.measurement.quantity import FUNCTION
from drt.network.activations import Activation
from drt.numeric.numbers import LOG2
from drt.numeric.spectra import UNIT, Spectrum, exponent_of, times_power_of_two
from proofs_checks.carried import Carried, Diagonal, Factor, Passed
from proofs_checks.layer_numbers import layer_numbers
from proofs_checks.terms import Log, Terms, exact, size


def order_of(m: Measurement) -> list[tuple[int, bool]]:
    """(layer, multiplies on the left) in the order of multiplication, layers 0-based and counted from the measured one."""
    if m.quantity is FUNCTION:
        return [(k, True) for k in range(m.depth)]
    floor = m.widths.index(min(m.widths))
    return [(k, True) for k in range(floor, m.depth)] + [(k, False) for k in range(floor - 1, -1, -1)]


def _secant(phi: Activation, rise: Tensor, run: Tensor, e_run: Tensor, jump: Tensor) -> Diagonal:
    """(φ(v) − φ(u))/(v − u) where v ≠ u, any slope elsewhere; `jump`: what an error of u itself may do to the rise."""
    flat = run == 0
    safe = torch.where(flat, 1.0, run)
    slopes = torch.where(flat, phi.slope(torch.zeros_like(run)), rise / safe)
    doubt = 2 * phi.beta * e_run.unsqueeze(-1) + jump
    off = torch.where(flat, torch.where(doubt > 0, torch.inf, 0.0), doubt / safe.abs())
    return Diagonal(slopes, (off.clamp(max=phi.beta - phi.alpha) + (phi.ulps + 2) * UNIT * phi.beta).detach())


def slopes_of(m: Measurement, k: int) -> tuple[Diagonal, Diagonal, Diagonal | None]:
    """Of layer k of the instance: the signal's slopes, the change's, and (Jacobian) how much φ' changed."""
    instance = m.instance
    phi, states, bounds = instance.net.activations[k], instance.states, instance.error_bounds
    z, dz, e_z, e_dz = states.z[k], states.dz[k], bounds.e_z[k], bounds.e_dz[k]
    own = phi.ulps * UNIT * phi.beta
    if m.quantity is FUNCTION:
        radius = e_z.unsqueeze(-1) + dz.abs() + e_dz.unsqueeze(-1)
        jump = phi.slope_variation(z, radius) * e_z.unsqueeze(-1)
        change = _secant(phi, phi.difference(z, dz), dz, e_dz, jump)
        return _secant(phi, phi(z), z, e_z, torch.zeros_like(z)), change, None
    wide, wide_dz = e_z.unsqueeze(-1), e_dz.unsqueeze(-1)
    slope, rise = phi.slope(z), phi.slope_difference(z, dz)
    return (
        Diagonal(slope, phi.slope_variation(z, wide).detach() + own),
        Diagonal(slope + rise, phi.slope_variation(z + dz, wide + wide_dz).detach() + own),
        Diagonal(rise, phi.slope_difference_error(z, dz, wide, wide_dz).detach() + 4 * UNIT * rise.detach().abs()),
    )


def _factors(m: Measurement, k: int) -> tuple[Factor, Factor, Factor]:
    layer = m.instance.layers[k]

    def factor(matrix: Tensor, spectrum: Spectrum) -> Factor:
        spectral, frobenius = spectrum.upper_ends(k)
        return Factor(matrix, spectral.detach(), frobenius.detach())

    w, dw, wt = (factor(a, s) for a, s in zip((layer.w, layer.dw, layer.wt), m.instance.spectra, strict=True))
    return w, dw, wt


def measured(m: Measurement, relative: bool) -> Terms:
    """Every term of the change with its measured gains."""
    batch, order = m.batch_shape, order_of(m)
    signal, constant = _start(m)
    change: Carried | None = None
    rows: list[list[Passed]] = []
    signals: list[Passed] = []
    own, kind = [], []
    for column, (k, left) in enumerate(order):
        w, dw, wt = _factors(m, k + m.layer)
        slopes, slopes_t, rise = slopes_of(m, k + m.layer)
        sources = [signal.through(slopes_t, dw, left)]
        if rise is not None:
            sources.append(signal.through(rise, w, left))
        passing = [] if change is None else [change.through(slopes_t, wt, left)]
        rows.append([*passing, *sources])
        signals.append(signal.through(slopes, w, left))
        signal, change = signals[-1].carried, _together([p.carried for p in rows[-1]], batch)
        own += [column] * len(sources)
        kind += list(range(len(sources)))
    # The power of two that was taken out of each layer's matrices.
    scales = torch.stack([(m.instance.layers[k + m.layer].exponent * LOG2).expand(batch) for k, _ in order], -1)
    terms = Terms(
        {
            "slopes": _padded([[p.slopes for p in row] for row in rows], torch.zeros_like(scales)),
            "matrices": _padded([[p.matrices for p in row] for row in rows], scales),
        },
        torch.tensor(own),
        torch.tensor(kind),
        tuple(k for k, _ in order),
        layer_numbers(m, [k for k, _ in order]),
        Log(torch.zeros_like(constant.value), constant.error) if relative else constant,
        relative,
    )
    for name, row in (
        ("signal slopes", _row([p.slopes for p in signals], torch.zeros_like(scales))),
        ("signal matrices", _row([p.matrices for p in signals], scales)),
    ):
        # Divided by the whole signal, only its factors from the term's own layer upwards are left, upside down.
        terms = terms.put(name, above=row * -1, own=row * -1) if relative else terms.put(name, kept=row)
    return terms


def _start(m: Measurement) -> tuple[Carried, Log]:
    """x, or the identity at the valley's floor; and the logarithm of its norm."""
    batch = m.batch_shape
    first = m.instance.x.unsqueeze(-1) if m.quantity is FUNCTION else torch.eye(min(m.widths), dtype=torch.float64)
    first = first.expand(*batch, *first.shape[-2:])
    scaled = times_power_of_two(first, -exponent_of(first, 2)[..., None, None])
    size_of = exact(log_norm(first, 2))
    lost = torch.stack([v.expand(batch) for v in m.instance.states.lost]).any(0)
    nothing = torch.zeros(*batch, 1, dtype=torch.float64)
    return Carried(scaled.unsqueeze(-3), nothing), Log(size_of.value, torch.where(lost, torch.inf, size_of.error))


def _together(carried: list[Carried], batch: tuple[int, ...]) -> Carried:
    return Carried(
        torch.cat([c.value.expand(*batch, *c.value.shape[-3:]) for c in carried], -3),
        torch.cat([c.error.expand(*batch, c.error.shape[-1]) for c in carried], -1),
    )


def _padded(rows: list[list[Log]], scales: Tensor) -> Log:
    """(…, T, n) of columns that know only the terms born so far: the others are born further up."""
    batch = scales.shape[:-1]
    columns = []
    for k, gains in enumerate(rows):
        value = torch.cat([g.value.expand(*batch, g.value.shape[-1]) for g in gains], -1) + scales[..., k : k + 1]
        error = torch.cat([g.error.expand(*batch, g.error.shape[-1]) for g in gains], -1) + 4 * UNIT * size(value)
        columns.append((value, error))
    born = columns[-1][0].shape[-1]
    values, errors = (
        torch.stack([torch.nn.functional.pad(x, (0, born - x.shape[-1])) for x in part], -1)
        for part in zip(*columns, strict=True)
    )
    return Log(values, errors)


def _row(gains: list[Log], scales: Tensor) -> Log:
    value = torch.cat([g.value.expand(*scales.shape[:-1], 1) for g in gains], -1) + scales
    error = torch.cat([g.error.expand(*scales.shape[:-1], 1) for g in gains], -1)
    return Log(value, error + 4 * UNIT * size(value))
