"""Worker processes that open mails, one mail each at a time, within limits (pebble).

A worker that hangs is killed at its deadline; one that dies or runs out of memory takes only its own mail with
it. Workers are forked from a server process that has loaded libraries and language model once, and share that memory.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError as DeadlinePassed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing import forkserver
from threading import Thread
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

from mailroom.errors import OpeningFailed, WorkersBroken
from mailroom.flow.filing import Understood
from mailroom.mail.message import RawMail

S = TypeVar("S")
_PRELOADED = "mailroom.preloaded"
_START_SECONDS = 6.0  # for a worker to start, on a slow machine


class WorkerPool:
    """Fits `flow.ports.Opener`. `start(settings)` runs once in each worker, `work(raw)` for each mail."""

    def __init__(
        self,
        work: Callable[[RawMail], Understood],
        start: Callable[[S], None],
        settings: S,
        *,
        workers: int = 2,
        seconds: float = 10,
    ) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([_PRELOADED])
        _start_server()
        self._work, self._seconds = work, seconds
        # One mail in hand and one at the door for each worker; a mail's time runs only while it is in hand.
        self._free = asyncio.Semaphore(2 * workers)
        self._make = partial(
            ProcessPool, max_workers=workers, context=self._context, initializer=start, initargs=[settings]
        )
        self._pool = self._make()
        # Beside the building of the desk: the start waits for the server, and would keep the event loop waiting.
        self._starting = Thread(target=_start, args=[self._pool], daemon=True)
        self._starting.start()

    async def open(self, raw: RawMail) -> Understood:
        """Open one mail in a worker."""
        if self._starting.is_alive():
            await asyncio.to_thread(self._starting.join, _START_SECONDS)
        async with self._free:
            task = await self._done(self._pool, raw)
        match task.exception():
            case None:
                return task.result()
            case DeadlinePassed():
                raise OpeningFailed("timeout")
            case ProcessExpired():
                raise OpeningFailed("died")
            case error:  # its text may quote the mail: only the type is told
                raise OpeningFailed(type(error).__name__)

    async def _done(self, pool: ProcessPool, raw: RawMail) -> asyncio.Future[Understood]:
        try:
            task = asyncio.wrap_future(pool.schedule(self._work, args=[raw], timeout=self._seconds))
        except RuntimeError:  # the pool broke since the last mail
            raise self._broken(pool) from None
        # A pool that breaks may leave a task without an answer for ever.
        done, _ = await asyncio.wait([task], timeout=2 * self._seconds + _START_SECONDS)
        if not done or isinstance(task.exception(), BrokenProcessPool):
            raise self._broken(pool)
        return task

    def _broken(self, pool: ProcessPool) -> WorkersBroken:
        if pool is self._pool:
            _end(pool)
            self._pool = self._make()  # the next mail gets fresh workers
        return WorkersBroken("workers do not start: is the desk's GnuPG home in order?")

    def close(self) -> None:
        """Kill the workers; what they had in hand will be opened again."""
        _end(self._pool)


def _start(pool: ProcessPool) -> None:
    with suppress(OSError):  # the first mail meets the same failure, and it is told then
        _ = pool.active  # asking starts the workers


def _start_server() -> None:
    """Start the server that workers are forked from, so that it loads while the desk is built.

    A SIGTERM to all our processes is for the daemon, which ends the others in order. If it ended the server, all
    workers would seem dead at once, and the mails that they have in hand would be suspects. So the server and what it
    forks start with it blocked; `mailroom.worker.start` lets it through again.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves two of its methods unannotated
    pool.join()
