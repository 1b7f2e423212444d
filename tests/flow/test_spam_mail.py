"""Suspected spam is filed and listed, not answered and not counted; but words of danger are heard."""

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from typer.testing import CliRunner

from mailroom.cli import case as case_verbs
from mailroom.errors import OpeningFailed
from mailroom.flow.draining import BATCH_MAILS
from mailroom.flow.filing import Understood
from mailroom.flow.retrying import retry
from mailroom.mail.message import Arrival, RawMail
from tests.e2e.letters import plain
from tests.fakes import Inbox
from tests.flow.conftest import Counter, Open, notices, reference_in, replies

INSULTS = "Somebody insults me on the talk page every day."
JUNK = BATCH_MAILS + 5
DANGER = "He is here, outside my door, with a gun. I am afraid that he will kill me."


def marked(content: bytes) -> bytes:
    """Put on top what a filter of our own server writes."""
    return b"X-Spam-Flag: YES\r\n" + content


async def shell(counter: Counter, *words: str) -> str:
    """Run a verb of `mailroom case`."""
    arguments = [*words, "--config", str(counter.folder / "config.toml")]
    done = await asyncio.to_thread(CliRunner().invoke, case_verbs.app, arguments)
    assert done.exit_code == 0
    return done.stdout


async def only_case(counter: Counter) -> dict[str, object]:
    """Show the one case that there is."""
    (listed,) = (await shell(counter, "list", "--json")).splitlines()
    found: dict[str, object] = json.loads(await shell(counter, "show", json.loads(listed)["case"], "--json"))
    return found


def kept_for(shown: dict[str, object]) -> timedelta:
    """Tell how long from now a case is kept."""
    return date.fromisoformat(str(shown["retain_until"])) - datetime.now(UTC).date()


async def test_suspected_spam_is_filed_and_neither_answered_nor_told_at_once(counter: Counter) -> None:
    assert await counter.take(marked(plain(1, INSULTS))) == []
    assert counter.inbox.mails == {}
    assert await counter.desk.outbox.counts() == (0, 1)


async def test_mail_in_the_junk_folder_is_suspected(counter: Counter) -> None:
    counter.inbox.receive(plain(1, INSULTS), junk=True)
    assert await counter.take() == []
    assert counter.inbox.mails == {}
    assert await counter.desk.outbox.counts() == (0, 1)


class Busy(Inbox):
    """An inbox into which a report comes while the folder of suspected spam is read."""

    async def fetch(self, arrivals: Sequence[Arrival]) -> list[RawMail]:
        if arrivals and arrivals[0].junk and not any(one.uid > JUNK for one in self.mails):
            self.receive(plain(0, INSULTS))
        return await super().fetch(arrivals)


async def test_a_report_that_comes_during_a_flood_of_junk_is_filed_before_the_rest_of_it(counter: Counter) -> None:
    counter.inbox = Busy()
    counter.desk = dataclasses.replace(counter.desk, mailbox=counter.inbox)
    counter.inbox.receive(*(plain(number, "Buy our watches") for number in range(1, JUNK + 1)), junk=True)
    await counter.take()
    listed = [json.loads(line)["channel"] for line in (await shell(counter, "list", "--json")).splitlines()]
    assert listed == ["spam"] * BATCH_MAILS + ["email"] + ["spam"] * (JUNK - BATCH_MAILS)


class Breaking:
    """Opens nothing; fits `flow.ports.Opener`."""

    async def open(self, raw: RawMail) -> Understood:
        raise OpeningFailed("died")


async def test_suspected_spam_that_is_read_only_when_it_is_tried_again_is_not_answered_either(counter: Counter) -> None:
    opener, mail = counter.desk.opener, marked(plain(1, INSULTS))
    counter.desk = dataclasses.replace(counter.desk, opener=Breaking())
    case = await counter.case(*await counter.take(mail))
    counter.desk = dataclasses.replace(counter.desk, opener=opener)
    assert await retry(counter.desk, case, 1, RawMail(Arrival("", 0, 1, len(mail)), mail)) == "report"
    assert await counter.take() == []


async def test_words_of_danger_in_suspected_spam_are_answered_and_told_at_once(counter: Counter) -> None:
    sent = await counter.take(marked(plain(1, DANGER)))
    assert (len(replies(sent)), len(notices(sent))) == (1, 1)
    assert "takes it for spam (x-spam-flag)" in counter.read(notices(sent)[0])


async def test_a_follow_up_is_not_suspected_whatever_a_filter_says(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    again = plain(2, "He did it again.", "anna@example.net", f"Re: help [{reference_in(first)}]")
    assert len(replies(await counter.take(marked(again)))) == 1
    assert "suspected_spam" not in (await counter.case(first)).flags


async def test_suspected_spam_is_listed_to_the_keeper_once_a_day(counter: Counter) -> None:
    await counter.take(*(marked(plain(number, "Buy our watches", subject=f"offer {number}")) for number in range(3)))
    counter.later(hours=24)
    (listed,) = await counter.take()
    assert "writer2@example.net (language not known, unclassified)" in counter.read(listed)
    assert "Buy our watches" not in counter.read(listed)
    assert await counter.take() == []


async def test_suspected_spam_is_kept_apart_from_reports_and_for_ninety_days(counter: Counter) -> None:
    await counter.take(marked(plain(1, INSULTS)))
    shown = await only_case(counter)
    assert (shown["channel"], shown["flags"]) == ("spam", ["suspected_spam", "unauthenticated"])
    assert kept_for(shown) == timedelta(days=90)


async def test_suspected_spam_whose_answer_is_let_go_is_a_report_like_any_other(counter: Counter) -> None:
    await counter.take(marked(plain(1, INSULTS)))
    reference = str((await only_case(counter))["case"])
    assert json.loads(await shell(counter, "answer", reference, "--json"))["released"] == 1
    shown = await only_case(counter)
    assert (shown["channel"], shown["flags"]) == ("email", ["unauthenticated"])
    assert kept_for(shown) > timedelta(days=700)
    assert len(replies(await counter.take())) == 1


async def test_suspected_spam_that_was_answered_for_its_words_of_danger_can_be_made_a_report(counter: Counter) -> None:
    await counter.take(marked(plain(1, DANGER)))
    reference = str((await only_case(counter))["case"])
    assert json.loads(await shell(counter, "answer", reference, "--json"))["released"] == 0
    assert (await only_case(counter))["channel"] == "email"


async def test_a_thousand_spam_mails_keep_no_report_waiting(open_counter: Open) -> None:
    counter = await open_counter(notices__per_hour=20)
    for number in range(1010):
        if number % 101 == 50:
            counter.inbox.receive(plain(number, f"{INSULTS} ({number})"))
        else:
            counter.inbox.receive(marked(plain(number, f"Buy our watches ({number})", subject=f"offer {number}")))
    sent = await counter.take()
    assert counter.inbox.mails == {}
    assert (len(replies(sent)), len(notices(sent))) == (10, 10)
    counter.later(hours=24)
    (listed,) = await counter.take()
    assert "and 800 more" in counter.read(listed)
