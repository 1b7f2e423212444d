"""An oversize mail is read by its beginning only: the header, and the text that a person wrote."""

from email import message_from_bytes, policy

import pytest

from mailroom.mail.beginning import BEGINNING_BYTES, beginning_of
from tests.servers.dovecot import Dovecot
from tests.transport.conftest import OpenMailbox

HEAD = b"From: ada@example.org\r\nSubject: one\r\nMIME-Version: 1.0\r\nX-Tail: 1\r\n"


def _part(kind: bytes, body: bytes, more: bytes = b"") -> bytes:
    return b"Content-Type: " + kind + b"\r\n" + more + b"\r\n" + body + b"\r\n"


def _multipart(kind: bytes, *parts: bytes) -> bytes:
    boundary = kind[:3]
    inner = b"".join(b"--" + boundary + b"\r\n" + part for part in parts)
    return (
        b"Content-Type: multipart/"
        + kind
        + b';\r\n boundary="'
        + boundary
        + b'"\r\n\r\n'
        + inner
        + (b"--" + boundary + b"--\r\n")
    )


PLAIN = _part(b"text/plain; charset=utf-8", b"caf\xc3\xa9", b"Content-Transfer-Encoding: 8bit\r\n")
HTML = _part(b"text/html", b"<p>html</p>")
LOG = _part(b'text/plain; name="a) \\"(b*"', b"log", b'Content-Disposition: attachment; filename="a)("\r\n')
BASE64 = _part(b"text/plain", b"aGVsbG8=", b"Content-Transfer-Encoding: base64\r\n")
PICTURE = _part(b'image/png; name="b\xc3\xbc (.png"', b"iVBOR" * 20_000, b"Content-Transfer-Encoding: base64\r\n")
FORWARDED = _part(b"message/rfc822", HEAD + PLAIN)
CIPHER = _multipart(b"encrypted", _part(b"application/pgp-encrypted", b"Version: 1"), PLAIN)


async def _beginning(dovecot: Dovecot, open_mailbox: OpenMailbox, content: bytes) -> bytes:
    user = dovecot.new_user()
    dovecot.append(user, content)
    mailbox = open_mailbox(user)
    (arrival,) = await mailbox.arrivals()
    mail = await mailbox.fetch_beginning(arrival)
    assert (mail.complete, mail.arrival) == (False, arrival)
    assert dovecot.flags(user) == [""]
    assert beginning_of(content) == mail.content  # `explain` sees the same
    return mail.content


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (PLAIN, "café"),
        (HTML, "<p>html</p>"),
        (_multipart(b"mixed", PICTURE, LOG, HTML, PLAIN), "café"),
        (_multipart(b"mixed", PICTURE, LOG, HTML), "<p>html</p>"),
        (_multipart(b"mixed", PICTURE, LOG), "log"),
        (_multipart(b"mixed", _multipart(b"alternative", HTML, BASE64), PICTURE), "hello"),
        (_multipart(b"signed", _multipart(b"mixed", _multipart(b"alternative", PLAIN, HTML))), "café"),
        (_multipart(b"mixed", FORWARDED, PLAIN), "café"),
    ],
)
async def test_the_text_of_the_writer_makes_a_small_mail(
    dovecot: Dovecot, open_mailbox: OpenMailbox, content: bytes, text: str
) -> None:
    got = await _beginning(dovecot, open_mailbox, HEAD + content)
    mail = message_from_bytes(got, policy=policy.default)
    assert mail.get_content().strip() == text
    assert (mail["From"], mail["Subject"], mail["X-Tail"]) == ("ada@example.org", "one", "1")
    assert (mail.is_multipart(), mail.defects) == (False, [])
    assert len(set(mail)) == len(mail)
    assert len(got) < 600


@pytest.mark.parametrize("content", [CIPHER, _multipart(b"mixed", PICTURE), _multipart(b"mixed", FORWARDED), PICTURE])
async def test_without_a_readable_text_only_the_header_is_given(
    dovecot: Dovecot, open_mailbox: OpenMailbox, content: bytes
) -> None:
    got = await _beginning(dovecot, open_mailbox, HEAD + content)
    head = (HEAD + content).partition(b"\r\n\r\n")[0]
    assert got == head + b"\r\n\r\n"


async def test_a_huge_text_is_cut_between_lines(dovecot: Dovecot, open_mailbox: OpenMailbox) -> None:
    line = b"aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8g\r\n"
    big = _part(b"text/plain", line * 20_000, b"Content-Transfer-Encoding: base64\r\n")
    got = await _beginning(dovecot, open_mailbox, HEAD + big)
    body = got.partition(b"\r\n\r\n")[2]
    assert body == line * (BEGINNING_BYTES // len(line))


async def test_a_huge_header_is_cut(dovecot: Dovecot, open_mailbox: OpenMailbox) -> None:
    got = await _beginning(dovecot, open_mailbox, HEAD + b"X-Long: aaaaaaaaaaaaaaaaaaaa\r\n" * 20_000 + b"\r\nhi\r\n")
    assert got.startswith(HEAD)
    assert len(got) <= BEGINNING_BYTES + 100
