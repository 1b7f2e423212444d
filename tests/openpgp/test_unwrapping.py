from base64 import b64encode

import pytest

from tests.openpgp.locks import (
    ARMOR,
    BLANK,
    CRLF_ARMOR,
    NAMED,
    OCTETS,
    SENDER,
    TEXT,
    VERSION,
    mixed,
    one_ciphertext,
    one_signature,
    only_lines,
    opened,
)
from tests.openpgp_mails import (
    entity,
    header,
    multipart,
    pgp_mime_encrypted,
    pgp_mime_signed,
    signed_entity,
)


def test_pgp_mime_is_found() -> None:
    found = one_ciphertext(pgp_mime_encrypted(SENDER, entity("hello")))
    assert found.startswith(b"-----BEGIN PGP MESSAGE-----\n")
    assert found.rstrip().endswith(b"-----END PGP MESSAGE-----")


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
    assert only_lines(one_ciphertext(mail)) == only_lines(ARMOR)


def test_pgp_mime_in_binary_is_found() -> None:
    octets = OCTETS.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
    found = one_ciphertext(mixed(VERSION, octets + b64encode(b"\xc1\x5ebinary"), kind="multipart/encrypted"))
    assert found == b"\xc1\x5ebinary"


def only_encrypted() -> bytes:
    """Give a multipart/encrypted entity without the header of its mail."""
    mail = pgp_mime_encrypted(SENDER, entity("hello"))
    return mail[mail.index(b"Content-Type: multipart/encrypted") :]


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_pgp_mime_inside_mailing_list_footers_is_found_at_any_depth(depth: int) -> None:
    inner = only_encrypted()
    for level in range(depth):
        kind = f'Content-Type: multipart/mixed; boundary="level{level}"\r\n\r\n'
        inner = kind.encode() + multipart(f"level{level}", [inner, TEXT + b"-- \r\nlist footer"])
    mail = header(SENDER, "").removesuffix(b"Content-Type: \r\n\r\n") + inner
    assert one_ciphertext(mail, partial=True)


def test_what_stands_beside_pgp_mime_is_kept_and_makes_it_partial() -> None:
    picture = b"Content-Type: image/png\r\n\r\nx"
    for others in ([picture], [TEXT + b"footer", picture]):
        found, _ = opened(mixed(only_encrypted(), *others))
        assert found is not None
        assert found.partial
        assert picture[-1:] in [one.content[one.body : one.end] for one in found.root.leaves()]


def test_part_added_inside_multipart_encrypted_is_kept_and_makes_it_partial() -> None:
    mail = mixed(VERSION, OCTETS + CRLF_ARMOR, TEXT + b"added", kind="multipart/encrypted")
    assert only_lines(one_ciphertext(mail, partial=True)) == only_lines(ARMOR)


@pytest.mark.parametrize(
    "parts",
    [
        (BLANK, VERSION, OCTETS + CRLF_ARMOR),
        (VERSION, OCTETS + CRLF_ARMOR),
        (BLANK, NAMED % b"version.txt" + b"Version: 1\r\n", NAMED % b"encrypted.asc" + CRLF_ARMOR),
        (b"Content-Type: text/html\r\n\r\n<br>", VERSION, NAMED % b"encrypted.asc" + CRLF_ARMOR),
    ],
    ids=["types kept", "no text", "types lost", "html"],
)
def test_pgp_mime_mangled_by_exchange_is_found(parts: tuple[bytes, ...]) -> None:
    assert only_lines(one_ciphertext(mixed(*parts))) == only_lines(ARMOR)


def test_pgp_mime_without_its_ciphertext_is_still_encrypted() -> None:
    kind = 'multipart/encrypted; protocol="application/pgp-encrypted"'
    found, lock = opened(mixed(VERSION, OCTETS, kind=kind))
    assert found is not None
    assert (found.encrypted, found.failure, lock.ciphertexts) == (True, "damaged", [b""])


def test_smime_is_not_openpgp() -> None:
    part = b"Content-Type: application/pkcs7-signature\r\n\r\nx"
    assert opened(mixed(TEXT + b"hello", part, kind="multipart/signed"))[0] is None


def test_signed_bytes_are_cut_exactly() -> None:
    inner = b"Content-Type: text/plain\r\nX-Odd:   two  \r\n\r\ntext \t \r\n\r\n"
    signed, signature = one_signature(pgp_mime_signed(SENDER, inner, "keeper"))
    assert signed == inner
    assert signature.startswith(b"-----BEGIN PGP SIGNATURE-----")


def test_signed_bytes_have_crlf_line_ends_whatever_the_mail_has() -> None:
    inner = entity("hello")
    signed, _ = one_signature(pgp_mime_signed(SENDER, inner, "keeper").replace(b"\r\n", b"\n"))
    assert signed == inner


def test_signed_part_that_is_a_multipart_is_cut_whole() -> None:
    inner = b'Content-Type: multipart/mixed; boundary="=-si"\r\n\r\n' + multipart("=-si", [TEXT + b"a", TEXT + b"b"])
    signed, _ = one_signature(pgp_mime_signed(SENDER, inner, "keeper"))
    assert signed == inner


def test_signed_part_inside_something_else_is_not_whole() -> None:
    one_signature(mixed(signed_entity(entity("hello"), "keeper"), TEXT + b"added by a list"), whole=False)


def test_part_after_the_end_of_a_signed_mail_makes_it_not_whole() -> None:
    one_signature(
        pgp_mime_signed(SENDER, entity("hello"), "keeper") + b"--=-sig\r\n" + TEXT + b"added\r\n", whole=False
    )


def test_part_added_to_a_signed_mail_makes_it_not_whole() -> None:
    mail = pgp_mime_signed(SENDER, entity("hello"), "keeper")
    one_signature(mail.replace(b"--=-sig--", b"--=-sig\r\n" + TEXT + b"added\r\n--=-sig--"), whole=False)


def test_signed_mail_inside_an_empty_wrapping_is_whole() -> None:
    one_signature(mixed(BLANK, signed_entity(entity("hello"), "keeper")))
