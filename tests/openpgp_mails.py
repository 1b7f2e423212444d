"""Builds OpenPGP mails as bytes, fast enough for hundreds of them. Keys are the names of tests/keys.

Sequoia encrypts and signs in this process (0.3 ms; gpg costs a process). That gpg opens and verifies what it makes
is tested in tests/openpgp; mails as gpg itself makes them are built there.

    entity("Hello", subject="The true subject")            a MIME entity, to go inside
    pgp_mime_encrypted("complainant@example.net", entity("Hello"), sign_with="complainant", autocrypt="complainant")
    pgp_mime_signed("keeper@example.org", entity("close"), "keeper")
    inline_encrypted("complainant@example.net", "Hello")
    inline_signed("keeper@example.org", "close", "keeper")

Every builder takes `subject`, `recipient`, `autocrypt` (a key's name: adds the Autocrypt field for the sender) and
`fields` (more header fields, as (name, value) pairs).
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from email.header import Header
from email.utils import formatdate, make_msgid
from functools import cache
from typing import TypedDict, Unpack

import pysequoia

from tests.gnupg_home import public, secret


class Outer(TypedDict, total=False):
    """What can be said about the header of a mail."""

    subject: str
    recipient: str
    autocrypt: str
    fields: Iterable[tuple[str, str]]


@cache
def certificate(name: str) -> pysequoia.Cert:
    """The certificate called `name`, parsed."""
    return pysequoia.Cert.from_bytes(public(name))


@cache
def signer(name: str) -> pysequoia.PySigner:
    """What signs with the key called `name`; not for expired and revoked keys."""
    return pysequoia.Tsk.from_bytes(secret(name)).signer()


def entity(text: str, subject: str | None = None) -> bytes:
    """Make a text/plain entity with CRLF line ends; with `subject` its header is a protected one."""
    kind = "text/plain; charset=utf-8"
    protected = f'; protected-headers="v1"\r\nSubject: {Header(subject).encode()}' if subject is not None else ""
    header = f"Content-Type: {kind}{protected}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return header.encode() + _wrapped(b64encode(text.encode()))


def pgp_mime_encrypted(
    sender: str, inner: bytes, to: Sequence[str] = ("desk",), sign_with: str | None = None, **outer: Unpack[Outer]
) -> bytes:
    """Make a multipart/encrypted mail (RFC 3156 section 4); signed inside the same message with `sign_with`."""
    ciphertext = encrypted(inner, to, sign_with).replace(b"\n", b"\r\n")
    kind = 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary="=-enc"'
    parts = (
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n",
        b'Content-Type: application/octet-stream; name="encrypted.asc"\r\n\r\n' + ciphertext,
    )
    return header(sender, kind, **outer) + multipart("=-enc", parts)


def pgp_mime_signed(sender: str, inner: bytes, sign_with: str, **outer: Unpack[Outer]) -> bytes:
    """Make a multipart/signed mail (RFC 3156 section 5) over exactly `inner`, which needs CRLF line ends."""
    return header(sender, "", **outer).removesuffix(b"Content-Type: \r\n\r\n") + signed_entity(inner, sign_with)


def signed_entity(inner: bytes, sign_with: str) -> bytes:
    """Make a multipart/signed entity, to stand alone or inside an encrypted mail."""
    signature = pysequoia.sign(signer(sign_with), inner, mode=pysequoia.SignatureMode.DETACHED)
    kind = 'multipart/signed; micalg=pgp-sha512; protocol="application/pgp-signature"; boundary="=-sig"'
    part = b'Content-Type: application/pgp-signature; name="signature.asc"\r\n\r\n' + signature.replace(b"\n", b"\r\n")
    return f"Content-Type: {kind}\r\n\r\n".encode() + multipart("=-sig", (inner, part))


def inline_encrypted(
    sender: str, text: str, to: Sequence[str] = ("desk",), sign_with: str | None = None, **outer: Unpack[Outer]
) -> bytes:
    """Make a text/plain mail that is an armored message and nothing else."""
    armored = encrypted(text.encode(), to, sign_with).replace(b"\n", b"\r\n")
    return header(sender, "text/plain; charset=utf-8", **outer) + armored


def inline_signed(sender: str, text: str, sign_with: str, **outer: Unpack[Outer]) -> bytes:
    """Make a text/plain mail that is a cleartext-signed message and nothing else."""
    armored = pysequoia.sign(signer(sign_with), text.encode(), mode=pysequoia.SignatureMode.CLEAR)
    return header(sender, "text/plain; charset=utf-8", **outer) + armored.replace(b"\n", b"\r\n")


def encrypted(content: bytes, to: Sequence[str] = ("desk",), sign_with: str | None = None) -> bytes:
    """Encrypt to the keys called `to`, signed inside with `sign_with`; armored, LF line ends."""
    signing = signer(sign_with) if sign_with else None
    return pysequoia.encrypt(content, [certificate(name) for name in to], signer=signing)


def header(sender: str, content_type: str, **outer: Unpack[Outer]) -> bytes:
    """Make the header of a mail, with its blank line."""
    fields = [
        ("From", sender),
        ("To", outer.get("recipient", "desk@example.org")),
        ("Subject", Header(outer.get("subject", "...")).encode()),
        ("Date", formatdate()),
        ("Message-ID", make_msgid(domain="example.net")),
        ("MIME-Version", "1.0"),
        *outer.get("fields", ()),
    ]
    if "autocrypt" in outer:
        fields.append(("Autocrypt", autocrypt(sender, outer["autocrypt"])))
    fields.append(("Content-Type", content_type))
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n"


def autocrypt(address: str, name: str) -> str:
    """Make the value of an Autocrypt field for `address` with the key called `name`, folded."""
    keydata = _wrapped(b64encode(bytes(certificate(name)))).decode().strip().replace("\r\n", "\r\n ")
    return f"addr={address}; prefer-encrypt=mutual; keydata=\r\n {keydata}"


def multipart(boundary: str, parts: Iterable[bytes]) -> bytes:
    """Join parts to the body of a multipart entity."""
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def _wrapped(code: bytes) -> bytes:
    return b"".join(code[i : i + 76] + b"\r\n" for i in range(0, len(code), 76))
