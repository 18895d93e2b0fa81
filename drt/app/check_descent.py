"""Two saved networks as a step of training: what the loss and its gradients did along it, and the descent claims' verdicts.

The result is JSON-ready, as that of `drt.check`.
"""

from __future__ import annotations

import math

import torch
from rich.table import Table
from rich.text import Text

from drt.app.check_tables import STYLES, table_of
from drt.app.tally import finite
from drt.app.wording import number
from drt.descent.losses import CrossEntropy
from drt.descent.measurement import Descent, measure_descent
from drt.network.difference import difference
from drt.network.network import Network
from drt.theory.registry import of_descent
from drt.theory.verdict import Verdicts
from drt.training.data import load_digits
from drt.training.inputs import INPUTS


def descent_of(before: Network, after: Network, data: str | None, seed: int = 0) -> dict | None:
    """The step from `before` to `after` under the mean cross-entropy of the first 256 digits, all descent claims held to it.

    None where there is no such step: inputs without labels, more classes than outputs, equal networks, or biases that
    move (the lemmas are about weights).

    Args:
        before: f.
        after: f̃, of the same architecture.
        data: as for `inputs_for`.
        seed: of the digits' order.
    """
    net, dweights, dbiases = difference(before, after)
    if data is None and net.widths[0] != 784:
        return None
    digits = load_digits(data or "mnist5k", seed)
    still = all(db is None or not db.any() for db in dbiases)
    if digits.labels is None or not still or not any(dw.any() for dw in dweights):
        return None
    labels = digits.labels[:INPUTS]
    if int(labels.max()) >= net.widths[-1]:
        return None
    m = measure_descent(net, dweights, digits.images[:INPUTS].to(net.weights[0]), CrossEntropy(labels))
    return {
        "inputs": len(labels),
        "loss": finite(m.loss(m.outputs[0])),
        "fall": finite(m.fall),
        "tangent": finite(-m.slope),
        "eta": finite(m.eta),
        "layers": [
            {
                "layer": k + 1,
                "norm_g": finite(m.norm_g[k]),
                "cosine": finite(m.cosines[k]),
                "change": finite(m.step_change[k]),
                "largest": finite(m.largest[k]),
                "largest_upper": finite(m.largest_upper[k]),
            }
            for k in range(m.depth)
        ],
        "claims": [_claim(claim.id, Verdicts(claim, m), m) for claim in of_descent()],
    }


def _claim(claim_id: str, verdicts: Verdicts, m: Descent) -> dict:
    log_ratio = float(verdicts.log_ratio)
    return {
        "id": claim_id,
        "outcome": verdicts.outcome(()),
        "actual": finite(torch.exp(verdicts.log_lhs)),
        "bound": finite(torch.exp(verdicts.log_rhs)),
        "log10_ratio": log_ratio / math.log(10) if math.isfinite(log_ratio) else None,
        "why": verdicts.why(()),
    }


def tables(result: dict) -> list[Table]:
    """For people, at most 100 columns wide: the gradients of each layer, and the claims."""
    title = (
        f"The step under the loss of {result['inputs']} digits: {number(result['loss'])}, falls by {number(result['fall'])}; "
        f"its tangent by {number(result['tangent'])}; η = {number(result['eta'])}"
    )
    names = ("‖g‖", "cos θ", "change in g", "max over t, at least", "at most")
    layers = table_of(title, ("layer",), names)
    for r in result["layers"]:
        upper = number(r["largest_upper"]) or "∞"
        layers.add_row(
            str(r["layer"]), *(number(r[key]) for key in ("norm_g", "cosine", "change", "largest")), upper
        )  # fmt: skip
    claims = table_of("Descent claims", ("claim", "verdict"), ("actual", "bound"))
    claims.add_column("why", overflow="fold")
    for r in result["claims"]:
        outcome = Text(r["outcome"], STYLES[r["outcome"]])
        sides = ("", "") if r["outcome"] == "inapplicable" else (number(r["actual"]), number(r["bound"]))
        claims.add_row(r["id"], outcome, *sides, r["why"])
    return [layers, claims]
