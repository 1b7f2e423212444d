"""What happens when the records fail in the middle of a round, and the desk lives on."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Sequence
from typing import Any

from mailroom.errors import RecordsUnavailable
from mailroom.flow.desk import Desk
from mailroom.flow.draining import Drained, drain
from mailroom.flow.ports import Arrivals, Cases
from mailroom.mail.message import Arrival, Opened, RawMail
from tests.e2e.letters import plain
from tests.flow.conftest import Counter


class Lock:
    """Another process holds the database for a while: the first `times` uses fail."""

    def __init__(self, times: int) -> None:
        self.left = times

    def use(self) -> None:
        if self.left:
            self.left -= 1
            raise RecordsUnavailable("the database failed: locked")


class LockedCases:
    def __init__(self, cases: Cases, lock: Lock) -> None:
        self._cases, self._lock = cases, lock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cases, name)

    async def seen(self, raw: RawMail, opened: Opened | None = None) -> bool:
        self._lock.use()
        return await self._cases.seen(raw, opened)


class LockedArrivals:
    def __init__(self, arrivals: Arrivals, lock: Lock) -> None:
        self._arrivals, self._lock = arrivals, lock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._arrivals, name)

    async def release(self, arrivals: Sequence[Arrival]) -> None:
        self._lock.use()
        await self._arrivals.release(arrivals)


async def drained_of(desk: Desk) -> Drained:
    """Drain once; give what became of the mails."""
    return sum([step async for step in drain(desk, asyncio.Event())], Drained())


async def test_mail_that_was_in_work_when_the_records_failed_is_taken_in_the_next_round(counter: Counter) -> None:
    lock = Lock(2)
    desk = dataclasses.replace(
        counter.desk, cases=LockedCases(counter.desk.cases, lock), arrivals=LockedArrivals(counter.desk.arrivals, lock)
    )
    counter.inbox.receive(plain(1, "He waits outside my house."))
    with contextlib.suppress(RecordsUnavailable):
        await drained_of(desk)
    assert lock.left == 0
    drained = await drained_of(desk)
    assert drained.filed == 1
    assert counter.inbox.mails == {}
