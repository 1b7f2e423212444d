"""What `parse` and `parse_entity` promise about any bytes at all."""

import base64
import os
import re
import tracemalloc
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.mail.message import Message
from mailroom.mail.parse import MAX_REFERENCES, parse, parse_entity

CORPUS = Path(__file__).parent.parent / "mail"
MAILS = [path.read_bytes() for path in sorted(CORPUS.glob("[0-9]*/mail.eml"))]
SYNTAX = [
    b"From: ", b"Date: ", b"Subject: ", b"References: <", b"Content-Type: ", b"Content-Transfer-Encoding: ", b"base64",
    b"multipart/mixed; boundary=b", b"\r\n", b"\r\n\r\n", b"--b", b"--", b"=?utf-8?b?", b"=?x?q?", b"?=", b"=", b'"',
    b"<", b">", b"text/html", b"charset=", b"utf-7", b"idna", b"hz", b"utf-16", b"cp037", b"\x1b$B", b"\x1b$)C",
    b"\x00", b"filename*0*=utf-8''%", b"\xff\xfe", b"format=flowed", b"<table>", b"<blockquote type=cite>", b"&#55296;",
    b"message/rfc822", b"9" * 5000,
]  # fmt: skip


def mail(header: str, body: str | bytes = "text") -> bytes:
    content = body if isinstance(body, bytes) else body.encode()
    return header.replace("\n", "\r\n").encode() + b"\r\n\r\n" + content


def multipart(kind: str, *parts: str) -> bytes:
    """Make a multipart of parts written as "type and fields | body"."""
    split = [part.partition(" | ") for part in parts]
    body = "".join(f"--b\nContent-Type: {head}\n\n{text}\n" for head, _, text in split)
    return mail(f"Content-Type: multipart/{kind}; boundary=b", f"{body}--b--")


def assert_sound(message: Message) -> None:
    """Check the laws that hold for every message, whatever it was made of."""
    str([getattr(message, field.name) for field in fields(message)]).encode()
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", message.subject + message.sender_name)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", message.text)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", defect) for defect in message.defects)
    assert len(set(message.defects)) == len(message.defects)
    assert len(message.references) <= MAX_REFERENCES
    for address in filter(None, (message.sender, message.reply_to)):
        local, _, domain = address.rpartition("@")
        assert local
        assert domain == domain.lower()
    for attachment in message.attachments:
        assert attachment.size >= 0
        assert not re.search(r"[\x00-\x1f]", attachment.name or "")
    assert message.date is None or message.date.utcoffset() == datetime.now(UTC).utcoffset()


@given(st.one_of(st.binary(), st.lists(st.one_of(st.sampled_from(SYNTAX), st.binary(max_size=8))).map(b"".join)))
@settings(deadline=None)
def test_any_bytes_give_a_message(content: bytes) -> None:
    assert_sound(parse(content))


@given(st.sampled_from(MAILS), st.data())
@settings(deadline=None, max_examples=200)
def test_a_damaged_mail_gives_a_message(content: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 40)))
        new = data.draw(st.one_of(st.just(b""), st.sampled_from(SYNTAX), st.binary(max_size=10)))
        content = content[:start] + new + content[end:]
    message = parse(content)
    assert_sound(message)
    assert_sound(parse_entity(content, message, None))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Tue, 3 Feb 2026 10:15:00 +0100", datetime(2026, 2, 3, 9, 15, tzinfo=UTC)),
        ("Tue, 03 Feb 2026 10:15:00 -0000 (a comment)", datetime(2026, 2, 3, 10, 15, tzinfo=UTC)),
        ("3 Feb 26 10:15 EST", datetime(2026, 2, 3, 15, 15, tzinfo=UTC)),
        ("Tue, 03 Feb 2026 10:15:00", datetime(2026, 2, 3, 10, 15, tzinfo=UTC)),
        ("Tue Feb  3 10:15:00 2026", datetime(2026, 2, 3, 10, 15, tzinfo=UTC)),
        ("Tue, 03 Feb 2026 10:5:00 +0000", datetime(2026, 2, 3, 10, 5, tzinfo=UTC)),
        ("Tue, 31 Feb 2026 10:15:00 +0100", None),
        ("yesterday", None),
        ("Tue, 03 Feb 99999 10:15:00 +0100", None),
    ],
)
def test_date_is_utc_or_missing(field: str, expected: datetime | None) -> None:
    message = parse(mail(f"From: a@example.org\nDate: {field}"))
    assert message.date == expected
    assert ("bad-date" in message.defects) == (expected is None)


def test_references_come_before_in_reply_to_without_brackets_each_once() -> None:
    header = "References: <a@x.example>\n <b@x.example> junk\nIn-Reply-To: <c@x.example> <a@x.example>"
    message = parse(mail(f"{header}\nMessage-ID: <m@x.example>"))
    assert message.references == ("a@x.example", "b@x.example", "c@x.example")
    assert message.message_id == "m@x.example"


def test_of_too_many_references_the_first_and_the_last_are_kept() -> None:
    every = [f"{number}@x.example" for number in range(200)]
    field = " ".join(f"<{each}>" for each in [*every, "y" * 2000])
    message = parse(mail(f"References: {field}\nIn-Reply-To: <last@x.example>"))
    assert message.references == (every[0], *every[-48:], "last@x.example")


