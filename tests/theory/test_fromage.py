"""The claims about Fromage's steps: hold, are attained, fail without their hypothesis, and find out wrong optimisers."""

import math
import random
from dataclasses import replace
from fractions import Fraction

import pytest
import torch

import drt
from drt.errors import InputError
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.steps import ANGLES, sample_steps
from drt.falsify.target import Target
from drt.optimisers.optim import LARS, Fromage
from drt.optimisers.steps import lars_of, measure_steps
from drt.theory.registry import claims, of_steps
from drt.theory.verdict import Verdicts

SIZE, SECOND, GROWTH, EQUIVALENCE, FIXED = (
    claims[f"fromage.{name}"]
    for name in ("relative-size", "relative-size.second-order", "norm-growth", "lars-equivalence", "fixed-point")
)


def steps(angle="random", dtype=torch.float64, eta=0.1, **optimisers):
    """Two steps of five 4×3 weights."""
    rng = torch.Generator().manual_seed(0)
    w, g = (torch.randn(2, 5, 4, 3, generator=rng, dtype=torch.float64) for _ in range(2))
    if angle == "orthogonal":
        w = w.to(dtype).double()
        g = g - ((w * g).sum((-1, -2)) / (w * w).sum((-1, -2)))[..., None, None] * w
    elif angle == "opposite":
        g = -w
    return measure_steps(w.to(dtype), g.to(dtype), torch.full((5,), eta, dtype=torch.float64), **optimisers)


def outcomes(m):
    return {claim.id.removeprefix("fromage."): Verdicts(claim, m).count("violated") for claim in of_steps()}


def test_the_registry_has_them():
    assert [claim.id for claim in of_steps()] == [SIZE.id, SECOND.id, GROWTH.id, EQUIVALENCE.id, FIXED.id]
    assert {claim.kind for claim in of_steps()} == {"identity", "theorem"}
    assert all(claim.known == "true" for claim in of_steps())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("angle", ["random", "orthogonal", "opposite"])
@pytest.mark.parametrize("eta", [0.01, 0.3, 5.0])
def test_they_hold(angle, dtype, eta):
    m = steps(angle, dtype, eta)
    for claim in of_steps():
        verdicts = Verdicts(claim, m)
        if claim in (FIXED, SECOND) and angle == "opposite":  # (nearly) attained: rounding may decide
            assert verdicts.count("holds") + verdicts.count("undecided") == 10
        else:
            assert verdicts.count("holds") == (10 if claim is not GROWTH or angle == "orthogonal" else 0), claim.id


def test_no_random_draw_violates_them():
    """Weights from 10⁻³ to 10³, gradients from 10⁻⁶ to 10⁶, η from 10⁻⁶ to 10, every angle."""
    dice, rng = random.Random(3), torch.Generator().manual_seed(3)
    for _ in range(20):
        m = sample_steps(dice, rng, ANGLES)
        assert outcomes(m) == dict.fromkeys(outcomes(m), 0)


def test_a_step_against_the_weight_is_the_least_move():
    """g = −W: W⁺ = p(1+η)W."""
    m = steps("opposite")
    p = 1 / math.sqrt(1.01)
    torch.testing.assert_close(m.size, torch.full((2, 5), p * 1.1 - 1, dtype=torch.float64), rtol=1e-12, atol=0)
    assert float(Verdicts(FIXED, m).log_ratio.abs().max()) < 1e-12


def test_the_second_order_bound_is_nearly_attained():
    """g = −W moves by η − η²/2 + …, short of η by nearly all of η²(1+η)/2."""
    assert 0.97 < float(Verdicts(SECOND, steps("opposite", eta=0.01)).log_ratio.exp().max()) <= 1
    assert drt.check(SECOND, steps(eta=0.5)).count("holds") == 10


def test_growth_needs_an_orthogonal_gradient():
    verdicts = Verdicts(GROWTH, steps("random"))
    assert verdicts.count("inapplicable") == 10
    assert verdicts.why((0, 0)).startswith("orthogonal: cos∠(W, g) = ")
    dropped = GROWTH.with_hypotheses(["-orthogonal"])
    assert Verdicts(dropped, steps("random")).count("violated") == 10
    assert Verdicts(dropped, steps("orthogonal")).count("holds") == 10


def test_hypotheses_about_networks_are_refused():
    words = "hypothesis 'widths' cannot be asked of a measurement of the step"
    with pytest.raises(InputError, match=words):
        Verdicts(GROWTH.with_hypotheses(["widths"]), steps("orthogonal"))
    network = drt.measure(drt.Network([[[1.0]]], "identity"), [[[0.1]]], [1.0])
    with pytest.raises(InputError, match="'orthogonal' cannot be asked of a measurement of the function"):
        drt.check(claims["kappa.function"].with_hypotheses(["orthogonal"]), network)


class Wrong(Fromage):
    """Algorithm 1 with a planted error."""

    error = ""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            eta = group["lr"]
            for w in group["params"]:
                p = {"no prefactor": 1.0, "squared prefactor": 1 / (1 + eta**2)}.get(self.error, (1 + eta**2) ** -0.5)
                size = torch.tensor(1.0) if self.error == "not scaled by the weight" else w.norm()
                step = eta * size / w.grad.norm() * w.grad
                if self.error == "momentum":
                    step = step + 0.9 * self.state[w].get("v", 0.0)
                    self.state[w]["v"] = step
                w.copy_(p * (w - step))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("error", ["", "no prefactor", "squared prefactor", "not scaled by the weight", "momentum"])
