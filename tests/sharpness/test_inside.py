"""Networks inside a cell: κ and δ hold by construction for any parameters, and the change is that of the real network."""

import math

import pytest
import torch

import drt
from drt.falsify.target import Target
from drt.sharpness.cells import witness_at
from drt.sharpness.climb import starts
from drt.sharpness.inside import INSIDE, PENALTY, Problem, log_change, matrices
from tests.instances import array

KAPPA, RATIO, DELTA = array(1.0, 3.0, 10.0), array(1.0, 4.0, 4.0), array(0.1, 1.0, 2.0)


def problem(quantity="function", depth=2, width=3, **options):
    base = {"kappa_dw": True, "kappa_wt": False, "size": "delta"}
    return Problem(quantity, depth, width, KAPPA, RATIO, DELTA, **base | options)


def free(p, seed=0, noise=2.0):
    """Parameters far from any special shape."""
    rng = torch.Generator().manual_seed(seed)
    found = starts(p, len(p.kappa), rng)
    return {n: v + noise * torch.randn(v.shape, generator=rng, dtype=torch.float64) for n, v in found.items()}


@pytest.mark.parametrize("width", [1, 2, 3, 7])
@pytest.mark.parametrize("size", ["delta", "rho"])
@pytest.mark.parametrize("quantity", ["function", "jacobian"])
def test_the_conditions_hold_for_any_parameters(quantity, size, width):
    """Of the whole matrices: the block, and copies of one singular value."""
    p = problem(quantity, width=width, size=size)
    at = matrices(p, free(p))
    copies = width - p.block
    assert p.block == min(width, INSIDE[quantity].mixing)
    for row in range(3):
        for layer in range(2):
            w, dw = (
                torch.block_diag(b[row, layer], *[r[row, layer].reshape(1, 1)] * copies)
                for b, r in ((at.w, at.w_rest), (at.dw, at.dw_rest))
            )
            s, ds = torch.linalg.svdvals(w), torch.linalg.svdvals(dw)
            assert s[0] / s[-1] <= KAPPA[row] * (1 + 1e-9)
            assert ds[0] / ds[-1] <= KAPPA[row] * (1 + 1e-9)
            order = "fro" if size == "delta" else 2
            assert torch.linalg.matrix_norm(dw, order) / torch.linalg.matrix_norm(w, order) <= DELTA[row] * (1 + 1e-9)


@pytest.mark.parametrize(
    ("quantity", "claim_id"), [("function", "theorem1.function"), ("jacobian", "theorem1.jacobian")]
)
def test_the_change_is_that_of_the_network_it_stands_for(quantity, claim_id):
    """Written out as weights, φ with kinks and an input, and measured: the same number, from other code."""
    claim = drt.claims[claim_id]
    for width in (1, 3, 6):
        p = problem(quantity, width=width)
        at = matrices(p, free(p, noise=0.3))
        change = log_change(p, at).exp()
        for row in range(3):
            witness = witness_at(Target(claim_id), claim, p, at, row)
            net, dws, x = witness.network()
            m = drt.measure(net, dws, x) if quantity == "function" else drt.measure_jacobian(net, dws, x)
            assert float(m.change) == pytest.approx(float(change[row]), rel=1e-9)
            assert m.beta / m.alpha <= float(RATIO[row]) * (1 + 1e-9)


def test_a_moved_matrix_beyond_kappa_costs_more_than_it_gains():
    p = problem(kappa_wt=True)
    parameters = free(p)
    at = matrices(p, parameters)
    s = torch.linalg.svdvals(at.w + at.dw)
    excess = (s[..., 0] / s[..., -1]).log() - KAPPA.log()[:, None]
    unpenalised = log_change(problem(), at)
    expected = unpenalised - PENALTY * excess.clamp(min=0).sum(-1)
    torch.testing.assert_close(log_change(p, at), expected, rtol=1e-12, atol=1e-12)
    assert (excess > 0).any()


def test_scalars_by_hand():
    """n = 1, δ = 0.1 and 1, φ with β/α = 1 and 4: (1 + δ)^L − 1 and, through slope 4, ((4δ) + …)."""
    p = problem(depth=1, width=1)
    parameters = starts(p, 3, torch.Generator().manual_seed(0))
    parameters = {n: torch.zeros_like(v) for n, v in parameters.items()}
    parameters["size"] += math.pi / 2
    for name in ("w", "dw"):
        for part in ("u", "v"):
            parameters[f"{name}.{part}"] += 1
    change = log_change(p, matrices(p, parameters)).exp()
    torch.testing.assert_close(change, RATIO * DELTA, rtol=1e-12, atol=0)


def test_rows_are_those_chosen():
    p = problem().rows(torch.tensor([2, 0]))
    assert p.kappa.tolist() == [10.0, 1.0]
    assert p.delta.tolist() == [2.0, 0.1]
