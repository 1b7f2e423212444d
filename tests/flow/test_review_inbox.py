"""What may not happen to the inbox: a mail thrown away half read, or one obstacle that keeps all other mail waiting."""

import contextlib
import dataclasses
import errno
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from mailroom import daemon
from mailroom.errors import MailboxError, OpeningFailed
from mailroom.flow.filing import Case, Location, Understood
from mailroom.flow.intake import take_in
from mailroom.flow.ports import Cases
from mailroom.mail.message import Arrival, RawMail
from mailroom.records.arrivals import ArrivalBook
from mailroom.records.database import Database
from mailroom.records.tables import messages
from tests.e2e.letters import plain
from tests.fakes import Inbox
from tests.flow.conftest import Counter, Open, replies

LARGE = plain(1, "He waits outside my house every evening.\r\n" + "evidence " * 500)


async def restarted(counter: Counter) -> Counter:
    """Go on as a desk does that was killed: nothing is known but what the records hold."""
    database = Database(f"sqlite+aiosqlite:///{counter.folder / 'data' / 'mailroom.db'}")
    desk = dataclasses.replace(counter.desk, arrivals=ArrivalBook(database))
    await daemon.run_once(desk)
    database.close()
    return counter


async def test_an_oversize_mail_stays_in_the_inbox_when_the_desk_dies_right_after_filing_it(open_counter: Open) -> None:
    counter = await open_counter(imap__max_message_bytes=2000)
    counter.inbox.receive(LARGE)
    [arrival] = await counter.inbox.arrivals()
    await counter.desk.arrivals.start([arrival], alone=False)
    assert await take_in(counter.desk, await counter.inbox.fetch_beginning(arrival)) == "filed"
    # here the desk dies: the case is committed, nothing else was noted
    await restarted(counter)
    assert list(counter.inbox.mails) == [arrival]


class Dying:
    """A worker that dies of every mail; fits `flow.ports.Opener`."""

    async def open(self, raw: RawMail) -> Understood:
        raise OpeningFailed("died")


async def test_an_oversize_mail_that_is_parked_stays_in_the_inbox_whole(open_counter: Open) -> None:
    counter = await open_counter(imap__max_message_bytes=2000)
    counter.inbox.receive(LARGE)
    summary = await daemon.run_once(dataclasses.replace(counter.desk, opener=Dying()))
    assert summary.drained.parked == 1
    assert list(counter.inbox.mails.values()) == [LARGE]


class Damaged(Inbox):
    """An inbox with one message that the server cannot give out, however it is asked for (RFC 5530 SERVERBUG)."""

    async def fetch(self, arrivals: Sequence[Arrival]) -> list[RawMail]:
        if any(b"damaged" in self.mails[one] for one in arrivals):
            raise MailboxError("the server refused FETCH: NO SERVERBUG")
        return await super().fetch(arrivals)


async def test_one_mail_that_cannot_be_fetched_keeps_no_other_mail_waiting(counter: Counter) -> None:
    inbox = Damaged()
    inbox.receive(plain(1, "damaged"), plain(2, "He waits outside my house."))
    desk = dataclasses.replace(counter.desk, mailbox=inbox)
    for _ in range(3):
        with contextlib.suppress(MailboxError):
            await daemon.run_once(desk)
    assert [one.recipient for one in replies(counter.bag.letters)] == ["writer2@example.net"]


async def test_new_mail_is_answered_although_filed_mail_cannot_be_removed(counter: Counter) -> None:
    counter.inbox.stuck = True  # as with a full quota, or without the right to delete
    for number in (1, 2):
        with contextlib.suppress(MailboxError):
            await counter.take(plain(number, "He waits outside my house."))
    answered = {one.recipient for one in replies(counter.bag.letters)}
    assert answered == {"writer1@example.net", "writer2@example.net"}


class FullDisk:
    """Case records on a disk that has no room for a while, so that no case key can be put on it."""

    def __init__(self, cases: Cases, times: int) -> None:
        self._cases, self._left = cases, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cases, name)

    def open(self) -> Case:
        if self._left:
            self._left -= 1
            raise OSError(errno.ENOSPC, "no room")
        return self._cases.open()


@pytest.mark.parametrize("times", [1, 4])
async def test_a_disk_that_is_full_for_a_while_parks_no_innocent_mail(counter: Counter, times: int) -> None:
    desk = dataclasses.replace(counter.desk, cases=FullDisk(counter.desk.cases, times))
    counter.inbox.receive(plain(1, "He waits outside my house."))
    parked = [(await daemon.run_once(desk)).drained.parked for _ in range(times + 1)]
    assert parked == [0] * (times + 1)
    assert [one.recipient for one in replies(counter.bag.letters)] == ["writer1@example.net"]
    assert counter.inbox.mails == {}


class Counting(Inbox):
    """An inbox whose folders count UIDs as a server does."""

    async def move(self, arrivals: Sequence[Arrival], folder: str) -> dict[Arrival, Location]:
        before = len(self.folders.get(folder, []))
        await super().move(arrivals, folder)
        return {one: Location(folder, 1, before + number) for number, one in enumerate(arrivals, 1)}


async def test_a_second_copy_of_a_mail_does_not_make_us_forget_where_the_first_lies(open_counter: Open) -> None:
    counter = await open_counter(imap__after_filing="move")
    inbox = Counting()
    desk = dataclasses.replace(counter.desk, mailbox=inbox)
    for _ in range(2):
        inbox.receive(plain(1, "He waits outside my house."))
        await daemon.run_once(desk)
    database = Database(f"sqlite+aiosqlite:///{counter.folder / 'data' / 'mailroom.db'}")
    places = database.read_now(lambda connection: connection.execute(select(messages.c.folder_uid)).scalars().all())
    database.close()
    # Erasure deletes the copies that the records know; a copy that they do not know outlives it.
    assert sorted(places) == list(range(1, len(inbox.folders["Filed"]) + 1))


async def test_mail_that_somebody_else_marked_as_deleted_is_left_alone(counter: Counter) -> None:
    counter.inbox.mails[Arrival("INBOX", 1, 7, 10, is_deleted=True)] = plain(1, "He waits outside my house.")
    summary = await daemon.run_once(counter.desk)
    assert (summary.drained.fetched, len(counter.inbox.mails)) == (0, 1)
