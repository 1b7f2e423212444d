"""The loops go on: what fails beside the inbox stops no inbox, and a failure of ours ends no daemon."""

import asyncio
import dataclasses
import errno
from collections.abc import Coroutine, Sequence

import pytest

from mailroom.errors import OpeningFailed, PermanentFailure
from mailroom.flow.delivery import delivering
from mailroom.flow.draining import drain
from mailroom.flow.filing import Case, Due, Filed, Filing, Outgoing, Understood
from mailroom.flow.watching import watching
from mailroom.mail.message import RawMail
from mailroom.records.cases import CaseBook
from tests.e2e.letters import TEXTS, plain
from tests.e2e.shift import eventually
from tests.fakes import Inbox
from tests.flow.conftest import Counter
from tests.flow.test_alarms import Moody


class NoRoom(CaseBook):
    """Records whose disk is full, for the first time that something is written for good; then it has room."""

    def __init__(self, cases: object) -> None:
        self.__dict__ |= vars(cases)
        self.went = asyncio.Event()
        self.refused = 0

    async def file(self, filing: Filing) -> Filed:
        self._refuse()
        filed = await super().file(filing)
        self.went.set()
        return filed

    async def give_up(self, due: Due, code: int, case: Case, outgoing: Sequence[Outgoing]) -> None:
        self._refuse()
        await super().give_up(due, code, case, outgoing)
        self.went.set()

    def _refuse(self) -> None:
        self.refused += 1
        if self.refused == 1:
            raise OSError(errno.ENOSPC, "No space left on device", "keystore")


class Breaking:
    """Breaks over every mail."""

    async def open(self, raw: RawMail) -> Understood:
        raise OpeningFailed("died")


async def test_a_disk_that_is_full_when_a_mail_is_parked_does_not_end_the_daemon(counter: Counter) -> None:
    cases, stop = NoRoom(counter.desk.cases), asyncio.Event()
    counter.inbox.receive(plain(1, TEXTS["en"]))
    desk = dataclasses.replace(counter.desk, cases=cases, opener=Breaking())
    await until_gone(watching(desk, 0.01, stop), cases, stop)
    assert desk.health.trouble is None or "No space" in desk.health.trouble
    assert "keystore" not in (desk.health.trouble or "")


async def test_a_disk_that_is_full_when_a_letter_is_given_up_does_not_end_the_daemon(counter: Counter) -> None:
    bag, stop = Moody(), asyncio.Event()
    bag.moods["writer1@example.net"] = PermanentFailure("no such mailbox", 550)
    counter.inbox.receive(plain(1, TEXTS["en"]))
    async for _ in drain(counter.desk, stop):
        pass
    cases = NoRoom(counter.desk.cases)
    await until_gone(delivering(dataclasses.replace(counter.desk, cases=cases, courier=bag), stop), cases, stop)


async def until_gone(loop: Coroutine[object, object, None], cases: NoRoom, stop: asyncio.Event) -> None:
    running, gone = asyncio.create_task(loop), asyncio.create_task(cases.went.wait())
    async with asyncio.timeout(20):
        await asyncio.wait([running, gone], return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    stop.set()
    await running
    assert cases.went.is_set()


class Chatty(Inbox):
    """Tells of news at once, always, although there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = 0

    async def news(self, seconds: float) -> None:
        self.woken += 1


async def test_a_server_that_tells_of_news_all_the_time_is_not_asked_without_a_pause(
    counter: Counter, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox, stop = Chatty(), asyncio.Event()
    watch = asyncio.create_task(watching(dataclasses.replace(counter.desk, mailbox=inbox), 600.0, stop))

    async def told() -> bool:
        return "woken for nothing" in capsys.readouterr().err

    async with asyncio.timeout(10):
        await eventually(told)
    stop.set()
    await watch
    assert inbox.woken < 20
