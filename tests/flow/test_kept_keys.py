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
    words = "her OpenPGP key changed" if is_new else "nobody vouches for it"
    assert words in counter.read(notice)
