"""Fromage and LARS against 60-digit transcriptions of their formulas, their exact step sizes, and torch's conventions."""

import copy
import math
import pickle

import mpmath
import pytest
import torch

from drt.errors import InputError
from drt.optimisers.optim import LARS, Fromage


def tensors(seed, *shapes, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def parameter(value, grad):
    p = torch.nn.Parameter(value.clone())
    p.grad = grad.clone()
    return p


def digits60(tensor):
    return [mpmath.mpf(v) for v in tensor.flatten().tolist()]


def norm60(values):
    return mpmath.sqrt(mpmath.fsum(v * v for v in values))


def algorithm_1(w, g, eta):
    """W ← 1/√(1+η²)·[W − η·‖W‖_F/‖g‖_F·g], entry by entry."""
    step = eta * norm60(w) / norm60(g)
    return [(a - step * b) / mpmath.sqrt(1 + eta**2) for a, b in zip(w, g, strict=True)]


def lars_60(w, g, v, lr, momentum, trust, decay):
    rate = trust * norm60(w) / (norm60(g) + decay * norm60(w))
    v = [momentum * c + lr * rate * (b + decay * a) for a, b, c in zip(w, g, v, strict=True)]
    return [a - c for a, c in zip(w, v, strict=True)], v


@pytest.fixture(autouse=True)
def sixty_digits():
    with mpmath.workdps(60):
        yield


def assert_close(p, expected, tolerance):
    scale = norm60(expected)
    assert norm60([a - b for a, b in zip(digits60(p.detach()), expected, strict=True)]) <= tolerance * scale


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-15), (torch.float32, 3e-7), (torch.bfloat16, 1e-2)]
)
@pytest.mark.parametrize("eta", [0.01, 0.5, 3.0])
def test_fromage_is_algorithm_1(dtype, tolerance, eta):
    """Ten steps of matrices and a bias, each with its own norms, in one group; the largest is updated in one pass."""
    shapes = [(5, 3), (4, 5), (4,), (5, 3), (40, 30)]
    start = tensors(0, *shapes, dtype=dtype)
    params = [torch.nn.Parameter(w.clone()) for w in start]
    expected = [digits60(w) for w in start]
    optimiser = Fromage(params, lr=eta)
    for seed in range(1, 11):
        grads = tensors(seed, *shapes, dtype=dtype)
        for p, g in zip(params, grads, strict=True):
            p.grad = g
        optimiser.step()
        expected = [algorithm_1(w, digits60(g), mpmath.mpf(eta)) for w, g in zip(expected, grads, strict=True)]
    for p, w in zip(params, expected, strict=True):
        assert_close(p, w, 10 * tolerance)


@pytest.mark.parametrize("eta", [1e-3, 0.01, 1.0, 10.0])
def test_the_relative_size_of_a_step_is_exact(eta):
    """fromage.relative-size: ‖ΔW‖/‖W‖ = √(2(1−p)(1+pηc)), p = 1/√(1+η²), c the cosine of the angle of W and g."""
    for seed in range(20):
        w, g = tensors(seed, (6, 4), (6, 4))
        g = g + (seed - 10) * w  # cosines from −1 to 1
        p = parameter(w, g)
        Fromage([p], lr=eta).step()
        c = float((w * g).sum() / w.norm() / g.norm())
        prefactor = 1 / math.sqrt(1 + eta**2)
        one_minus = eta**2 / (1 + eta**2) / (1 + prefactor)  # 1 − p without cancellation
        size = math.sqrt(2 * one_minus * (1 + prefactor * eta * c))
        assert float((p.detach() - w).norm() / w.norm()) == pytest.approx(size, rel=1e-11)


