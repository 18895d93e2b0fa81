"""A witness as a standalone Python script, numpy only, that evaluates both sides and prints them."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable
from types import FunctionType

from flint import fmpq

from drt.theory.base import Claim
from drt.witness.witness import Witness

PREAMBLE = '''"""{title}

{text}

Needs numpy only; run it: it prints both sides.
"""

from types import SimpleNamespace

import numpy as np
from numpy import exp, expm1, log, log1p, logaddexp, sqrt

PHI = {phi}
W = {weights}
DW = {dweights}
B = {biases}
X = np.array({x}, dtype=float)


def sum_(x):
    return x.sum(-1)


def prod(x):
    return x.prod(-1)


def maximum(x, y=None):
    return x.max(-1) if y is None else np.maximum(x, y)


def product_minus_one(d):
    return np.expm1(np.log1p(d).sum(-1))


def products_from(x):
    return np.flip(np.flip(x).cumprod())


def products_above(x):
    return np.append(products_from(x)[1:], 1.0)


def products_below(x):
    return np.append(1.0, x.cumprod()[:-1])


def products_others(x):
    return products_below(x) * products_above(x)


def per_layer(x):
    return x


def one(x):
    return 1.0


def phi(spec, z, slope=False):
    """φ(z) or φ'(z)."""
    if spec.startswith("negated:"):
        return -phi(spec[8:], z, slope)
    name, _, rest = spec.partition(":")
    if name == "tanh_blend":
        a = float(rest)
        return a + (1 - a) / np.cosh(z) ** 2 if slope else a * z + (1 - a) * np.tanh(z)
    if name == "softplus_blend":
        a = float(rest)
        return a + (1 - a) / (1 + np.exp(-z)) if slope else a * z + (1 - a) * (np.logaddexp(0, z) - np.log(2))
    kinks, slopes = [0.0], [1.0, 1.0]
    if name in ("leaky_relu", "relu"):
        slopes = [float(rest or 0), 1.0]
    if name == "piecewise_linear":
        kinks, slopes = ([float(v) for v in part.split(",") if v] for part in rest.split("/"))
    if slope:
        return np.array(slopes)[np.searchsorted(kinks, z)]
    edges = [-np.inf, *kinks, np.inf]
    return sum(s * (np.clip(z, a, b) - np.clip(0, a, b)) for s, a, b in zip(slopes, edges, edges[1:]))


def states(weights):
    h, zs = X, []
    for w, b, spec in zip(weights, B, PHI):
        zs.append(w @ h + b)
        h = phi(spec, zs[-1])
    return h, zs


def jacobian(weights):
    j = np.eye(len(weights[-1]))
    for w, z, spec in reversed(list(zip(weights, states(weights)[1], PHI))[LAYER:]):
        j = (j * phi(spec, z, slope=True)) @ w
    return j


def slopes_of(spec):
    """α and β."""
    spec = spec.removeprefix("negated:")
    name, _, rest = spec.partition(":")
    if name == "piecewise_linear":
        values = [float(v) for v in rest.split("/")[1].split(",")]
        return min(values), max(values)
    return (1.0 if name == "identity" else float(rest or 0)), 1.0


