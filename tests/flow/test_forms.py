"""Forms: whom the answer to a structured mail goes to, and whom it must never go to."""

import shutil
from email import message_from_bytes
from pathlib import Path

import pytest

from mailroom.mail.message import Arrival, RawMail
from mailroom.share import share_path
from tests.e2e.letters import plain
from tests.flow.conftest import OUR_MAIL_SERVER, Counter, Open, notices, replies
from tests.openpgp_mails import autocrypt

WIKI = "wiki@wiki.example"
PINE = "pine@example.net"
VOUCHED = f"Authentication-Results: {OUR_MAIL_SERVER}; dmarc=pass header.from=wiki.example\r\n"
FORGED = f"Authentication-Results: {OUR_MAIL_SERVER}; dmarc=fail header.from=wiki.example\r\n"


@pytest.fixture
async def wiki_counter(open_counter: Open, tmp_path: Path) -> Counter:
    """A desk whose operator named her wiki, and her web form."""
    return await open_wiki(open_counter, tmp_path, WIKI)


async def open_wiki(open_counter: Open, tmp_path: Path, sender: str) -> Counter:
    rules = tmp_path / "rules"
    shutil.copytree(share_path("rules"), rules)
    for name in ("reportincident", "web-form"):
        file = rules / "forms" / f"{name}.yaml"
        file.write_text(file.read_text("utf-8").replace("senders: []", f"senders: [{sender}]"), "utf-8")
    return await open_counter(paths__rules=str(rules))


def report(number: int = 1, reply_to: str = PINE, trace: str = VOUCHED, sender: str = WIKI, more: str = "") -> bytes:
    text = (
        f"Reporting user: Pine\nReported user: Thorn\nLink to page: https://wiki.example/w/index.php?oldid={number}\n\n"
        f"Type of unacceptable user behavior: Hateful or discriminatory behavior\n"
        f"Details: I was insulted by somebody.\n\n"
        f"Respond to reporting user: https://wiki.example/wiki/Special:EmailUser?wpTarget=Pine"
    )
    header = f"{trace}Reply-To: {reply_to}\r\nList-Unsubscribe: <https://wiki.example/wiki/Preferences>\r\n{more}"
    return header.encode() + plain(number, text, sender)


async def told(counter: Counter, mail: bytes) -> tuple[list[str], str]:
    """Take a mail in; give who was answered, and what the keeper was told."""
    sent = await counter.take(mail)
    [notice] = notices(sent)
    return [one.recipient for one in replies(sent)], counter.read(notice)


async def test_the_answer_to_a_form_goes_to_the_person_and_nobody_else(wiki_counter: Counter) -> None:
    [letter] = replies(await wiki_counter.take(report(more="Cc: cc@example.net\r\n")))
    mail = message_from_bytes(letter.content)
    assert (letter.recipient, mail["To"], mail["Cc"], mail["In-Reply-To"]) == (PINE, PINE, None, None)
    assert WIKI not in letter.content.decode()
    case = await wiki_counter.case(letter)
    assert (case.address, case.category) == (PINE, "hate_discrimination")


async def test_the_keeper_is_told_what_stands_in_the_fields(wiki_counter: Counter) -> None:
    _, notice = await told(wiki_counter, report())
    assert "form: reportincident (by: Pine; mail: pine@example.net; about: Thorn)" in notice
    assert "link: https://wiki.example/w/index.php?oldid=1" in notice
    assert "I was insulted by somebody." in notice
    assert "Reporting user" not in notice


async def test_reporters_do_not_share_the_limit_of_the_wiki(wiki_counter: Counter) -> None:
    mails = [report(number, f"p{number}@example.net") for number in range(6)]
    assert len(replies(await wiki_counter.take(*mails))) == 6
    again = [report(number, PINE) for number in range(10, 15)]
    assert len(replies(await wiki_counter.take(*again))) == 3


async def test_her_own_mail_joins_the_case_of_her_form(wiki_counter: Counter) -> None:
    [letter] = replies(await wiki_counter.take(report()))
    reference = (await wiki_counter.case(letter)).reference
    answer = VOUCHED.replace("wiki.example", "example.net").encode()
    answer += plain(7, "He did it again.", PINE, subject=f"Re: [{reference}]")
    await wiki_counter.take(answer)
    assert (await wiki_counter.case(letter)).messages == 2


