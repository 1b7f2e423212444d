"""Changes a mail as a mail: bytes alone rarely make one multipart inside another."""

import base64
import random

_BREAK = b"\r\n"
_KINDS = (
    b"mixed", b"alternative", b"related", b"digest", b"report", b"signed",
    b'encrypted; protocol="application/pgp-encrypted"',
)  # fmt: skip
_ENCRYPTED = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
_CHARSETS = (
    b"utf-8",
    b"utf-7",
    b"utf-16",
    b"iso-2022-jp",
    b"iso-2022-kr",
    b"gb2312",
    b"koi8-r",
    b"latin-1",
    b"\xe9",
    b"hz",
)


def mutate(mail: bytes, other: bytes, seed: int) -> bytes:
    """Change one thing in the structure of `mail`, perhaps with parts of `other`; `seed` decides what."""
    chance = random.Random(seed)
    return chance.choice(_CHANGES)(mail, other, chance)


def _header_and_body(mail: bytes) -> tuple[bytes, bytes]:
    header, _, body = mail.partition(b"\r\n\r\n" if b"\r\n\r\n" in mail else b"\n\n")
    return header, body


def _wrapped(mail: bytes, other: bytes, chance: random.Random) -> bytes:
    """Put two mails as parts into a multipart."""
    mark = b"b%d" % chance.randrange(10)
    parts = chance.choice([(mail, other), (other, mail), (_ENCRYPTED, mail), (mail,)])
    inside = b"".join(b"--" + mark + _BREAK + part + _BREAK for part in parts)
    return b"From: a@example.org\r\nContent-Type: multipart/%s; boundary=%s\r\n\r\n" % (
        chance.choice(_KINDS), mark,
    ) + inside + chance.choice([b"--" + mark + b"--", b""])  # fmt: skip


def _armored(mail: bytes, _other: bytes, chance: random.Random) -> bytes:
    """Make a mail the plaintext of an armored block."""
    title = chance.choice([b"MESSAGE", b"SIGNED MESSAGE", b"PUBLIC KEY BLOCK"])
    end = b"SIGNATURE" if title.startswith(b"SIGNED") else title
    block = b"-----BEGIN PGP " + title + b"-----\n" + mail + b"\n-----END PGP " + end + b"-----\n"
    return b"From: a@example.org\r\nContent-Type: text/plain\r\n\r\n" + block


def _encoded(mail: bytes, _other: bytes, chance: random.Random) -> bytes:
    header, body = _header_and_body(mail)
    lines = base64.encodebytes(body)
    cut = chance.randrange(len(lines) + 1)
    return header + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines[:cut] + lines[cut + chance.randrange(3) :]


def _fields_mixed(mail: bytes, other: bytes, chance: random.Random) -> bytes:
    header, body = _header_and_body(mail)
    lines = header.split(_BREAK) + _header_and_body(other)[0].split(_BREAK)
    chance.shuffle(lines)
    return _BREAK.join(lines[: chance.randrange(1, len(lines) + 1)]) + b"\r\n\r\n" + body


def _bodies_swapped(mail: bytes, other: bytes, _chance: random.Random) -> bytes:
    return _header_and_body(mail)[0] + b"\r\n\r\n" + _header_and_body(other)[1]


def _labelled(mail: bytes, _other: bytes, chance: random.Random) -> bytes:
    kind = chance.choice([b"text/plain", b"text/html", b"text/plain; format=flowed"])
    return b"Content-Type: %s; charset=%s\r\n" % (kind, chance.choice(_CHARSETS)) + mail


_CHANGES = (_wrapped, _armored, _encoded, _fields_mixed, _bodies_swapped, _labelled)
