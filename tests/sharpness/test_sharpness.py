"""Sharpness: the closed form at L = 1; true claims never above 1, false ones above; cells without meaning refused."""

import csv
import io
import json
import math

import pytest
from typer.testing import CliRunner

from drt.cli import app
from drt.errors import InputError
from drt.exact.certify import certify
from drt.falsify.target import load_claim
from drt.sharpness.sharpness import COLUMNS, CellGrid, sharpness, summary, to_csv, write
from drt.witness.witness import load_witness

PLANTED = "tests/falsify/planted.py"


def closed_form(claim, kappa, width):
    """The dimension-aware factor κ·√(((r−1)κ²+1)/(κ²+r−1)), over κ²; over κ where the bound is in ρ."""
    if claim == "spectral.function":
        return 1.0 if width > 1 else 1 / kappa
    return math.sqrt(((width - 1) * kappa**2 + 1) / (kappa**2 + width - 1)) / kappa


@pytest.mark.parametrize("claim", ["theorem1.function", "kappa.function", "spectral.function"])
def test_one_layer_attains_the_closed_form(claim):
    grid = CellGrid(depth=(1,), width=(1, 2, 16), kappa=(1.0, 2.0, 10.0), ratio=(1.0, 10.0), delta=(1e-3, 10.0))
    result = sharpness(load_claim(claim), grid, budget=1)
    assert len(result.cells) == 3 * 3 * 2 * 2
    for row in result.cells:
        expected = closed_form(claim, row.kappa, row.width)
        assert 0.99 * expected <= row.sharpness <= expected * (1 + 1e-12), row
        assert row.answer in ("holds", "attained")
        assert row.sharpness == pytest.approx(row.change / row.bound, rel=1e-12)
    assert result.violations == 0


def test_two_layers_attain_the_recursion():
    """r_l = (β/α)κ [(1 + ρ) r_{l−1} + ρ] is reached where the spectral bound is slack: with κ = 2, β = α, ρ → 0 it is 3/4."""
    grid = CellGrid(depth=(2,), width=(2,), kappa=(2.0,), ratio=(2.0,), delta=(1e-3,))
    for row in sharpness(load_claim("spectral.function"), grid, budget=3).cells:
        c, d = 2 * row.beta_over_alpha, row.delta
        recursion = c * ((1 + d) * c * d + d)
        assert row.change == pytest.approx(recursion, rel=0.02)
        assert row.change <= recursion


@pytest.mark.parametrize("claim", ["theorem1.jacobian", "kappa.jacobian", "spectral.jacobian"])
def test_jacobians_attain_at_perfect_conditioning_and_never_exceed(claim):
    grid = CellGrid(depth=(1, 2), width=(1, 6), kappa=(1.0, 3.0), ratio=(4.0,), delta=(1e-2, 2.0))
    for row in sharpness(load_claim(claim), grid, budget=1).cells:
        assert row.sharpness <= 1
        if row.kappa == 1:
            slack = row.beta_over_alpha**row.depth if claim == "theorem1.jacobian" else 1
            assert row.sharpness * slack > 0.99, row


def test_a_false_claim_exceeds_one_where_it_is_false():
    """κ^L for κ^{2L}: at L = 1 false from n = 3 on, as κ·√(…) > κ."""
    grid = CellGrid(depth=(1,), width=(2, 3, 8), kappa=(1.0, 4.0), ratio=(2.0,), delta=(0.1,))
    target = load_claim(f"{PLANTED}:kappa_power_1")
    result = sharpness(target, grid, budget=1)
    for row in result.cells:
        expected = row.kappa * closed_form("", row.kappa, row.width)
        assert row.sharpness == pytest.approx(expected, rel=0.01)
        assert (row.answer == "violated") == (row.kappa > 1 and row.width > 2)
    assert result.violations == 2
    assert certify(result.best, target.claim).answer == "violated"


