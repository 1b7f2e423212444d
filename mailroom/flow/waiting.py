"""How the loops of the daemon wait: never longer than until they are told to stop."""

import asyncio
import random
from collections.abc import Awaitable

LONGEST_PAUSE = 60.0
# Servers lock accounts or machines out after refused logins that come too fast.
LONGEST_PAUSE_REFUSED = 300.0
_FIRST_PAUSE = 1.0


def backoff(failures: int, longest: float) -> float:
    """Give the seconds to wait after so many failures in a row: doubled each time, and never the same for everybody.

    See Also:
        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    full = min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 20), longest)
    return full * random.uniform(0.5, 1)  # noqa: S311 nothing here has to be unpredictable


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so many seconds, or until `stop` is set."""
    await until(stop, asyncio.sleep(seconds))


async def until(stop: asyncio.Event, awaited: Awaitable[object], seconds: float | None = None) -> None:
    """Wait for `awaited`, for so many seconds at most, or until `stop` is set; raise what `awaited` raises."""
    waiting, stopping = asyncio.ensure_future(awaited), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([waiting, stopping], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (waiting, stopping):
            task.cancel()
        results = await asyncio.gather(waiting, stopping, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]
