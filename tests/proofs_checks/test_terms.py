"""Sums over layers of products over layers: what they are, and that their error bounds enclose what errors can do."""

import math

import pytest
import torch
from flint import arb, ctx

from drt.numeric.spectra import UNIT
from proofs_checks.terms import Log, Terms, by_layer, exact, log_of, log_sum, plain
from tests.instances import array, generator, normal


def some(rng, *shape, error=0.0):
    """Logarithms of random numbers, each with the same bound on its error."""
    value = normal(rng, *shape)
    return Log(value, torch.full_like(value, error))


@pytest.mark.parametrize("x", [1e-300, 1.0, 3e200])
@pytest.mark.parametrize("relative", [1e-15, 1e-3, 0.5, 0.999, 1 - 1e-9])
def test_the_logarithm_of_a_number_with_an_error_encloses_both_ends(x, relative):
    """log(x − e) is further below log x than log(x + e) above: −log(1 − r) against log(1 + r), 0.69 against 0.41 at ½."""
    log, r = log_of(array(x), array(relative * x)), arb(relative * x) / arb(x)
    low, high = (float(v) for v in log.ends)
    with ctx.workprec(200):
        assert arb(low) <= (arb(x) * (1 - r)).log()
        assert arb(high) >= (arb(x) * (1 + r)).log()
        needed = -(1 - r).log() + 8 * UNIT * (1 / (1 - r) + abs(arb(x).log()))
        assert arb(float(log.error)) < needed, "the lower end is what it takes, and no more"


def test_a_number_that_may_be_zero_has_no_lower_end():
    log = log_of(array(1.0, 1.0, 0.0, 0.0), array(1.0, 2.0, 0.0, 1e-9))
    low, high = (v.tolist() for v in log.ends)
    assert log.value.tolist() == [0, 0, -math.inf, -math.inf]
    assert low == [-math.inf] * 4
    assert high == [math.inf, math.inf, -math.inf, math.inf]


def test_errors_add_up_and_scale_with_powers():
    x, y = Log(array(1.0), array(0.25)), Log(array(3.0), array(0.5))
    for got, value, error in ((x + y, 4.0, 0.75), (x - y, -2.0, 0.75), (x * 3, 3.0, 0.75), (x * -2, -2.0, 0.5)):
        assert (got.value.item(), got.error.item()) == (value, error)
    assert x.exp().item() == pytest.approx(math.e, rel=1e-15)
    assert x.column.value.shape == (1, 1)
    rounded = exact(array(-100.0, 0.0, -math.inf))
    assert rounded.error.tolist() == [404 * UNIT, 4 * UNIT, 4 * UNIT]


def test_a_sum_is_enclosed_wherever_its_parts_are():
    """log(eˣ + eʸ) moves by at most the larger of two errors, and as far where both are equal."""
    x, y = Log(array(0.3, 5.0), array(0.1, 0.1)), Log(array(-1.0, 7.0), array(0.2, 0.1))
    total = log_sum(x, y)
    low, high = total.ends
    for sign in (-1, 1):
        end = torch.logaddexp(x.value + sign * x.error, y.value + sign * y.error)
        assert ((low <= end) & (end <= high)).all()
    assert total.value.tolist() == pytest.approx(
        [math.log(math.exp(0.3) + math.exp(-1)), math.log(math.exp(5) + math.exp(7))]
    )
    assert total.error[1] == pytest.approx(0.1, rel=1e-12)


def sum_of(rng, kind=(0, 0, 0), own=(0, 1, 2), order=(0, 1, 2), error=0.0):
    """Three columns, a term a layer unless said otherwise, one part of random gains."""
    gains = some(rng, len(own), len(order), error=error)
    numbers = {"a": Log(array(10.0, 20.0, 30.0), array(0.0, 0.0, 0.0))}
    constant = Log(torch.tensor(0.5, dtype=torch.float64), torch.tensor(error, dtype=torch.float64))
    return Terms({"measured": gains}, torch.tensor(own), torch.tensor(kind), order, numbers, constant)