def test_same_seed_same_cells_whatever_the_number_of_processes():
    grid = CellGrid(depth=(2,), width=(2, 3), kappa=(2.0,), ratio=(2.0,), delta=(0.1,))
    one, again = (sharpness(load_claim("theorem1.function"), grid, budget=0.1, seed=3, jobs=jobs) for jobs in (1, 2))
    assert one.cells == again.cells


def test_interrupt_keeps_the_finished_cells(tmp_path):
    grid = CellGrid(depth=(1, 2), width=(2,), kappa=(2.0,), ratio=(1.0,), delta=(0.1,))

    def stop(done, total, what):
        assert (done, total) == (1, 2)
        raise KeyboardInterrupt

    result = sharpness(load_claim("kappa.function"), grid, budget=0.1, progress=stop)
    assert result.interrupted
    assert [row.depth for row in result.cells] == [1]
    assert len(write(result, tmp_path)) == 2


def test_csv_and_witness(tmp_path):
    grid = CellGrid(depth=(1,), width=(2,), kappa=(1.0, 2.0), ratio=(1.0,), delta=(0.1,))
    result = sharpness(load_claim("kappa.function"), grid, budget=0.1)
    rows = list(csv.DictReader(io.StringIO(to_csv(result))))
    assert tuple(rows[0]) == COLUMNS
    assert [float(row["sharpness"]) for row in rows] == [row.sharpness for row in result.cells]
    table, witness = write(result, tmp_path)
    assert table.name == "sharpness-kappa.function.csv"
    assert table.read_text() == to_csv(result)
    assert certify(load_witness(witness)).answer in ("holds", "attained")
    (row,) = summary(result)
    assert (row.cells, row.largest, row.at.kappa) == (2, pytest.approx(1.0), 1.0)


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ({"kappa": ""}, "--kappa is empty; expected at least one value"),
        ({"kappa": "0.5"}, "--kappa 0.5 must be from 1 to"),
        ({"ratio": "2,0.1"}, "--ratio 0.1 must be from 1"),
        ({"delta": "0"}, "--delta 0 must be from 1e-12"),
        ({"delta": "-1"}, "--delta -1 must be"),
        ({"delta": "nan"}, "--delta nan must be"),
        ({"width": "2.5"}, "--width '2.5' must be whole numbers with commas between"),
        ({"depth": "0"}, "--depth 0 must be from 1 to"),
        ({"kappa": "1;2"}, "--kappa '1;2' must be numbers"),
    ],
)
def test_bad_grids_are_named(lists, words):
    with pytest.raises(InputError, match=words):
        CellGrid.from_text(**lists)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("norm-product.function", "its left side is not relative"),
        ("equation3", "it asks for scalars"),
        ("relu-model", "it asks for relu"),
        ("proposition1", "its left side is not relative"),
    ],
)
def test_claims_without_cells_are_refused(claim, words):
    with pytest.raises(InputError, match=words):
        sharpness(load_claim(claim), CellGrid())


def test_a_bound_that_reads_the_input_is_refused(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("import drt\n@drt.bound()\ndef mine(m):\n    return m.norm_x\n")
    with pytest.raises(InputError, match=r"mine has no sharpness .* its bound reads norm_x"):
        sharpness(load_claim(f"{file}:mine"), CellGrid())


def test_command_line(tmp_path):
    options = [
        "--kappa",
        "1,2",
        "--ratio",
        "1",
        "--delta",
        "0.1",
        "--depth",
        "1",
        "--width",
        "3",
        "--budget",
        "0.2",
        "--jobs",
        "1",
        "--json",
        "--out",
    ]
    outcome = CliRunner().invoke(
        app, ["sharpness", f"{PLANTED}:kappa_power_1", *options, str(tmp_path)], standalone_mode=False
    )
    result = json.loads(outcome.stdout)
    assert outcome.return_value == 1
    assert result["violations"] == 1
    assert {path.name for path in tmp_path.iterdir()} == set(result["files"])
    assert {path.rpartition(".")[2] for path in result["files"]} == {"csv", "json", "pdf", "png"}
