import json
from dataclasses import replace

import pytest
from rich.cells import cell_len

import drt
from drt.errors import InputError
from drt.network.storage import save_network
from proofs_checks import fromage, runner, spectral, theorem1
from tests.proofs_checks.common import lowered


def output(capsys, chains, *arguments):
    code = runner.run(chains, "about", arguments)
    return code, capsys.readouterr().out


def test_prints_the_chain_step_by_step_in_100_columns(capsys):
    code, out = output(capsys, theorem1.CHAINS, "--depth", "3", "--width", "4", "--alpha", "0.5", "--kappa", "2")
    assert code == 0
    assert "theorem1.function on random" in out
    assert "induction: layers below l" in out
    assert max(map(cell_len, out.splitlines())) <= 100


@pytest.mark.parametrize("chains", [spectral.CHAINS, fromage.CHAINS], ids=["network", "layer"])
def test_json_is_the_same_for_the_same_seed(capsys, chains):
    first, second, third = (output(capsys, chains, "--json", "--seed", s)[1] for s in ("1", "1", "2"))
    assert first == second != third
    assert json.loads(first)["chains"][0]["steps"][0]["violated"] == 0


def test_extremal_and_saved_networks(capsys, tmp_path):
    code, out = output(capsys, (spectral.FUNCTION,), "--extremal", "--depth", "2", "--width", "3", "--json")
    assert code == 0
    assert len(json.loads(out)["chains"]) > 10
    w = [[2.0, 0.0], [0.0, 1.0]]
    for name, scale in (("before", 1.0), ("after", 1.1)):
        net = drt.Network([[[v * scale for v in r] for r in w]] * 2, "leaky_relu:0.5")
        save_network(tmp_path / name, net)
    code, out = output(capsys, spectral.CHAINS, "--networks", str(tmp_path / "before"), str(tmp_path / "after"))
    assert code == 0
    assert "spectral.function on saved networks" in out


def test_a_wrong_step_is_named_and_exits_3(capsys):
    chain = spectral.FUNCTION.with_step(7, lowered(spectral.FUNCTION.steps[6], 5.0))
    code, out = output(capsys, (chain,))
    assert code == 3
    assert "WRONG: spectral.function#7, conditioning" in out


def test_a_wrong_bound_is_certified_and_exits_1(capsys):
    """The chain of a bound that is false as stated: the widths' hypothesis dropped, the first falling network breaks it."""
    import torch

    everywhere = lambda m: torch.ones(m.batch_shape, dtype=torch.bool)  # noqa: E731
    chain = replace(theorem1.FUNCTION, claim="theorem1.function.as-stated", applicable=everywhere)
    code, out = output(capsys, (chain,), "--extremal", "--depth", "1", "--alpha", "1", "--delta", "0.5")
    assert code == 1
    assert "theorem1.function.as-stated#7, conditioning" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--depth", "0"), "--depth 0 must be from 1 to 64"),
        (("--alpha", "2"), "--alpha 2.0 must be from 0 to 1"),
        (("--delta", "0"), "--delta 0.0 must be > 0"),
        (("--kappa", "x"), "invalid float value: 'x'"),
        (("--trained", "--extremal"), "not allowed with argument"),
        (("--networks", "a", "b"), "cannot be read"),
    ],
)
def test_bad_input_is_named(arguments, words):
    with pytest.raises(InputError, match=words):
        runner.run(spectral.CHAINS, "about", arguments)
