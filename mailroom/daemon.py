"""The daemon: where configuration, rooms, records and transport meet, and the loop that runs them."""

import asyncio
import fcntl
import gc
import os
import resource
import signal
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mailroom.assembly import desk as build_desk
from mailroom.config import Config
from mailroom.errors import MailroomError, ServerUnreachable
from mailroom.flow.alarming import TICK, alarming, living
from mailroom.flow.delivery import deliver, delivering
from mailroom.flow.desk import Desk
from mailroom.flow.draining import Drained, drain
from mailroom.flow.watching import watching
from mailroom.records import schema
from mailroom.transport.gnupg_home import DeskHome

_STOP_SECONDS = 8.0  # the step at hand may take that long; then it is given up and tried again at the next start


@dataclass(frozen=True, slots=True)
class Summary:
    """What `run --once` prints (DESIGN section 7); `trouble` says why the SMTP server was out of reach, if it was."""

    drained: Drained
    replies_sent: int
    replies_held: int
    outbox_left: int
    seconds: float
    trouble: str | None


@dataclass(slots=True)
class _Tally:
    """What was done so far, also where a signal cut it short. `rounds` has one entry for each listing of the inbox."""

    rounds: list[Drained] = field(default_factory=list)
    replies: int = 0
    trouble: str | None = None

    @property
    def drained(self) -> Drained:
        """What became of the mails; what a later round fetched again counts once."""
        earlier = (one.without_deferred() for one in self.rounds[:-1])
        return sum((*earlier, *self.rounds[-1:]), Drained())


async def run_once(desk: Desk, stop: asyncio.Event | None = None) -> Summary:
    """Drain the inbox and the outbox; once `stop` is set, only finish the step at hand, for some seconds at most.

    Raises:
        ServerUnreachable: the IMAP server is out of reach.
    """
    started, (_, held_before) = time.monotonic(), await desk.outbox.counts()
    stop, drained, tally = stop or asyncio.Event(), asyncio.Event(), _Tally()
    draining = asyncio.create_task(_drain_all(desk, stop, tally))
    draining.add_done_callback(lambda _: _wake(drained, desk.news))
    sending = asyncio.create_task(_send_all(desk, drained, stop, tally))
    await _finished(desk, stop, [draining, sending], asyncio.ALL_COMPLETED)
    waiting, held = await desk.outbox.counts()
    seconds = round(time.monotonic() - started, 3)
    return Summary(tally.drained, tally.replies, max(held - held_before, 0), waiting, seconds, tally.trouble)


async def _drain_all(desk: Desk, stop: asyncio.Event, tally: _Tally) -> None:
    while not stop.is_set() and (not tally.rounds or tally.rounds[-1].fetched > tally.rounds[-1].deferred):
        tally.rounds.append(Drained())
        async for step in drain(desk, stop):
            tally.rounds[-1] += step


async def _send_all(desk: Desk, drained: asyncio.Event, stop: asyncio.Event, tally: _Tally) -> None:
    """Send what there is while the inbox is drained, and all that is left after it."""
    with suppress(ServerUnreachable):  # the last try tells
        while not drained.is_set():
            await desk.news.wait()
            desk.news.clear()
            tally.replies += await deliver(desk, stop)
    await drained.wait()
    try:
        tally.replies += await deliver(desk, stop)
    except ServerUnreachable as error:
        tally.trouble = str(error)


def _wake(*waited_for: asyncio.Event) -> None:
    for event in waited_for:
        event.set()


async def run(desk: Desk, poll_seconds: float, stop: asyncio.Event, tick: float = TICK) -> None:
    """Watch the inbox, the outbox and, every `tick` seconds, the desk itself, until `stop` is set.

    The step at hand may then be finished, for some seconds at most.
    """
    on_itself = alarming(desk, stop, tick), living(desk, stop, tick)
    loops = watching(desk, poll_seconds, stop), delivering(desk, stop), *on_itself
    tasks = [asyncio.create_task(one) for one in loops]
    await _finished(desk, stop, tasks, asyncio.FIRST_COMPLETED)


async def _finished(desk: Desk, stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]], when: str) -> None:
    """Wait for tasks, one or all; once `stop` is set they may finish the step at hand, for some seconds at most.

    Raises whatever one of them raised.
    """
    over = [asyncio.create_task(asyncio.wait(tasks, return_when=when)), asyncio.create_task(stop.wait())]
    await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
    _wake(stop, desk.news)
    await asyncio.wait(tasks, timeout=_STOP_SECONDS)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*over)
    await desk.arrivals.end()
    for result in results:
        if isinstance(result, Exception):
            raise result


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Desk]:
    """Build the desk from the configuration; close what it holds at the end."""
    async with AsyncExitStack() as stack:
        stack.enter_context(alone_in(config.service.data_dir))
        schema.upgrade(config.database_url)
        # Here, not where the desk is built: a command beside the daemon must not end the agent that it works with.
        stack.callback(DeskHome(config.openpgp.home).stop_agent)
        desk = await build_desk(config, stack)
        gc.collect()
        gc.freeze()  # rules and phrases stay; the collector need not go through them again and again
        stack.callback(gc.unfreeze)
        yield desk


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


def stop_idle_agent(config: Config) -> None:
    """End gpg's agent after a command that used it, unless a daemon works with it: that one ends it itself."""
    with suppress(MailroomError), alone_in(config.service.data_dir):
        DeskHome(config.openpgp.home).stop_agent()


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT end the daemon in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