async def test_a_form_without_proof_is_held(wiki_counter: Counter) -> None:
    answered, notice = await told(wiki_counter, report(trace="", reply_to="victim@example.net"))
    assert answered == []
    assert "the answer is held (form without proof)" in notice


async def test_a_form_in_the_name_of_the_wiki_that_fails_is_forged(wiki_counter: Counter) -> None:
    answered, notice = await told(wiki_counter, report(trace=FORGED, reply_to="victim@example.net"))
    assert answered == []
    assert "the answer is held (authentication failed)" in notice


async def test_a_form_without_proof_joins_no_case(wiki_counter: Counter) -> None:
    [letter] = replies(await wiki_counter.take(report()))
    case = await wiki_counter.case(letter)
    await wiki_counter.take(report(2, trace="").replace(b"Subject: help", f"Subject: [{case.reference}]".encode()))
    assert (await wiki_counter.case(letter)).messages == case.messages


@pytest.mark.parametrize("sender", ["eve@example.net", "wiki@evil.example"])
async def test_who_imitates_a_form_is_answered_herself(wiki_counter: Counter, sender: str) -> None:
    domain = sender.partition("@")[2]
    mail = report(trace=VOUCHED.replace("wiki.example", domain), sender=sender, reply_to="victim@example.net")
    answered, notice = await told(wiki_counter, mail)
    assert answered == [sender]
    assert "it looks like the form reportincident, but comes from no sender named in rules/forms" in notice


async def test_without_a_named_sender_the_answer_goes_to_from(counter: Counter) -> None:
    answered, _ = await told(counter, report())
    assert answered == [WIKI]


async def test_an_address_of_our_own_in_a_form_is_not_answered(wiki_counter: Counter) -> None:
    assert replies(await wiki_counter.take(report(reply_to="desk@example.org"))) == []


async def test_a_form_that_names_no_address_is_not_answered(wiki_counter: Counter) -> None:
    mail = report().replace(b"Reply-To: ", b"X-Was: ")
    answered, notice = await told(wiki_counter, mail)
    assert answered == []
    assert "there is no address that can be answered" in notice


@pytest.mark.parametrize("sign", ["Auto-Submitted: auto-generated", "Precedence: bulk", "Return-Path: <>"])
async def test_a_proven_form_is_a_persons_mail_whatever_its_site_says(wiki_counter: Counter, sign: str) -> None:
    answered, _ = await told(wiki_counter, report(more=f"{sign}\r\n"))
    assert answered == [PINE]


async def test_a_wiki_that_reads_no_answers_does_not_hold_hers(open_counter: Open, tmp_path: Path) -> None:
    counter = await open_wiki(open_counter, tmp_path, "noreply@wiki.example")
    answered, _ = await told(counter, report(sender="noreply@wiki.example"))
    assert answered == [PINE]


async def test_the_key_of_the_site_is_not_hers(open_counter: Open, tmp_path: Path) -> None:
    site = "complainant@example.net"
    counter = await open_wiki(open_counter, tmp_path, site)
    found = []
    for name in ("reportincident", "no form"):
        mail = report(sender=site, more=f"Autocrypt: {autocrypt(site, 'complainant')}\r\n")
        mail = mail if name == "reportincident" else mail.replace(b"Details:", b"Nothing more")
        found.append((await counter.desk.opener.open(RawMail(Arrival("INBOX", 1, 1, len(mail)), mail))).opened)
    assert [(one.form is not None, one.sender_key is not None) for one in found] == [(True, False), (False, True)]


async def test_the_same_signs_silence_a_form_without_proof(wiki_counter: Counter) -> None:
    assert replies(await wiki_counter.take(report(trace="", more="Auto-Submitted: auto-generated\r\n"))) == []


async def test_a_planted_address_in_a_web_form_is_not_answered(wiki_counter: Counter) -> None:
    filled = "Name: Ann\nEmail: {}\nMessage: Somebody insults me on the talk page every day."
    sent = await wiki_counter.take(
        VOUCHED.encode() + plain(1, filled.format("ann@example.net\nEmail: victim@example.net"), WIKI),
        VOUCHED.encode() + plain(2, filled.format("ann@example.net") + "\nEmail: victim@example.net", WIKI),
    )
    assert [one.recipient for one in replies(sent)] == ["ann@example.net"]
