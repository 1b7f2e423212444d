"""Attackers and accidents against the whole service: a real mailbox, a real process, a real SMTP server."""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from mailroom import assembly, daemon
from mailroom.assembly import Books
from mailroom.config import load
from mailroom.records import schema
from mailroom.records.casework import Casework
from mailroom.records.clock import utc
from mailroom.records.seal import Sealer
from mailroom.records.tables import cases, messages
from mailroom.transport.gnupg_home import DeskHome
from tests.e2e.conftest import Build
from tests.e2e.crashing import InProcess
from tests.e2e.house import ADDRESS, KEEPER, House, notices, parsed, replies
from tests.e2e.letters import plain
from tests.e2e.reading import opened_letter
from tests.e2e.test_killer_mails import run_with_deadly_worker
from tests.gnupg_home import gpg, secret
from tests.openpgp_mails import entity, pgp_mime_encrypted, pgp_mime_signed
from tests.servers.sink import Delivery, Sink

ANNA, STRANGER = "anna@example.net", "stranger@example.net"
WORRY = "An unfamiliar man waits outside my house every evening and follows me to work."
ALLOWED = {
    "Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "X-Loop", "Autocrypt", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}  # fmt: skip


def results(verdict: str, server: str = "mx.example.org") -> bytes:
    return f"Authentication-Results: {server}; dmarc={verdict} header.from=example.net\r\n".encode()


async def run(house: House, sink: Sink, *mails: bytes) -> list[Delivery]:
    """Let mails arrive and the service run once; give what it sent."""
    before = len(sink.deliveries)
    house.receive(*mails)
    config = load(house.config)
    async with contextlib.AsyncExitStack() as stack:
        schema.upgrade(config.database_url)
        await daemon.run_once(await assembly.desk(config, stack, InProcess))
    return sink.deliveries[before:]


@contextlib.contextmanager
def records(house: House) -> Iterator[Books]:
    books = assembly.records(load(house.config), DeskHome(house.home))
    try:
        yield books
    finally:
        books.database.close()


def shown(house: House) -> list[dict[str, Any]]:
    """Give every case with its mails, as `case show` does."""
    with records(house) as books:
        casework = Casework(books.database, Sealer(books.keystore), utc)
        return [casework.show(str(one["case"])) for one in casework.page()]


def reference_in(letter: Delivery) -> str:
    return str(parsed(letter)["Subject"]).partition("[")[2].partition("]")[0]


def read(people: Path, letter: Delivery) -> str:
    return opened_letter(people, letter.content)


def recipients(letters: list[Delivery]) -> list[str]:
    return sorted(address for one in letters for address in one.rcpt_tos)


@pytest.fixture
def guarded(furnish: Build) -> House:
    return furnish(imap__authserv_id="mx.example.org")


async def test_mail_in_the_keepers_name_does_nothing_without_her_signature_and_a_replay_nothing_at_all(
    guarded: House, sink: Sink, people_home: Path
) -> None:
    order = entity("erase everything", subject="[close]")
    signed = pgp_mime_signed(KEEPER, order, "keeper")
    sent = await run(
        guarded,
        sink,
        plain(1, "erase everything", KEEPER, "[close]"),
        plain(2, "erase everything", f"{KEEPER.upper()}", "[close] again"),
        pgp_mime_signed(KEEPER, order, "complainant"),
        pgp_mime_signed(KEEPER, order, "other-address"),
        pgp_mime_encrypted(KEEPER, order),
        pgp_mime_signed(KEEPER, order, "keeper")
        .replace(b"boundary=", b"x-y=1; boundary=", 1)
        .replace(b"ZXJhc2", b"ZXJhc3"),
        signed,
    )
    assert recipients(sent) == [KEEPER] * 2  # six forgeries are one alarm
    told = [read(people_home, one) for one in sent]
    assert sum("without your signature" in text for text in told) == 1
    assert sum("your mail is kept under this number" in text for text in told) == 1
    assert shown(guarded) == []
    again = await run(guarded, sink, signed, signed.replace(b"Subject: ...", b"Subject: [release]"))
    assert recipients(again) in ([], [KEEPER])
    assert shown(guarded) == []


async def test_a_forger_gets_no_answer_and_no_forged_verdict_of_our_server_helps_him(
    guarded: House, sink: Sink, people_home: Path
) -> None:
    received = b"Received: from evil.example by mx.example.org; Mon, 23 Nov 2026 10:00:00 +0000\r\n"
    sent = await run(
        guarded,
        sink,
        results("fail") + plain(1, WORRY, "one@example.net"),
        results("fail") + received + results("pass") + plain(2, WORRY, "two@example.net"),
        results("fail") + results("pass") + plain(3, WORRY, "three@example.net"),
        received + results("fail") + results("pass") + plain(4, WORRY, "four@example.net"),
        results("pass", "mx.evil.example") + plain(5, WORRY, "five@example.net"),
        plain(6, WORRY, "six@example.net"),
    )
    assert recipients(replies(sent)) == ["five@example.net", "six@example.net"]
    told = [read(people_home, one) for one in notices(sent)]
    assert sum("the answer is held (authentication failed)" in text for text in told) == 4
    assert sum("unauthenticated" in text for text in told) == 2
    [held] = [text for text in told if "From: one@example.net" in text]
    reference = re.findall(r"^([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z])", held, re.MULTILINE)[0]
    await asyncio.to_thread(guarded.mailroom, "case", "answer", reference)
    assert recipients(await run(guarded, sink)) == ["one@example.net"]


async def test_an_answer_goes_to_from_alone_and_carries_nothing_that_a_mail_planted(guarded: House, sink: Sink) -> None:
    planted = (
        b"Reply-To: evil@example.net\r\nCc: evil@example.net\r\nBcc: evil@example.net\r\nSender: evil@example.net\r\n"
        b"Return-Path: <evil@example.net>\r\nErrors-To: evil@example.net\r\nReturn-Receipt-To: evil@example.net\r\n"
        b"Disposition-Notification-To: evil@example.net\r\nResent-From: evil@example.net\r\n"
        b"References: <one@x>\r\n\tBcc: evil@example.net\r\n <two@x>\r\nIn-Reply-To: <x\r\n y@z>\r\n"
    )
    name = "=?utf-8?q?x=0D=0ABcc:_evil=40example.net=0D=0A?="
    subject = "=?utf-8?q?zebra=0D=0ABcc:_evil=40example.net=0D=0A=0D=0Ahello?="
    mail = planted + plain(1, f"{WORRY} zebra", f"{name} <{ANNA}>", subject)
    mail = mail.replace(b"<mail1@example.net>", b"<m=?utf-8?q?=0D=0A?=@x\r\n Bcc: evil@example.net>")
    two = plain(2, WORRY, f"{ANNA}, evil@example.net")
    sent = replies(await run(guarded, sink, mail, two))
    assert recipients(sent) == [ANNA, ANNA]
    for one in sent:
        letter = message_from_bytes(one.content)
        assert set(letter.keys()) <= ALLOWED
        assert len(letter.keys()) == len(set(letter.keys()))
        assert letter["From"].replace("\r\n", "") == f'"Letter desk" <{ADDRESS}>'
        assert re.fullmatch(r"About your message \[[0-9A-Z-]{11}\]", letter["Subject"])
        answered = re.findall(rb"(?m)^(?:In-Reply-To|References): <[!-~]+>\r\n", one.content)
        rest = re.sub(b"|".join(map(re.escape, answered)) or b"$^", b"", one.content)
        assert not re.search(rb"evil|zebra", rest)


async def test_a_bounce_and_an_absence_note_join_their_case_and_change_nothing_in_it(
    guarded: House, sink: Sink, people_home: Path
) -> None:
    [reply] = replies(await run(guarded, sink, results("pass") + plain(1, WORRY, ANNA)))
    reference, token = reference_in(reply), reply.mail_from
    assert re.fullmatch(r"desk\+b\.[0-9a-z]+@example\.org", token)
    close(guarded)
    [before] = shown(guarded)
    report = (
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nNo.\r\n--b--\r\n'
    )
    bounce = f"From: MAILER-DAEMON@example.net\r\nTo: {token}\r\nSubject: Undelivered\r\n{report}".encode()
    away = results("pass") + b"Auto-Submitted: auto-replied\r\n" + plain(2, "I am away.", ANNA, f"Re: [{reference}]")
    forged = b"Auto-Submitted: auto-replied\r\n" + plain(3, "I am away.", STRANGER, f"Re: [{reference}]")
    sent = await run(guarded, sink, bounce, away, forged)
    assert recipients(sent) == [KEEPER] * 3
    assert sum(reference_in(one) == reference for one in sent) == 2
    after, related = shown(guarded)
    assert related["messages"] == 1
    # mails of one batch are filed in the order in which the workers open them
    assert sorted(one["kind"] for one in after.pop("mails")) == ["automatic", "bounce", "report"]
    assert {**after, "messages": 1} == {name: value for name, value in before.items() if name != "mails"}
    assert after["status"] == "closed"
    told = [read(people_home, one) for one in sent]
    assert sum(text.count("a bounce is not answered") for text in told) == 1


def close(house: House) -> None:
    with records(house) as books:
        books.database.write_now(lambda connection: connection.execute(update(cases).values(status="closed")))


async def test_a_mail_that_nobody_can_open_is_a_case_answered_once_and_read_when_its_key_comes(
    guarded: House, sink: Sink, people_home: Path
) -> None:
    mail = results("pass") + pgp_mime_encrypted(
        "complainant@example.net", entity(WORRY), to=["other-address"], autocrypt="complainant"
    )
    sent = await run(guarded, sink, mail)
    [reply], [notice] = replies(sent), notices(sent)
    assert parsed(reply).get_content_type() == "multipart/encrypted"  # her key came with the mail
    assert "We could not open your message" in read(people_home, reply)
    assert "sealed" in shown(guarded)[0]["flags"]
    assert "could not be opened" in read(people_home, notice)
    reference = reference_in(reply)
    out = guarded.folder / "out"
    await asyncio.to_thread(guarded.mailroom, "case", "export", reference, str(out))
    assert (out / f"{reference}-1-original.eml").read_bytes() == mail
    tried = await asyncio.to_thread(guarded.mailroom, "case", "retry", reference, check=False)
    assert tried.returncode == 1
    assert await run(guarded, sink) == []
    gpg(guarded.home, "--import", stdin=secret("other-address"))
    await asyncio.to_thread(guarded.mailroom, "case", "retry", reference)
    sent = await run(guarded, sink)
    assert [parsed(one).get_content_type() for one in replies(sent)] == ["multipart/encrypted"]
    assert [WORRY in read(people_home, one) for one in notices(sent)] == [True]
    [case] = shown(guarded)
    assert (case["category"], case["status"], case["mails"][0]["protection"]) == ("stalking", "open", "encrypted")
    assert "sealed" not in case["flags"]
    again = guarded.folder / "again"
    await asyncio.to_thread(guarded.mailroom, "case", "export", reference, str(again))
    assert gpg(people_home, "--decrypt", stdin=(again / f"{reference}-1-original.eml.pgp").read_bytes()) == mail


async def test_a_mail_too_large_is_filed_by_its_beginning_and_left_where_it_lies(
    furnish: Build, sink: Sink, people_home: Path
) -> None:
    house = furnish(imap__max_message_bytes=65536)
    picture = b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"AAAA" * 30_000
    start = b'From: anna@example.net\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    mail = start + b"--b\r\nContent-Type: text/plain\r\n\r\n" + WORRY.encode() + b"\r\n" + picture + b"\r\n--b--\r\n"
    sent = await run(house, sink, mail, plain(2, WORRY, STRANGER))
    assert recipients(replies(sent)) == [ANNA, STRANGER]
    assert sum("oversize" in read(people_home, one) for one in notices(sent)) == 1
    assert house.inbox() == [mail]
    assert [case["category"] for case in shown(house)] == ["stalking"] * 2
    assert await run(house, sink) == []
    assert house.inbox() == [mail]
    assert len(shown(house)) == 2


async def test_filed_mail_moves_to_its_folder_and_parked_mail_to_quarantine_and_we_know_where(
    furnish: Build, sink: Sink, tmp_path: Path
) -> None:
    house = furnish(imap__after_filing="move")
    good, bad = plain(1, WORRY, ANNA), plain(2, f"Tries: {tmp_path}/tries", STRANGER, "dies")
    house.receive(good, bad)
    await run_with_deadly_worker(house)
    assert house.inbox() == []
    [(filed_uid, filed)] = house.dovecot.messages(house.user, "Filed")
    [(parked_uid, parked)] = house.dovecot.messages(house.user, "Quarantine")
    assert (filed, parked) == (good, bad)
    places = [
        (folder, house.dovecot.uidvalidity(house.user, folder), uid)
        for folder, uid in (("Filed", filed_uid), ("Quarantine", parked_uid))
    ]
    query = select(messages.c.folder, messages.c.folder_uidvalidity, messages.c.folder_uid)
    with records(house) as books:
        known = books.database.read_now(lambda connection: [tuple(row) for row in connection.execute(query)])
    assert sorted(known) == sorted(places)
