"""Where the looseness of a bound arises, on one network: log10(bound/actual) as a sum over the steps of its proof.

log10(bound/actual) = Σ_k log10(q_k/q_{k−1}), at the input whose total is the median, by part of the proof:

alignment      contributions of layers point different ways; signals miss the top singular vectors; ‖W̃‖ < ‖W‖ + ‖ΔW‖
β/α            slopes of φ are neither all α (of the signal) nor all β (of the change)
κ              the signal is not in the smallest singular direction; κ once more from Frobenius norms
norm swap      ‖ΔW‖₂/‖W‖₂ replaced by κ‖ΔW‖_F/‖W‖_F
induction      layers that a term never passed multiply it too
linearisation  Π(1 + ρ) − 1 replaced by e·Σρ
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from drt.app.plots import GRID, INK
from drt.measurement.instance import Instance
from drt.measurement.measurement import Measurement
from drt.measurement.quantity import FUNCTION, JACOBIAN
from drt.network.difference import difference
from drt.network.network import ArrayLike, Network
from drt.numeric.spectra import UNIT
from drt.theory.registry import claims
from drt.training.data import Digits
from drt.training.trained import instances
from drt.training.training import Run
from proofs_checks.chain import Chain
from proofs_checks.registry import chains

PARTS = ("alignment", "β/α", "κ", "norm swap", "induction", "linearisation")
COLOURS = ("#0072B2", "#E69F00", "#CC79A7", "#009E73", "#56B4E9", "#999999")
INPUTS = 32  # at most, that the median is over
SHOWN = ("noise 0.01", "gradient 0.01")
ENTRIES = 1_000_000  # of all the Jacobians that are followed at once


def waterfalls(instance: Instance) -> list[dict]:
    """For every bound that applies to one network at some inputs, function and J_0: the steps' share of its looseness.

    Jacobians are followed at fewer inputs where they are large: each of them costs as much as n_0 of the function.
    """
    net = instance.net
    few = max(1, min(INPUTS, ENTRIES // (2 * net.depth * max(net.widths) ** 2)))
    measured = {
        quantity: Measurement.of(Instance(net, instance.dweights, instance.x[:count], instance.dbiases), quantity)
        for quantity, count in ((FUNCTION, INPUTS), (JACOBIAN, few))
    }
    wanted = [c for c in chains().values() if c.layered and c.claim != "equation3"]
    found = [_waterfall(chain, measured[claims[chain.claim].quantity]) for chain in wanted]
    return [record for record in found if record is not None]


def of_networks(before: Network, after: Network, inputs: ArrayLike) -> list[dict]:
    """The same of two saved networks."""
    net, dweights, dbiases = difference(before, after)
    return waterfalls(Instance(net, dweights, net.check_input(inputs), dbiases))


def of_trained(run: Run, digits: Digits, seed: int) -> list[dict]:
    """The waterfalls of a trained network, and of its hidden layers, under noise and a gradient step of δ = 0.01."""
    last = run.checkpoints[-1].step
    return [
        {"network": p.network, "perturbation": p.perturbation, "bounds": waterfalls(p.instance)}
        for p in instances(run, digits, seed)
        if p.step == last and p.perturbation in SHOWN
    ]


def _waterfall(chain: Chain, m: Measurement) -> dict | None:
    with torch.no_grad():
        walk = chain.walk(m)
    total = (walk.logs[..., -1] - walk.logs[..., 0]).flatten()
    usable = torch.nonzero(walk.applicable.flatten() & torch.isfinite(total)).flatten()
    if not len(usable):
        return None
    at = int(usable[total[usable].argsort()[(len(usable) - 1) // 2]])
    slack = walk.slack.reshape(-1, len(chain.steps))[at]
    steps: list[dict] = []
    for k, step in enumerate(chain.steps, start=1):
        layers = walk.layer_slack(k)
        steps.append(
            {
                "step": k,
                "reason": step.reason,
                "statement": step.statement,
                "part": step.part,
                "log10": _rounded(slack[k - 1]),
                "layers": None if layers is None else [_rounded(v) for v in layers.reshape(-1, m.depth)[at]],
            }
        )
    parts = {part: round(sum(s["log10"] for s in steps if s["part"] == part), 6) for part in PARTS}
    present = {step.part for step in chain.steps}
    shares = {part: value for part, value in parts.items() if part in present}
    return {
        "claim": chain.claim,
        "inputs": len(usable),
        "depth": m.depth,
        "log10_actual": _rounded(
            walk.logs.reshape(-1, len(chain.steps) + 1)[at, 0] / torch.tensor(10.0).double().log()
        ),
        "total": round(sum(shares.values()), 6),
        "parts": shares,
        "steps": steps,
    }


def _rounded(value: torch.Tensor) -> float:
    """To six digits after the point: what is below is rounding. Adding 0 makes −0 plain."""
    return round(float(value), 6) + 0.0


def table(records: Sequence[dict]) -> Table:
    """At most 100 columns: a row a bound, a column a part, in orders of magnitude."""
    grid = Table(
        title="Where the looseness arises: log10(bound/actual), by part of the proof, at the median input",
        title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0), pad_edge=False, width=100,
    )  # fmt: skip
    grid.add_column("claim", no_wrap=True)
    for name in (*PARTS, "together"):
        grid.add_column(name, justify="right", no_wrap=True)
    for r in records:
        shares = (f"{r['parts'][part]:.2f}" if part in r["parts"] else "" for part in PARTS)
        grid.add_row(
            f"{r['claim']}" + ("" if r["claim"].endswith("function") else " (J_0)"), *shares, f"{r['total']:.2f}"
        )
    return grid


def draw(ax: Axes, records: Sequence[dict]) -> None:
    """A bar a bound, from the actual change to the bound in orders of magnitude; a colour a part of the proof."""
    for row, record in enumerate(records):
        for left, part, width in bars(record):
            ax.barh(row, width, left=left, height=0.62, color=COLOURS[PARTS.index(part)], lw=0)
        ax.text(record["total"], row, f" {record['total']:.1f}", va="center", fontsize=9, color=INK)
    ax.set_yticks(range(len(records)), [r["claim"] for r in records], fontsize=9)
    ax.set(xlabel="orders of magnitude between the actual change and the bound", ylim=(len(records) - 0.4, -0.6))
    ax.set_xlim(0, 1.1 * max(1.0, *(r["total"] for r in records)))
    handles = [ax.barh(0, 0, color=colour, label=part) for part, colour in zip(PARTS, COLOURS, strict=True)]
    ax.legend(handles=handles, fontsize=8, frameon=False, loc="lower right")
    ax.grid(axis="x", color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(length=0, colors=INK)
    for side in ax.spines.values():
        side.set_visible(False)


def bars(record: dict) -> Iterator[tuple[float, str, float]]:
    """(start, part, length) of each bar of a waterfall; a length below rounding is left out."""
    left = 0.0
    for part in PARTS:
        width = record["parts"].get(part, 0.0)
        if width > UNIT**0.5:
            yield left, part, width
        left += width


def figure(records: Sequence[dict]) -> Figure:
    """`draw` on a figure as high as it has bounds."""
    page = Figure(figsize=(9.0, 0.9 + 0.34 * len(records)), layout="constrained")
    draw(page.subplots(), records)
    return page
