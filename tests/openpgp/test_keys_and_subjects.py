from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.mail.openpgp_keys import attached_keys, autocrypt_key
from mailroom.mail.parse import read_payload
from mailroom.mail.protected import protected
from tests.gnupg_home import public
from tests.openpgp_mails import autocrypt, certificate, entity, header, multipart, signed_entity

SENDER = "complainant@example.net"
KEY = bytes(certificate("complainant"))
CODE = b64encode(KEY).decode()


def subject_in(content: bytes) -> str | None:
    return protected(read_payload(content)).subject


def test_autocrypt_gives_the_key_of_the_sender() -> None:
    assert autocrypt_key(autocrypt(SENDER, "complainant"), SENDER) == KEY


@pytest.mark.parametrize(
    "value",
    [
        f"addr={SENDER}; keydata={CODE}",
        f"addr=COMPLAINANT@Example.Net; keydata={CODE}",
        f"addr={SENDER}; _monkey=ignored; keydata={CODE}",
        f"addr={SENDER};prefer-encrypt=nopreference;\r\n keydata={CODE[:20]}\r\n {CODE[20:]}",
    ],
    ids=["minimal", "letter case", "uncritical attribute", "folded"],
)
def test_autocrypt_is_read_as_level_1_says(value: str) -> None:
    assert autocrypt_key(value, SENDER) == KEY


@pytest.mark.parametrize(
    "value",
    [
        f"addr=other@example.net; keydata={CODE}",
        f"addr={SENDER}; monkey=critical; keydata={CODE}",
        f"addr={SENDER}; addr={SENDER}; keydata={CODE}",
        f"addr={SENDER}; keydata=!!!!",
        f"addr={SENDER}; keydata={b64encode(KEY * 30).decode()}",
        f"addr={SENDER}; keydata=é",
        f"addr={SENDER}",
        f"keydata={CODE}",
        "",
    ],
    ids=[
        "other address",
        "critical attribute",
        "twice",
        "no base64",
        "too long",
        "no ASCII",
        "no key",
        "no address",
        "empty",
    ],
)
def test_unfit_autocrypt_is_refused(value: str) -> None:
    assert autocrypt_key(value, SENDER) is None


@given(st.text())
def test_any_autocrypt_value_is_read_without_raising(value: str) -> None:
    autocrypt_key(value, SENDER)


def test_attached_key_is_found() -> None:
    part = b"Content-Type: application/pgp-keys\r\n\r\n" + public("complainant")
    mail = header(SENDER, "multipart/mixed; boundary=x") + multipart("x", [b"\r\nhello", part])
    assert attached_keys(mail) == public("complainant")


def test_key_block_in_the_text_is_found() -> None:
    mail = header(SENDER, "text/plain") + b"My key:\r\n" + public("complainant") + b"Bye"
    found = attached_keys(mail)
    assert found is not None
    assert found.split() == public("complainant").split()


def test_key_in_a_plain_file_is_found() -> None:
    part = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    part += b64encode(public("complainant"))
    mail = header(SENDER, "multipart/mixed; boundary=x") + multipart("x", [b"\r\nhello", part])
    assert attached_keys(mail) == public("complainant")


def test_mail_without_keys_has_none() -> None:
    assert attached_keys(header(SENDER, "text/plain") + b"hello") is None


def test_a_flood_of_keys_is_not_taken() -> None:
    part = b"Content-Type: application/pgp-keys\r\n\r\n" + b"x" * 2_000_000
    assert attached_keys(header(SENDER, "multipart/mixed; boundary=x") + multipart("x", [part])) is None


def test_protected_subject_is_read() -> None:
    assert subject_in(entity("hello", subject="Ärger über Nachrichten")) == "Ärger über Nachrichten"


def test_protected_subject_inside_a_signed_entity_is_read() -> None:
    assert subject_in(signed_entity(entity("hello", subject="Inside"), "keeper")) == "Inside"


@pytest.mark.parametrize("parameter", ['protected-headers="v1"', 'hp="cipher"', "hp=clear"])
def test_subject_is_protected_in_every_known_way(parameter: str) -> None:
    assert subject_in(f"Content-Type: text/plain; {parameter}\r\nSubject: Inside\r\n\r\nx".encode()) == "Inside"


def test_subject_that_is_not_said_to_be_protected_is_not_taken() -> None:
    assert subject_in(b"Content-Type: text/plain\r\nSubject: Inside\r\n\r\nhello") is None


def test_entity_without_a_subject_has_none() -> None:
    assert subject_in(b"Content-Type: text/plain; hp=clear\r\n\r\nhello") is None


def test_protected_subject_is_one_line() -> None:
    subject = subject_in(b"Content-Type: text/plain; hp=clear\r\nSubject: =?utf-8?q?a=0D=0AX-Evil:_b?=\r\n\r\nx")
    assert subject == "a X-Evil: b"
