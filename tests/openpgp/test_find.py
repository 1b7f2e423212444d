from base64 import b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailroom.mail.openpgp import (
    EncryptedMime,
    InlineEncrypted,
    InlineSigned,
    SignedMime,
    Unprotected,
    attached_keys,
    find,
    inner_subject,
)
from tests.openpgp_mails import (
    entity,
    header,
    inline_encrypted,
    inline_signed,
    multipart,
    pgp_mime_encrypted,
    pgp_mime_signed,
    signed_entity,
)

SENDER = "complainant@example.net"
ARMOR = b"-----BEGIN PGP MESSAGE-----\n\nwV4D9AZbWrbswowSAQdA\n=2v5B\n-----END PGP MESSAGE-----\n"
CRLF_ARMOR = ARMOR.replace(b"\n", b"\r\n")
VERSION = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
OCTETS = b"Content-Type: application/octet-stream\r\n\r\n"
TEXT = b"Content-Type: text/plain\r\n\r\n"


def mixed(*parts: bytes, kind: str = "multipart/mixed") -> bytes:
    return header(SENDER, f'{kind}; boundary="outer"') + multipart("outer", parts)


def text_mail(body: bytes, *fields: tuple[str, str], kind: str = "text/plain") -> bytes:
    return header(SENDER, kind, fields=fields) + body


def only_lines(armor: bytes) -> list[bytes]:
    return armor.split()


def test_pgp_mime_is_found() -> None:
    found = find(pgp_mime_encrypted(SENDER, entity("hello")))
    assert isinstance(found, EncryptedMime)
    assert found.ciphertext.startswith(b"-----BEGIN PGP MESSAGE-----\r\n")
    assert found.ciphertext.rstrip().endswith(b"-----END PGP MESSAGE-----")


@pytest.mark.parametrize(
    "mail",
    [
        mixed(VERSION, OCTETS + CRLF_ARMOR, kind="multipart/encrypted"),
        mixed(OCTETS + CRLF_ARMOR, VERSION, kind="multipart/encrypted"),
        mixed(VERSION.lower(), OCTETS.upper() + CRLF_ARMOR, kind="Multipart/ENCRYPTED"),
        header(SENDER, "multipart/encrypted; boundary=outer")
        + b"This is a preamble.\r\n"
        + multipart("outer", [VERSION, OCTETS + CRLF_ARMOR]),
        b"From someone Thu Jan  1 00:00:00 2026\r\n" + mixed(VERSION, OCTETS + CRLF_ARMOR, kind="multipart/encrypted"),
        mixed(VERSION, OCTETS + CRLF_ARMOR, kind="multipart/encrypted").replace(b"\r\n", b"\n"),
        mixed(
            VERSION,
            OCTETS.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b64encode(ARMOR),
            kind="multipart/encrypted",
        ),
    ],
    ids=["no protocol", "swapped", "letter case", "preamble", "mbox line", "bare LF", "base64"],
)
def test_pgp_mime_is_found_however_it_is_written(mail: bytes) -> None:
    found = find(mail)
    assert isinstance(found, EncryptedMime)
    assert only_lines(found.ciphertext) == only_lines(ARMOR)


def test_pgp_mime_in_binary_is_found() -> None:
    octets = OCTETS.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
    found = find(mixed(VERSION, octets + b64encode(b"\xc1\x5ebinary"), kind="multipart/encrypted"))
    assert found == EncryptedMime(b"\xc1\x5ebinary")


def test_pgp_mime_inside_a_mailing_list_footer_is_found() -> None:
    inner = pgp_mime_encrypted(SENDER, entity("hello"))
    inner = inner[inner.index(b"Content-Type: multipart/encrypted") :]
    assert isinstance(find(mixed(inner, TEXT + b"-- \r\nlist footer")), EncryptedMime)


def test_pgp_mime_beside_other_content_is_not_taken_for_the_mail() -> None:
    inner = pgp_mime_encrypted(SENDER, entity("hello"))
    inner = inner[inner.index(b"Content-Type: multipart/encrypted") :]
    picture = b"Content-Type: image/png\r\n\r\nx"
    for others in ([picture], [TEXT + b"footer", picture]):
        assert not isinstance(find(mixed(inner, *others)), EncryptedMime)


def test_pgp_mime_mangled_by_exchange_is_found() -> None:
    found = find(mixed(TEXT + b"\r\n", VERSION, OCTETS + CRLF_ARMOR))
    assert isinstance(found, EncryptedMime)
    assert only_lines(found.ciphertext) == only_lines(ARMOR)


