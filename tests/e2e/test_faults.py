"""What goes wrong with servers and machines: the daemon lives, tells once, catches up, loses and doubles nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Build
from tests.e2e.house import KEEPER, build
from tests.e2e.letters import TEXTS, plain
from tests.e2e.shift import ADMIN, Shift, eventually, shift, to
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Fault, Kind, word
from tests.servers.sink import HANG, Delivery, Sink
from tests.servers.tokens import Tokens

MAILS = 3


@pytest.fixture
async def desk(furnish: Build, sink: Sink) -> AsyncIterator[Shift]:
    async with shift(furnish(admins__address=ADMIN), sink) as one:
        yield one


async def receive(desk: Shift, first: int = 0, last: int = MAILS) -> None:
    mails = [plain(number, TEXTS["en"]) for number in range(first, last)]
    await asyncio.to_thread(desk.house.receive, *mails)


async def truth(value: bool) -> bool:
    return value


async def idle(desk: Shift) -> None:
    """Wait until the daemon has nothing to do but to wait for news."""
    await receive(desk, 0, 1)
    await desk.settled(1)


async def end(desk: Shift, *, alarms: int = 0) -> None:
    await desk.end()
    await asyncio.to_thread(desk.accounts, MAILS, alarms=alarms)


@pytest.mark.parametrize("kind", ["cut", "hang", "bye", "no"])
@pytest.mark.parametrize("at", [b"CAPABILITY", b"SELECT", b"SEARCH", b"FETCH", b"STORE", b"EXPUNGE"])
async def test_a_fault_of_the_imap_server_at_any_step_is_made_good(desk: Shift, at: bytes, kind: Kind) -> None:
    await receive(desk)
    desk.imap.fault = Fault(kind, word(at))
    desk.begin()
    await desk.settled(MAILS)
    await desk.emptied()
    assert desk.imap.struck == 1
    await end(desk)


@pytest.mark.parametrize("at", [b"STORE", b"EXPUNGE"])
async def test_a_deletion_whose_answer_is_lost_is_not_done_to_other_mail(desk: Shift, at: bytes) -> None:
    await receive(desk, 0, 2)
    desk.imap.fault = Fault("cut after", word(at))
    desk.begin()
    await desk.settled(2)
    await receive(desk, 2, 3)
    await desk.settled(MAILS)
    await desk.emptied()
    await end(desk)


async def test_a_server_that_is_gone_at_the_start_is_told_once_and_waited_for(desk: Shift) -> None:
    desk.imap.close()
    desk.begin()
    await receive(desk)
    await desk.alarm()
    await desk.imap.open()
    await desk.settled(MAILS, alarmed=True)
    await end(desk, alarms=2)


@pytest.mark.parametrize("how", ["lost", "cut", "hang", "bye"])
async def test_a_server_that_is_gone_in_idle_is_found_again(desk: Shift, how: str) -> None:
    desk.begin()
    await idle(desk)
    if how == "lost":
        desk.imap.drop()
    else:
        kinds: dict[str, Kind] = {"cut": "cut", "hang": "hang", "bye": "bye"}
        desk.imap.fault = Fault(kinds[how], word(b"DONE"))
    await receive(desk, 1)
    await desk.settled(MAILS)
    await end(desk)


async def test_no_to_everything_is_told_once_and_outlived(desk: Shift) -> None:
    await receive(desk)
    desk.imap.fault = Fault("no", lambda line: b" " in line, once=False)
    desk.begin()
    await desk.alarm()
    desk.imap.fault = None
    await desk.settled(MAILS, alarmed=True)
    await end(desk, alarms=2)


async def test_a_changed_uidvalidity_files_nothing_twice(desk: Shift) -> None:
    await receive(desk, 0, 2)
    desk.imap.fault = Fault("no", word(b"STORE"), once=False)  # filed, and still in the inbox
    desk.begin()
    await desk.settled(2)
    desk.imap.drop()
    await asyncio.to_thread(desk.house.dovecot.bump_uidvalidity, desk.house.user)
    desk.imap.fault = None
    await receive(desk, 2, 3)
    await desk.settled(MAILS)
    await desk.emptied()
    await end(desk)


async def test_a_wrong_password_is_told_and_a_right_one_is_taken_without_a_restart(desk: Shift) -> None:
    password = desk.house.folder / "password"
    right = password.read_text()
    password.write_text("wrong")
    desk.begin()
    await receive(desk)
    await desk.alarm()
    assert b"refused the login" in to(ADMIN, desk.sink.deliveries)[0].content.replace(b"=\r\n", b"")
    password.write_text(right)
    await desk.settled(MAILS, alarmed=True)
    await end(desk, alarms=2)


async def test_an_smtp_server_that_is_gone_keeps_no_letter(desk: Shift) -> None:
    desk.smtp.close()
    desk.begin()
    await receive(desk)

    async def all_wait() -> bool:
        return (await desk.desk.outbox.counts())[0] == 2 * MAILS

    await eventually(all_wait)
    await desk.smtp.open()
    await desk.settled(MAILS)
    await end(desk)


@pytest.mark.parametrize("at", [b"EHLO", b"MAIL FROM", b"RCPT TO", b"DATA"])
@pytest.mark.parametrize("kind", ["cut", "hang"])
async def test_a_fault_of_the_smtp_server_at_any_step_costs_no_letter(desk: Shift, at: bytes, kind: Kind) -> None:
    desk.smtp.fault = Fault(kind, word(at))
    desk.begin()
    await receive(desk)
    await eventually(lambda: truth(desk.smtp.struck > 0))
    await hasten(desk)
    await desk.settled(MAILS)
    assert desk.smtp.struck == 1
    await end(desk)


async def hasten(desk: Shift) -> None:
    """Make what was deferred due, again and again, until the desk has nothing left to send."""
    path = desk.house.data / "mailroom.db"

    def once() -> int:
        with closing(sqlite3.connect(path, timeout=20)) as records, records:
            records.execute("UPDATE outbox SET due = since WHERE state = 'waiting'")
            return int(records.execute("SELECT count(*) FROM outbox WHERE state = 'waiting'").fetchone()[0])

    async def all_sent() -> bool:
        desk.desk.news.set()
        return await asyncio.to_thread(once) == 0

    await eventually(all_sent)


@pytest.mark.parametrize("answer", ["451 4.7.1 greylisted", "421 too busy", HANG])
async def test_a_letter_that_is_not_taken_now_goes_later(desk: Shift, answer: str) -> None:
    refused: set[Delivery] = set()

    def once(step: str, delivery: Delivery) -> str | None:
        if step != "DATA" or delivery in refused:
            return None
        refused.add(delivery)
        return answer

    desk.sink.answer(once)
    desk.begin()
    await receive(desk)
    await eventually(lambda: truth(bool(refused)))
    await hasten(desk)
    await desk.settled(MAILS)
    await end(desk)


async def test_half_of_the_recipients_refused_keeps_no_other_waiting_and_the_keeper_is_told(desk: Shift) -> None:
    desk.sink.answer(
        lambda step, one: "550 no" if step == "RCPT" and one.rcpt_tos[0] == "writer0@example.net" else None
    )
    desk.begin()
    await receive(desk)
    await desk.sink.until(lambda letters: len(to(KEEPER, letters)) == MAILS + 1 and len(letters) == 2 * MAILS)
    await desk.end()
    assert [one.rcpt_tos for one in desk.sink.deliveries].count(("writer0@example.net",)) == 0
    assert len(await asyncio.to_thread(desk.house.cases)) == MAILS


async def test_a_locked_database_is_told_once_and_loses_nothing(desk: Shift) -> None:
    records: Any = desk.desk.outbox
    await records._database.write(lambda one: one.exec_driver_sql("PRAGMA busy_timeout=200"))
    with closing(sqlite3.connect(desk.house.data / "mailroom.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        desk.begin()
        await receive(desk)
        await desk.alarm()
        other.execute("ROLLBACK")
    await desk.settled(MAILS, alarmed=True)
    await end(desk, alarms=2)


async def test_a_jump_of_the_clock_is_told_once_and_keeps_no_letter(desk: Shift) -> None:
    desk.begin()
    await idle(desk)
    desk.jump(7200)
    await desk.sink.until(lambda letters: len(to(ADMIN, letters)) == 1)
    await receive(desk, 1)
    await desk.settled(MAILS)
    await end(desk, alarms=1)


async def test_a_full_disk_is_told_once_and_loses_nothing(desk: Shift) -> None:
    records: Any = desk.desk.outbox
    desk.begin()
    await idle(desk)
    await records._database.write(lambda one: one.exec_driver_sql("PRAGMA max_page_count=1"))  # no page more
    await receive(desk, 1)
    await desk.alarm()
    await records._database.write(lambda one: one.exec_driver_sql("PRAGMA max_page_count=1000000"))
    await desk.settled(MAILS, alarmed=True)
    await end(desk, alarms=2)


async def test_a_token_that_expires_in_the_middle_is_replaced(sink: Sink, desk_home: Path, tmp_path: Path) -> None:
    tokens, words = Tokens(), tmp_path / "words"
    with Dovecot(tokens=tokens) as provider, build(provider, sink.port, desk_home, admins__address=ADMIN) as house:
        text = house.config.read_text()
        house.config.write_text(text.replace('password_file = "password"', f'token_command = ["cat", "{words}"]', 1))
        words.write_text(tokens.issue(house.user, seconds=3))
        async with shift(house, sink) as desk:
            desk.begin()
            await idle(desk)
            words.write_text(tokens.issue(house.user))
            await asyncio.sleep(4)  # a token ends when its time is over; Dovecot has no other clock
            desk.imap.drop()
            await receive(desk, 1)
            await desk.settled(MAILS)
            await end(desk)
