"""The daemon's loops in this process, between real Dovecot and an SMTP sink, with a road to each that can go wrong."""

import asyncio
import dataclasses
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

from mailroom import assembly, daemon
from mailroom.config import Config, load
from mailroom.flow.desk import Desk
from mailroom.records import schema
from mailroom.transport.mailbox import ImapMailbox
from mailroom.transport.smtp import SmtpCourier
from tests.e2e.crashing import InProcess
from tests.e2e.house import KEEPER, House
from tests.fakes import Host
from tests.servers.proxy import Proxy
from tests.servers.sink import Delivery, Sink

ADMIN = "admin@example.net"
TICK = 0.02
SILENCE = 1.0  # seconds after which a server counts as gone
_ALARMING = 16 * 60


class Shift:
    """One run of the daemon. `host` is its machine; `imap` and `smtp` are the roads to the servers."""

    def __init__(self, house: House, sink: Sink, roads: tuple[Proxy, Proxy]) -> None:
        self.house, self.sink = house, sink
        self.imap, self.smtp = roads
        self.host = Host()
        self._began = self.host.now
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.desk: Desk

    def clock(self) -> datetime:
        """Give the time; when a test lets time pass for the machine, it passes for the clock too."""
        return datetime.now(UTC) + timedelta(seconds=self.host.now - self._began)

    def begin(self) -> None:
        """Start the daemon."""
        self._running = asyncio.create_task(daemon.run(self.desk, 60, self._stop, TICK))

    def jump(self, seconds: float) -> None:
        """Set the clock without letting time pass."""
        self._began -= seconds

    async def end(self) -> None:
        """Stop the daemon in order; it must be alive."""
        assert self._running
        assert not self._running.done(), self._running
        self._stop.set()
        self.desk.news.set()
        await self._running

    async def alarm(self) -> None:
        """Let a quarter of an hour pass for the desk in its trouble, until the admins are told that it stands still."""

        async def in_trouble() -> bool:
            return self.desk.health.trouble is not None

        await eventually(in_trouble)
        self.host.now += _ALARMING
        await self.sink.until(lambda letters: len(to(ADMIN, letters)) == 1)

    async def settled(self, mails: int, *, alarmed: bool = False) -> None:
        """Wait until so many mails are answered and told of, and until the end of an alarm is told too."""
        wanted = {KEEPER: mails, ADMIN: 2 if alarmed else 0}

        def holds(letters: list[Delivery]) -> bool:
            counts = Counter(one.rcpt_tos[0] for one in letters)
            others = sum(counts.values()) - counts[KEEPER] - counts[ADMIN]
            return others >= mails and all(counts[who] >= count for who, count in wanted.items())

        await self.sink.until(holds)

    async def emptied(self) -> None:
        """Wait until the daemon has emptied the inbox: a fault in the deletion is made good in the next round."""

        async def is_empty() -> bool:
            return not await asyncio.to_thread(self.house.inbox)

        await eventually(is_empty)

    def accounts(self, mails: int, *, alarms: int = 0) -> None:
        """Nothing is lost and nothing is doubled."""
        assert self.house.inbox() == []
        assert len(self.house.cases()) == mails
        letters = self.sink.deliveries
        written = [one for one in letters if one.rcpt_tos[0] not in {KEEPER, ADMIN}]
        assert Counter(one.rcpt_tos[0] for one in written) == {f"writer{n}@example.net": 1 for n in range(mails)}
        assert len(to(KEEPER, letters)) == mails
        ids = [message_from_bytes(one.content)["Message-ID"] for one in letters]
        assert len(set(ids)) == len(ids)
        assert len(to(ADMIN, letters)) == alarms


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until this holds."""
    while not await holds():  # noqa: ASYNC110 nobody tells when a server or a database has changed
        await asyncio.sleep(0.02)


def to(address: str, letters: list[Delivery]) -> list[Delivery]:
    """Pick the letters to one address."""
    return [one for one in letters if one.rcpt_tos == (address,)]


@asynccontextmanager
async def shift(house: House, sink: Sink, opener: object = InProcess) -> AsyncIterator[Shift]:
    """Build a desk whose servers it reaches over roads; everything is closed at the end."""
    async with AsyncExitStack() as stack:
        roads = (
            await stack.enter_async_context(Proxy(house.dovecot.port)),
            await stack.enter_async_context(Proxy(sink.port)),
        )
        text = house.config.read_text()
        for old, road in zip((house.dovecot.port, sink.port), roads, strict=True):
            text = re.sub(rf"^port = {old}$", f"port = {road.port}", text, flags=re.MULTILINE)
        house.config.write_text(text)
        config = load(house.config)
        stack.enter_context(daemon.alone_in(config.service.data_dir))
        schema.upgrade(config.database_url)
        one = Shift(house, sink, roads)
        desk = await assembly.desk(config, stack, opener, one.clock)  # type: ignore[arg-type]  # as assembly.workers
        desk.health.polled_at = desk.health.stirred_at = one.host.now
        one.desk = dataclasses.replace(await _hasty(desk, config, stack), machine=one.host)
        yield one


async def _hasty(desk: Desk, config: Config, stack: AsyncExitStack) -> Desk:
    """Give a desk that gives a silent server up soon."""
    mailbox = ImapMailbox(dataclasses.replace(assembly.imap_settings(config), timeout=SILENCE))
    settings = dataclasses.replace(assembly.smtp_settings(config), timeout=SILENCE, data_timeout=SILENCE)
    courier = SmtpCourier(settings)
    stack.push_async_callback(mailbox.close)
    stack.push_async_callback(courier.close)
    return dataclasses.replace(desk, mailbox=mailbox, courier=courier)
