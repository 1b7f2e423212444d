"""Which key of a complainant is kept with her case, and what a later mail can do about it."""

from email import message_from_bytes

import pytest

from mailroom.mail.openpgp_keys import fingerprint
from tests.flow.conftest import FORGED, VOUCHED, Counter, notices, reference_in, replies, text_of
from tests.flow.test_reply_protection import HER, KNOWN, NEW, certificate, mail, opened_by
from tests.openpgp_mails import entity, pgp_mime_encrypted


def again(reference: str) -> bytes:
    """Write once more to a case, encrypted and without any key."""
    return pgp_mime_encrypted(HER, entity("He was there again today."), subject=f"[{reference}]")


async def kept(counter: Counter, reference: str) -> str | None:
    case = await counter.desk.cases.by_reference(reference)
    assert case is not None
    return fingerprint(case.reply_key) if case.reply_key else None


def with_subject(content: bytes, reference: str) -> bytes:
    return content.replace(b"Subject: ...", f"Subject: [{reference}]".encode(), 1)


@pytest.mark.parametrize(
    ("start", "signed", "is_kept"),
    [(VOUCHED, None, True), (b"", "known", True), (b"", "new", False), (b"", None, False), (FORGED, "known", False)],
    ids=["our server vouches", "signed by it", "signed by another", "nobody vouches", "forged"],
)
async def test_key_is_kept_when_somebody_vouches_for_it(
    counter: Counter, start: bytes, signed: str | None, is_kept: bool
) -> None:
    sent = await counter.take(start + mail("opens", signed, "known"))
    [reference] = {reference_in(one) for one in notices(sent)}
    assert await kept(counter, reference) == (fingerprint(certificate("known")) if is_kept else None)
    assert [opened_by(one, KNOWN) for one in replies(sent)] == ([] if start == FORGED else [True])


async def test_kept_key_answers_a_mail_that_brings_none(counter: Counter) -> None:
    [first] = replies(await counter.take(VOUCHED + mail("opens", None, "known")))
    [second] = replies(await counter.take(VOUCHED + again(reference_in(first))))
    assert opened_by(second, KNOWN)


async def test_key_that_was_not_kept_is_asked_for_again(counter: Counter) -> None:
    [first] = replies(await counter.take(mail("opens", None, "known")))
    [second] = replies(await counter.take(again(reference_in(first))))
    assert message_from_bytes(second.content).get_content_type() == "multipart/mixed"
    assert "public OpenPGP key" in text_of(second)


async def test_mail_that_was_written_before_brings_no_other_key(counter: Counter) -> None:
    [first] = replies(await counter.take(VOUCHED + mail("opens", None, "known")))
    reference = reference_in(first)
    late = with_subject(mail("opens", None, "new"), reference)
    date = message_from_bytes(late)["Date"].encode()
    sent = await counter.take(VOUCHED + late.replace(date, b"Mon, 1 Jan 2024 10:00:00 +0000"))
    assert [opened_by(one, KNOWN) for one in replies(sent)] == [True]
    assert await kept(counter, reference) == fingerprint(certificate("known"))


async def test_date_in_the_future_keeps_no_later_key_out(counter: Counter) -> None:
    ahead = mail("opens", None, "known")
    date = message_from_bytes(ahead)["Date"].encode()
    [first] = replies(await counter.take(VOUCHED + ahead.replace(date, b"Fri, 1 Jan 2100 10:00:00 +0000")))
    later = mail("opens", None, "new")
    date = message_from_bytes(later)["Date"].encode()
    later = later.replace(date, b"Thu, 1 Jan 2099 10:00:00 +0000")
    await counter.take(VOUCHED + with_subject(later, reference_in(first)))
    assert await kept(counter, reference_in(first)) == fingerprint(certificate("new"))


@pytest.mark.parametrize(("start", "is_new"), [(VOUCHED, True), (b"", False)], ids=["vouched", "unvouched"])
async def test_another_key_replaces_a_kept_one_only_with_a_voucher_and_the_keeper_hears_of_both(
    counter: Counter, start: bytes, is_new: bool
) -> None:
    [first] = replies(await counter.take(VOUCHED + mail("opens", None, "known")))
    reference = reference_in(first)
    sent = await counter.take(start + with_subject(mail("opens", None, "new"), reference))
    assert [opened_by(one, NEW if is_new else KNOWN) for one in replies(sent)] == [True]
    assert await kept(counter, reference) == fingerprint(certificate("new" if is_new else "known"))
    [notice] = notices(sent)
    words = "her OpenPGP key changed" if is_new else "nobody vouches for it, or it is older"
    assert words in counter.read(notice)