def test_a_wrong_fromage_is_found_out(error, dtype):
    planted = type("Planted", (Wrong,), {"error": error})
    make = lambda params, etas: planted([{"params": [p], "lr": e} for p, e in zip(params, etas, strict=True)])  # noqa: E731
    found = outcomes(steps("orthogonal", dtype, fromage=make))
    if not error:  # the naive transcription itself is right
        assert found == dict.fromkeys(found, 0)
    else:
        assert found["relative-size"] >= 5  # of momentum, the second steps
        assert found["lars-equivalence"] >= 5
        assert found["norm-growth"] >= 5
    if error == "momentum":
        assert Verdicts(SIZE, steps("orthogonal", dtype, fromage=make)).codes.tolist() == [[0] * 5, [1] * 5]


@pytest.mark.parametrize("eta", [0.1, 10.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_allowance_is_what_rounding_needs_and_hardly_more(dtype, eta):
    """‖W⁺‖ off by ten times the derived bound, 2(n+16)u(1+η) + 3η(n+8)u with n = 12 entries, is a violation; by a tenth, none."""
    allowed = (2 * (12 + 16) * (1 + eta) + eta * (12 + 8)) * torch.finfo(dtype).eps / 2
    allowed += eta * 2 * (12 + 8) * torch.finfo(torch.float64).eps / 2
    for factor, violated in ((0.1, 0), (10, 10)):

        class Off(Fromage):
            @torch.no_grad()
            def step(self, closure=None, off=1 + factor * allowed):
                super().step()
                for group in self.param_groups:
                    group["params"][0].mul_(off)

        make = lambda params, etas: Off([{"params": [p], "lr": e} for p, e in zip(params, etas, strict=True)])  # noqa: E731
        assert Verdicts(GROWTH, steps("orthogonal", dtype, eta, fromage=make)).count("violated") == violated


@pytest.mark.parametrize("options", [{"momentum": 0.9}, {"weight_decay": 0.01}, {"trust_coefficient": 0.99}], ids=str)
def test_a_wrong_lars_is_found_out(options):
    def make(params, etas):
        groups = [{"params": [p], "lr": eta} for p, eta in zip(params, etas, strict=True)]
        return LARS(groups, lr=1.0, **{"trust_coefficient": 1.0, **options})

    found = outcomes(steps("orthogonal", lars=make))
    assert found["relative-size"] >= 5
    assert (found["lars-equivalence"] > 0) == ("momentum" in options)  # the other two are set for the equivalence


def test_a_step_that_stops_violates_the_fixed_point():
    """An optimiser that leaves W as it is would have fixed points everywhere."""
    still = lambda params, etas: torch.optim.SGD(params, lr=0.0)  # noqa: E731
    assert outcomes(steps(fromage=still))["fixed-point"] == 10
    assert outcomes(steps(fromage=still))["relative-size.second-order"] == 10


def exact_root(x):
    """√ of a fraction whose root is one."""
    root = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))
    assert root * root == x
    return root


@pytest.mark.parametrize("beta", [Fraction(1, 3), Fraction(1, 7), Fraction(2, 5), Fraction(1, 100)])
def test_lars_is_fromage_in_exact_arithmetic(beta):
    """β rational makes q = β(1+β), η = 2q/(1−q²) and every root rational; ‖(3, 4)‖ = 5, ‖(−5, 12)‖ = 13."""
    q = beta * (1 + beta)
    eta = 2 * q / (1 - q * q)
    o = lars_of(eta, exact_root)
    assert (o.decay, o.beta) == (q, beta)
    w, g, norm_w, norm_g = (Fraction(3), Fraction(4)), (Fraction(-5), Fraction(12)), 5, 13
    p = 1 / exact_root(1 + eta * eta)
    fromage = [p * (a - eta * norm_w / norm_g * b) for a, b in zip(w, g, strict=True)]
    decay = o.decay * norm_g / norm_w
    rate = o.trust * norm_w / (norm_g + decay * norm_w)
    assert [a - rate * (b + decay * a) for a, b in zip(w, g, strict=True)] == fromage
    pairs = zip(w, g, strict=True)
    assert [a - o.gamma_l * (o.beta * a + norm_w / ((1 + o.beta) * norm_g) * b) for a, b in pairs] == fromage


def test_lars_stays_fromage_over_steps():
    """The real optimisers side by side: 200 steps down a quadratic, the decay following the gradient."""
    rng = torch.Generator().manual_seed(0)
    start, target = (torch.randn(6, 4, generator=rng, dtype=torch.float64) for _ in range(2))
    eta, o = 0.05, lars_of(0.05)
    pair = [torch.nn.Parameter(start.clone()) for _ in range(2)]
    fromage, lars = Fromage([pair[0]], lr=eta), LARS([pair[1]], lr=1.0, trust_coefficient=o.trust)
    for _ in range(200):
        for p in pair:
            p.grad = p.detach() - target
        lars.param_groups[0]["weight_decay"] = o.decay * float(pair[1].grad.norm() / pair[1].detach().norm())
        fromage.step()
        lars.step()
    # 200 steps, each a few roundings apart; a quadratic does not amplify them.
    torch.testing.assert_close(pair[0], pair[1], rtol=1e-11, atol=1e-12)
    assert float((pair[0].detach() - start).norm()) > 1


def test_the_attack_survives_and_reports():
    found = falsify(Target(SIZE.id), Space(), 1.0, jobs=1)
    assert found.status == "survived"
    assert 0 < found.ratio < 1
    assert found.instances == 2 * 4 * 48  # an opening and a unit, of four samples each
    assert falsify(Target(FIXED.id), Space(), 1.0, jobs=1).ratio == pytest.approx(1, abs=1e-6)
    same = falsify(Target(SIZE.id), Space(), 1.0, jobs=1)
    assert replace(found, seconds=0.0) == replace(same, seconds=0.0)
