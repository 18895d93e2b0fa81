"""Cells: the bound at a cell's κ and δ, what a claim's bound reads, and networks that are certified where they were found."""

from dataclasses import asdict

import pytest
import torch

import drt
from drt.errors import InputError
from drt.falsify.target import Target
from drt.sharpness.cells import COLUMNS, Block, at_cell, reads, run_block
from tests.instances import scalars


def test_a_bound_reads_what_it_reads():
    assert {"kappa", "delta"} <= reads(drt.claims["theorem1.function"])
    spectral = reads(drt.claims["spectral.function"])
    assert {"kappa_w", "rho"} <= spectral
    assert not {"kappa", "delta"} & spectral


@pytest.mark.parametrize(
    ("claim_id", "words"),
    [
        ("relu-model", "it asks for relu"),
        ("equation3", "it asks for scalars"),
        ("neyshabur.function", "it asks for small"),
        ("norm-product.function", "its left side is not relative"),
    ],
)
def test_claims_without_cells_are_refused(claim_id, words):
    with pytest.raises(InputError, match=words):
        reads(drt.claims[claim_id])


def test_the_bound_is_taken_at_the_cell_where_the_network_is_inside_it():
    """κ = 1, δ = 0.1 in a cell of κ = 3, δ = 0.5: 3²·[(1.5)² − 1]; what is beyond the cell keeps its own."""
    m = scalars([1.0, 1.0], [0.1, 0.1])
    claim = drt.claims["theorem1.function"]
    assert float(claim.value(m)) == pytest.approx(1.1**2 - 1)
    assert float(at_cell(claim, 3.0, 0.5).value(m)) == pytest.approx(3**4 * (1.5**2 - 1))
    assert float(at_cell(claim, 1.0, 0.01).value(m)) == pytest.approx(1.1**2 - 1)


@pytest.mark.parametrize("claim_id", ["theorem1.function", "spectral.jacobian"])
def test_a_block_s_rows_are_certified_networks_inside_their_cells(claim_id):
    block = Block(Target(claim_id), 1, 3, 2.0, ((1.0, 0.1), (4.0, 1.0)), seed=0, budget=0.1)
    rows = run_block(block)
    for (row, witness), (kappa, delta) in zip(rows, block.cells, strict=True):
        assert tuple(asdict(row)) == COLUMNS
        assert (row.kappa, row.delta, row.beta_over_alpha) == (kappa, delta, 2.0)
        assert row.answer in ("holds", "attained")
        assert row.sharpness <= 1
        net, dws, x = witness.network()
        m = drt.measure(net, dws, x) if "function" in claim_id else drt.measure_jacobian(net, dws, x)
        assert float(m.change) == pytest.approx(row.change, rel=1e-9)
        assert float(m.kappa_w.max()) <= kappa * (1 + 1e-9)
        size = m.delta if claim_id.startswith("theorem1") else m.rho
        assert float(size.max()) <= delta * (1 + 1e-9)
        assert m.beta / m.alpha <= 2 * (1 + 1e-12)
    assert [r for r, _ in block.run()] == [r for r, _ in rows]


def test_a_row_is_a_network_with_kinks_between_its_pre_activations():
    ((row, witness),) = run_block(Block(Target("spectral.jacobian"), 2, 2, 4.0, ((2.0, 1.0),), seed=1, budget=0.1))
    slopes = {float(s) for spec in witness.activations for s in spec.partition("/")[2].split(",")}
    assert min(slopes) == 1
    assert max(slopes) == 4
    assert row.answer != "inapplicable"
    assert torch.tensor([len(m) for m in witness.weights]).tolist() == [2, 2]
