"""A letter that came back joins its case, marks the address and is told; what proves nothing marks nobody."""

import sqlite3
from contextlib import closing

import pytest

from tests.e2e.letters import plain
from tests.flow.conftest import Counter, Open, notices, reference_in, replies

AWAY = ("Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Precedence: bulk", "Return-Path: <>")
INSULTS = "Somebody insults me on the talk page every day."


def bounce(to: str, *, status: str = "5.1.1", message_id: str = "", address: str = "") -> bytes:
    """Make a delivery status notification (RFC 3464)."""
    action = "failed" if status.startswith("5") else "delayed"
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.net\r\nTo: {to}\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: <bounce{status}{message_id}@mx.example.net>\r\nDate: Mon, 23 Nov 2026 11:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt was not delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; {address or 'anna@example.net'}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{message_id}>\r\n--b--\r\n"
    ).encode()


async def test_a_bounce_joins_its_case_by_our_message_id_marks_the_address_and_is_told(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    case = await counter.case(first)
    message_id = counter.desk.cases.message_id(case, "reply", 1, "example.org")
    sent = await counter.take(bounce("desk@example.org", message_id=message_id))
    assert replies(sent) == []
    assert "not delivered, for good. It is not tried again" in counter.read(notices(sent)[0])
    marked = await counter.case(first)
    assert (marked.messages, marked.unreachable, marked.status) == (2, True, "open")


async def test_a_bounce_joins_its_case_by_the_address_that_it_comes_to(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    await counter.take(bounce(first.sender))
    assert (await counter.case(first)).unreachable


async def test_a_letter_that_is_only_late_marks_nothing(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    (told,) = await counter.take(bounce(first.sender, status="4.4.1"))
    assert "a letter of ours is late: not delivered yet" in counter.read(told)
    assert not (await counter.case(first)).unreachable


async def test_a_report_that_a_letter_arrived_is_not_told_as_a_loss(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    arrived = bounce(first.sender, status="2.0.0").replace(b"Action: delayed", b"Action: delivered")
    (told,) = await counter.take(arrived)
    assert "It does not say that the letter was not delivered" in counter.read(told)
    assert not (await counter.case(first)).unreachable


async def test_an_address_that_writes_again_is_marked_no_more(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    await counter.take(bounce(first.sender))
    await counter.take(plain(2, "Hello?", "anna@example.net", f"Re: help [{reference_in(first)}]"))
    assert not (await counter.case(first)).unreachable


async def test_a_bounce_that_proves_nothing_marks_nobody(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    await counter.take(bounce("desk@example.org", message_id="mail1@example.net"))
    assert not (await counter.case(first)).unreachable
    assert (await counter.case(first)).messages == 1


async def test_a_bounce_that_only_names_her_address_is_told_as_perhaps_related(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    (told,) = await counter.take(bounce("desk@example.org", message_id="other@example.com"))
    assert f"this may belong to {reference_in(first)}, but names none of our letters" in counter.read(told)
    assert not (await counter.case(first)).unreachable


@pytest.mark.parametrize("away", AWAY)
async def test_an_out_of_office_note_joins_its_case_and_reopens_nothing(counter: Counter, away: str) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    with closing(sqlite3.connect(counter.folder / "data" / "mailroom.db")) as records, records:
        records.execute("UPDATE cases SET status = 'closed'")
    answer = plain(2, "I am away until Monday.", "anna@example.net", f"Automatic reply: help [{reference_in(first)}]")
    sent = await counter.take(away.encode() + b"\r\n" + answer)
    assert replies(sent) == []
    noted = await counter.case(first)
    assert (noted.messages, noted.status, noted.unreachable) == (2, "closed", False)


async def test_the_keeper_is_told_by_what_sign_a_mail_was_taken_for_a_machine_s(counter: Counter) -> None:
    (told,) = await counter.take(AWAY[0].encode() + b"\r\n" + plain(1, INSULTS))
    assert "a machine is not answered; the sign: no person wrote it (Auto-Submitted)" in counter.read(told)


async def test_a_person_s_answer_reopens_a_closed_case(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    with closing(sqlite3.connect(counter.folder / "data" / "mailroom.db")) as records, records:
        records.execute("UPDATE cases SET status = 'closed'")
    await counter.take(plain(2, "He does it again.", "anna@example.net", f"Re: help [{reference_in(first)}]"))
    assert (await counter.case(first)).status == "open"


async def test_words_of_danger_that_come_back_are_no_emergency(open_counter: Open) -> None:
    counter = await open_counter(notices__per_hour=2)
    quoting = b"He is outside my door with a gun. I am afraid that he will kill me."
    mails = [bounce("desk@example.org", message_id=str(n)).replace(b"It was not delivered.", quoting) for n in range(5)]
    assert len(await counter.take(*mails)) == 2


async def test_bounces_of_one_case_from_many_servers_at_once_are_filed_without_trouble(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    one = bounce(first.sender)
    await counter.take(*(one.replace(b"mx.example.net", b"mx%d.example.net" % number) for number in range(8)))
    assert (await counter.case(first)).messages == 9
    assert counter.desk.health.trouble is None
