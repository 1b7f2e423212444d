"""Worker processes that open mails, one mail each at a time, within limits (pebble).

A worker that hangs is killed at its deadline; one that dies or runs out of memory takes only its own mail with
it. Workers are forked from a small server process that has loaded the libraries once.
"""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import TimeoutError as DeadlinePassed
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

from mailroom.errors import OpeningFailed
from mailroom.mail.message import Opened, RawMail

S = TypeVar("S")


class WorkerPool:
    """Fits `flow.ports.Opener`. `start(settings)` runs once in each worker, `work(raw)` for each mail."""

    def __init__(
        self,
        work: Callable[[RawMail], Opened],
        start: Callable[[S], None],
        settings: S,
        *,
        workers: int = 2,
        seconds: float = 60,
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([work.__module__])
        self._work, self._seconds = work, seconds
        self._pool = ProcessPool(max_workers=workers, context=context, initializer=start, initargs=[settings])

    async def open(self, raw: RawMail) -> Opened:
        """Open one mail in a worker; what the worker raises is raised here."""
        task = self._pool.schedule(self._work, args=[raw], timeout=self._seconds)
        try:
            return await asyncio.wrap_future(task)
        except DeadlinePassed:
            raise OpeningFailed("timeout") from None
        except ProcessExpired:
            raise OpeningFailed("died") from None

    def close(self) -> None:
        """Kill the workers; what they had in hand will be opened again."""
        self._pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves two of its methods unannotated
        self._pool.join()
