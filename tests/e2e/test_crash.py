"""SIGKILL at every step of the flow: nothing is lost, nothing is filed twice, no innocent mail is parked."""

import asyncio
from collections import defaultdict
from typing import Literal

import pytest

from tests.e2e.conftest import Build
from tests.e2e.crashing import STEPS, Kill, run
from tests.e2e.house import House, notices, parsed, replies
from tests.e2e.letters import mixed
from tests.openpgp_mails import entity, pgp_mime_encrypted
from tests.servers.sink import Delivery, Sink

KILLED = -9


async def once(house: House, kill: Kill | None = None, *, real_worker: bool = False) -> int:
    return await asyncio.to_thread(run, house.config, kill, real_worker=real_worker)


async def assert_each_once(house: House, sink: Sink, count: int) -> None:
    """One case, one notice and one answer under one Message-ID for each mail; nothing left, nothing parked."""
    assert house.inbox() == []
    cases = await asyncio.to_thread(house.cases)
    assert len(cases) == count
    assert {(case["status"], case["messages"]) for case in cases} == {("open", 1)}
    one_letter_each(replies(sink.deliveries), by="To", count=count)
    one_letter_each(notices(sink.deliveries), by="Subject", count=count)


def one_letter_each(deliveries: list[Delivery], *, by: str, count: int) -> None:
    """Letters to one person or about one case are the same letter, however often it was sent."""
    sent = defaultdict(set)
    for delivery in deliveries:
        sent[parsed(delivery)[by]].add((parsed(delivery)["Message-ID"], delivery.content))
    assert len(sent) == count
    assert all(len(letters) == 1 for letters in sent.values())


@pytest.mark.parametrize(("when", "nth"), [("before", 1), ("after", 1), ("before", 2)])
@pytest.mark.parametrize("step", STEPS)
async def test_a_kill_at_any_step_loses_and_doubles_nothing(
    furnish: Build, sink: Sink, step: str, when: Literal["before", "after"], nth: int
) -> None:
    house = furnish()
    signed, plain = list(mixed(4))[2:]
    answered_encrypted = pgp_mime_encrypted(
        "complainant@example.net", entity("He follows me."), autocrypt="complainant"
    )
    house.receive(answered_encrypted, signed, plain)
    died = await once(house, Kill(step, when, nth))
    assert died in (KILLED, 0)
    assert died == KILLED or nth > 1  # a round of three mails takes some steps only once
    assert await once(house) == 0
    await assert_each_once(house, sink, 3)


@pytest.mark.parametrize("step", ["opener.open", "cases.file", "mailbox.delete", "courier.send"])
async def test_four_kills_in_a_row_park_no_innocent_mail(furnish: Build, sink: Sink, step: str) -> None:
    house = furnish()
    house.receive(*mixed(2))
    for _ in range(4):
        await once(house, Kill(step, "before", 1))
    assert await once(house) == 0
    await assert_each_once(house, sink, 2)


@pytest.mark.parametrize("step", ["opener.open", "cases.file", "courier.send"])
async def test_a_kill_with_fifty_mails_in_flight_loses_and_doubles_nothing(
    furnish: Build, sink: Sink, step: str
) -> None:
    house = furnish()
    house.receive(*mixed(50))
    assert await once(house, Kill(step, "after", 20), real_worker=True) == KILLED
    assert await once(house) == 0
    await assert_each_once(house, sink, 50)


async def test_a_changed_uidvalidity_after_a_crash_files_nothing_twice(furnish: Build, sink: Sink) -> None:
    house = furnish()
    house.receive(*mixed(3))
    assert await once(house, Kill("mailbox.delete", "before", 1)) == KILLED
    house.dovecot.bump_uidvalidity(house.user)
    assert await once(house) == 0
    await assert_each_once(house, sink, 3)
