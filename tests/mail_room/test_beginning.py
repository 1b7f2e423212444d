"""The beginning of a mail; tests/transport/test_imap_beginning.py holds it against what a server gives."""

from hypothesis import given
from hypothesis import strategies as st

from mailroom.mail.beginning import BEGINNING_BYTES, beginning, beginning_of


@given(st.binary(), st.binary(), st.binary())
def test_a_beginning_always_has_a_header_that_ends(header: bytes, mime: bytes, body: bytes) -> None:
    assert b"\r\n\r\n" in beginning(header, mime, body)


@given(st.binary(max_size=2000))
def test_any_bytes_have_a_beginning(content: bytes) -> None:
    assert b"\r\n\r\n" in beginning_of(content)


def test_a_beginning_is_bounded_whatever_the_mail() -> None:
    mail = b"X-A: " + b"a" * 900_000 + b"\r\n\r\n" + b"word \n" * 900_000
    assert len(beginning_of(mail)) <= 2 * BEGINNING_BYTES + 4
