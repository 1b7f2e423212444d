"""A signal ends a round in order: the step at hand is finished or given up, and what was done is told."""

import asyncio
import dataclasses
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mailroom import daemon, log
from mailroom.errors import MailboxError
from mailroom.flow.draining import BATCH_MAILS
from mailroom.flow.filing import Letter, Understood
from mailroom.flow.ports import Mailbox, Opener
from mailroom.mail.message import Arrival, RawMail
from tests.e2e.letters import plain
from tests.fakes import Bag
from tests.flow.conftest import Counter, Open


class Hanging:
    """Never comes to an end with the mail `last`; `at_it` is set when it begins."""

    def __init__(self, opener: Opener, last: bytes) -> None:
        self._opener, self._last, self.at_it = opener, last, asyncio.Event()

    async def open(self, raw: RawMail) -> Understood:
        if raw.content == self._last:
            self.at_it.set()
            await asyncio.Event().wait()
        return await self._opener.open(raw)


class HangingCourier(Bag):
    """Never comes to an end with a letter."""

    def __init__(self) -> None:
        super().__init__()
        self.at_it = asyncio.Event()

    async def send(self, letter: Letter) -> None:
        self.at_it.set()
        await asyncio.Event().wait()


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "_STOP_SECONDS", 0.1)


@pytest.mark.usefixtures("_short")
async def test_a_stop_in_a_step_without_end_gives_it_up_and_tells_what_was_done_before(counter: Counter) -> None:
    mails = [plain(number, "He waits outside my house.") for number in range(BATCH_MAILS + 1)]
    counter.inbox.receive(*mails)
    opener, stop = Hanging(counter.desk.opener, mails[-1]), asyncio.Event()
    once = asyncio.create_task(daemon.run_once(dataclasses.replace(counter.desk, opener=opener), stop))
    await opener.at_it.wait()
    stop.set()
    summary = await once
    assert (summary.drained.fetched, summary.drained.filed) == (BATCH_MAILS, BATCH_MAILS)
    assert len(counter.inbox.mails) == 1
    again = await daemon.run_once(counter.desk)
    assert (again.drained.filed, again.drained.parked) == (1, 0)


@pytest.mark.usefixtures("_short")
async def test_a_stop_while_the_smtp_server_hangs_leaves_the_letters_in_the_outbox(counter: Counter) -> None:
    counter.inbox.receive(plain(1, "He waits outside my house."))
    courier, stop = HangingCourier(), asyncio.Event()
    once = asyncio.create_task(daemon.run_once(dataclasses.replace(counter.desk, courier=courier), stop))
    await courier.at_it.wait()
    stop.set()
    summary = await once
    assert (summary.drained.filed, summary.replies_sent, summary.outbox_left) == (1, 0, 2)
    assert (await daemon.run_once(counter.desk)).replies_sent == 1


async def test_a_stop_before_the_first_step_does_nothing(counter: Counter) -> None:
    counter.inbox.receive(plain(1, "He waits outside my house."))
    stop = asyncio.Event()
    stop.set()
    summary = await daemon.run_once(counter.desk, stop)
    assert (summary.drained.fetched, summary.outbox_left, len(counter.inbox.mails)) == (0, 0, 1)


class Listed:
    """A mailbox whose first listing fails; sets `stop` when it is listed for the `last` time."""

    def __init__(self, mailbox: Mailbox, stop: asyncio.Event, last: int) -> None:
        self._mailbox, self._stop, self._last = mailbox, stop, last
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mailbox, name)

    async def arrivals(self) -> list[Arrival]:
        self.count += 1
        if self.count == 1:
            raise MailboxError("the connection was lost")
        if self.count == self._last:
            self._stop.set()
        return await self._mailbox.arrivals()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    written = io.StringIO()
    log._configure_structlog("info", written)
    yield written
    log._configure_structlog("info", None)


async def test_the_daemon_is_ready_once_after_the_first_listing_that_succeeded(
    counter: Counter, logged: io.StringIO
) -> None:
    stop = asyncio.Event()
    mailbox = Listed(counter.desk.mailbox, stop, last=4)
    await daemon.run(dataclasses.replace(counter.desk, mailbox=mailbox), 0.001, stop)
    events = [json.loads(line)["event"] for line in logged.getvalue().splitlines()]
    assert (mailbox.count, events) == (4, ["cannot drain", "ready"])


@pytest.mark.parametrize("there", [True, False])
async def test_copies_of_our_letters_are_deleted_and_a_missing_folder_keeps_no_report_waiting(
    open_counter: Open, there: bool
) -> None:
    counter = await open_counter(imap__sent="Sent")
    counter.inbox.folders |= {"Sent": []} if there else {}
    counter.inbox.copies = ["abcdefghijklmnopqrstuvwx@example.org", "somebody@example.net"]
    counter.inbox.receive(plain(1, "He waits outside my house."))
    stop = asyncio.Event()
    mailbox = Listed(counter.inbox, stop, last=3)
    await daemon.run(dataclasses.replace(counter.desk, mailbox=mailbox), 0.001, stop)
    assert counter.inbox.mails == {}
    assert len(counter.inbox.copies) == (1 if there else 2)
    assert counter.inbox.copies[-1] == "somebody@example.net"
    assert (counter.desk.health.trouble is None) is there