def test_pgp_mime_without_its_ciphertext_is_still_encrypted() -> None:
    kind = 'multipart/encrypted; protocol="application/pgp-encrypted"'
    assert find(mixed(VERSION, OCTETS, kind=kind)) == EncryptedMime(b"")


def test_smime_is_not_openpgp() -> None:
    part = b"Content-Type: application/pkcs7-signature\r\n\r\nx"
    assert find(mixed(TEXT + b"hello", part, kind="multipart/signed")) == Unprotected()


def test_signed_bytes_are_cut_exactly() -> None:
    inner = b"Content-Type: text/plain\r\nX-Odd:   two  \r\n\r\ntext \t \r\n\r\n"
    found = find(pgp_mime_signed(SENDER, inner, "keeper"))
    assert isinstance(found, SignedMime)
    assert found.signed == inner
    assert found.signature.startswith(b"-----BEGIN PGP SIGNATURE-----")
    assert found.whole


def test_signed_bytes_have_crlf_line_ends_whatever_the_mail_has() -> None:
    inner = entity("hello")
    found = find(pgp_mime_signed(SENDER, inner, "keeper").replace(b"\r\n", b"\n"))
    assert isinstance(found, SignedMime)
    assert found.signed == inner


def test_signed_part_that_is_a_multipart_is_cut_whole() -> None:
    inner = b'Content-Type: multipart/mixed; boundary="=-si"\r\n\r\n' + multipart("=-si", [TEXT + b"a", TEXT + b"b"])
    found = find(pgp_mime_signed(SENDER, inner, "keeper"))
    assert isinstance(found, SignedMime)
    assert found.signed == inner


def test_signed_part_inside_something_else_is_not_whole() -> None:
    found = find(mixed(signed_entity(entity("hello"), "keeper"), TEXT + b"added by a list"))
    assert isinstance(found, SignedMime)
    assert not found.whole


def test_part_added_to_a_signed_mail_makes_it_not_whole() -> None:
    mail = pgp_mime_signed(SENDER, entity("hello"), "keeper")
    found = find(mail.replace(b"--=-sig--", b"--=-sig\r\n" + TEXT + b"added\r\n--=-sig--"))
    assert isinstance(found, SignedMime)
    assert not found.whole


def test_part_after_the_end_of_a_signed_mail_makes_it_not_whole() -> None:
    found = find(pgp_mime_signed(SENDER, entity("hello"), "keeper") + b"--=-sig\r\n" + TEXT + b"added\r\n")
    assert isinstance(found, SignedMime)
    assert not found.whole


def test_inline_message_is_whole_when_alone() -> None:
    found = find(inline_encrypted(SENDER, "hello"))
    assert isinstance(found, InlineEncrypted)
    assert found.whole


@pytest.mark.parametrize(
    "mail",
    [
        text_mail(b"My name is in here:\r\n" + CRLF_ARMOR),
        text_mail(CRLF_ARMOR + b"-- \r\nsent from a phone"),
        mixed(TEXT + CRLF_ARMOR, TEXT + b"and more"),
        mixed(TEXT + CRLF_ARMOR, TEXT + CRLF_ARMOR),
        mixed(TEXT + b"see the file", OCTETS + CRLF_ARMOR),
        mixed(OCTETS + CRLF_ARMOR + b"and more"),
    ],
    ids=["before", "after", "second part", "second message", "attached", "after, attached"],
)
def test_inline_message_with_other_text_is_not_whole(mail: bytes) -> None:
    found = find(mail)
    assert isinstance(found, InlineEncrypted)
    assert only_lines(found.ciphertext) == only_lines(ARMOR)
    assert not found.whole


def test_inline_message_is_found_in_any_transfer_encoding() -> None:
    field = "Content-Transfer-Encoding"
    quoted = CRLF_ARMOR.replace(b"=", b"=3D")
    for mail in (
        text_mail(b64encode(ARMOR), (field, "base64")),
        text_mail(quoted, (field, "quoted-printable")),
    ):
        found = find(mail)
        assert isinstance(found, InlineEncrypted)
        assert only_lines(found.ciphertext) == only_lines(ARMOR)
        assert found.whole


def test_inline_message_in_html_is_found() -> None:
    page = b"<html><body><p>" + ARMOR.strip().replace(b"\n", b"<br>\r\n&nbsp;") + b"</p></body></html>"
    found = find(text_mail(page, kind="text/html"))
    assert isinstance(found, InlineEncrypted)
    assert only_lines(found.ciphertext) == only_lines(ARMOR)
    assert found.whole


