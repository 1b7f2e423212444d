"""A keyring that opens everything, and mails in pieces: for tests of what is found, not of gpg."""

from dataclasses import dataclass, field

from mailroom.errors import DecryptionFailed
from mailroom.flow.filing import Decrypted
from mailroom.flow.unwrapping import Unwrapped, unwrap
from mailroom.mail.entity import header_start, read_entity
from mailroom.mail.message import Signature
from tests.openpgp_mails import (
    header,
    multipart,
)

SENDER = "complainant@example.net"
ARMOR = b"-----BEGIN PGP MESSAGE-----\n\nwV4D9AZbWrbswowSAQdA\n=2v5B\n-----END PGP MESSAGE-----\n"
CRLF_ARMOR = ARMOR.replace(b"\n", b"\r\n")
VERSION = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
OCTETS = b"Content-Type: application/octet-stream\r\n\r\n"
TEXT = b"Content-Type: text/plain\r\n\r\n"
BLANK = TEXT + b"\r\n"
NAMED = b'Content-Type: application/octet-stream; name="%s"\r\n\r\n'


def mixed(*parts: bytes, kind: str = "multipart/mixed") -> bytes:
    return header(SENDER, f'{kind}; boundary="outer"') + multipart("outer", parts)


def text_mail(body: bytes, *fields: tuple[str, str], kind: str = "text/plain") -> bytes:
    return header(SENDER, kind, fields=fields) + body


@dataclass
class Lock:
    """Stands for a keyring that opens everything to `inside`, and remembers what it was asked."""

    inside: bytes = b"opened"
    ciphertexts: list[bytes] = field(default_factory=list)
    signed: list[tuple[bytes, bytes]] = field(default_factory=list)
    armored: list[bytes] = field(default_factory=list)

    def decrypt(self, ciphertext: bytes, /) -> Decrypted:
        self.ciphertexts.append(ciphertext)
        if not ciphertext:
            raise DecryptionFailed("damaged")
        return Decrypted(self.inside, False, Signature())

    def signed_inside(self, _ciphertext: bytes, /) -> bytes:
        return b""

    def verify(self, signed: bytes, signature: bytes, /) -> Signature:
        self.signed.append((signed, signature))
        return Signature("valid")

    def verify_inline(self, armored: bytes, /) -> tuple[Signature, bytes]:
        self.armored.append(armored)
        return Signature("valid"), b"covered"


def opened(mail: bytes) -> tuple[Unwrapped | None, Lock]:
    lock = Lock()
    return unwrap(read_entity(mail, header_start(mail)), lock), lock


def one_ciphertext(mail: bytes, *, partial: bool = False) -> bytes:
    """Give what was decrypted, the only thing."""
    found, lock = opened(mail)
    assert found is not None
    assert found.partial is partial
    assert len(lock.ciphertexts) == 1
    return lock.ciphertexts[0]


def one_signature(mail: bytes, *, whole: bool = True) -> tuple[bytes, bytes]:
    """Give what was verified, the only thing."""
    found, lock = opened(mail)
    assert found is not None
    assert [verdict.whole for verdict in found.verdicts] == [whole]
    return lock.signed[0] if lock.signed else (lock.armored[0], b"")


def only_lines(armor: bytes) -> list[bytes]:
    return armor.split()
