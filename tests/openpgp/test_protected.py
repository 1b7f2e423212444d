"""Header fields inside win where the entity says that they are the header; what repeats them for old programs goes."""

import pytest

from mailroom.mail.body import read_body
from mailroom.mail.entity import read_entity
from mailroom.mail.protected import protected, without_legacy_display
from mailroom.mail.smime import smime
from tests.openpgp_mails import multipart

WORDS = "He waits outside."
HTML = "Content-Type: text/html; charset=utf-8; {}\r\n\r\n"
DISPLAY = '<div class="header-protection-legacy-display"><pre>Subject: Help</pre></div>'


def text_of(content: bytes) -> str:
    return read_body(without_legacy_display(read_entity(content))).text.strip()


@pytest.mark.parametrize("parameter", ['hp="cipher"', "hp=clear", 'protected-headers="v1"'])
def test_subject_and_from_inside_are_protected_in_every_known_way(parameter: str) -> None:
    head = f"Content-Type: text/plain; {parameter}\r\nFrom: a@example.net\r\nSubject: =?utf-8?q?=C3=A9?=\r\n\r\nx"
    found = protected(read_entity(head.encode()))
    assert (found.subject, found.sender) == ("é", b"a@example.net")


def test_fields_that_nobody_called_protected_are_not() -> None:
    found = protected(read_entity(b"Content-Type: text/plain\r\nFrom: a@example.net\r\nSubject: x\r\n\r\nx"))
    assert (found.subject, found.sender) == (None, None)


def test_lines_for_old_programs_are_left_out_of_text_and_page() -> None:
    plain = f'Content-Type: text/plain; hp="cipher"; hp-legacy-display="1"\r\n\r\nSubject: Help\r\n\r\n{WORDS}'
    assert text_of(plain.encode()) == WORDS
    page = HTML.format('hp="cipher"; hp-legacy-display="1"') + f"<body>{DISPLAY}<p>{WORDS}</p></body>"
    assert text_of(page.encode()) == WORDS


def test_lines_for_old_programs_are_left_out_in_both_versions_of_a_text() -> None:
    plain = f'Content-Type: text/plain; hp-legacy-display="1"\r\n\r\nSubject: Help\r\n\r\n{WORDS}'
    page = HTML.format('hp-legacy-display="1"') + f"{DISPLAY}<p>{WORDS}</p>"
    kind = b'Content-Type: multipart/alternative; hp="cipher"; boundary="=h"\r\n\r\n'
    assert text_of(kind + multipart("=h", (plain.encode(), page.encode()))) == WORDS


@pytest.mark.parametrize(
    "content",
    [
        'Content-Type: text/plain; hp="cipher"\r\n\r\nSubject: Help\r\n\r\nHe waits outside.',
        'Content-Type: text/plain; hp-legacy-display="1"\r\n\r\nSubject: Help\r\n\r\nHe waits outside.',
        HTML.format('hp="cipher"; hp-legacy-display="1"') + "Subject: Help <p>He waits outside.</p>",
        HTML.format('hp="cipher"; hp-legacy-display="1"') + "Subject: Help He waits outside. " + DISPLAY[:60],
    ],
    ids=["not marked", "no protected header", "no div", "div without an end"],
)
def test_her_own_words_are_never_left_out(content: str) -> None:
    assert WORDS in text_of(content.encode())
    assert "Subject: Help" in text_of(content.encode())


def test_only_a_first_part_that_is_marked_is_a_legacy_display() -> None:
    kind = b'Content-Type: multipart/mixed; protected-headers="v1"; boundary="=h"\r\n\r\n'
    marked = b'Content-Type: text/rfc822-headers; protected-headers="v1"\r\n\r\nSubject: Help'
    hers = b"Content-Type: text/plain\r\n\r\nHe waits outside."
    assert text_of(kind + multipart("=h", (marked, hers))) == WORDS
    assert text_of(kind + multipart("=h", (hers, hers))) == f"{WORDS}\n\n{WORDS}"


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/pkcs7-mime; smime-type=enveloped-data", "encrypted"),
        ("application/x-pkcs7-mime; smime-type=authEnveloped-data", "encrypted"),
        ("application/pkcs7-mime", "encrypted"),
        ("application/pkcs7-mime; smime-type=signed-data", "signed"),
        ("application/pkcs7-mime; smime-type=certs-only", None),
        ('application/octet-stream; name="smime.p7m"', "encrypted"),
        ('application/octet-stream; name="smime.p7s"', None),
        ("application/pkcs7-signature", None),
        ("text/plain", None),
    ],
)
def test_smime_is_told_by_type_and_name(content_type: str, found: str | None) -> None:
    assert smime(read_entity(f"Content-Type: {content_type}\r\n\r\nMIAG".encode())) == found
