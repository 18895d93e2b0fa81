"""Worker processes: one thread each, deaf to interrupts, and gone when the pool is left."""

import os
import signal
import time
from multiprocessing import active_children
from multiprocessing.connection import wait

import torch

from drt.numeric.pool import workers


def test_a_worker_has_one_thread_leaves_interrupts_to_the_parent_and_ends_with_the_pool():
    before = signal.getsignal(signal.SIGINT)
    with workers(1) as pool:
        assert signal.getsignal(signal.SIGINT) is before
        assert pool.submit(torch.get_num_threads).result() == 1
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN
        assert pool.submit(os.getpid).result() != os.getpid()
        assert list(pool.map(abs, [-1, 2, -3])) == [1, 2, 3]
        (child,) = active_children()
        # Far longer than any test may take: on the way out what runs is ended and what waits is dropped.
        unfinished = [pool.submit(time.sleep, 3600) for _ in range(4)]
    assert wait([child.sentinel], timeout=300)  # its exit code may be read by the pool's own thread instead
    assert unfinished[-1].cancelled()
    assert signal.getsignal(signal.SIGINT) is before
