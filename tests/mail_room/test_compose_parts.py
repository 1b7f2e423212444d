"""The parts of outgoing mail: enclosures, what OpenPGP signs and encrypts, bounce addresses."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.mail import compose
from mailroom.mail.compose import Enclosure, Header
from mailroom.mail.parse import parse

HEADER = Header(
    "desk@example.org", "", "mara@example.net", "...", "k7qd.1@example.org", datetime(2026, 3, 3, 10, tzinfo=UTC)
)
SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\niQ==\n=abcd\n-----END PGP SIGNATURE-----\n"
CIPHERTEXT = b"-----BEGIN PGP MESSAGE-----\n\nwV4D\n=abcd\n-----END PGP MESSAGE-----\n"
OWN = frozenset({"desk@example.org", "Help@Example.net"})


def read(mail: bytes) -> EmailMessage:
    message = message_from_bytes(mail, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def parts(mail: bytes) -> list[EmailMessage]:
    found = [part for part in read(mail).iter_parts() if isinstance(part, EmailMessage)]
    assert not any(part.defects for part in found)
    return found


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.binary(max_size=300), max_size=3))
def test_enclosures_arrive_byte_exact_beside_the_text(text: str, contents: list[bytes]) -> None:
    enclosures = [Enclosure(f"part-{n}.csv", "text/csv; charset=utf-8", content) for n, content in enumerate(contents)]
    mail = compose.with_header(HEADER, compose.text_part(text, enclosures))
    got = [part.get_payload(decode=True) for part in parts(mail)[1:]]
    assert got == contents
    assert [part.get_filename() for part in parts(mail)[1:]] == [enclosure.name for enclosure in enclosures]
    assert all(len(line) <= 76 for line in mail.split(b"\r\n"))


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a b.csv", "text/csv"),
        ('a".csv', "text/csv"),
        ("../a.csv", "text/csv"),
        ("ä.csv", "text/csv"),
        ("", "text/csv"),
        ("a.csv", "text"),
        ("a.csv", "text/csv\r\nX-Evil: 1"),
        ("a.csv", "text/csv; name=x"),
    ],
)
def test_an_enclosure_with_a_strange_name_or_type_is_refused(name: str, media_type: str) -> None:
    with pytest.raises(ValueError, match="enclosure"):
        compose.text_part("", [Enclosure(name, media_type, b"")])


@pytest.mark.parametrize("enclosures", [(), (Enclosure("a.csv", "text/csv", b"1"),)])
def test_the_protected_subject_stands_inside_the_entity(enclosures: tuple[Enclosure, ...]) -> None:
    entity = read(compose.text_part("Hello", enclosures, "Über deine Nachricht"))
    assert entity["Subject"] == "Über deine Nachricht"
    assert entity["Content-Type"].params["protected-headers"] == "v1"
    nested = [part for part in entity.walk() if part is not entity]
    assert not any("protected-headers" in str(part["Content-Type"]) for part in nested)


def test_without_a_protected_subject_the_entity_has_none() -> None:
    entity = compose.text_part("Hello")
    assert b"Subject" not in entity
    assert b"protected-headers" not in entity


def test_a_protected_subject_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match="Subject"):
        compose.text_part("", (), "a\r\nBcc: x@evil.example")


def test_the_signed_bytes_stand_unchanged_between_the_boundaries() -> None:
    entity = compose.text_part("From here.\n.\nGrüße \n", (Enclosure("a.csv", "text/csv", b"1"),), "About")
    mail = compose.with_header(HEADER, compose.signed_entity(entity, SIGNATURE, "pgp-sha512"))
    content_type = read(mail)["Content-Type"]
    assert content_type.content_type == "multipart/signed"
    assert content_type.params["micalg"] == "pgp-sha512"
    assert content_type.params["protocol"] == "application/pgp-signature"
    delimiter = f"\r\n--{content_type.params['boundary']}\r\n".encode()
    assert mail.split(delimiter)[1] == entity
    assert parts(mail)[1].get_content_type() == "application/pgp-signature"
    assert mail.split(delimiter)[2].split(b"\r\n\r\n", 1)[1].startswith(SIGNATURE.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("micalg", ["sha256", "PGP-SHA256", 'pgp-x"; x="', "pgp-sha256\r\n"])
def test_a_strange_micalg_is_refused(micalg: str) -> None:
    with pytest.raises(ValueError, match="micalg"):
        compose.signed_entity(b"", SIGNATURE, micalg)


def test_a_signature_that_is_not_armored_is_refused() -> None:
    with pytest.raises(ValueError, match="armored PGP signature"):
        compose.signed_entity(b"", b"\x89\x01", "pgp-sha256")


def test_an_encrypted_mail_has_the_two_parts_of_rfc_3156() -> None:
    mail = compose.encrypted(HEADER, CIPHERTEXT)
    version, content = parts(mail)
    assert read(mail)["Content-Type"].content_type == "multipart/encrypted"
    assert read(mail)["Content-Type"].params["protocol"] == "application/pgp-encrypted"
    assert version.get_content_type() == "application/pgp-encrypted"
    assert version.get_payload(decode=True) == b"Version: 1\r\n"
    assert content.get_content_type() == "application/octet-stream"
    assert content.get_payload(decode=True) == CIPHERTEXT.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "leak", [b"I am afraid of him.", b"", SIGNATURE, CIPHERTEXT + b"secret", b"secret" + CIPHERTEXT]
)
def test_what_is_not_an_openpgp_message_never_leaves_as_encrypted(leak: bytes) -> None:
    with pytest.raises(ValueError, match="armored PGP message") as refused:
        compose.encrypted(HEADER, leak)
    assert "secret" not in str(refused.value)


def test_a_header_survives_round_every_kind_of_entity() -> None:
    for mail in (
        compose.plain(HEADER, "Hello"),
        compose.with_header(HEADER, compose.signed_entity(compose.text_part("Hello"), SIGNATURE, "pgp-sha256")),
        compose.encrypted(HEADER, CIPHERTEXT),
    ):
        message = parse(mail)
        assert (message.sender, message.subject, message.message_id) == ("desk@example.org", "...", HEADER.message_id)
        assert message.date == HEADER.date


TOKENS = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=40)


@given(TOKENS, st.sampled_from(["desk@example.org", "help@example.net"]))
def test_a_bounce_address_leads_back_to_its_token_in_any_case(token: str, own: str) -> None:
    address = compose.bounce_address(own, token)
    assert compose.bounce_token(address, OWN) == token
    assert compose.bounce_token(address.upper(), OWN) == token
    assert compose.sendable(address)


@pytest.mark.parametrize(
    "address",
    [
        "desk@example.org",
        "desk+b@example.org",
        "desk+b.@example.org",
        "desk+c.k7qd@example.org",
        "desk+b.k7qd@example.net",
        "desk+b.k7qd@evil.example",
        "other+b.k7qd@example.org",
        "desk+b.k7-qd@example.org",
        "desk+b.k7qd@example.org@evil.example",
        f"desk+b.{'k' * 41}@example.org",
        "",
    ],
)
def test_other_addresses_are_no_bounce_addresses(address: str) -> None:
    assert compose.bounce_token(address, OWN) is None


@pytest.mark.parametrize("token", ["", "K7QD", "k7-qd", "k 7", "k\r\n", "k@x", "k" * 41, "ü"])
def test_a_strange_token_makes_no_bounce_address(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        compose.bounce_address("desk@example.org", token)


def test_a_bounce_address_needs_one_bare_address() -> None:
    with pytest.raises(ValueError, match="envelope sender"):
        compose.bounce_address("Desk <desk@example.org>", "k7qd")
