"""Figure 1 in numbers and in words: what its slices say of the laws, no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from drt.experiments import laws
from drt.numeric.formatting import factor, number
from drt.numeric.results import Result
from figures.figure1_data import Data, Panel


@dataclass(frozen=True)
class PanelSummary:
    """One network in numbers: medians over all curves (seeds × checkpoints) unless said otherwise.

    points, exceeded: η > 0 with a finite change, and those above deep relative trust. factor: change over deep relative
    trust at the largest η: [least, median, largest]. growth: of log₁₀ change per unit η on [0.02, 0.1].
    errors: law → root mean square of log₁₀(measured/law). closest: on how many curves a law is the
    closest. scale, spectral_scale: c of (1+cη)ᴸ − 1 and of Π(1+cρₖ) − 1.
    eta_lemma2: at cos θ = 1. eta_change_one, eta_loss_back: where the change reaches 1, and the loss its start again.
    """

    title: str
    depth: int
    residual: bool
    curves: int
    zero_gradients: int
    outcomes: dict[str, int]
    accuracy: float
    points: int
    exceeded: int
    factor: list[float]
    growth: float
    errors: dict[str, float]
    closest: dict[str, int]
    scale: float
    spectral_scale: float
    eta_lemma2: float
    eta_change_one: float
    eta_loss_back: float


@dataclass(frozen=True)
class Figure1Summary(Result):
    """The numbers behind the caption, panel by panel."""

    panels: list[PanelSummary]


def summarise(data: Data) -> Figure1Summary:
    """The panels that have curves."""
    return Figure1Summary([_panel(panel, data.etas) for panel in data.panels if panel.stack("changes").size])


def _panel(panel: Panel, etas: np.ndarray) -> PanelSummary:
    changes, losses, rho = (panel.stack(field) for field in ("changes", "losses", "rho"))
    curves = [
        (change, loss, own_rho)
        for change, loss, own_rho in zip(*(a.reshape(-1, a.shape[-1]) for a in (changes, losses, rho)), strict=True)
        if np.isfinite(change[etas > 0]).any()
    ]
    trust = np.expm1(panel.depth * np.log1p(etas))
    used = np.isfinite(changes) & (etas > 0)
    ratios = changes[..., -1] / trust[-1]
    ratios = ratios[np.isfinite(ratios)]
    fits = [laws.fit_all(etas, change, own_rho) for change, _, own_rho in curves]
    fits = [f for f in fits if f]
    return PanelSummary(
        title=panel.title,
        depth=panel.depth,
        residual=panel.config.residual,
        curves=len(curves),
        zero_gradients=int(changes.shape[0] * changes.shape[1] - len(curves)),
        outcomes=dict(Counter(run.outcome for run in panel.runs)),
        accuracy=_median([np.mean(run.accuracies[-20:]) for run in panel.runs if run.accuracies]),
        points=int(used.sum()),
        exceeded=int((used & (changes > trust)).sum()),
        factor=[float(q) for q in np.quantile(ratios, (0, 0.5, 1))] if len(ratios) else [np.nan] * 3,
        growth=_median([laws.slope(etas, change) for change, _, _ in curves]),
        errors={name: _median([f[name].error for f in fits]) for name in laws.LAWS},
        closest=dict(Counter(min(f, key=lambda name: f[name].error) for f in fits).most_common()),
        scale=_median([f["scaled"].shape for f in fits]),
        spectral_scale=_median([f["scaled spectral"].shape for f in fits]),
        eta_lemma2=2 ** (1 / panel.depth) - 1,
        eta_change_one=_median([laws.first_reach(etas, change, 1.0) for change, _, _ in curves]),
        eta_loss_back=_median([laws.first_reach(etas, loss, loss[0]) for _, loss, _ in curves]),
    )


def _median(values: list) -> float:
    finite = [v for v in values if np.isfinite(v)]
    return float(np.median(finite)) if finite else float("nan")


def caption(data: Data, summary: Figure1Summary) -> str:
    """What is shown, and a line for each network: what it supports."""
    panel = data.panels[0]
    c = panel.config
    width = f"{c.hidden[0]} wide, " if c.hidden else ""
    seeds = f" Medians over {len(panel.runs)} seeds; bands: quartiles." if len(panel.runs) > 1 else ""
    name = c.optimiser if isinstance(c.optimiser, str) else "another optimiser"
    trained = f"{width}{c.activations[0].spec}, {'biases' if c.biases else 'no biases'}, trained by {name.capitalize()}"
    steps = " or ".join(map(str, sorted({p.config.steps_per_epoch for p in data.panels})))
    shown = (
        f"Perceptrons ({trained} on {data.digits}, {steps} steps an epoch) at ten checkpoints, the dots above. Loss and relative "
        f"change in the gradient of layer {panel.layer}, over {data.inputs:,} digits, when every layer moves against its fixed "
        f"gradient by the relative size η. Dashed: deep relative trust, (1+η)ᴸ − 1. Dotted: the line cη closest to the median "
        f"curve. Lemma 2: the η that it allows at cos θ = 1.{seeds}"
    )
    return "\n".join([shown, *(_sentence(p) for p in summary.panels)])


def _sentence(p: PanelSummary) -> str:
    exceeded = f"{p.exceeded:,} of {p.points:,} points"
    text = f"{p.title[0].upper()}{p.title[1:]}: deep relative trust is exceeded at {exceeded}"
    errors = p.errors
    if p.points and np.isfinite(errors["linear"]):
        text += f", {_times(p.factor[1])} in the median at the largest η"
        text += f"; growth {p.growth:.1f} decades per unit of η from 0.02 on"
        one, both = (_best(errors, parameters) for parameters in (1, 2))
        text += f". Closest law of one parameter: {laws.LAWS[one].formula} (error {errors[one]:.2f} decades)"
        text += f" against {errors['linear']:.2f} for the line" if one != "linear" else ""
        text += f", of two: {laws.LAWS[both].formula} ({errors[both]:.2f})" if both != one else ", and of two"
    if p.zero_gradients:
        text += f"; {p.zero_gradients} checkpoints have no gradient to follow"
    diverged = sum(n for outcome, n in p.outcomes.items() if outcome != "finished")
    return text + (f"; runs that diverged: {diverged}." if diverged else ".")


def _best(errors: dict[str, float], parameters: int) -> str:
    return min((name for name in errors if laws.LAWS[name].parameters <= parameters), key=lambda name: errors[name])


def _times(ratio: float) -> str:
    return f"{number(float(f'{ratio:.2g}'))} times" if ratio < 1e5 else f"{factor(float(np.log10(ratio)))} times"