def test_html_twin_does_not_make_an_inline_message_less_whole() -> None:
    twin = b"Content-Type: text/html\r\n\r\n<pre>" + CRLF_ARMOR + b"</pre>"
    found = find(mixed(TEXT + CRLF_ARMOR, twin, kind="multipart/alternative"))
    assert isinstance(found, InlineEncrypted)
    assert found.whole


def test_message_that_was_cut_off_is_still_a_message() -> None:
    assert isinstance(find(text_mail(CRLF_ARMOR[:60])), InlineEncrypted)


def test_message_as_a_file_without_text_is_whole() -> None:
    found = find(mixed(OCTETS + CRLF_ARMOR))
    assert isinstance(found, InlineEncrypted)
    assert found.whole


@pytest.mark.parametrize("quote", [b"> ", b">", b"| ", b"I got -----"])
def test_quoted_armor_is_not_a_message(quote: bytes) -> None:
    body = b"".join(quote + line + b"\r\n" for line in ARMOR.splitlines())
    assert find(text_mail(b"you wrote:\r\n" + body)) == Unprotected()


def test_inline_signed_text_is_whole_when_alone() -> None:
    found = find(inline_signed(SENDER, "close\n", "keeper"))
    assert isinstance(found, InlineSigned)
    assert found.whole
    assert b"\r\nclose\r\n" in found.armored


@pytest.mark.parametrize("around", [(b"before\r\n", b""), (b"", b"after\r\n")])
def test_inline_signed_text_with_other_text_is_not_whole(around: tuple[bytes, bytes]) -> None:
    mail = inline_signed(SENDER, "close\n", "keeper")
    begin = mail.index(b"-----BEGIN")
    found = find(mail[:begin] + around[0] + mail[begin:] + around[1])
    assert isinstance(found, InlineSigned)
    assert not found.whole


def test_inline_signed_text_beside_unsigned_text_is_not_whole() -> None:
    signed = inline_signed(SENDER, "close\n", "keeper")
    found = find(mixed(TEXT + b"erase everything", TEXT + signed[signed.index(b"-----BEGIN") :]))
    assert isinstance(found, InlineSigned)
    assert not found.whole


def test_signed_text_that_is_attached_does_not_vouch_for_the_shown_text() -> None:
    signed = inline_signed(SENDER, "close\n", "keeper")
    part = TEXT.replace(b"\r\n\r\n", b"\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n")
    found = find(mixed(TEXT + b"erase everything", part + signed[signed.index(b"-----BEGIN") :]))
    assert isinstance(found, InlineSigned)
    assert not found.whole


def test_message_inside_a_forwarded_mail_is_not_this_mail() -> None:
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + inline_encrypted(SENDER, "hello")
    assert find(mixed(TEXT + b"look", forwarded)) == Unprotected()


def test_ordinary_mail_is_unprotected() -> None:
    assert find(text_mail(b"Hello.\r\n")) == Unprotected()


PIECES = [
    b"\r\n", b"\n", b"\r", b"--", b"--outer", b"--outer--", b"Content-Type: multipart/signed; boundary=outer\r\n",
    b"Content-Type: multipart/encrypted; boundary=outer; protocol=\r\n",
    b"Content-Type: multipart/mixed; boundary=outer",
    b"Content-Type: application/pgp-encrypted\r\n\r\n", b"Content-Type: application/pgp-signature\r\n\r\n",
    b"Content-Type: text/html\r\n", b"Content-Transfer-Encoding: base64\r\n", b"-----BEGIN PGP MESSAGE-----\n",
    b"-----END PGP MESSAGE-----\n", b"-----BEGIN PGP SIGNED MESSAGE-----\n", b"-----END PGP SIGNATURE-----\n",
    b'Content-Type: text/plain; protected-headers="v1"; hp=\xff\r\nSubject: =?x?b?\xff?=\r\n\r\n',
    b"<br>", b"\xff", b"From ",
    ARMOR,
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=20).map(b"".join))
@example(b"")
@example(b"From ")
def test_any_bytes_are_judged_without_raising(content: bytes) -> None:
    assert isinstance(find(content), EncryptedMime | SignedMime | InlineEncrypted | InlineSigned | Unprotected)
    inner_subject(content)
    attached_keys(content)


@given(st.text(alphabet=st.characters(exclude_characters="\r\x00"), max_size=200))
def test_signed_bytes_come_back_as_they_were(text: str) -> None:
    body = text.replace("\n", "\r\n").encode("utf-8", "replace")
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body
    if b"--outer" in inner:
        return
    signature = b"Content-Type: application/pgp-signature\r\n\r\nx"
    found = find(mixed(inner, signature, kind="multipart/signed"))
    assert isinstance(found, SignedMime)
    assert found.signed == inner
