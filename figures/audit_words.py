"""The audit in words and tables: what its numbers support, no more."""

from __future__ import annotations

import textwrap

import numpy as np

from drt.experiments import laws
from drt.numeric.formatting import number
from figures.audit_summary import AuditSummary
from figures.trained import missing


def short(x: float) -> str:
    """Two digits: 0.013, 57, 4,800, 1e7; ∞; – for NaN."""
    if not np.isfinite(x):
        return "∞" if x > 0 else "–"
    return number(float(f"{x:.2g}"))


def layers(x: float) -> str:
    """An effective depth: below 1 the law is flatter than any number of layers makes it, and its value means nothing."""
    return "<1" if x < 1 else short(x)


def percent(x: float) -> str:
    """97 %; – for NaN."""
    return "–" if np.isnan(x) else f"{100 * x:.0f} %"


def share(count: float, of: float) -> str:
    """100 % and 0 % only where it is so."""
    return f"{count:.0f}/{of:.0f}" if of < 10 else "100 %" if count == of else f"{min(100 * count / of, 99.9):.1f} %"


def text(summary: AuditSummary) -> str:
    """The tables and the sentences, 100 columns wide."""
    lines = [" L  network   slices  above  median largest L_eff (0.95)       C  1 parameter     2 parameters"]
    for row in summary.networks:
        slices = f"{row.slices}/{row.of}"
        start = f"{row.depth:>2}  {row.kind:<10}{slices:>6}"
        found = row.found
        if found is None:
            lines.append(f"{start}  nothing measured")
            continue
        depth, low, high = map(layers, found.effective_depth)
        one, two = (f"{laws.LAWS[law].formula.replace(' ', '')} {error:.2f}" for law, error in (found.one, found.two))
        lines.append(
            f"{start} {share(found.exceeded, found.points):>6} {short(found.factor[0]):>7} {short(found.factor[1]):>7}"
            f" {f'{depth} ({low}–{high})':<13} {short(found.constant):>6}  {one:<15} {two}"
        )
    depths = sorted({row.depth for row in summary.optimisers})
    lines += [
        "",
        "L_eff, and accuracy at the end:",
        "network     optimiser " + "".join(f"{f'L = {d}':>15}" for d in depths),
    ]
    cells = {(r.kind, r.optimiser, r.depth): f"{layers(r.effective_depth)} {percent(r.accuracy)}"
             for r in summary.optimisers}  # fmt: skip
    for kind, optimiser in dict.fromkeys(key[:2] for key in cells):
        values = "".join(f"{cells.get((kind, optimiser, d), ''):>15}" for d in depths)
        lines.append(f"{kind:<11} {optimiser:<10}{values}")
    kinds = list(summary.laws)
    lines += ["", "law (median error in decades; slices on which it is closest of its number of parameters)"]
    lines.append(f"{'':<41}" + "".join(f"{kind:>18}" for kind in kinds))
    for name, law in laws.LAWS.items():
        own = (summary.laws[kind][name] for kind in kinds)
        counts = "".join(f"{v.error:>8.2f} " + f"{v.closest}/{v.slices}".rjust(9) for v in own)
        lines.append(f"{law.parameters} {name:<24}{law.formula:<15}{counts}")
    return "\n".join([*lines, "", *(textwrap.fill(line, 100) for line in sentences(summary))])


def sentences(summary: AuditSummary) -> list[str]:
    """What the data support."""
    said = [
        f"Deep relative trust, (1+η)ᴸ − 1, is exceeded at {summary.exceeded:,} of {summary.points:,} points of "
        f"{summary.measured} slices."
    ]
    for kind, pairs in summary.against_plain.items():
        if pairs.pairs:
            depth, constant = [layers(v) for v in pairs.effective_depth], [short(v) for v in pairs.constant]
            each = ", ".join(f"{lower} of {n} at {L} layers" for L, (n, lower) in pairs.by_depth.items())
            said.append(
                f"{kind.capitalize()} against plain, {pairs.pairs} pairs: L_eff is lower in {pairs.shallower} "
                f"({each}; median {depth[0]} against {depth[1]}), the least C in {pairs.less} "
                f"(median {constant[0]} against {constant[1]}; ratio {short(pairs.constant_ratio)})."
            )
    flat = ", ".join(
        f"{sum(r.found.flat for r in summary.networks if r.kind == kind and r.found)} {kind}" for kind in summary.laws
    )
    said.append(f"Slices with L_eff < 1, which grow more slowly than a line: {flat}.")
    said.append(
        f"A single slice says less: its own 0.95 interval of L_eff, the law granted, lies above 1 on {summary.resolved} of "
        f"{summary.measured} (an autocorrelated slice counts as few points; how few sets this number)."
    )
    return said + missing(summary, "No slice")
