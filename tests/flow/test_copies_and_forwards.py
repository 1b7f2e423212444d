"""The same mail twice is one mail; a mail that is passed on is no answer."""

import pytest

from tests.e2e.letters import plain
from tests.flow.conftest import FORGED, VOUCHED, Counter, notices, reference_in, replies

INSULTS = "Somebody insults me on the talk page every day."


def delivered(content: bytes, to: str, *, first: bytes = b"") -> bytes:
    """Put on top what our own server writes when it delivers a mail."""
    trace = f"Return-Path: <anna@example.net>\r\nDelivered-To: {to}\r\nReceived: by mx.example.org id {to}\r\n"
    return first + trace.encode() + content


async def test_a_mail_to_two_of_our_addresses_is_filed_and_answered_once(counter: Counter) -> None:
    mail = plain(1, INSULTS)
    sent = await counter.take(delivered(mail, "desk@example.org"), delivered(mail, "help@example.org"))
    assert (len(replies(sent)), len(notices(sent))) == (1, 1)
    assert counter.inbox.mails == {}


@pytest.mark.parametrize("change", [(b"every day", b"every week"), (b"Subject: help", b"Subject: please")])
async def test_two_mails_that_differ_in_what_was_written_are_two(counter: Counter, change: tuple[bytes, bytes]) -> None:
    mail = plain(1, INSULTS)
    sent = await counter.take(mail, mail.replace(*change))
    assert len(replies(sent)) == 2


async def test_a_forged_copy_that_comes_first_does_not_swallow_the_true_mail(counter: Counter) -> None:
    mail = plain(1, INSULTS, "anna@example.net")
    assert replies(await counter.take(delivered(mail, "desk@example.org", first=FORGED))) == []
    assert len(replies(await counter.take(delivered(mail, "desk@example.org", first=VOUCHED)))) == 1


async def test_a_forged_copy_that_comes_later_is_nothing_new(counter: Counter) -> None:
    mail = plain(1, INSULTS, "anna@example.net")
    await counter.take(delivered(mail, "desk@example.org", first=VOUCHED))
    assert await counter.take(delivered(mail, "desk@example.org", first=FORGED)) == []


@pytest.mark.parametrize("mark", [b"X-Spam-Flag: YES\r\n", b"List-Id: <team.example.org>\r\n"])
async def test_a_copy_that_a_filter_or_a_list_has_marked_does_not_swallow_the_mail_itself(
    counter: Counter, mark: bytes
) -> None:
    mail = plain(1, INSULTS)
    assert replies(await counter.take(delivered(mail, "help@example.org", first=mark))) == []
    assert len(replies(await counter.take(delivered(mail, "desk@example.org")))) == 1
    assert await counter.take(delivered(mail, "more@example.org", first=mark)) == []


@pytest.mark.parametrize("prefix", ["Fwd:", "WG:", "TR:", "转发："])
async def test_a_mail_that_is_passed_on_opens_a_case_of_its_own(counter: Counter, prefix: str) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    reference = reference_in(first)
    sent = await counter.take(plain(2, "See below.", "anna@example.net", f"{prefix} About your message [{reference}]"))
    assert (await counter.case(first)).messages == 1
    assert f"this may belong to {reference}" in counter.read(notices(sent)[0])
