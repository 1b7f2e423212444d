"""Mails to measure with: each from an address of its own, in six languages, the same at every run but for OpenPGP."""

import random
from base64 import b64encode
from collections.abc import Iterator

import pysequoia

from tests.e2e.letters import TEXTS
from tests.openpgp_mails import certificate, entity, header, multipart, pgp_mime_encrypted

#: plain: one text part. pgp: PGP/MIME with the writer's key in an Autocrypt field, so that the answer is signed and
#: encrypted. signed: likewise, and signed by a key that we do not know, as most mail clients do it.
KINDS = ("plain", "pgp", "signed")
_SMALLEST = 2048


def address(number: int) -> str:
    """Give the address of the writer of mail `number`."""
    return f"writer{number}@example.net"


def mails(kind: str, count: int, size: int) -> Iterator[bytes]:
    """Make `count` mails whose text has about `size` bytes."""
    for number in range(count):
        yield _plain(number, size) if kind == "plain" else _protected(number, size, signed=kind == "signed")


def mails_up_to(largest: int, count: int) -> Iterator[bytes]:
    """Make `count` plain mails of 2 KB to `largest` bytes, each size as likely as its double; the rest is attached."""
    draw = random.Random(1)
    for number in range(count):
        size = int(_SMALLEST * (largest / _SMALLEST) ** draw.random())
        text = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + _text(number, min(size, 4096)).encode()
        code = b64encode(draw.randbytes(max(size - 4096, 0) * 54 // 76))
        lines = b"".join(code[start : start + 76] + b"\r\n" for start in range(0, len(code), 76))
        picture = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines
        yield header(address(number), 'multipart/mixed; boundary="=-mix"') + multipart("=-mix", (text, picture))


def _plain(number: int, size: int) -> bytes:
    return header(address(number), "text/plain; charset=utf-8", subject="Please help") + _text(number, size).encode()


def _protected(number: int, size: int, *, signed: bool) -> bytes:
    writer = address(number)
    key = pysequoia.Tsk.generate(f"<{writer}>", profile=pysequoia.Profile.RFC4880)
    keydata = b64encode(bytes(key.extract_certificate())).decode()
    fields = [("Autocrypt", f"addr={writer}; keydata=" + "".join(f"\r\n {line}" for line in _folded(keydata)))]
    inner = entity(_text(number, size), subject="Please help")
    if not signed:
        return pgp_mime_encrypted(writer, inner, fields=fields)
    ciphertext = pysequoia.encrypt(inner, [certificate("desk")], signer=key.signer()).replace(b"\n", b"\r\n")
    kind = 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary="=-enc"'
    parts = (
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n",
        b"Content-Type: application/octet-stream\r\n\r\n" + ciphertext,
    )
    return header(writer, kind, fields=fields) + multipart("=-enc", parts)


def _text(number: int, size: int) -> str:
    sentence = list(TEXTS.values())[number % len(TEXTS)]
    line = f"{sentence}\r\n"
    return f"{number}\r\n" + line * max(1, size // len(line.encode()))


def _folded(code: str) -> list[str]:
    return [code[start : start + 76] for start in range(0, len(code), 76)]