def test_fields_are_unfolded_in_order_and_as_sent() -> None:
    raw = b"Received: one\r\n\ttwo\r\nX-Name: caf\xe9\r\nSubject: =?utf-8?q?=41?=\r\nX-Name: caf\xc3\xa9\r\n\r\n"
    assert parse(raw).fields == (
        ("received", "one\ttwo"), ("x-name", "café"), ("subject", "=?utf-8?q?=41?="), ("x-name", "café"),
    )  # fmt: skip


def test_subject_never_holds_a_line_end_even_an_encoded_one() -> None:
    assert parse(mail("Subject: =?utf-8?q?one=0D=0ABcc:_x?=\n two\x07")).subject == "one Bcc: x two"


def test_inline_texts_are_joined_by_a_blank_line_and_attached_text_is_not_shown() -> None:
    attached = "text/plain\nContent-Disposition: attachment | two"
    message = parse(
        multipart("mixed", "text/plain | one", attached, "text/plain; name=x.txt | four", "text/html | <p>three")
    )
    assert message.text == "one\n\nthree"
    assert [(each.name, each.size) for each in message.attachments] == [(None, 3), ("x.txt", 4)]


@pytest.mark.parametrize("kind", ["encrypted", "mixed"])
def test_crypto_plumbing_is_no_attachment(kind: str) -> None:
    version, armor = "application/pgp-encrypted | Version: 1", "application/octet-stream; name=encrypted.asc | armor"
    message = parse(multipart(kind, version, armor, "image/png | x"))
    assert [each.type for each in message.attachments] == ["image/png"]


def test_signature_part_is_no_attachment_and_the_key_is_one() -> None:
    message = parse(
        multipart("signed", "text/plain | signed", "application/pgp-signature | x", "application/pgp-keys | k")
    )
    assert (message.text, [each.type for each in message.attachments]) == ("signed", ["application/pgp-keys"])


def test_html_twin_is_shown_only_when_the_plain_text_is_empty_and_never_attached() -> None:
    for plain, shown in (("plain", "plain"), ("  ", "html")):
        message = parse(multipart("alternative", f"text/plain | {plain}", "text/html | <p>html", "text/calendar | c"))
        assert (message.text, [each.type for each in message.attachments]) == (shown, ["text/calendar"])


def test_root_of_related_may_be_named() -> None:
    root = "text/html\nContent-ID: <root> | <p>root"
    message = parse(multipart('related; start="<root>"', "text/plain | x", root))
    assert (message.text, [each.type for each in message.attachments]) == ("root", ["text/plain"])


def test_a_large_attachment_costs_no_memory() -> None:
    code = base64.encodebytes(os.urandom(6_000_000)).decode()
    content = multipart("mixed", "text/plain | hello", f"image/png\nContent-Transfer-Encoding: base64 | {code}")
    tracemalloc.start()
    message = parse(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (message.text, message.attachments[0].size) == ("hello", 6_000_000)
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("content", "defect"),
    [
        (b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000, "too-many-parts"),
        (
            b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(3000)),
            "too-deep",
        ),
        (b"X: y\n" * 100_000 + b"\nbody", "too-many-fields"),
        (b"X: " + b"y" * 2_000_000 + b"\n\nbody", "header-cut"),
        (b"X: y\n\n" + b"long text\n" * 500_000, "text-cut"),
        (b"Content-Type: message/rfc822\n\n" * 20_000, "missing-from"),
    ],
)
def test_a_bomb_is_bounded_and_says_so(content: bytes, defect: str) -> None:
    message = parse(content)
    assert defect in message.defects
    assert len(message.attachments) <= 1000
    assert len(message.text) <= 1_000_000


def test_body_after_a_cut_header_is_still_read() -> None:
    assert parse(b"From: a@example.org\r\n" + b"X: y\r\n" * 5000 + b"\r\nbody").text == "body"


def test_entity_gives_text_and_attachments_and_outer_the_rest() -> None:
    outer = parse(mail("From: a@example.org\nSubject: ...\nMessage-ID: <m@x.example>\nContent-Type: image/png", "x"))
    entity = mail("Content-Type: text/plain; charset=utf-8\nSubject: inner", "geheim für dich")
    message = parse_entity(entity, outer, "real\r\nsubject")
    assert (message.text, message.attachments, message.subject) == ("geheim für dich", (), "real subject")
    assert (message.sender, message.message_id, message.fields) == (outer.sender, outer.message_id, outer.fields)
    assert parse_entity(entity, outer, None).subject == "..."


def test_cleartext_without_mime_fields_is_text_from_its_first_byte() -> None:
    outer = parse(mail("From: a@example.org"))
    assert parse_entity(b"Warning: he knows\nwhere I live", outer, None).text == "Warning: he knows\nwhere I live"
    assert parse_entity(b"\r\nno header at all", outer, None).text == "no header at all"


def test_unreadable_means_neither_header_nor_body() -> None:
    assert parse(b"").unreadable
    assert parse(b" \r\n\r\n").unreadable
    assert parse(bytes(range(256)) * 10).unreadable
    assert not parse(b"just words").unreadable
    assert not parse(b"Subject: x\r\n\r\n").unreadable


def test_blank_lines_or_a_mbox_line_before_the_header_are_skipped() -> None:
    for before in (b"\r\n\r\n", b"From a@example.org Tue Feb  3 10:15:00 2026\n", b">From x\r\n", b"\xef\xbb\xbf"):
        assert parse(before + b"From: a@example.org\r\n\r\nFrom me\r\n").sender == "a@example.org"


def test_a_mail_that_is_one_named_text_is_shown() -> None:
    for before in (b"", b"From x\r\n"):
        assert parse(before + mail("Content-Type: text/plain; name=mail.txt", "words")).text == "words"