@pytest.mark.parametrize("shape", [(), (7,), (6, 4), (64, 32), (90, 60), (300, 300)])
def test_tensors_updated_together_are_as_if_alone(shape):
    """Stacked or one by one, in pieces that fit a cache or whole, contiguous or not: the same to a few roundings."""
    weights, grads = tensors(0, *[shape] * 20), tensors(1, *[shape] * 20)
    together = [parameter(w, g) for w, g in zip(weights, grads, strict=True)]
    transposed = [torch.nn.Parameter(w.mT.contiguous().mT if w.ndim == 2 else w.clone()) for w in weights]
    for p, g in zip(transposed, grads, strict=True):
        p.grad = g
    Fromage([*together, *transposed], lr=0.1).step()
    for p, other, w, g in zip(together, transposed, weights, grads, strict=True):
        alone = parameter(w, g)
        Fromage([alone], lr=0.1).step()
        torch.testing.assert_close(p, alone, rtol=1e-14, atol=1e-15)
        torch.testing.assert_close(other, alone, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("size", [2, 40])
def test_a_vanishing_step_shrinks_and_breaks_nothing(size):
    """η‖W‖/‖g‖ below what float32 holds: the entries of the step are lost, those of W stay numbers."""
    w, g = torch.full((size, size), 1e-10), torch.full((size, size), 1e36)
    p = parameter(w, g)
    Fromage([p], lr=1e-3).step()
    assert p.isfinite().all()
    torch.testing.assert_close(p, w, rtol=2e-3, atol=0)


def test_the_number_of_threads_is_kept(monkeypatch):
    """Small tensors are updated on one thread; whatever happens then, torch has its threads back."""
    seen = []

    def failing(self, group, params, grads, fuse):
        seen.append(torch.get_num_threads())
        raise ValueError("planted")

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        Fromage([parameter(*tensors(0, (4, 4), (4, 4)))], lr=0.1).step()
        assert torch.get_num_threads() == 2
        monkeypatch.setattr(Fromage, "_update", failing)
        for shape in ((4, 4), (200, 200)):
            with pytest.raises(ValueError, match="planted"):
                Fromage([parameter(*tensors(0, shape, shape))], lr=0.1).step()
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1, 2]


def test_a_long_tensor_takes_the_same_step_on_one_thread_and_on_two():
    w, g = tensors(0, (200, 200), (200, 200))
    before, steps = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            p = parameter(w, g)
            Fromage([p], lr=0.1).step()
            steps.append(p.detach() - w)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(*steps, rtol=1e-13, atol=1e-15)


def test_a_gradient_orthogonal_to_the_weights_keeps_their_norm():
    """fromage.norm-growth: the prefactor undoes exactly what step (5) adds."""
    w, g = tensors(3, (7, 7), (7, 7))
    g -= (w * g).sum() / (w * w).sum() * w
    fromage, lars = parameter(w, g), parameter(w, g)
    Fromage([fromage], lr=0.3).step()
    LARS([lars], lr=0.3, trust_coefficient=1.0).step()
    assert float(fromage.detach().norm() / w.norm()) == pytest.approx(1, rel=1e-14)
    assert float(lars.detach().norm() / w.norm()) == pytest.approx(math.sqrt(1 + 0.3**2), rel=1e-14)


def test_a_zero_gradient_leaves_the_parameter_as_it_is():
    w = tensors(0, (3, 3))[0]
    for make in (lambda p: Fromage([p], lr=0.1), lambda p: LARS([p], lr=0.1, momentum=0.9)):
        p = parameter(w, torch.zeros(3, 3, dtype=torch.float64))
        make(p).step()
        assert torch.equal(p, w)


def test_a_zero_weight_stays_zero_beside_one_that_moves():
    w, g = tensors(0, (3, 3), (3, 3))
    for make in (lambda ps: Fromage(ps, lr=0.1), lambda ps: LARS(ps, lr=0.1, weight_decay=0.1)):
        zero, moving = parameter(torch.zeros(3), torch.ones(3)), parameter(w, g)
        both = parameter(torch.zeros(3), torch.zeros(3))
        make([zero, moving, both]).step()
        assert torch.equal(zero, torch.zeros(3))
        assert torch.equal(both, torch.zeros(3))
        assert not torch.equal(moving, w)


