from dataclasses import replace

import pytest
import torch

from proofs_checks import fromage
from tests.proofs_checks.common import assert_every_lowered_step_is_named, assert_holds


@pytest.mark.parametrize("chain", fromage.CHAINS, ids=lambda c: c.claim)
@pytest.mark.parametrize("width", [1, 3, 16])
def test_holds_on_random_layers(chain, width):
    if chain is fromage.NORM_GROWTH and width == 1:
        return  # no gradient of one number is orthogonal to it
    assert_holds(chain, fromage.draw(64, width, 0, orthogonal=chain is fromage.NORM_GROWTH))


def test_the_exact_size():
    """√(2(1−p)(1+pηc)), c = cos∠(W, g) — with ΔW = −η‖W‖/‖g‖·g the change is (p−1)W + pΔW."""
    u = fromage.draw(64, 4, 1)
    p, c = 1 / torch.sqrt(1 + u.eta**2), (u.weight * u.gradient).sum((-1, -2))
    c = c / (u.size * torch.linalg.matrix_norm(u.gradient))
    torch.testing.assert_close(u.moved.exp(), torch.sqrt(2 * (1 - p) * (1 + p * u.eta * c)), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("chain", [fromage.RELATIVE_SIZE, fromage.FIXED_POINT], ids=lambda c: c.claim)
def test_a_lowered_step_is_named(chain):
    assert_every_lowered_step_is_named(chain, fromage.draw(64, 4, 0))


def test_half_of_the_second_order_term_is_caught_and_named():
    step = fromage.RELATIVE_SIZE.steps[2]

    def wrong(t):
        t = step.change(t)
        part = t.parts["sum"]
        smaller = part.value.clone()
        smaller[..., 1, :] -= 0.7
        return replace(t, parts={"sum": replace(part, value=smaller)})

    walk = fromage.RELATIVE_SIZE.with_step(3, replace(step, change=wrong)).walk(fromage.draw(64, 4, 0))
    assert walk.named().startswith("fromage.relative-size#3, prefactor")


def test_norm_growth_needs_orthogonality():
    free = replace(fromage.NORM_GROWTH, applicable=lambda u: u.size > 0)
    assert {k for k, _ in free.walk(fromage.draw(64, 4, 0)).wrong} == {1, 2}
