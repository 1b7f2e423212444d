"""Outgoing mail: exact bytes that survive the way, and nothing in them that betrays."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailroom.mail import compose
from mailroom.mail.automatic import machine_sign
from mailroom.mail.compose import Enclosure, Header
from mailroom.mail.parse import parse

HEADER = Header(
    sender_address="desk@example.org",
    sender_name="Desk",
    to="mara@example.net",
    subject="About your message",
    message_id="k7qd.1@example.org",
    date=datetime(2026, 3, 3, 10, 20, 30, tzinfo=UTC),
)
CIPHERTEXT = b"-----BEGIN PGP MESSAGE-----\n\nwV4D\n=abcd\n-----END PGP MESSAGE-----\n"
AWKWARD = st.sampled_from(
    [
        *("From me", ".", "..", "=", "=20", "\n", "\n\n", "\r\n", "\r", " ", "\t", "x" * 2000, "\x00", "\u2028"),
        *("\u202e\u0627\u0644", "👩🏽\u200d🚒"),  # right to left; several characters that show as one
    ]
)
TEXTS = st.lists(AWKWARD | st.text(max_size=100), max_size=12).map("".join)
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300)


def read(mail: bytes) -> EmailMessage:
    message = message_from_bytes(mail, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def sent(text: str) -> bytes:
    """Give the bytes that a text promises to arrive as: CRLF line ends, one at the end."""
    lines = re.sub("\r\n|\r|\n", "\r\n", text).encode()
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def test_a_plain_mail_has_exactly_these_bytes() -> None:
    header = replace(HEADER, automatic=True, in_reply_to="a1@example.net")
    assert compose.plain(header, "Hello.\nThank you.\n") == (
        b"Date: Tue, 03 Mar 2026 10:20:30 +0000\r\n"
        b'From: "Desk"\r\n <desk@example.org>\r\n'
        b"To: mara@example.net\r\n"
        b"Subject: About your message\r\n"
        b"Message-ID: <k7qd.1@example.org>\r\n"
        b"In-Reply-To: <a1@example.net>\r\n"
        b"References: <a1@example.net>\r\n"
        b"Auto-Submitted: auto-replied\r\n"
        b"X-Auto-Response-Suppress: All\r\n"
        b"X-Loop: desk@example.org\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"Hello.\r\nThank you.\r\n"
    )


@given(TEXTS)
@example("x" * 2000 + "\nFrom here\n.\n.hidden\ntrailing \n\ttab\t\n")
@example("سلام\n" * 300)
def test_every_text_arrives_byte_exact_in_short_seven_bit_lines(text: str) -> None:
    mail = compose.plain(HEADER, text)
    assert read(mail).get_payload(decode=True) == sent(text)
    assert mail.isascii()
    assert b"\x00" not in mail
    lines = mail.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 76 and b"\n" not in line and b"\r" not in line for line in lines)


@given(TEXTS)
@example("." * 200 + "From " * 50)
def test_no_server_has_a_reason_to_change_a_line(text: str) -> None:
    """RFC 3156 section 3: neither dot-stuffing, nor From-quoting, nor lost spaces at line ends break a signature."""
    entity = compose.text_part(text, (Enclosure("a.csv", "text/csv", text.encode()),), "About your message")
    for line in entity.split(b"\r\n"):
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert read(compose.plain(HEADER, "a\ud800b")).get_payload(decode=True) == b"a?b\r\n"


@pytest.mark.parametrize(("text", "encoding"), [("Grüße, bis bald.", "quoted-printable"), ("こんにちは", "base64")])
def test_the_shorter_encoding_is_taken(text: str, encoding: str) -> None:
    assert read(compose.plain(HEADER, text))["Content-Transfer-Encoding"] == encoding


@given(NAMES, NAMES)
@example('Desk "\\', " spaces ")
@example("=?utf-8?q?x?=", "=?utf-8?q?x?=")
@example("x" * 1000, 'Desk "\\')
@example("", "")
@example("a, b <c@d.example>", "x" * 1000)
def test_subject_and_name_survive_and_their_lines_are_short(subject: str, name: str) -> None:
    mail = compose.plain(replace(HEADER, subject=subject, sender_name=name), "")
    message = read(mail)
    assert str(make_header(decode_header(message_from_bytes(mail)["Subject"]))) == subject
    assert "".join(parse(mail).subject.split()) == "".join(subject.split())
    assert [address for _, address in getaddresses([message["From"]])] == ["desk@example.org"]
    assert "".join(str(message["From"].addresses[0].display_name).split()) == "".join(name.split())
    assert all(len(line) <= 76 for line in mail.split(b"\r\n"))


ALLOWED = {
    *("date", "from", "to", "subject", "message-id", "in-reply-to", "references", "auto-submitted", "autocrypt"),
    *("x-auto-response-suppress", "x-loop", "mime-version", "content-type", "content-transfer-encoding"),
}


@given(TEXTS, NAMES, st.booleans(), st.none() | st.just("a1@example.net"), st.none() | st.binary(max_size=500))
def test_only_fields_of_the_allow_list_leave_us(
    text: str, subject: str, automatic: bool, parent: str | None, key: bytes | None
) -> None:
    header = replace(HEADER, subject=subject, automatic=automatic, in_reply_to=parent, autocrypt=key)
    names = [name.lower() for mail in (compose.plain(header, text), compose.encrypted(header, CIPHERTEXT))
             for name in read(mail)]  # fmt: skip
    assert set(names) <= ALLOWED


@given(TEXTS)
def test_the_same_input_gives_the_same_bytes(text: str) -> None:
    enclosure = Enclosure("counts.csv", "text/csv; charset=utf-8", text.encode())
    first, second = (compose.with_header(HEADER, compose.text_part(text, (enclosure,), "x")) for _ in range(2))
    assert first == second


def test_the_date_is_written_in_utc_wherever_it_was_taken() -> None:
    elsewhere = HEADER.date.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert b"Date: Tue, 03 Mar 2026 10:20:30 +0000\r\n" in compose.plain(replace(HEADER, date=elsewhere), "")


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="Date"):
        compose.plain(replace(HEADER, date=HEADER.date.replace(tzinfo=None)), "")


FIELDS = [
    ("sender_address", "From"),
    ("sender_name", "From"),
    ("to", "To"),
    ("subject", "Subject"),
    ("message_id", "Message-ID"),
    ("in_reply_to", "In-Reply-To"),
]


@pytest.mark.parametrize(("attribute", "field"), FIELDS)
@pytest.mark.parametrize(
    "poison", ["\r\nBcc: secret@evil.example", "\n", "\r", "\x00", "\x7f", "\x85", "\u2028", "\ud800"]
)
def test_control_characters_are_refused_and_only_the_field_is_named(attribute: str, field: str, poison: str) -> None:
    changed: dict[str, Any] = {attribute: f"secret@example.net{poison}"}
    with pytest.raises(ValueError, match=f"^{field}: ") as refused:
        compose.plain(replace(HEADER, **changed), "")
    assert "secret" not in str(refused.value)


NO_RECIPIENTS = [
    "",
    "mara",
    "mara@",
    "@example.net",
    "Mara <mara@example.net>",
    "<mara@example.net>",
    "mara@example.net, eve@evil.example",
    "mara@example.net eve@evil.example",
    "mara@example.net ",
    "a@b@example.net",
    '"mara x"@example.net',
    "mara@example..net",
    "mära@example.net",
    "mara@exämple.net",
    f"{'x' * 65}@example.net",
    f"x@{'y.' * 128}net",
]


@pytest.mark.parametrize("recipient", NO_RECIPIENTS)
def test_a_recipient_is_one_bare_address(recipient: str) -> None:
    assert not compose.sendable(recipient)
    with pytest.raises(ValueError, match="To"):
        compose.plain(replace(HEADER, to=recipient), "")


def test_ordinary_addresses_are_sendable() -> None:
    for address in ("o'neill+desk@sub.example.net", "desk@localhost", "a_b=c@xn--exmple-cua.example"):
        assert compose.sendable(address)
    assert not compose.sendable(None)


@pytest.mark.parametrize("strange", [None, "", "a b@x.example", "a@x>\r\nBcc: b", "é@x.example", "x" * 901])
def test_a_strange_message_id_is_not_threaded(strange: str | None) -> None:
    assert compose.threadable(strange) is None


def test_an_ordinary_message_id_is_threaded() -> None:
    known = compose.threadable("CAF+1=x_$@mail.example.net")
    assert parse(compose.plain(replace(HEADER, in_reply_to=known), "")).references[0] == known


def test_our_automatic_mail_is_recognised_when_it_comes_back_and_a_persons_is_not() -> None:
    ours = frozenset({HEADER.sender_address})
    for automatic in (True, False):
        sent = compose.plain(replace(HEADER, automatic=automatic), "")
        came_back = sent.replace(b"From: ", b"From: <m@example.net>, ")
        found = machine_sign(parse(came_back), "", ours)
        assert (found is not None and found.kind == "own") is automatic


def test_certificate_that_is_too_large_for_the_field_is_left_out() -> None:
    assert b"\r\nAutocrypt: " in compose.plain(replace(HEADER, autocrypt=bytes(7000)), "")
    assert b"\r\nAutocrypt: " not in compose.plain(replace(HEADER, autocrypt=bytes(8000)), "")


def test_our_certificate_travels_in_the_autocrypt_field() -> None:
    mail = compose.plain(replace(HEADER, autocrypt=bytes(range(256)) * 4), "")
    value = "".join(message_from_bytes(mail)["Autocrypt"].split())
    assert value.startswith("addr=desk@example.org;prefer-encrypt=mutual;keydata=AAECAwQF")
    assert all(len(line) <= 76 for line in mail.split(b"\r\n"))