def test_a_part_is_put_where_the_term_is_kept_own_and_above():
    """Term t is the signal before column t, the source there, the change above; kind 1 has a source of its own."""
    terms = sum_of(generator(0), kind=(0, 0, 0, 1), own=(0, 1, 2, 1))
    above, own, slopes, kept = (Log(array(v, v + 1, v + 2), array(v, v, v)) for v in (10.0, 20.0, 30.0, 40.0))
    put = terms.put("measured", above=above, own=own, slopes=slopes, kept=kept).parts["measured"]
    assert put.value.tolist() == [[20, 11, 12], [40, 21, 12], [40, 41, 22], [40, 31, 12]]
    assert put.error.tolist() == [[20, 10, 10], [40, 20, 10], [40, 40, 20], [40, 30, 10]]
    alone = terms.put("measured", own=own).parts["measured"].value
    assert alone[1:, 1].tolist() == [21, terms.parts["measured"].value[2, 1], 21], "own serves terms of kind 1, too"
    assert torch.equal(alone[0, 1:], terms.parts["measured"].value[0, 1:])
    new = terms.put("other", above=above)
    assert set(new.parts) == {"measured", "other"}
    torch.testing.assert_close(new.gains.value, terms.gains.value + new.parts["other"].value)


def test_the_sum_is_what_it_says():
    """c·Σ_t Π_k exp(gain), naively."""
    terms = sum_of(generator(1)).put("second", own=Log(array(1.0, 2.0, 3.0), array(0.0, 0.0, 0.0)))
    gains = terms.parts["measured"].value + torch.diag(array(1.0, 2.0, 3.0))
    expected = math.exp(0.5) * sum(math.prod(math.exp(g) for g in row) for row in gains.tolist())
    assert terms.log_value.exp().item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("error", [1e-12, 1e-3, 2.0])
def test_the_sum_is_enclosed_whatever_its_gains_are(error):
    """Every gain and the constant at either end: the sum lies inside, and reaches the end where all of them do."""
    rng = generator(2)
    terms = sum_of(rng, error=error)
    low, high = (float(v) for v in terms.log_value.ends)
    gains, c = terms.parts["measured"].value, 0.5
    for _ in range(50):
        signs = torch.sign(normal(rng, 3, 3))
        moved = (
            float(torch.logsumexp((gains + signs * error).sum(-1), 0)) + c + error * float(torch.sign(normal(rng, 1)))
        )
        assert low <= moved <= high
    most = float(torch.logsumexp((gains + error).sum(-1), 0)) + c + error
    assert most <= high <= most + error * 1e-9 + 1e-12


def test_a_lost_gain_leaves_nothing_known():
    terms = sum_of(generator(3)).put("lost", own=Log(array(0.0, 0.0, 0.0), array(0.0, math.inf, 0.0)))
    assert [float(v) for v in terms.log_value.ends] == [-math.inf, math.inf]


def test_terms_that_are_nothing_sum_to_nothing():
    nothing = torch.full((3, 3), -math.inf, dtype=torch.float64)
    terms = sum_of(generator(4))
    empty = Terms(
        {"none": Log(nothing, 0 * normal(generator(4), 3, 3))},
        *(terms.own, terms.kind, terms.order, {}, terms.constant),
    )
    assert [float(v) for v in (empty.log_value.value, *empty.log_value.ends)] == [-math.inf] * 3


def test_a_plain_sum_picks_its_numbers():
    numbers = {"two": Log(torch.log(array(1.0, 2.0)), array(0.1, 0.1)), "one": Log(array(0.0), array(0.0))}
    terms = plain(numbers)
    assert terms.picked("two").log_value.exp().item() == pytest.approx(3)
    assert float(terms.picked("two").log_value.error) == pytest.approx(0.1, rel=1e-9)
    assert terms.picked("one").picked("two").log_value.exp().item() == pytest.approx(3)


def test_what_a_step_adds_is_shared_by_its_layers():
    """Columns in the order 2, 0, 1: the step moves column 0 alone, layer 2's, and nothing is charged to others."""
    before = sum_of(generator(5), order=(2, 0, 1))
    one = before.put(
        "step",
        above=Log(array(1.0, 0.0, 0.0), array(0.0, 0.0, 0.0)),
        own=Log(array(1.0, 0.0, 0.0), array(0.0, 0.0, 0.0)),
    )
    added = by_layer(before, one)
    assert added[:2].tolist() == pytest.approx([0, 0], abs=1e-15)
    assert float(added[2]) == pytest.approx(float(one.log_value.value - before.log_value.value), rel=1e-12)
    all_of_it = before.put("step", above=Log(array(1.0, 2.0, 3.0), array(0.0, 0.0, 0.0)))
    assert float(by_layer(before, all_of_it).sum()) == pytest.approx(
        float(all_of_it.log_value.value - before.log_value.value), rel=1e-12
    )