'''

OF_NETWORK = """QUANTITY, LAYER, ABSOLUTE = {quantity!r}, {layer}, {absolute}
WT = [w + d for w, d in zip(W, DW)]
if QUANTITY == "function":
    f, ft = states(W)[0], states(WT)[0]
else:
    f, ft = jacobian(W), jacobian(WT)
norm_df = np.linalg.norm(ft - f)
layers = range(LAYER, len(W))
s = {{name: [np.linalg.svd(g[k], compute_uv=False) for k in layers] for name, g in (("w", W), ("dw", DW), ("wt", WT))}}
top = {{name: np.array([v.max() for v in values]) for name, values in s.items()}}
with np.errstate(divide="ignore", invalid="ignore"):
    kappa = {{
        name: np.array([1.0 if v.max() == 0 else np.inf if v.min() < 1e-14 * v.max() else v.max() / v.min() for v in values])
        for name, values in s.items()
    }}
constants = np.array([slopes_of(PHI[k]) for k in layers])
hidden = [X] + [phi(spec, z) for spec, z in zip(PHI, states(W)[1])]
m = SimpleNamespace(
    change=norm_df / np.linalg.norm(f),
    delta=np.array([np.linalg.norm(DW[k]) / np.linalg.norm(W[k]) for k in layers]),
    rho=top["dw"] / top["w"],
    kappa_w=kappa["w"], kappa_dw=kappa["dw"], kappa_wt=kappa["wt"],
    kappa=np.max([kappa["w"], kappa["dw"], kappa["wt"]]),
    alphas=constants[:, 0], betas=constants[:, 1], alpha=constants[:, 0].min(), beta=constants[:, 1].max(),
    depth=len(layers), layer=LAYER, quantity=QUANTITY, batch_shape=(),
    widths=tuple([W[LAYER].shape[1]] + [W[k].shape[0] for k in layers]),
    norm_w=top["w"], norm_dw=top["dw"], norm_wt=top["wt"], norm_x=np.linalg.norm(X), norm_df=norm_df,
    norm_f=np.linalg.norm(f), norm_dwh=np.array([np.linalg.norm(DW[k] @ hidden[k]) for k in layers]),
)
for name in [n for n in vars(m) if n.startswith("norm_")]:
    with np.errstate(divide="ignore"):
        setattr(m, f"log_{{name}}", np.log(getattr(m, name)))
"""

OF_DESCENT = """Y = np.array({target}, dtype=float)


def loss(t):
    return 0.5 * ((states([w + t * d for w, d in zip(W, DW)])[0] - Y) ** 2).sum()


def gradients(t):
    weights = [w + t * d for w, d in zip(W, DW)]
    f, zs = states(weights)
    hidden = [X] + [phi(spec, z) for spec, z in zip(PHI, zs)]
    back, found = f - Y, []
    for w, z, h, spec in reversed(list(zip(weights, zs, hidden, PHI))):
        e = back * phi(spec, z, slope=True)
        found.insert(0, np.outer(e, h))
        back = w.T @ e
    return found


def change(t):
    return np.array([np.linalg.norm(b - a) for a, b in zip(gradients(0), gradients(t))]) / norm_g


def ratio(order):
    return np.array([np.linalg.norm(d, order) / np.linalg.norm(w, order) for w, d in zip(W, DW)])


norm_g = np.array([np.linalg.norm(g) for g in gradients(0)])
norm_step = np.array([np.linalg.norm(d) for d in DW])
inner = np.array([(g * d).sum() for g, d in zip(gradients(0), DW)])
constants = np.array([slopes_of(spec) for spec in PHI])
kappa_w = np.array([np.linalg.cond(w) for w in W])
start, end = states(W)[0] - Y, states([w + d for w, d in zip(W, DW)])[0] - Y
m = SimpleNamespace(
    norm_g=norm_g, norm_step=norm_step, lever=norm_g * norm_step, step_change=change(1.0),
    cosines=np.where(norm_step > 0, -inner / np.where(norm_step > 0, norm_g * norm_step, 1.0), 1.0),
    # The maximum over t as 2,000 points see it: a lower bound.
    breakdown=np.where(norm_step > 0, np.max([change(t) for t in np.linspace(0, 1, 2001)], axis=0), 0.0),
    gamma=np.linalg.norm(end - start) / np.linalg.norm(start),
    delta=ratio("fro"), rho=ratio(2), eta=ratio("fro").max(), depth=len(W), kappa_w=kappa_w,
    alphas=constants[:, 0], betas=constants[:, 1], alpha=constants[:, 0].min(), beta=constants[:, 1].max(),
)
m.kappa = kappa_w.max()
print("loss", loss(0.0), "before,", loss(1.0), "after; cos", m.cosines)
m.change, m.norm_df = m.step_change.max(), max(loss(1.0) - loss(0.0) - inner.sum(), 0.0)
ABSOLUTE = {absolute}
"""

LIBRARY = """drt = SimpleNamespace(
    exp=exp, expm1=expm1, log=log, log1p=log1p, sqrt=sqrt, sum=sum_, prod=prod, maximum=maximum,
    product_minus_one=product_minus_one,
)

"""


def script(witness: Witness, claim: Claim, template: str, text: str) -> str:
    """A Python script, numpy only, that evaluates both sides in floating point and prints them."""
    biases = witness.biases or (None,) * len(witness.weights)
    middle = OF_DESCENT if template == "descent" else OF_NETWORK
    head = (PREAMBLE + middle + LIBRARY).format(
        title=f"A counterexample to {claim.id}: {claim.statement}",
        text=text,
        phi=repr(list(witness.activations)),
        weights=_arrays(witness.weights),
        dweights=_arrays(witness.dweights),
        biases="[" + ", ".join("0.0" if b is None else f"np.array({_row(b)})" for b in biases) + "]",
        x=_row(witness.x),
        target=_row(witness.target or ()),
        quantity=claim.quantity,
        layer=witness.layer,
        absolute=claim.left in ("absolute", "excess"),
    )
    body = "\n\n".join(_sources(claim.formula))
    tail = f"actual = m.norm_df if ABSOLUTE else m.change\nbound = {claim.formula.__name__}(m)\n"
    return (
        head
        + "\n"
        + body
        + "\n\n"
        + tail
        + 'print(f"actual {actual:.12g} > bound {bound:.12g}: {bool(actual > bound)}")\n'
    )


def _row(values: Iterable[fmpq]) -> str:
    return "[" + ", ".join(map(str, values)) + "]"


def _arrays(matrices: Iterable[Iterable[Iterable[fmpq]]]) -> str:
    inner = ",\n    ".join("np.array([" + ", ".join(_row(row) for row in m) + "], dtype=float)" for m in matrices)
    return f"[\n    {inner},\n]"


def _sources(formula: Callable) -> list[str]:
    """The formula's source and that of the functions of its own module that it calls, without decorators and types."""
    found: dict[str, str] = {}

    def visit(function: FunctionType) -> None:
        found[function.__name__] = ""
        names = function.__code__.co_names
        for name in names:
            helper = function.__globals__.get(name)
            if isinstance(helper, FunctionType) and helper.__module__ != "drt.numeric.numbers" and name not in found:
                visit(helper)
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("def "))
        lines[start] = lines[start].replace(": Any", "").replace(": Measurement", "").replace(" -> Number", "")
        constants = [
            f"{name} = {function.__globals__[name]!r}"
            for name in names
            if isinstance(function.__globals__.get(name), int | float)
        ]
        found[function.__name__] = "\n".join([*constants, *lines[start:]])

    visit(formula)  # type: ignore[arg-type]
    return list(reversed(found.values())) if len(found) < 2 else [*list(found.values())[1:], next(iter(found.values()))]
