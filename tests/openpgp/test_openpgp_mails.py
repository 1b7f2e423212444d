"""The builders that other tests rely on make mails that are found, opened and verified by the real gpg."""

from email import message_from_bytes

from mailroom.flow.unwrapping import unwrap
from mailroom.mail.body import read_body
from mailroom.mail.entity import read_entity
from mailroom.mail.openpgp_keys import autocrypt_key
from mailroom.mail.protected import protected
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.sequoia import Sequoia
from tests.gnupg_home import fingerprint
from tests.openpgp_mails import (
    entity,
    inline_encrypted,
    inline_signed,
    pgp_mime_encrypted,
    pgp_mime_signed,
    signed_entity,
)

SENDER = "complainant@example.net"


def opened(mail: bytes, desk: GnuPG) -> tuple[str, list[tuple[str, bool]]]:
    """Give the text of a mail, and what each signature in it is and whether it covers everything."""
    found = unwrap(read_entity(mail), desk)
    assert found is not None
    return read_body(found.root).text, [(one.signature.state, one.whole) for one in found.verdicts]


def test_pgp_mime_mail_opens_with_its_subject_and_signature(desk: GnuPG) -> None:
    inner = entity("hello", subject="Inside")
    found = unwrap(read_entity(pgp_mime_encrypted(SENDER, inner, sign_with="keeper")), desk)
    assert found is not None
    assert found.cleartexts == (inner,)
    assert found.payload is not None
    assert protected(found.payload).subject == "Inside"
    assert found.verdicts[0].signature.signer == fingerprint("keeper")


def test_signed_entity_inside_an_encrypted_mail_is_found(desk: GnuPG) -> None:
    mail = pgp_mime_encrypted(SENDER, signed_entity(entity("close"), "keeper"))
    assert opened(mail, desk) == ("close", [("valid", True)])


def test_signed_mail_verifies_with_any_line_ends(desk: GnuPG) -> None:
    mail = pgp_mime_signed("keeper@example.org", entity("close \n\n"), "keeper")
    for content in (mail, mail.replace(b"\r\n", b"\n")):
        assert opened(content, desk)[1] == [("valid", True)]


def test_inline_mails_open_and_verify(desk: GnuPG) -> None:
    assert opened(inline_encrypted(SENDER, "hello", sign_with="keeper"), desk) == ("hello", [("valid", True)])
    signed = inline_signed("keeper@example.org", "- close\n", "keeper")
    assert opened(signed, desk) == ("- close", [("valid", True)])


def test_autocrypt_field_carries_a_usable_key() -> None:
    mail = message_from_bytes(pgp_mime_encrypted(SENDER, entity("hello"), autocrypt="complainant"))
    key = autocrypt_key(str(mail["Autocrypt"]), SENDER)
    assert key is not None
    assert Sequoia().certificate_for(key, SENDER) == key
