from proofs_checks import norm_product
from tests.proofs_checks.common import m_of, named


def test_frobenius_norm_of_the_perturbation_divided_by_the_spectral_norm_of_the_new_weights():
    def wrong(t):
        return t.put("matrices", own=t.numbers["‖ΔW‖"] * 2 - t.numbers["‖W‖"])

    assert named(norm_product.FUNCTION, 4, wrong, m_of(norm_product.FUNCTION, delta=0.01)) == [4]


def test_smallest_singular_value_of_the_signal():
    def wrong(t):
        return t.put("signal matrices", kept=t.numbers["s"])

    assert named(norm_product.FUNCTION, 7, wrong, m_of(norm_product.FUNCTION)) == [7]


def test_alpha_for_beta_of_the_signal():
    assert named(
        norm_product.FUNCTION,
        6,
        lambda t: t.put("signal slopes", kept=t.numbers["α"]),
        m_of(norm_product.FUNCTION),
    ) == [6]
