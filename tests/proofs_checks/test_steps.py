"""What the shared steps of proofs put in place of measured gains, on numbers chosen by hand."""

import math

import pytest
import torch

import drt
from drt.theory.registry import claims
from proofs_checks import steps
from proofs_checks.chain import Setup
from proofs_checks.terms import Log, Terms
from tests.instances import array, instance, scalars

LOGS = {"α": 1.0, "β": 2.0, "β−α": 3.0, "‖W‖": 5.0, "‖ΔW‖": 7.0, "‖W̃‖": 11.0, "s": 13.0, "δ": 17.0, "κ": 19.0}


def terms(relative=True):
    """Two columns; terms of kind 0 and 1 born in each. Every number has a logarithm of its own, plus 100 in column 2."""
    numbers = {name: Log(array(v, v + 100), array(0.0, 0.0)) for name, v in LOGS.items()}
    numbers["‖W‖+‖ΔW‖"] = Log(array(23.0, 123.0), array(0.0, 0.0))
    zero = torch.zeros((), dtype=torch.float64)
    return Terms({}, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1]), (0, 1), numbers, Log(zero, zero), relative)


def put(step, relative=True):
    return {name: part.value.tolist() for name, part in step.change(terms(relative)).parts.items()}


def test_slopes_are_at_most_beta_and_change_by_at_most_beta_minus_alpha():
    assert put(steps.TRANSMITTED) == {"slopes": [[2, 102], [3, 102], [0, 102], [0, 103]]}


def test_what_passes_is_multiplied_by_the_new_weights_and_what_is_added_by_the_change():
    assert put(steps.CARRIED) == {"matrices": [[0, 111], [0, 111], [0, 0], [0, 0]]}
    assert put(steps.SOURCES) == {"matrices": [[7, 0], [5, 0], [0, 107], [0, 105]]}
    assert put(steps.SPLIT) == {"matrices": [[0, 123], [0, 123], [0, 0], [0, 0]]}


def test_a_relative_change_is_divided_by_the_least_a_layer_keeps_of_the_signal():
    """Upside down from the term's own layer upwards; an absolute change is multiplied by the most below it."""
    assert put(steps.SIGNAL_SLOPES) == {"signal slopes": [[-1, -101], [-1, -101], [0, -101], [0, -101]]}
    assert put(steps.SIGNAL_KEPT) == {"signal matrices": [[-13, -113], [-13, -113], [0, -113], [0, -113]]}
    assert put(steps.SIGNAL_SLOPES_UP, relative=False) == {"signal slopes": [[0, 0], [0, 0], [2, 0], [2, 0]]}
    assert put(steps.SIGNAL_UP, relative=False) == {"signal matrices": [[0, 0], [0, 0], [5, 0], [5, 0]]}


def test_spectral_norms_by_frobenius_norms():
    """‖ΔW‖₂ ≤ κδ‖W‖₂ and ‖W̃‖₂ ≤ (1 + κδ)‖W‖₂, κδ = e³⁶ and e²³⁶."""
    assert put(steps.NORM_SWAP)["matrices"] == [[41, 341], [5, 341], [0, 341], [0, 105]]


def test_kappa_once_and_kappa_squared():
    """κ(W)·κδ and κ(W)(1 + κδ); then κ²·δ and κ²(1 + δ). The signal's part is in it, and is put to 0."""
    once, twice = put(steps.CONDITIONED), put(steps.CONDITIONED_TWICE)
    assert once["matrices"] == [[19 + 36, 119 + 236], [19, 119 + 236], [0, 119 + 236], [0, 119]]
    assert twice["matrices"] == [[38 + 17, 238 + 117], [38, 238 + 117], [0, 238 + 117], [0, 238]]
    assert once["signal matrices"] == twice["signal matrices"] == [[0, 0]] * 4


def test_induction_gives_the_layers_below_their_factor():
    step = steps.induction("statement", lambda t: steps.ratio(t) + t.numbers["κ"] * 2, "induction-function")
    assert put(step) == {"induction": [[0, 0], [0, 0], [1 + 38, 0], [102 - 101 + 38, 0]]}
    assert (step.reason, step.part, step.scalar) == ("induction", "induction", ("induction-function",))


def test_one_plus_a_number_neither_overflows_nor_cancels():
    found = steps.log_one_plus(Log(array(-800.0, -1.0, 800.0), array(0.0, 0.1, 0.1)))
    assert found.value.tolist() == pytest.approx([0, math.log1p(math.exp(-1)), 800], rel=1e-15)
    assert (found.error[1:] >= 0.1).all()


def test_kappa_is_between_the_ends_of_its_rounding():
    m = drt.measure(*instance(0, (3, 3, 3), batch=(5,)))
    found = steps.log_kappa(m, lambda v: v.kappa)
    low, high = found.ends
    torch.testing.assert_close(found.value, m.kappa.log().unsqueeze(-1).expand(5, 2), rtol=1e-15, atol=0)
    assert (low <= m.inflated(-1).kappa.log().unsqueeze(-1)).all()
    assert (high >= m.inflated(1).kappa.log().unsqueeze(-1)).all()
    assert (high - low < 1e-10).all()


def test_a_chain_reads_the_claim_it_is_about():
    chain = steps.network_chain("spectral.function", (steps.ALIGNED,), kappa=lambda m: m.kappa)
    m = scalars([3.0, 2.0], [0.3, 0.7])
    assert chain.statement == claims["spectral.function"].statement
    assert chain.left(m)[0].item() == m.log_change.item()
    assert "κ" in chain.start(m).numbers
    assert chain.sums(m)[0].log_value.exp().item() == pytest.approx(float(m.change), rel=1e-13)
    assert "κ" not in steps.network_chain("spectral.function", (steps.ALIGNED,)).start(m).numbers


def test_it_applies_where_every_hypothesis_is_met():
    """Theorem 1 asks that κ be finite: ΔW of rank one has none."""
    net, dws, x = instance(1, (2, 2), batch=(2,))
    dws[0][1] = array([1.0, 2.0], [2.0, 4.0])
    met = steps.applicable(claims["theorem1.function"], drt.measure(net, dws, x))
    assert met.tolist() == [True, False]


def test_draws_are_measurements_of_what_the_claim_is_about():
    for claim_id, quantity in (("theorem1.function", "function"), ("theorem1.jacobian", "jacobian")):
        ((label, m),) = steps.draws(claims[claim_id], Setup(depth=2, width=3, batch=4))
        assert (label, m.quantity, m.layer, m.batch_shape) == ("random", quantity, 0, (4,))
