"""What a formula is made of, recomputed with numpy one instance at a time: nothing of drt's evaluation is used."""

from types import SimpleNamespace

import numpy as np
import torch

import drt
from tests.instances import instance

SPECS = ["leaky_relu:0.5", "tanh_blend:0.25", "negated:leaky_relu:0.9"]


def condition(a):
    s = np.linalg.svd(a, compute_uv=False)
    return s[0] / s[-1] if s[0] > 0 else 1.0


def facts(net, dweights, x, layer=0):
    """δ, ρ, κ's, norms and slopes of layers layer+1 … L, as lists of floats."""
    w = [a.numpy() for a in net.weights][layer:]
    dw = [a.numpy() for a in dweights][layer:]
    wt = [a + b for a, b in zip(w, dw, strict=True)]
    h = [a.numpy() for a in net.hidden_states(x)]
    pairs = list(zip(w, dw, strict=True))
    return SimpleNamespace(
        L=len(w),
        delta=[np.linalg.norm(b) / np.linalg.norm(a) for a, b in pairs],
        rho=[np.linalg.norm(b, 2) / np.linalg.norm(a, 2) for a, b in pairs],
        kappa=max(map(condition, [*w, *dw, *wt])),
        kappa_w_dw=max(map(condition, [*w, *dw])),
        kappas=[condition(a) for a in w],
        alphas=[p.alpha for p in net.activations][layer:],
        betas=[p.beta for p in net.activations][layer:],
        w=[np.linalg.norm(a, 2) for a in w],
        wt=[np.linalg.norm(a, 2) for a in wt],
        x=np.linalg.norm(x.numpy()),
        dwh=[np.linalg.norm(b @ v) for b, v in zip(dw, h[layer:], strict=False)],
    )


def check_formula(claim_id, transcription, widths=(2, 3, 3, 4), layers=(0, 1, 2)):
    """The claim's value and log value equal the transcription's, on several networks and, for Jacobians, layers."""
    claim = drt.claims[claim_id]
    for seed, delta in enumerate([1e-6, 0.1, 5.0]):
        net, dws, x = instance(seed, widths, SPECS[: len(widths) - 1], delta)
        for layer in layers if claim.quantity == "jacobian" else (0,):
            m = (
                drt.measure_jacobian(net, dws, x, layer=layer)
                if claim.quantity == "jacobian"
                else drt.measure(net, dws, x)
            )
            expected = transcription(facts(net, dws, x, layer))
            np.testing.assert_allclose(float(claim.value(m)), expected, rtol=1e-9)
            np.testing.assert_allclose(float(claim.log_value(m)), np.log(expected), rtol=1e-9, atol=1e-9)


def deep(kappa=1e8, depth=50):
    """Constants such as κ^{2L} = 1e800 overflow."""
    w = torch.diag(torch.tensor([1.0, kappa], dtype=torch.float64))
    dw = 1e-3 * torch.eye(2, dtype=torch.float64)
    return drt.Network([w] * depth, "identity"), [dw] * depth, torch.ones(2, dtype=torch.float64)


def deep_measurement(quantity):
    return drt.measure(*deep()) if quantity == "function" else drt.measure_jacobian(*deep())


def check_overflow(claim_id, overflows=True):
    """The logarithm is finite, also where the value is not."""
    claim = drt.claims[claim_id]
    m = deep_measurement(claim.quantity)
    assert np.isfinite(float(claim.log_value(m)))
    assert np.isinf(float(claim.value(m))) == overflows


def check_holds(
    claim_id, families, specs=("identity", "leaky_relu:0.2", "tanh_blend:0.5"), deltas=(1e-8, 0.1, 3.0), **kwargs
):
    """Every applicable instance of a batch of random networks holds, and there are some."""
    claim, held = drt.claims[claim_id], 0
    for seed, widths in enumerate(families):
        for spec in specs:
            for delta in deltas:
                net, dws, x = instance(seed, widths, spec, delta, batch=(40,), **kwargs)
                f, js = drt.measure_all(drt.Instance(net, dws, x))
                for m in [f] if claim.quantity == "function" else js:
                    verdicts = drt.check(claim, m)
                    assert verdicts.count("violated") == 0, (widths, spec, delta)
                    held += verdicts.count("holds")
    assert held > 100