def test_a_parameter_without_gradient_is_left_alone():
    p = torch.nn.Parameter(torch.ones(3))
    Fromage([p], lr=0.5, p_bound=0.1).step()
    assert torch.equal(p, torch.ones(3))


@pytest.mark.parametrize("scale", [1e-30, 1e-24, 1e24, 1e30])
def test_gradients_whose_squares_leave_float32_still_count(scale):
    """First-layer gradients at depth 50 are that small; only the gradient's direction matters."""
    w, g = tensors(0, (8, 8), (8, 8), dtype=torch.float32)
    p, reference = parameter(w, g * scale), parameter(w, g)
    Fromage([p], lr=0.1).step()
    Fromage([reference], lr=0.1).step()
    assert not torch.equal(p, w)
    torch.testing.assert_close(p, reference, rtol=1e-5, atol=1e-6)


def test_subnormal_gradients_count_as_zero_and_broken_ones_show():
    w = torch.ones(4)
    p = parameter(w, torch.full((4,), 1e-42))
    Fromage([p], lr=0.1).step()
    assert torch.equal(p, w)
    for bad in (math.nan, math.inf):
        p = parameter(w, torch.tensor([1.0, bad, 1.0, 1.0]))
        Fromage([p], lr=0.1).step()
        assert p[1].isnan()


def test_p_bound_keeps_the_norm_and_nothing_else():
    """g = −W grows the norm by (1 + η)/√(1 + η²) a step; the bound stops it at 1.05, and does not shrink what is below."""
    w = tensors(0, (5, 5))[0]
    bounded, free = parameter(w, -w), parameter(w, -w)
    optimiser, other = Fromage([bounded], lr=0.01, p_bound=1.05), Fromage([free], lr=0.01)
    for step in range(1, 11):
        optimiser.step()
        other.step()
        growth = ((1 + 0.01) / math.sqrt(1 + 0.01**2)) ** step
        assert float(free.detach().norm() / w.norm()) == pytest.approx(growth, rel=1e-13)
        assert float(bounded.detach().norm() / w.norm()) == pytest.approx(min(growth, 1.05), rel=1e-13)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_lars_is_its_formula(momentum, decay):
    w = tensors(0, (4, 6))[0]
    p = torch.nn.Parameter(w.clone())
    optimiser = LARS([p], lr=2.0, momentum=momentum, trust_coefficient=0.02, weight_decay=decay)
    expected, v = digits60(w), [mpmath.mpf(0)] * 24
    for seed in range(1, 9):
        p.grad = tensors(seed, (4, 6))[0]
        optimiser.step()
        options = [mpmath.mpf(o) for o in (2.0, momentum, 0.02, decay)]
        expected, v = lars_60(expected, digits60(p.grad), v, *options)
    assert_close(p, expected, 1e-14)


def test_the_step_of_lars_has_relative_size_lr_times_trust():
    w, g = tensors(0, (9, 2), (9, 2))
    p = parameter(w, g)
    LARS([p], lr=5.0, trust_coefficient=0.001).step()
    assert float((p.detach() - w).norm() / w.norm()) == pytest.approx(0.005, rel=1e-12)


