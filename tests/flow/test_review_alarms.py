"""Alarms under trouble of their own: a wrong clock, failing records, restarts, and several admins."""

import dataclasses
from zoneinfo import ZoneInfo

import pytest

from mailroom.errors import RecordsUnavailable, ServerUnreachable
from mailroom.flow.alarming import Watch
from mailroom.flow.desk import Person
from mailroom.flow.health import Health
from mailroom.records.outbox import OutboxBook
from tests.flow.conftest import Counter
from tests.flow.test_alarms import ADMIN, START, Room


@pytest.fixture
def room(counter: Counter) -> Room:
    return Room(counter.desk, Person(ADMIN, "admin"))


class Locked(OutboxBook):
    """An outbox whose database fails while `fails`."""

    def __init__(self, outbox: object) -> None:
        self.__dict__ |= vars(outbox)
        self.fails = True

    async def mend_times(self, now: int, longest: int) -> int:
        if self.fails:
            raise RecordsUnavailable("the database failed")
        return await super().mend_times(now, longest)


async def test_a_jump_of_the_clock_is_told_once_while_the_database_fails(room: Room) -> None:
    await room.after(60, polls=True)
    outbox = Locked(room.desk.outbox)
    room.desk = dataclasses.replace(room.desk, outbox=outbox)
    told = await room.after(60, clock=-86400, polls=True)
    told += [text for _ in range(5) for text in await room.after(20, polls=True)]
    outbox.fails = False
    told += [text for _ in range(5) for text in await room.after(20, polls=True)]
    assert len(told) == 1


async def test_an_alarm_is_tried_again_although_the_clock_was_set_back_meanwhile(room: Room) -> None:
    room.bag.moods[""] = ServerUnreachable("no answer")
    await room.after(3600)
    room.bag.moods.clear()
    texts = await room.after(20, clock=-86400 * 365)
    texts += await room.after(600)
    assert sum("could not be worked through" in text for text in texts) == 1


async def test_an_alarm_that_comes_again_after_the_clock_was_set_back_is_told(room: Room) -> None:
    await room.after(3600)
    await room.after(60, polls=True)
    await room.after(60, clock=-86400 * 365, polls=True)
    assert len(await room.after(7200)) == 1


async def test_after_a_restart_nothing_is_called_over_before_it_was_seen_to_work(counter: Counter) -> None:
    admin = Person(ADMIN, "admin")
    before = Room(counter.desk, admin)
    assert len(await before.after(3600)) == 1
    told = before.host.recall() | {"certificate IMAP": 1}
    again = Room(
        dataclasses.replace(counter.desk, health=Health(before.host.now, before.host.now)), admin, polled=False
    )
    again.host.now = before.host.now
    again.watch = Watch(dict(told), dict(told))
    assert await again.after(60) == []
    assert [text.count("The inbox could not") for text in await again.after(60, polls=True)] == [1]
    assert "certificate IMAP" in again.watch.told


async def test_an_admin_who_was_told_is_not_told_again_when_the_server_goes_before_the_next_one(
    counter: Counter,
) -> None:
    room = Room(counter.desk, Person(ADMIN, "admin"), Person("second@example.net", "admin"))
    room.bag.moods["second@example.net"] = ServerUnreachable("no answer")
    assert len(await room.after(3600)) == 1
    assert await room.after(3600) == []


async def test_the_daily_line_comes_once_where_hours_begin_at_the_half(counter: Counter) -> None:
    room = Room(counter.desk, Person(ADMIN, "admin"), alive_hours=(8,))
    policy = dataclasses.replace(room.desk.office.policy, zone=ZoneInfo("Asia/Kolkata"))
    room.desk = dataclasses.replace(room.desk, office=dataclasses.replace(room.desk.office, policy=policy))
    room.at = START.replace(hour=2, minute=0)
    assert len([text for _ in range(12) for text in await room.after(600, polls=True)]) == 1
