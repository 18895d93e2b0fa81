"""Norms and updates of many tensors against their definitions: every dtype, size, number of threads, and broken numbers."""

import math

import pytest
import torch

from drt.optimisers.tensor_lists import Stack, axpby, combine, norm_of, norms_of, one_thread_if, ratios


def tensors(seed, *shapes, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) for shape in shapes]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [3, 70, 200])
@pytest.mark.parametrize("scale", [1.0, 1e-25, 1e20])
def test_norms(threads, dtype, size, scale):
    """A common factor of all norms cancels in a step, so they are looked at by themselves, too."""
    t = scale * tensors(size, (size, size), dtype=dtype)[0]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = [norm_of(t), norm_of(t.mT[::2]), *norms_of([t, 2 * t])]
    finally:
        torch.set_num_threads(before)
    exact = [float(torch.linalg.vector_norm(v.double())) for v in (t, t.mT[::2], t, 2 * t)]
    assert found == pytest.approx(exact, rel=1e-5 if dtype == torch.float32 else 1e-14)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_norms_of_short_types_are_summed_in_float64(dtype):
    """A hundred ones more than float16 counts in steps of one: 1 + 2048 is 2048 there."""
    t = torch.ones(70, 70, dtype=dtype)
    assert norms_of([t, 2 * t]) == [70.0, 140.0]


def test_quotients_that_are_no_factors_are_zero():
    found = ratios([1.0, 1.0, 0.0, 1.0, math.nan, 3.0], [2.0, 0.0, 0.0, 1e-300, 1.0, math.inf], 1e200)
    assert found == [0.5, 0.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("factor", [-0.3, 1e-20, -1e-31, 1e-40, 0.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tensor_becomes_a_scaled_sum_in_place(dtype, factor):
    """Also where (scale − 1)/factor, by which one pass over the memory works, would be ±10³⁰ or ∞."""
    t, other = tensors(0, (5, 7), (5, 7), dtype=dtype)
    expected = 0.9 * t.double() + factor * other.double()
    axpby(t, other, 0.9, factor)
    torch.testing.assert_close(t.double(), expected, rtol=0, atol=8 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("scales", [[0.5, 0.5], [0.5, 2.0]])
def test_every_tensor_gets_its_own_scale_and_factor(scales):
    for dtype, tolerance in ((torch.float64, 1e-15), (torch.float32, 1e-6), (torch.bfloat16, 2e-2)):
        ts, others = tensors(1, (3, 4), (3, 4), dtype=dtype), tensors(2, (3, 4), (3, 4), dtype=dtype)
        factors = [-0.25, 4.0]
        expected = [s * t.double() + f * o.double() for t, o, s, f in zip(ts, others, scales, factors, strict=True)]
        combine(ts, others, scales, factors)
        for t, e in zip(ts, expected, strict=True):
            torch.testing.assert_close(t.double(), e, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", [(3, 4), (6,)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_stack_measures_and_moves_all_of_them(shape, dtype):
    params, grads = tensors(3, shape, shape, shape, dtype=dtype), tensors(4, shape, shape, shape, dtype=dtype)
    stack = Stack(params)
    exact = [float(v.double().norm()) for v in params + grads]
    assert stack.norms(params, grads) == pytest.approx(exact, rel=1e-6 if dtype == torch.float32 else 1e-15)
    factors = [-0.1, 0.0, 3.0]
    expected = [0.75 * p.double() + f * g.double() for p, f, g in zip(params, factors, grads, strict=True)]
    kept = [g.clone() for g in grads]
    stack.combine(params, 0.75, factors)
    for p, e in zip(params, expected, strict=True):
        torch.testing.assert_close(p.double(), e, rtol=0, atol=16 * torch.finfo(dtype).eps)
    assert all(torch.equal(g, k) for g, k in zip(grads, kept, strict=True)), "gradients are the caller's"


def test_a_stack_sums_norms_that_leave_the_range_of_squares_again():
    """1e-25 in float32: its square is 0, as that of 1e25 is ∞; the others keep theirs."""
    params, grads = tensors(5, (3, 4), (3, 4), dtype=torch.float32), tensors(6, (3, 4), (3, 4), dtype=torch.float32)
    params[0] *= 1e-25
    grads[1] *= 1e25
    exact = [float(v.double().norm()) for v in params + grads]
    assert Stack(params).norms(params, grads) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("short", [True, False])
def test_threads_come_back_whatever_happens(short):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with one_thread_if(short):
            assert torch.get_num_threads() == (1 if short else 2)
        assert torch.get_num_threads() == 2
        with pytest.raises(ValueError, match="planted"), one_thread_if(short):
            raise ValueError("planted")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
