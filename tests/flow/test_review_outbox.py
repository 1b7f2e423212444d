"""What may not happen between the outbox and the server: a letter after STOP, a loop with the keeper, a silent loss."""

import asyncio
import collections
import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from mailroom import daemon
from mailroom.errors import PermanentFailure, RecordsUnavailable, SealError, ServerUnreachable, TemporaryFailure
from mailroom.flow.desk import Desk
from mailroom.flow.filing import Case, Due, Letter
from mailroom.flow.ports import Cases
from mailroom.records.database import Database
from mailroom.records.tables import outbox
from tests.e2e.house import KEEPER
from tests.e2e.letters import plain
from tests.fakes import Bag
from tests.flow.conftest import VOUCHED, Counter, notices, reference_in, replies

ANNA = "anna@example.net"
WORRY = "An unfamiliar man waits outside my house every evening and follows me to work."


class Moody(Bag):
    """A server that answers letters to anybody but the keeper with `mood`; fits `flow.ports.Courier`."""

    def __init__(self, mood: Exception | None) -> None:
        super().__init__()
        self.mood = mood

    async def send(self, letter: Letter) -> None:
        if self.mood and letter.recipient != KEEPER:
            raise self.mood
        self.letters.append(letter)


def later(desk: Desk, days: float) -> Desk:
    """Turn the desk's clock on."""
    clock = desk.office.clock

    def turned() -> datetime:
        return clock() + timedelta(days=days)

    return dataclasses.replace(desk, office=dataclasses.replace(desk.office, clock=turned))


@pytest.mark.parametrize("word", ["STOP", "My husband reads my mail. It is not safe to write to me."])
async def test_what_still_waits_in_the_outbox_does_not_go_to_who_meanwhile_asked_for_silence(
    counter: Counter, word: str
) -> None:
    server = Moody(TemporaryFailure("busy", 450))
    desk = dataclasses.replace(counter.desk, courier=server)
    counter.inbox.receive(VOUCHED + plain(1, WORRY, ANNA))
    await daemon.run_once(desk)
    reference = reference_in(server.letters[0])
    counter.inbox.receive(VOUCHED + plain(2, word, ANNA, f"[{reference}]"))
    await daemon.run_once(desk)
    server.mood = None
    await daemon.run_once(later(desk, 1))
    full = [one for one in replies(server.letters) if b"[" + reference.encode() in one.content]
    # After STOP nothing goes; after "not safe" at most the one short answer to that mail.
    assert len(full) <= (0 if word == "STOP" else 1)


class Damaged:
    """Case records that find no case any more: the first does not open."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cases, name)

    async def by_reference(self, written: str) -> Case | None:
        raise SealError(f"the record of {written} does not open")


async def test_a_letter_that_comes_back_in_a_damaged_case_keeps_no_other_waiting(counter: Counter) -> None:
    server = Moody(PermanentFailure("no such user", 550))
    desk = dataclasses.replace(counter.desk, courier=server, cases=Damaged(counter.desk.cases))
    counter.inbox.receive(plain(1, WORRY, ANNA))
    counter.inbox.receive(plain(2, WORRY, "ben@example.net"))
    await daemon.run_once(desk)
    assert [one.recipient for one in server.letters] == [KEEPER, KEEPER]
    assert await desk.outbox.counts() == (0, 0)


async def test_a_bounced_notice_is_filed_and_not_answered_with_another_notice(counter: Counter) -> None:
    [notice] = notices(await counter.take(plain(1, WORRY)))
    bounce = (
        f"Return-Path: <>\r\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example.net>\r\nTo: {notice.sender}\r\n"
        "Subject: Undelivered Mail\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nmailbox full\r\n--b--\r\n"
    ).encode()
    assert await counter.take(bounce) == []
    assert counter.inbox.mails == {}


async def test_a_notice_that_comes_back_to_us_is_filed_and_makes_no_further_notice(counter: Counter) -> None:
    [notice] = notices(await counter.take(plain(1, WORRY)))
    assert await counter.take(notice.content) == []  # a keeper's address that forwards to the desk
    assert counter.inbox.mails == {}


class Death(Exception):
    """Stands for SIGKILL: nothing in the flow may catch it and go on."""


class DiesAtGiveUp:
    """Case records; the desk dies as it notes a failure and the notice about it."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cases, name)

    async def give_up(self, *_: object) -> None:
        raise Death


async def test_a_death_between_a_refused_letter_and_its_notice_does_not_cost_the_notice(counter: Counter) -> None:
    server = Moody(PermanentFailure("no such mailbox", 550))
    desk = dataclasses.replace(counter.desk, courier=server)
    counter.inbox.receive(plain(1, WORRY))
    dying = dataclasses.replace(desk, cases=DiesAtGiveUp(desk.cases))
    with pytest.raises(Death):
        await daemon.run_once(dying)
    await daemon.run_once(desk)
    assert any("could not be delivered" in counter.read(one) for one in notices(server.letters))


async def test_a_letter_is_not_given_up_because_our_own_server_was_away_for_days(counter: Counter) -> None:
    server = Moody(ServerUnreachable("it is away"))
    desk = dataclasses.replace(counter.desk, courier=server)
    counter.inbox.receive(plain(1, WORRY))
    await daemon.run_once(desk)
    server.mood = TemporaryFailure("greylisted", 450)
    await daemon.run_once(later(desk, 6))
    server.mood = None
    await daemon.run_once(later(desk, 7))
    assert [one.recipient for one in replies(server.letters)] == ["writer1@example.net"]


async def test_one_letter_that_does_not_open_keeps_no_other_letter_waiting(counter: Counter) -> None:
    server = Moody(ServerUnreachable("it is away"))
    desk = dataclasses.replace(counter.desk, courier=server)
    counter.inbox.receive(plain(1, WORRY), plain(2, WORRY))
    await daemon.run_once(desk)
    database = Database(f"sqlite+aiosqlite:///{counter.folder / 'data' / 'mailroom.db'}")
    first = (outbox.c.kind == "reply") & (outbox.c.id <= 2)
    database.write_now(lambda connection: connection.execute(update(outbox).where(first).values(letter=b"damaged")))
    database.close()
    server.mood = None
    await daemon.run_once(later(desk, 1))
    assert len(replies(server.letters)) == 1


class Slow(Bag):
    """Takes letters, and lets others work meanwhile."""

    async def send(self, letter: Letter) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await super().send(letter)


class FailsOnce:
    """An outbox that cannot note the first letters that went."""

    def __init__(self, outbox: Any) -> None:
        self._outbox, self._failed = outbox, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)

    async def sent(self, letters: Sequence[Due]) -> None:
        if not self._failed:
            self._failed = True
            raise RecordsUnavailable("the database failed")
        await self._outbox.sent(letters)


async def test_letters_that_could_not_be_noted_repeat_no_letter_that_went_after_them(counter: Counter) -> None:
    slow = Slow()
    desk = dataclasses.replace(counter.desk, courier=slow, outbox=FailsOnce(counter.desk.outbox))
    counter.inbox.receive(plain(1, WORRY), plain(2, WORRY))
    with pytest.raises(RecordsUnavailable):
        await daemon.run_once(desk)
    await daemon.run_once(desk)
    times = sorted(collections.Counter(one.content for one in slow.letters).values())
    assert times == [1, 1, 1, 2]
