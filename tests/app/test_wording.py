"""Verdicts in plain sentences: nothing is said that was not found, and nothing found is left out."""

import math

from drt.app.wording import largest_ratio, main_reason, sentence
from tests.app.made import origin, record, refuted


def test_sentence_of_a_claim_that_holds_says_that_it_is_not_proved():
    assert sentence(record()) == (
        "Holds so far: attacked, not proved. None of 1,200 instances it applies to (random, extremal and attack) violates it; "
        "the closest reaches 0.982 of the bound. On random and trained networks the bound is typically 1,600 times the actual "
        "change."
    )


def test_sentence_does_not_claim_an_attack_that_was_not_made():
    origins = {"random": origin(1300, 100), "attack": origin()}
    assert sentence(record(origins=origins)).startswith("Holds so far: tried, not proved. None of 1,200")


def test_sentence_of_a_proved_claim_that_is_attained():
    text = sentence(record("proved", max_ratio=1 + 4e-16, median_looseness=0.0, undecided=3))
    assert text.startswith("Proved. None of 1,200")
    assert "the closest attains the bound, up to rounding." in text
    assert "the bound is typically 1 times the actual change" in text
    assert text.endswith("3 were too close to call in floating point, or out of its range.")


def test_sentence_of_a_refuted_claim_gives_the_worst_and_the_certified():
    text = sentence(refuted())
    assert text.startswith("Refuted. 542 of 1,200 instances it applies to")
    assert "the worst change is 1,000 times the bound, and 1 of them is certified in exact or ball arithmetic." in text
    assert "2 of them are certified" in sentence(refuted(certified=2))


def test_sentence_of_an_unconfirmed_claim_says_that_nothing_is_certified():
    text = sentence(record("unconfirmed", violations=2, max_ratio=1 + 2e-9))
    assert text.startswith("Unconfirmed. 2 of 1,200")
    assert "the worst change is 1 + 2e-9 times the bound, but only in floating point: not certified." in text


def test_sentence_without_applicable_instances_is_no_evidence():
    text = sentence(record("proved", inapplicable=1300, max_ratio=None, median_looseness=None))
    assert text == "Proved. No evidence from this run: none of 1,300 instances met its hypotheses (widths)."
    nothing = record(instances=0, inapplicable=0, inapplicable_why={})
    assert sentence(nothing).endswith("No evidence from this run: nothing was tried.")


def test_sentence_of_an_identity_speaks_of_rounding():
    text = sentence(record(kind="identity", max_ratio=0.0101))
    assert "both sides agree within the derived rounding bound; they differ by at most 0.0101 of it." in text
    assert "typically" not in text


def test_sentence_of_a_bound_that_is_typically_exceeded():
    assert "the actual change is typically 100 times the bound" in sentence(refuted(median_looseness=-2.0))


def test_ratios_out_of_range_come_from_their_logarithm():
    assert largest_ratio(record(max_ratio=math.exp(700), max_log_ratio=1000 * math.log(10))) == "1e1000"
    assert largest_ratio(record(max_ratio=0.0, max_log_ratio=-400 * math.log(10))) == "1e-400"
    assert largest_ratio(record(max_ratio=None, max_log_ratio=None)) == ""


def test_main_reason_adds_up_what_fails_for_the_same_hypothesis():
    assert main_reason({"widths: a": 5, "conditioning-w: x": 3, "conditioning: y": 3}) == "conditioning"
    assert main_reason({}) == ""
