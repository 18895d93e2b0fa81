"""Networks and perturbations for tests, from a seed."""

import math

import torch

import drt

PIECEWISE = "piecewise_linear:-1.0,0.5,2.0/0.5,1.0,0.25,2.0"
HOMOGENEOUS = ["identity", "leaky_relu:0.1", "leaky_relu:0.9", "negated:leaky_relu:0.3"]
OTHERS = ["tanh_blend:0.5", "softplus_blend:0.2", PIECEWISE, "negated:tanh_blend:0.1", "negated:softplus_blend:0.9"]
TRANSMITTING = [*HOMOGENEOUS, *OTHERS]
ALL = [*TRANSMITTING, "relu", "negated:relu"]


def generator(seed):
    return torch.Generator().manual_seed(seed)


def normal(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def instance(seed, widths, activation="leaky_relu:0.5", delta=0.1, batch=(), scale=1.0, orthogonal=False):
    """(network, dweights, x): Gaussian or orthogonal weights, Gaussian ΔW_l with ‖ΔW_l‖_F = delta·‖W_l‖_F."""
    rng = generator(seed)
    ws, dws = [], []
    for m, n in zip(widths[1:], widths, strict=False):
        w = normal(rng, *batch, m, n)
        if orthogonal:
            u, _, v = torch.linalg.svd(w, full_matrices=False)
            w = u @ v
        w = w * (scale / math.sqrt(n))
        dw = normal(rng, *batch, m, n)
        dw = dw / torch.linalg.matrix_norm(dw, keepdim=True) * torch.linalg.matrix_norm(w, keepdim=True) * delta
        ws.append(w)
        dws.append(dw)
    return drt.Network(ws, activation), dws, normal(rng, *batch, widths[0])


def measured(*args, **kwargs):
    return drt.measure(*instance(*args, **kwargs))


def array(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def scalars(ws, dws, activation="identity", x=1.0):
    """A network of width 1."""
    return drt.measure(drt.Network([array([w]) for w in ws], activation), [array([d]) for d in dws], array(x))


def graded(kappa, n, delta):
    """W = diag(1, κ, …, κ), ΔW ∝ diag(κ, 1, …, 1), x = e₁: the signal through s_min, the error through s_max."""
    w = torch.diag(array(1.0, *[kappa] * (n - 1)))
    dw = torch.diag(array(kappa, *[1.0] * (n - 1)))
    dw = dw * (delta * torch.linalg.matrix_norm(w) / torch.linalg.matrix_norm(dw))
    return drt.Network([w], "identity"), [dw], torch.eye(n, dtype=torch.float64)[0]
