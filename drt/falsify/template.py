"""A counterexample as a script: `drt.falsify.script` replaces this text, the section "instance" and the section "bound".

Needs numpy only; run it: it prints both sides. Of the sections "of a network" and "of a descent" one is kept.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

# --- instance
PHI = ["leaky_relu:0.5"]
W = [np.array([[1.0]], dtype=float)]
DW = [np.array([[-2.0]], dtype=float)]
B = [0.0]
X = np.array([1.0], dtype=float)
Y = np.array([2.0], dtype=float)
QUANTITY, LAYER, ABSOLUTE = "function", 0, False


# --- words
def exp(x):
    """As in drt, like all words of a formula: elementwise, or over the last axis, the layers."""
    return np.exp(x)


def expm1(x):
    """Elementwise."""
    return np.expm1(x)


def log(x):
    """Elementwise."""
    return np.log(x)


def log1p(x):
    """Elementwise."""
    return np.log1p(x)


def sqrt(x):
    """Elementwise."""
    return np.sqrt(x)


def sum(x):
    """Σ over the layers."""
    return x.sum(-1)


def prod(x):
    """Π over the layers."""
    return x.prod(-1)


def products_from(x):
    """Π_{k≥l} x_k for each layer l."""
    return np.flip(np.cumprod(np.flip(x, -1), -1), -1)


def products_above(x):
    """Π_{k>l} x_k for each layer l."""
    return np.append(products_from(x)[1:], 1.0)


def products_below(x):
    """Π_{k<l} x_k for each layer l."""
    return np.append(1.0, np.cumprod(x, -1)[:-1])


def products_others(x):
    """Π_{k≠l} x_k for each layer l."""
    return products_below(x) * products_above(x)


def one(x):
    """The number 1, of the shape of x."""
    return np.ones_like(x)


def maximum(x, y=None):
    """The larger of x and y; of x alone, its largest entry."""
    return x.max(-1) if y is None else np.maximum(x, y)


def per_layer(x):
    """A number of the whole as one for each layer."""
    return np.asarray(x)[..., None]


def finite(x):
    """Whether x is a number."""
    return np.isfinite(x)


def product_minus_one(d):
    """Π(1 + d_l) − 1 over the layers."""
    return np.expm1(np.log1p(d).sum(-1))


def log_product_minus_one(d):
    """log[Π(1 + d_l) − 1] over the layers."""
    return np.log(product_minus_one(d))


drt = SimpleNamespace(
    exp=exp, expm1=expm1, log=log, log1p=log1p, sqrt=sqrt, sum=sum, prod=prod, products_from=products_from,
    products_above=products_above, products_below=products_below, products_others=products_others, one=one,
    maximum=maximum, per_layer=per_layer, finite=finite, product_minus_one=product_minus_one,
    log_product_minus_one=log_product_minus_one,
)  # fmt: skip


# --- network
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
    pieces = [s * (np.clip(z, a, b) - np.clip(0, a, b)) for s, a, b in zip(slopes, edges[:-1], edges[1:], strict=True)]
    return np.sum(pieces, 0)


def states(weights):
    """f(x) = h_L, and z_1 … z_L."""
    h, zs = X, []
    for w, b, spec in zip(weights, B, PHI, strict=True):
        zs.append(w @ h + b)
        h = phi(spec, zs[-1])
    return h, zs


def jacobian(weights):
    """J of the layers above LAYER."""
    j = np.eye(len(weights[-1]))
    for w, z, spec in reversed(list(zip(weights, states(weights)[1], PHI, strict=True))[LAYER:]):
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


# --- of a network
WT = [w + d for w, d in zip(W, DW, strict=True)]
if QUANTITY == "function":
    f, ft = states(W)[0], states(WT)[0]
else:
    f, ft = jacobian(W), jacobian(WT)
norm_df = np.linalg.norm(ft - f)
layers = range(LAYER, len(W))
s = {name: [np.linalg.svd(g[k], compute_uv=False) for k in layers] for name, g in (("w", W), ("dw", DW), ("wt", WT))}
top = {name: np.array([v.max() for v in values]) for name, values in s.items()}


def condition(values):
    """κ of a matrix with these singular values; 1 of the zero matrix."""
    if values.max() == 0:
        return 1.0
    return np.inf if values.min() < 1e-14 * values.max() else values.max() / values.min()


kappa = {name: np.array([condition(v) for v in values]) for name, values in s.items()}
constants = np.array([slopes_of(PHI[k]) for k in layers])
hidden = [X] + [phi(spec, z) for spec, z in zip(PHI, states(W)[1], strict=True)]
m = SimpleNamespace(
    change=norm_df / np.linalg.norm(f),
    delta=np.array([np.linalg.norm(DW[k]) / np.linalg.norm(W[k]) for k in layers]),
    rho=top["dw"] / top["w"],
    kappa_w=kappa["w"], kappa_dw=kappa["dw"], kappa_wt=kappa["wt"],
    kappa=np.max([kappa["w"], kappa["dw"], kappa["wt"]]),
    alphas=constants[:, 0], betas=constants[:, 1], alpha=constants[:, 0].min(), beta=constants[:, 1].max(),
    depth=len(layers), layer=LAYER, quantity=QUANTITY, batch_shape=(),
    widths=(W[LAYER].shape[1], *(W[k].shape[0] for k in layers)),
    norm_w=top["w"], norm_dw=top["dw"], norm_wt=top["wt"], norm_x=np.linalg.norm(X), norm_df=norm_df,
    norm_f=np.linalg.norm(f), norm_dwh=np.array([np.linalg.norm(DW[k] @ hidden[k]) for k in layers]),
)  # fmt: skip
for norm in [name for name in vars(m) if name.startswith("norm_")]:
    with np.errstate(divide="ignore"):
        setattr(m, f"log_{norm}", np.log(getattr(m, norm)))
actual = m.norm_df if ABSOLUTE else m.change


# --- of a descent
def loss(t):
    """½‖f − y‖² at W + tΔW."""
    return 0.5 * ((states([w + t * d for w, d in zip(W, DW, strict=True)])[0] - Y) ** 2).sum()


def gradients(t):
    """Its gradients there."""
    weights = [w + t * d for w, d in zip(W, DW, strict=True)]
    f, zs = states(weights)
    hidden = [X] + [phi(spec, z) for spec, z in zip(PHI, zs, strict=True)]
    back, found = f - Y, []
    for w, z, h, spec in reversed(list(zip(weights, zs, hidden[:-1], PHI, strict=True))):
        e = back * phi(spec, z, slope=True)
        found.insert(0, np.outer(e, h))
        back = w.T @ e
    return found


def step_change(t):
    """‖g_l(W + tΔW) − g_l(W)‖_F/‖g_l‖_F."""
    return np.array([np.linalg.norm(b - a) for a, b in zip(gradients(0), gradients(t), strict=True)]) / norm_g


def relative_size(order):
    """‖ΔW_l‖/‖W_l‖."""
    return np.array([np.linalg.norm(d, order) / np.linalg.norm(w, order) for w, d in zip(W, DW, strict=True)])


norm_g = np.array([np.linalg.norm(g) for g in gradients(0)])
norm_step = np.array([np.linalg.norm(d) for d in DW])
inner = np.array([(g * d).sum() for g, d in zip(gradients(0), DW, strict=True)])
constants = np.array([slopes_of(spec) for spec in PHI])
kappa_w = np.array([np.linalg.cond(w) for w in W])
start, end = states(W)[0] - Y, states([w + d for w, d in zip(W, DW, strict=True)])[0] - Y
m = SimpleNamespace(
    norm_g=norm_g, norm_step=norm_step, lever=norm_g * norm_step, step_change=step_change(1.0),
    cosines=np.where(norm_step > 0, -inner / np.where(norm_step > 0, norm_g * norm_step, 1.0), 1.0),
    # The maximum over t as 2,000 points see it: a lower bound.
    breakdown=np.where(norm_step > 0, np.max([step_change(t) for t in np.linspace(0, 1, 2001)], axis=0), 0.0),
    gamma=np.linalg.norm(end - start) / np.linalg.norm(start),
    delta=relative_size("fro"), rho=relative_size(2), eta=relative_size("fro").max(), depth=len(W), kappa_w=kappa_w,
    kappa=kappa_w.max(), alphas=constants[:, 0], betas=constants[:, 1],
    alpha=constants[:, 0].min(), beta=constants[:, 1].max(),
)  # fmt: skip
print("loss", loss(0.0), "before,", loss(1.0), "after; cos", m.cosines)
actual = max(loss(1.0) - loss(0.0) - inner.sum(), 0.0) if ABSOLUTE else m.step_change.max()


# --- bound
def formula(m):
    """The bound's own source, with the functions and constants that it uses."""
    return product_minus_one(m.delta)


# --- both sides
bound = formula(m)
print(f"actual {actual:.12g} > bound {bound:.12g}: {bool(actual > bound)}")
