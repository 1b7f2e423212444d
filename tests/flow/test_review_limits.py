"""Limits that hold when mails come at once, keys that ran out, and doors that admins use while the desk is busy."""

import asyncio
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from mailroom.cli import case as case_verbs
from mailroom.cli.bench import bench
from mailroom.flow.filing import Spending
from mailroom.records import audit
from mailroom.records.database import Database
from mailroom.records.tables import limits
from tests.e2e.letters import plain
from tests.flow.conftest import Counter, Open, reference_in, replies
from tests.gnupg_home import fingerprint, new_home
from tests.records.conftest import open_shelf

INSULTS = "Somebody insults me on the talk page every day."
WORRY = "An unfamiliar man waits outside my house every evening and follows me to work."


async def test_a_domain_that_writes_all_at_once_gets_no_more_answers_than_its_hour_allows(open_counter: Open) -> None:
    counter = await open_counter(replies__per_domain_per_hour=3)
    mails = [plain(number, f"{INSULTS} ({number})", f"writer{number}@small.example") for number in range(8)]
    assert len(replies(await counter.take(*mails))) == 3
    assert counter.inbox.mails == {}


async def test_suffixes_of_one_address_share_its_answers_also_when_they_come_at_once(counter: Counter) -> None:
    mails = [plain(number, f"{WORRY} ({number})", f"anna+{number}@example.net") for number in range(6)]
    assert len(replies(await counter.take(*mails))) == 3


async def test_counts_of_answers_are_forgotten_when_their_day_and_hour_are_over(tmp_path: Path) -> None:
    shelf = open_shelf(tmp_path)
    for day in (1, 2, 3):
        shelf.at = datetime(2026, 11, day, 12, tzinfo=UTC)
        content = f"mail of day {day}".encode()
        filing = dataclasses.replace(
            shelf.filing(content, day, shelf.cases.open()), spends=Spending("anna@example.net")
        )
        await shelf.arrivals.start([filing.raw.arrival], alone=False)
        await shelf.cases.file(filing)
    kept = shelf.database.read_now(lambda connection: set(connection.execute(select(limits.c.window)).scalars()))
    shelf.database.close()
    assert kept == {"2026-11-03", "2026-11-03T12"}


async def test_when_the_circuit_opens_the_admin_is_told_once(open_counter: Open) -> None:
    with new_home(["desk"], ["keeper", "deputy"]) as home:
        values = {"admins__address": "admin@example.org", "admins__fingerprint": fingerprint("deputy")}
        counter = await open_counter(home, replies__circuit_per_minute=1, **values)
        sent = await counter.take(*(plain(number, f"{WORRY} ({number})") for number in range(4)))
    assert [one.recipient for one in sent if one.recipient == "admin@example.org"] == ["admin@example.org"]


async def test_people_are_answered_although_the_archive_key_has_expired(open_counter: Open) -> None:
    with new_home(["desk"], ["keeper", "expired"]) as home:
        counter = await open_counter(home, archive__recipients=[fingerprint("expired")])
        sent = await counter.take(plain(1, WORRY))
    assert [one.recipient for one in replies(sent)] == ["writer1@example.net"]


@pytest.mark.parametrize("change", [str.lower, lambda reference: reference.replace("-", "")])
async def test_a_held_answer_is_let_go_by_a_reference_as_people_type_it(open_counter: Open, change: object) -> None:
    assert callable(change)
    counter = await open_counter(replies__hold_unauthenticated=True)
    [notice] = await counter.take(plain(1, WORRY))
    arguments = ["answer", change(reference_in(notice)), "--config", str(counter.folder / "config.toml")]
    done = await asyncio.to_thread(CliRunner().invoke, case_verbs.app, arguments)
    assert done.exception is None
    assert [one.recipient for one in await counter.take()] == ["writer1@example.net"]


async def test_explain_works_beside_the_records_of_a_desk_that_ran(counter: Counter) -> None:
    await counter.take(plain(1, WORRY))
    with bench(counter.folder / "config.toml") as explaining:
        assert (await explaining.explain(plain(2, WORRY)))["kind"] == "report"


def test_two_processes_that_log_at_once_break_neither_the_chain_nor_each_other(tmp_path: Path) -> None:
    shelf = open_shelf(tmp_path)
    other = Database(str(shelf.database.engine.url))

    def log(database: Database) -> None:
        for _ in range(60):
            database.write_now(audit.append, datetime.now(UTC), "operator", "read")

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(log, one) for one in (shelf.database, other)]:
            done.result()
    assert shelf.database.read_now(audit.length) == 120
    assert shelf.database.read_now(audit.broken_at) is None
    shelf.database.close()
    other.close()
