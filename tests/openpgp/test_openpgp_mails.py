"""The builders that other tests rely on make mails that are found, opened and verified by the real gpg."""

from email import message_from_bytes

from mailroom.mail.openpgp import (
    EncryptedMime,
    InlineEncrypted,
    InlineSigned,
    SignedMime,
    autocrypt_key,
    find,
    inner_subject,
)
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


def test_pgp_mime_mail_opens_with_its_subject_and_signature(desk: GnuPG) -> None:
    inner = entity("hello", subject="Inside")
    found = find(pgp_mime_encrypted(SENDER, inner, sign_with="keeper"))
    assert isinstance(found, EncryptedMime)
    opened = desk.decrypt(found.ciphertext)
    assert opened.content == inner
    assert inner_subject(opened.content) == "Inside"
    assert opened.signature.signer == fingerprint("keeper")


def test_signed_entity_inside_an_encrypted_mail_is_found(desk: GnuPG) -> None:
    found = find(pgp_mime_encrypted(SENDER, signed_entity(entity("close"), "keeper")))
    assert isinstance(found, EncryptedMime)
    inner = find(desk.decrypt(found.ciphertext).content)
    assert isinstance(inner, SignedMime)
    assert inner.whole
    assert desk.verify(inner.signed, inner.signature).state == "valid"


def test_signed_mail_verifies_with_any_line_ends(desk: GnuPG) -> None:
    mail = pgp_mime_signed("keeper@example.org", entity("close \n\n"), "keeper")
    for content in (mail, mail.replace(b"\r\n", b"\n")):
        found = find(content)
        assert isinstance(found, SignedMime)
        assert desk.verify(found.signed, found.signature).state == "valid"


def test_inline_mails_open_and_verify(desk: GnuPG) -> None:
    encrypted = find(inline_encrypted(SENDER, "hello", sign_with="keeper"))
    assert isinstance(encrypted, InlineEncrypted)
    assert desk.decrypt(encrypted.ciphertext).content == b"hello"
    signed = find(inline_signed("keeper@example.org", "- close\n", "keeper"))
    assert isinstance(signed, InlineSigned)
    verdict, covered = desk.verify_inline(signed.armored)
    assert (verdict.state, covered.strip()) == ("valid", b"- close")


def test_autocrypt_field_carries_a_usable_key() -> None:
    mail = message_from_bytes(pgp_mime_encrypted(SENDER, entity("hello"), autocrypt="complainant"))
    key = autocrypt_key(str(mail["Autocrypt"]), SENDER)
    assert key is not None
    assert Sequoia().certificate_for(key, SENDER) == key
