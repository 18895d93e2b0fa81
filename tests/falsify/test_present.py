"""A counterexample in the paper's letters."""

from dataclasses import replace

import drt
from drt.falsify.present import statement
from tests.exact.cases import identity, witness


def test_it_reads_as_a_person_would_write_it():
    w = witness("theorem1.function.as-stated", [[[1, 0]]], [[[0, "1/2"]]], ["1/1000", 1])
    assert statement(w, drt.claims[w.claim], "500", "0.5") == (
        "L = 1, widths 2-1, φ = identity\n"
        "W₁ = [1 0],  ΔW₁ = [0 1/2]\n"
        "x = (1/1000, 1)\n"
        "‖f̃ − f‖/‖f‖ = 500, but the bound is 0.5"
    )


def test_layers_may_differ_and_have_biases():
    w = witness("theorem1.function", [[[2]], [[3]]], [[[0]], [[1]]], [1], ("relu", "identity"), biases=[[5], None])
    text = statement(w, drt.claims[w.claim], "1", "2")
    assert "φ = relu, identity" in text
    assert "W₁ = [2],  ΔW₁ = [0],  b₁ = (5)" in text
    assert "W₂ = [3],  ΔW₂ = [1]\n" in text


def test_large_matrices_are_left_to_the_file():
    w = witness("theorem1.function", [identity(9)], [identity(9)], [1] * 9)
    assert "W₁ = (9×9 matrix, see the file)" in statement(w, drt.claims[w.claim], "1", "2")


def test_jacobians_name_their_layer_and_descents_their_target():
    j = witness("theorem1.jacobian", [[[2]], [[3]]], [[[0]], [[1]]], [1], layer=1)
    assert statement(j, drt.claims[j.claim], "1", "2").endswith("‖J̃_1 − J_1‖_F/‖J_1‖_F = 1, but the bound is 2")
    d = witness("lemma1", [[[2]]], [[[1]]], [1], target=[7])
    text = statement(d, drt.claims["lemma1"], "3", "2")
    assert "x = (1),  y = (7)" in text
    assert text.endswith("𝓛(W+ΔW) − 𝓛(W) − Σ⟨g_l, ΔW_l⟩ = 3, but the bound is 2")


def test_a_step_of_a_proof_says_which_sums_it_compares():
    claim = replace(drt.claims["theorem1.function"], id="theorem1.function#3")
    w = witness("theorem1.function", [[[1]]], [[[1]]], [1])
    assert "q_2 = 5, but q_3 = 4 (measured in floating point)" in statement(w, claim, "5", "4")
