"""The daemon: where configuration, rooms, records and transport meet, and the loop that runs them."""

import asyncio
import fcntl
import os
import resource
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailroom.assembly import desk as build_desk
from mailroom.config import Config
from mailroom.errors import MailboxError, MailroomError, RecordsUnavailable, ServerUnreachable
from mailroom.flow.delivery import deliver, delivering
from mailroom.flow.desk import Desk
from mailroom.flow.draining import Drained, drain
from mailroom.log import get_logger
from mailroom.records import schema

_STOP_SECONDS = 8.0  # the step at hand may take that long; then it is given up and tried again at the next start
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Summary:
    """What `run --once` prints (DESIGN section 7); `trouble` says why the SMTP server was out of reach, if it was."""

    drained: Drained
    replies_sent: int
    replies_held: int
    outbox_left: int
    seconds: float
    trouble: str | None


async def run_once(desk: Desk) -> Summary:
    """Drain the inbox and the outbox.

    Raises:
        ServerUnreachable: the IMAP server is out of reach.
    """
    started, (_, held_before) = time.monotonic(), await desk.outbox.counts()
    stop = asyncio.Event()
    sending = asyncio.create_task(_deliver_while(desk, stop))
    try:
        drained = await _drain_all(desk, stop)
    finally:
        stop.set()
        desk.news.set()
        replies = await sending
    trouble = None
    try:
        replies += await deliver(desk, asyncio.Event())
    except ServerUnreachable as error:
        trouble = str(error)
    await desk.arrivals.end()
    waiting, held = await desk.outbox.counts()
    seconds = round(time.monotonic() - started, 3)
    return Summary(drained, replies, max(held - held_before, 0), waiting, seconds, trouble)


async def _drain_all(desk: Desk, stop: asyncio.Event) -> Drained:
    total, last = Drained(), await drain(desk, stop)
    while last.fetched > last.deferred:
        total += last.without_deferred()
        last = await drain(desk, stop)
    return total + last


async def _deliver_while(desk: Desk, stop: asyncio.Event) -> int:
    replies = 0
    while not stop.is_set():
        await desk.news.wait()
        desk.news.clear()
        try:
            replies += await deliver(desk, stop)
        except ServerUnreachable:
            return replies
    return replies


async def run(desk: Desk, poll_seconds: float, stop: asyncio.Event) -> None:
    """Watch the inbox and the outbox until `stop` is set; then finish the step at hand, for some seconds at most."""
    tasks = [
        asyncio.create_task(_watching(desk, poll_seconds, stop), name="intake"),
        asyncio.create_task(delivering(desk, stop), name="delivery"),
    ]
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    desk.news.set()
    await asyncio.wait(tasks, timeout=_STOP_SECONDS)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await desk.arrivals.end()
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _watching(desk: Desk, poll_seconds: float, stop: asyncio.Event) -> None:
    failures = 0
    while not stop.is_set():
        try:
            drained = await drain(desk, stop)
        except (ServerUnreachable, MailboxError, RecordsUnavailable) as error:
            failures += 1
            _log.warning("cannot drain", why=type(error).__name__, count=failures)
        else:
            failures = 0
            if drained.fetched:
                _log.info("drained", count=drained.fetched)
        await _pause(stop, min(poll_seconds, 5 * 2.0**failures) if failures else poll_seconds)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Desk]:
    """Build the desk from the configuration; close what it holds at the end."""
    async with AsyncExitStack() as stack:
        stack.enter_context(alone_in(config.service.data_dir))
        schema.upgrade(config.database_url)
        yield await build_desk(config, stack)


@contextmanager
def alone_in(data_dir: Path) -> Iterator[None]:
    """Refuse to run beside another Mailroom over the same records."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with (data_dir / "run.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MailroomError(f"another Mailroom already runs over {data_dir}") from None
        yield


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT end the daemon in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
