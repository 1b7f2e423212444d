"""What the golden mails tests/mail/200 to 249 are made of.

`golden_openpgp_mails.py` and `golden_openpgp_attacks.py` list them; the second made them.

GnuPG encrypts and signs, as it would have in June 2025.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from tests.gnupg_home import EVERYBODY, fingerprint, gpg, new_home
from tests.openpgp_mails import multipart

CORPUS = Path(__file__).parent / "mail"
HER, KEEPER = "complainant@example.net", "keeper@example.org"
VERSION = b"Content-Type: application/pgp-encrypted\r\nContent-Description: PGP/MIME version identification\r\n\r\n"
OCTETS = b'Content-Type: application/octet-stream; name="%s"\r\nContent-Disposition: %s; filename="%s"\r\n\r\n'
_HOMES: list[Path] = []


def run(*args: str, stdin: bytes, at: str = "20250601T120000") -> bytes:
    """Run gpg as it ran in June 2025, with everybody's keys; CRLF line ends where it armors."""
    made = gpg(_HOMES[0], "--faked-system-time", at, "--pinentry-mode", "loopback", *args, stdin=stdin)
    return made.replace(b"\n", b"\r\n") if made.startswith(b"-----") else made


def sealed(inner: bytes, *args: str, to: str = "desk", sign: str | None = None) -> bytes:
    """Encrypt with gpg, armored; combined with a signature of `sign`."""
    signing = ("--sign", "--local-user", fingerprint(sign)) if sign else ()
    return run("--armor", *args, *signing, "--encrypt", "--recipient", fingerprint(to), stdin=inner)


def text(words: str, kind: str = "text/plain; charset=utf-8", *fields: str) -> bytes:
    """Make a text entity in 8 bit with CRLF line ends."""
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"{lines}Content-Type: {kind}\r\n\r\n".encode() + words.replace("\n", "\r\n").encode() + b"\r\n"


def joined(kind: str, *parts: bytes) -> bytes:
    """Make a multipart entity; the boundary differs with the depth."""
    boundary = f"------------{sum(map(len, parts)):08d}"
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode() + multipart(boundary, parts)


def encrypted(ciphertext: bytes) -> bytes:
    """Make a multipart/encrypted entity (RFC 3156 section 4)."""
    parts = VERSION + b"Version: 1\r\n", octets("encrypted.asc", ciphertext, "inline")
    return joined('encrypted; protocol="application/pgp-encrypted"', *parts)


def octets(name: str, content: bytes, disposition: str = "attachment") -> bytes:
    """Make a file; in base64 where it is binary."""
    header = OCTETS % (name.encode(), disposition.encode(), name.encode())
    if content.startswith(b"-----"):
        return header + content
    code = b64encode(content)
    lines = b"".join(code[start : start + 76] + b"\r\n" for start in range(0, len(code), 76))
    return b"Content-Transfer-Encoding: base64\r\n" + header + lines


def signed(inner: bytes, sign: str, at: str = "20250601T120000") -> bytes:
    """Make a multipart/signed entity (RFC 3156 section 5)."""
    args = ("--armor", "--detach-sign", "--digest-algo", "SHA256", "--local-user", fingerprint(sign))
    signature = run(*args, stdin=inner, at=at)
    part = b'Content-Type: application/pgp-signature; name="signature.asc"\r\n\r\n' + signature
    return joined('signed; micalg=pgp-sha256; protocol="application/pgp-signature"', inner, part)


def clearsigned(words: str, sign: str) -> bytes:
    """Make a cleartext-signed message."""
    return run("--clearsign", "--digest-algo", "SHA256", "--local-user", fingerprint(sign), stdin=words.encode())


def sent(entity: bytes, sender: str = HER, subject: str = "...", *fields: str) -> bytes:
    """Put the header of a mail above an entity."""
    lines = [
        f"From: {sender}",
        "To: desk@example.org",
        f"Subject: {subject}",
        "Date: Sun, 1 Jun 2025 12:00:10 +0000",
        f"Message-ID: <{sha256(entity).hexdigest()[:20]}@mail.example.net>",
        "MIME-Version: 1.0",
        *fields,
    ]
    return "".join(f"{line}\r\n" for line in lines).encode() + entity


def make(mails: Mapping[str, tuple[str, Callable[[], bytes]]], numbers: Sequence[str]) -> None:
    """Make the mails with these numbers; without any, those that are not there yet. Each has a why, and a maker."""
    with new_home([name for name in EVERYBODY if name != "locked"]) as home:
        _HOMES[:] = [home]
        for name, (why, maker) in mails.items():
            folder = CORPUS / name
            if name[:3] in numbers or not (numbers or folder.exists()):
                folder.mkdir(exist_ok=True)
                (folder / "why.md").write_text(why + "\n", encoding="utf-8")
                (folder / "mail.eml").write_bytes(maker())
