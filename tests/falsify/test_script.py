"""The script of a witness: a template that is a script itself, with every word of a formula."""

import runpy
import subprocess
import sys
from importlib.resources import files

import pytest

import drt
from drt.falsify.script import MEASUREMENTS, WORDS, script, template
from drt.witness.witness import Witness
from tests.instances import array

TEMPLATE = files("drt.falsify") / "template.py"


@drt.bound("function", ())
def in_every_word(m):
    """‖f̃ − f‖/‖f‖ ≤ Π(1 + δ) − 1, in as many words as there are."""
    d = drt.product_minus_one(m.delta)
    others = drt.sum(m.delta * products_others(1 + 0 * m.delta)) + drt.maximum(drt.per_layer(d)) * 0
    return drt.maximum(d, 0 * others) * drt.sqrt(one(d)) * drt.exp(drt.log(one(d)) + drt.expm1(drt.log1p(0 * d)))


@drt.bound("descent", (), left="excess")
def nothing_is_lost(m):
    """The loss falls as its gradient says."""
    return 0 * drt.sum(m.lever)


products_others, one = drt.numeric.numbers.products_others, drt.numeric.numbers.one


def printed(text, tmp_path):
    path = tmp_path / "witness.py"
    path.write_text(text)
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True).stdout


def test_the_template_runs(capsys):
    runpy.run_path(str(TEMPLATE))
    assert capsys.readouterr().out.splitlines()[-1].startswith("actual ")
    assert set(template()) == {"", "instance", "words", "network", *MEASUREMENTS, "bound", "both sides"}


def test_the_template_has_every_word(capsys):
    assert set(vars(runpy.run_path(str(TEMPLATE))["drt"])) == set(WORDS)


def test_both_sides_of_a_network(tmp_path):
    """f = 2·3x, ΔW = (1, 1): 12/6 − 1 = 1 on the left, (3/2)(4/3) − 1 = 1 on the right."""
    net = drt.Network([array([2.0]), array([3.0])], "identity")
    witness = Witness.from_floats(in_every_word, net, [array([1.0]), array([1.0])], [1.0], bound_source=SOURCE)
    text = script(witness, in_every_word, "of a network", "W = 2, 3")
    assert text.startswith('"""A counterexample to in_every_word: ‖f̃ − f‖/‖f‖ ≤ Π(1 + δ) − 1')
    assert "gradients" not in text
    assert printed(text, tmp_path) == "actual 1 > bound 1: False\n"


def test_both_sides_of_a_descent(tmp_path):
    """f = w from 1 to 0, y = 2: the loss rises from 1/2 to 2, the tangent by 1, the excess is 1/2."""
    net = drt.Network([array([1.0])], "identity")
    witness = Witness.from_floats(nothing_is_lost, net, [array([-1.0])], [1.0], target=[2.0], bound_source=SOURCE)
    out = printed(script(witness, nothing_is_lost, "of a descent", "w = 1"), tmp_path)
    assert out.splitlines() == ["loss 0.5 before, 2.0 after; cos [-1.]", "actual 0.5 > bound 0: True"]


SOURCE = {"file": "", "function": ""}


@pytest.mark.parametrize("name", [name for name in drt.claims if drt.claims[name].known == "false"])
def test_the_formula_of_every_false_claim_is_a_script(name, tmp_path):
    claim = drt.claims[name]
    net = drt.Network([array([1.0]), array([1.0])], "relu" if "relu" in claim.hypotheses else "identity")
    descent = not claim.quantity.of_network
    witness = Witness.from_floats(claim, net, [array([1.0]), array([1.0])], [1.0], target=[3.0] if descent else None)
    text = script(witness, claim, MEASUREMENTS[descent], "")
    assert printed(text, tmp_path).splitlines()[-1].startswith("actual ")
