"""Worker processes with one thread each: they avoid the stalls of threads that share a small machine."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context

import torch

Progress = Callable[[int, int, str], None]  # told (tasks done, tasks in all, what was done)


def silent(done: int, total: int, what: str) -> None:
    """Progress that nobody watches."""


def _ready() -> None:
    """The first task of every process."""


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread in this process, too: how a sum is split over threads decides its last digit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes. On the way out work not begun is dropped, and work not done is ended."""
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,))
    # An interrupt is the parent's to handle: processes born while it is ignored ignore it from their first instruction.
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main else None
    for _ in range(jobs):
        pool.submit(_ready)
    if in_main:
        signal.signal(signal.SIGINT, handler)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in active_children():
            process.terminate()