MAKERS = {
    "fromage": lambda ps: Fromage(ps, lr=0.2),
    "fromage p_bound": lambda ps: Fromage(ps, lr=0.2, p_bound=1.01),
    "lars": lambda ps: LARS(ps, lr=0.2, momentum=0.9, trust_coefficient=0.5),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_reloaded_state_continues_bit_for_bit(make, tmp_path):
    """The initial norms of p_bound and the momentum are part of the state, also when saved and loaded safely."""

    def run(p, optimiser, seeds):
        for seed in seeds:
            p.grad = tensors(seed, (3, 4), dtype=torch.float32)[0]
            optimiser.step()

    w = tensors(0, (3, 4), dtype=torch.float32)[0]
    straight = torch.nn.Parameter(w.clone())
    run(straight, make([straight]), range(1, 21))

    first = torch.nn.Parameter(w.clone())
    optimiser = make([first])
    run(first, optimiser, range(1, 11))
    torch.save(optimiser.state_dict(), tmp_path / "state.pt")
    second = torch.nn.Parameter(first.detach().clone())
    resumed = make([second])
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    run(second, resumed, range(11, 21))
    assert torch.equal(second, straight)
    assert copy.deepcopy(optimiser).state_dict()["param_groups"] == optimiser.state_dict()["param_groups"]
    assert pickle.loads(pickle.dumps(optimiser)).param_groups[0]["lr"] == 0.2


def test_groups_schedulers_and_closures():
    w, g = tensors(0, (4, 4), (4, 4))
    slow, fast = parameter(w, g), parameter(w, g)
    optimiser = Fromage([{"params": [slow]}, {"params": [fast], "lr": 0.1}], lr=0.01)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimiser, gamma=0.5)
    optimiser.step()
    scheduler.step()
    assert [group["lr"] for group in optimiser.param_groups] == [0.005, 0.05]
    reference = parameter(w, g)
    Fromage([reference], lr=0.1).step()
    assert torch.equal(fast, reference)

    def closure():
        optimiser.zero_grad()
        loss = (slow**2).sum()
        loss.backward()
        return loss

    before = float((slow.detach() ** 2).sum())
    assert float(optimiser.step(closure).detach()) == before
    assert float((slow.detach() ** 2).sum()) < before


def test_mixed_dtypes_in_one_group_are_each_handled():
    w, g = tensors(0, (4, 4), (4, 4))
    params = [parameter(w, g), parameter(w.float(), g.float())]
    Fromage(params, lr=0.1).step()
    torch.testing.assert_close(params[0].float(), params[1], rtol=1e-6, atol=1e-6)


P = torch.nn.Parameter(torch.ones(2))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Fromage([P], lr=-0.1), r"Fromage needs lr to be a number >= 0, got lr=-0.1"),
        (lambda: Fromage([P], lr=math.nan), r"Fromage needs lr to be a number >= 0, got lr=nan"),
        (lambda: Fromage([P], lr="0.1"), r"Fromage needs lr to be a number >= 0, got lr='0.1'"),
        (lambda: Fromage([P], p_bound=0), r"Fromage needs p_bound to be a number > 0 or None, got p_bound=0"),
        (lambda: Fromage([{"params": [P], "lr": -1}]), r"Fromage needs lr to be a number >= 0, got lr=-1"),
        (lambda: LARS([P], lr=1, momentum=-1), r"LARS needs momentum to be a number >= 0, got momentum=-1"),
        (
            lambda: LARS([P], lr=1, trust_coefficient=0),
            r"LARS needs trust_coefficient to be a number > 0, got trust_co",
        ),
        (
            lambda: LARS([P], lr=1, weight_decay=math.inf),
            r"LARS needs weight_decay to be a number >= 0, got weight_dec",
        ),
    ],
)
def test_bad_hyperparameters_are_named(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_a_refused_group_is_not_kept():
    optimiser = Fromage([P])
    with pytest.raises(InputError, match="got lr=-1"):
        optimiser.add_param_group({"params": [torch.nn.Parameter(torch.ones(2))], "lr": -1})
    assert len(optimiser.param_groups) == 1


@pytest.mark.parametrize(("name", "make"), [("Fromage", lambda ps: Fromage(ps)), ("LARS", lambda ps: LARS(ps, lr=0.1))])
def test_sparse_gradients_and_complex_parameters_are_refused(name, make):
    embedding = torch.nn.Embedding(5, 2, sparse=True)
    embedding(torch.tensor([1, 2])).sum().backward()
    with pytest.raises(InputError, match=rf"{name} needs dense gradients, got torch.sparse_coo for shape \(5, 2\)"):
        make(embedding.parameters()).step()
    with pytest.raises(InputError, match=rf"{name} needs real parameters, got shape \(2,\) and dtype complex64"):
        make([torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))])
