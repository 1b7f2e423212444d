"""Floods, faults and mails too large: what is limited is only the answer, and nothing leaves the inbox unkept."""

import contextlib
import dataclasses
import json
import re

import pytest

from mailroom.errors import MailboxError, OpeningFailed
from mailroom.flow.filing import Understood
from mailroom.mail.message import RawMail
from tests.e2e.house import KEEPER
from tests.e2e.letters import plain
from tests.flow.conftest import VOUCHED, Counter, Open, notices, replies, text_of
from tests.gnupg_home import fingerprint, new_home

ANNA = "anna@example.net"
INSULTS = "Somebody insults me on the talk page every day."


async def test_the_fourth_mail_of_a_day_is_filed_and_its_answer_waits(counter: Counter) -> None:
    mails = [VOUCHED + plain(number, f"{INSULTS} ({number})", ANNA) for number in range(4)]
    sent = await counter.take(*mails)
    assert len(replies(sent)) == 3
    told = [counter.read(letter) for letter in notices(sent)]
    assert sum("the answer is held (limit per address)" in text for text in told) == 1
    assert (await counter.desk.outbox.counts()) == (0, 1)


async def test_who_writes_in_her_name_unvouched_does_not_use_up_her_answers(counter: Counter) -> None:
    forged = [plain(number, f"{INSULTS} ({number})", ANNA) for number in range(3)]
    await counter.take(*forged)
    sent = await counter.take(VOUCHED + plain(4, INSULTS, ANNA))
    assert [letter.recipient for letter in replies(sent)] == [ANNA]


async def test_the_limit_of_a_domain_holds_for_mails_that_come_together(open_counter: Open) -> None:
    counter = await open_counter(replies__per_domain_per_hour=2)
    mails = [VOUCHED + plain(number, f"{INSULTS} ({number})", f"w{number}@example.net") for number in range(8)]
    sent = await counter.take(*mails)
    assert (len(replies(sent)), len(notices(sent))) == (2, 8)


async def test_the_limit_of_an_address_holds_for_its_suffixes_that_come_together(counter: Counter) -> None:
    mails = [VOUCHED + plain(number, f"{INSULTS} ({number})", f"anna+{number}@example.net") for number in range(8)]
    assert len(replies(await counter.take(*mails))) == 3


async def test_a_large_provider_has_no_limit_for_all_its_people(open_counter: Open) -> None:
    counter = await open_counter(replies__per_domain_per_hour=1)
    mails = [plain(number, f"{INSULTS} ({number})", f"w{number}@gmail.com") for number in range(4)]
    assert len(replies(await counter.take(*mails))) == 4


async def test_an_open_circuit_keeps_answers_and_lets_notices_go(open_counter: Open) -> None:
    counter = await open_counter(replies__circuit_per_minute=3)
    mails = [plain(number, f"{INSULTS} ({number})", f"w{number}@example.net") for number in range(6)]
    sent = await counter.take(*mails)
    waiting, held = await counter.desk.outbox.counts()
    assert len(notices(sent)) == 6
    assert (len(replies(sent)) + waiting, held) == (6, 0)
    assert waiting > 0
    counter.desk.pace.open_until = 0  # five minutes later
    assert len(replies(await counter.take())) == waiting


def large(number: int, sender: str = ANNA) -> bytes:
    return VOUCHED + plain(number, f"{INSULTS} ({number})\r\n{'x' * 3000}", sender)


async def test_a_mail_too_large_is_answered_and_left_in_place_and_not_filed_again(open_counter: Open) -> None:
    counter = await open_counter(imap__max_message_bytes=2000)
    sent = await counter.take(large(1), plain(2, "A short one.", "ben@example.net"))
    assert sorted(letter.recipient for letter in replies(sent)) == [ANNA, "ben@example.net"]
    assert sum("oversize" in counter.read(letter) for letter in notices(sent)) == 1
    assert list(counter.inbox.mails.values()) == [large(1)]
    assert await counter.take() == []
    assert list(counter.inbox.mails.values()) == [large(1)]


async def test_a_mail_too_large_stays_though_the_connection_broke_before_that_was_noted(open_counter: Open) -> None:
    counter = await open_counter(imap__max_message_bytes=2000)
    counter.inbox.stuck = True
    with contextlib.suppress(MailboxError):
        await counter.take(plain(2, "A short one.", "ben@example.net"), large(1))
    counter.inbox.stuck = False
    await counter.take()
    assert list(counter.inbox.mails.values()) == [large(1)]


async def test_two_mails_too_large_that_only_begin_alike_are_two(open_counter: Open) -> None:
    counter = await open_counter(imap__max_message_bytes=2000)
    sent = await counter.take(large(1), large(1) + b"and what I never told anybody")
    assert len(replies(sent)) == 2
    assert await counter.take() == []


class Breaking:
    """Opens nothing; fits `flow.ports.Opener`."""

    async def open(self, raw: RawMail) -> Understood:
        raise OpeningFailed("died")


@pytest.mark.parametrize("after_filing", ["delete", "move"])
async def test_a_mail_too_large_that_breaks_its_reader_is_kept_whole_somewhere(
    open_counter: Open, after_filing: str
) -> None:
    counter = await open_counter(imap__max_message_bytes=2000, imap__after_filing=after_filing)
    counter.desk = dataclasses.replace(counter.desk, opener=Breaking())
    await counter.take(large(1))
    assert [*counter.inbox.mails.values(), *counter.inbox.folders.get("Quarantine", [])] == [large(1)]


def errors_in(captured: str) -> list[str]:
    lines = [json.loads(line) for line in captured.splitlines() if line.startswith("{")]
    return [json.dumps(line) for line in lines if line["level"] == "error"]


async def test_an_expired_keepers_key_silences_no_complainant_and_shows_nothing_of_her_mail(
    open_counter: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    with new_home(["desk"], ["keeper", "expired"]) as home:
        counter = await open_counter(home, keepers__fingerprint=fingerprint("expired"))
        sent = await counter.take(VOUCHED + plain(1, f"{INSULTS} zebra", ANNA, "zebra"))
        counter.desk = dataclasses.replace(counter.desk, opener=Breaking())
        parked = await counter.take(plain(2, "zebra", "ben@example.net"))
    assert [letter.recipient for letter in replies(sent)] == [ANNA]
    told = [*notices(sent), *notices(parked)]
    assert len(told) == 2
    assert all(not re.search(r"zebra|anna|ben@|insult|stalk", text_of(letter)) for letter in told)
    assert len(errors_in(capfd.readouterr().err)) >= 1
    assert counter.inbox.mails == {}


async def test_the_keepers_own_other_address_is_not_taken_for_a_complainant(open_counter: Open) -> None:
    counter = await open_counter(keepers__also_known_as=["elsewhere@example.net"])
    sent = await counter.take(VOUCHED + plain(1, "close", "elsewhere@example.net"))
    assert [letter.recipient for letter in sent] in ([KEEPER], ["elsewhere@example.net"])
    assert replies(sent) == []
