"""A list of what was not worth a notice each reaches the keeper, whatever happened since its lines were written."""

import dataclasses

from sqlalchemy import Update, update

from mailroom.config import load
from mailroom.records.database import Database
from mailroom.records.tables import cases, outbox
from tests.e2e.letters import plain
from tests.flow.conftest import FORGED, Counter, Open, replies

SPAM = b"X-Spam-Flag: YES\r\n" + plain(1, "Buy our watches", subject="an offer")
DAY = 24


def change(counter: Counter, statement: Update) -> None:
    """Change the records behind the desk's back, as a failing disk or a wrong clock does."""
    database = Database(load(counter.folder / "config.toml").database_url)
    database.write_now(lambda connection: connection.execute(statement))
    database.close()


async def test_a_list_reaches_the_keeper_who_has_another_address_now(counter: Counter) -> None:
    await counter.take(SPAM)
    office = counter.desk.office
    moved = [dataclasses.replace(one, address="moved@example.org") for one in office.role("keeper")]
    office = dataclasses.replace(office, people=tuple(moved))
    counter.desk = dataclasses.replace(counter.desk, office=office)
    counter.later(hours=DAY)
    (listed,) = await counter.take()
    assert listed.recipient == "moved@example.org"
    assert "writer1@example.net" in counter.read(listed)


async def test_a_case_that_does_not_open_keeps_no_letter_waiting(counter: Counter) -> None:
    await counter.take(SPAM)
    change(counter, update(cases).values(details=b"damaged"))
    counter.later(hours=DAY)
    assert len(replies(await counter.take(plain(2, "Somebody insults me on the talk page every day.")))) == 1


async def test_a_case_that_does_not_open_keeps_no_list_from_the_keeper(counter: Counter) -> None:
    await counter.take(SPAM)
    change(counter, update(cases).values(details=b"damaged"))
    await counter.take(SPAM.replace(b"mail1@", b"mail2@"))
    counter.later(hours=DAY)
    (listed,) = await counter.take()
    assert counter.read(listed).count("unclassified") == 2


async def test_a_line_from_a_time_that_the_clock_invented_goes_when_that_is_noticed(counter: Counter) -> None:
    await counter.take(SPAM)
    year = 366 * DAY * 3600
    change(counter, update(outbox).values(since=outbox.c.since + year, due=outbox.c.due + year))
    counter.later(hours=DAY)
    assert await counter.take() == []
    await counter.desk.outbox.mend_times(counter.desk.now(), 8 * 3600)
    assert len(await counter.take()) == 1


async def test_no_word_of_suspected_spam_lies_on_the_server_under_its_own_keys(counter: Counter) -> None:
    await counter.take(SPAM.replace(b"an offer", b"canary subject").replace(b"watches", b"canary watches"))
    (line,) = await counter.desk.outbox.lines(counter.desk.now() + DAY * 3600)
    assert b"writer1@example.net" in line.letter.content
    assert b"canary" not in line.letter.content


async def test_a_list_says_whose_answer_is_held(open_counter: Open) -> None:
    counter = await open_counter(notices__per_hour=1)
    insults = "Somebody insults me on the talk page every day."
    held = plain(2, insults, "noreply@example.net")
    await counter.take(plain(1, insults))
    assert await counter.take(held) == []
    counter.later(hours=2)
    (listed,) = await counter.take()
    assert ": report: the answer is held (perhaps a machine)" in counter.read(listed)


async def test_a_list_says_whose_name_on_spam_is_forged(counter: Counter) -> None:
    await counter.take(FORGED + SPAM)
    counter.later(hours=DAY)
    (listed,) = await counter.take()
    assert "writer1@example.net (forged, says our mail server) (en, unclassified)" in counter.read(listed)
