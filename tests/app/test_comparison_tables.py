"""The tables of two networks: every number from the comparison, at most 100 columns, ∞ and overflow in words."""

from dataclasses import replace

import pytest
from rich.console import Console

from drt.app.comparison import compare_networks
from drt.app.comparison_tables import comparison_tables, empty_table
from drt.network.network import Network
from tests.instances import array


def printed(table, width=200):
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.fixture(scope="module")
def comparison():
    """W = diag(1, 2), ΔW of rank one; then a layer that does not move; f(x) = 0 at the last of three inputs."""
    weights = [array([1.0, 0.0], [0.0, 2.0]), array([1.0, 0.0], [0.0, 1.0])]
    before = Network(weights, "leaky_relu:0.5")
    after = Network([weights[0] + array([0.1, 0.0], [0.0, 0.0]), weights[1]], "leaky_relu:0.5")
    return compare_networks(before, after, array([1.0, 0.0], [1.0, 1.0], [0.0, 1.0]))


def test_layers_show_what_moved_and_infinity_as_such(comparison):
    lines = printed(comparison_tables(comparison)[0])
    assert lines[0] == "Layers"
    first, second = lines[-2:]
    assert first.split() == ["1", "2×2", "0.0447", "0.05", "2", "∞", "2/2", "1/2", "1.25", "1"]
    assert second.split() == ["2", "2×2", "0", "0", "1", "2/2", "0/2", "2"], "a layer that stays has no κ(ΔW)"


def test_claims_that_apply_have_both_sides_and_how_many_inputs_share_the_verdict(comparison):
    lines = printed(comparison_tables(comparison)[1])
    assert lines[0] == "Claims, over 3 inputs"
    row = next(line for line in lines if line.startswith("spectral.function"))
    record = next(c for c in comparison.claims if c.id == "spectral.function")
    at = record.worst
    assert row.split()[1] == "holds"
    assert f"{at.worst.actual:.3g}" in row
    assert not any(line.startswith("theorem1.function ") for line in lines), "κ(ΔW) = ∞: it does not apply"
    some = replace(record, layers=[replace(record.layers[0], holds=2, undecided=1)])
    rows = printed(comparison_tables(replace(comparison, claims=[some]))[1])
    assert any("holds (2)" in line for line in rows)


def test_sides_beyond_floats_are_said_to_be_so(comparison):
    record = next(c for c in comparison.claims if c.id == "spectral.function")
    layer = record.layers[0]
    far = replace(record, layers=[replace(layer, worst=replace(layer.worst, bound=None))])
    assert any("> 1e308" in line for line in printed(comparison_tables(replace(comparison, claims=[far]))[1]))


def test_hypotheses_that_fail_are_named_once_with_the_claims_that_need_them(comparison):
    text = "\n".join(printed(comparison_tables(comparison)[2]))
    row = next(line for line in text.splitlines() if line.startswith("conditioning ") and " f " in line)
    assert "κ(ΔW_1) = ∞" in row
    assert "theorem1.function" in text
    assert text.count("κ(ΔW_1) = ∞") == len([line for line in text.splitlines() if line.startswith("conditioning")])


def test_tables_are_100_columns_wide(comparison):
    for table in comparison_tables(comparison):
        assert max(map(len, printed(table))) <= 100
    assert empty_table("title", ("claim",), ("a", "b")).width == 100
