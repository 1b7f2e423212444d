"""Builds the bytes of outgoing mail: the same input gives the same bytes, for ever.

There is no clock and no randomness here: date and Message-ID are given, boundaries are drawn from the content.
Every body is quoted-printable or base64: no server has a reason to change a byte, no line is longer than 76 bytes,
and no boundary can stand inside a part. The header tells nothing of this machine or program (`_header_lines`).

See Also:
    RFC 5322, https://www.rfc-editor.org/rfc/rfc5322
    RFC 3156 (OpenPGP in mail), https://www.rfc-editor.org/rfc/rfc3156
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

LOOP_MARK = "X-Loop"  # marks our own automatic mail, so that it is recognised when it comes back

_LINE = 76
_MAX_AUTOCRYPT = 10_240
_ADDRESS = re.compile(  # lengths: RFC 5321 section 4.5.3.1
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,255}\Z)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"
)
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,900}")  # printable, no space, no angle bracket; a line stays below 998
_TOKEN = re.compile(r"[0-9a-z]{1,40}")
_BOUNCE = re.compile(r"(.+)\+b\.([0-9a-z]{1,40})@([^@]+)")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,60}(; charset=[a-z0-9-]{1,20})?")


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above an outgoing mail. Addresses are bare; ids are bare, without angle brackets.

    `date` must know its time zone and is written in UTC. `automatic` marks an answer that no person wrote.
    `autocrypt` is our own OpenPGP certificate, binary (https://docs.autocrypt.org/level1.html section 2.1); one that
    would make a field of more than 10 KiB is left out, as the standard wants it.
    """

    sender_address: str
    sender_name: str
    to: str
    subject: str
    message_id: str
    date: datetime
    in_reply_to: str | None = None
    automatic: bool = False
    autocrypt: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file to send along: an ASCII file name, a media type such as `text/csv; charset=utf-8`, the bytes."""

    name: str
    type: str
    content: bytes = field(repr=False)


def plain(header: Header, text: str) -> bytes:
    """Build a whole mail of one text/plain part.

    Raises:
        ValueError: as `with_header` and `text_part`.
    """
    return with_header(header, text_part(text))


def with_header(header: Header, entity: bytes) -> bytes:
    """Build a whole mail out of a MIME entity (its own header lines first), which is not changed.

    Raises:
        ValueError: a header value has control characters (RFC 5322 section 3.2.5 knows none; a line break would
            begin a new field), or is no single address, id or date. The message names the field only.
    """
    return "".join(f"{line}\r\n" for line in _header_lines(header)).encode("ascii") + entity


def text_part(text: str, enclosures: Sequence[Enclosure] = (), protected_subject: str | None = None) -> bytes:
    """Build the MIME entity to be sent, signed or encrypted: a text and perhaps files, lines ending in CRLF.

    Each of CR, LF and CRLF in `text` is one line end, and the last line gets one if it has none; half a surrogate
    pair, which has no UTF-8, becomes a question mark. `protected_subject` puts the real subject inside, where
    signature and encryption cover it (https://www.rfc-editor.org/rfc/rfc9788 and the older protected-headers="v1",
    which deployed clients read).

    Raises:
        ValueError: an enclosure's name or type is not plain ASCII of the expected form, or the protected subject
            has control characters.
    """
    mark, subject = "", b""
    if protected_subject is not None:
        mark = '; protected-headers="v1"'
        subject = f"{_unstructured('Subject', protected_subject)}\r\n".encode("ascii")
    if not enclosures:
        return subject + _text(text, mark)
    return subject + _multipart(f"mixed{mark}", [_text(text, ""), *map(_enclosed, enclosures)])


def signed_entity(entity: bytes, signature: bytes, micalg: str) -> bytes:
    """Join an entity and its armored detached signature; the bytes of the entity are not changed.

    `micalg` such as `pgp-sha256`. RFC 3156 section 5, https://www.rfc-editor.org/rfc/rfc3156#section-5

    Raises:
        ValueError: `micalg` is no hash of RFC 3156, or `signature` is not armored.
    """
    if not re.fullmatch(r"pgp-[a-z0-9]{1,20}", micalg):
        raise ValueError("micalg must read like pgp-sha256")
    armored = _armored(signature, b"SIGNATURE")
    part = b'Content-Type: application/pgp-signature; name="signature.asc"\r\n\r\n' + armored
    return _multipart(f'signed; micalg={micalg}; protocol="application/pgp-signature"', [entity, part])


def encrypted(header: Header, ciphertext_armored: bytes) -> bytes:
    """Build a whole encrypted mail; `header.subject` stays readable for everyone.

    RFC 3156 section 4, https://www.rfc-editor.org/rfc/rfc3156#section-4

    Raises:
        ValueError: the ciphertext is not an armored OpenPGP message (so cleartext cannot leave by mistake); or as
            `with_header`.
    """
    version = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
    armored = _armored(ciphertext_armored, b"MESSAGE")
    content = b'Content-Type: application/octet-stream; name="encrypted.asc"\r\n\r\n' + armored
    return with_header(header, _multipart('encrypted; protocol="application/pgp-encrypted"', [version, content]))


def threadable(message_id: str | None) -> str | None:
    """Give a message id from an incoming mail back if it may stand in a header of ours, else None."""
    return message_id if message_id and _MESSAGE_ID.fullmatch(message_id) else None


def sendable(address: str | None) -> bool:
    """Tell whether an address can stand in `Header.to`: one bare addr-spec in ASCII, domain not in Unicode."""
    return bool(address and _ADDRESS.fullmatch(address))


def bounce_address(address: str, token: str) -> str:
    """Make the envelope sender that brings a bounce back to its case: `desk+b.TOKEN@example.org` (VERP).

    `token` is 1 to 40 of 0-9 and a-z, in lower case because some servers change the case on the way.

    Raises:
        ValueError: the token or the address is not of that form.
    """
    if not _TOKEN.fullmatch(token):
        raise ValueError("a bounce token is 1 to 40 of 0-9 and a-z")
    local, _, domain = _exactly(_ADDRESS, "envelope sender", address).rpartition("@")
    return f"{local}+b.{token}@{domain}"


def bounce_token(address: str, own_addresses: Collection[str]) -> str | None:
    """Find the token in a bounce address of ours, in lower case; None for every other address."""
    match = _BOUNCE.fullmatch(address.strip().lower())
    if match is None:
        return None
    local, token, domain = match.groups()
    return token if f"{local}@{domain}" in {own.lower() for own in own_addresses} else None


def _header_lines(header: Header) -> list[str]:
    """Write every field that a mail of ours can have; nothing else is ever added."""
    lines = [
        f"Date: {_date(header.date)}",
        f"From: {_display_name(header.sender_name)}<{_exactly(_ADDRESS, 'From', header.sender_address)}>",
        f"To: {_exactly(_ADDRESS, 'To', header.to)}",
        _unstructured("Subject", header.subject),
        f"Message-ID: <{_exactly(_MESSAGE_ID, 'Message-ID', header.message_id)}>",
    ]
    if header.in_reply_to is not None:
        parent = _exactly(_MESSAGE_ID, "In-Reply-To", header.in_reply_to)
        lines += [f"In-Reply-To: <{parent}>", f"References: <{parent}>"]
    if header.automatic:  # RFC 3834 section 5, https://www.rfc-editor.org/rfc/rfc3834#section-5; MS-OXCMAIL 2.2.3.2.14
        lines += [
            "Auto-Submitted: auto-replied",
            "X-Auto-Response-Suppress: All",
            f"{LOOP_MARK}: {header.sender_address}",
        ]
    autocrypt = _autocrypt(header.sender_address, header.autocrypt) if header.autocrypt is not None else ""
    if 0 < len(autocrypt) <= _MAX_AUTOCRYPT:
        lines.append(autocrypt)
    return [*lines, "MIME-Version: 1.0"]


def _date(date: datetime) -> str:
    if date.tzinfo is None:
        raise ValueError("Date: the time has no time zone")
    return format_datetime(date.astimezone(UTC))


def _exactly(pattern: re.Pattern[str], name: str, value: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError(f"{name}: not one bare address or id in ASCII")
    return value


def _unstructured(name: str, value: str) -> str:
    """Write a field of free text: as it is when short ASCII, else in encoded words."""
    _refuse_control(name, value)
    line = f"{name}: {value}"
    if value.isascii() and len(line) <= _LINE and "=?" not in value and value == value.strip():
        return line.rstrip()
    return f"{name}: {_encoded_words(value)}"


def _display_name(name: str) -> str:
    _refuse_control("From", name)
    if not name:
        return ""
    if name.isascii() and len(name) <= 60 and "=?" not in name:
        quoted = name.replace("\\", r"\\").replace('"', r"\"")
        return f'"{quoted}"\r\n '
    return f"{_encoded_words(name)}\r\n "


def _refuse_control(name: str, value: str) -> None:
    """U+2028, U+2029 and U+0085 are line ends to some readers, and a lone surrogate has no UTF-8."""
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" or 0xD800 <= ord(c) < 0xE000 for c in value):
        raise ValueError(f"{name}: control characters are not allowed")


def _encoded_words(value: str) -> str:
    """Encode per RFC 2047 section 2: whole characters, lines of at most 76 bytes, also after `Subject: `."""
    words, chunk = [], b""
    for character in value:
        byte = character.encode()
        if len(chunk) + len(byte) > 39:
            words.append(chunk)
            chunk = b""
        chunk += byte
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in [*words, chunk])


def _autocrypt(address: str, certificate: bytes) -> str:
    lines = re.findall(f".{{1,{_LINE - 1}}}", base64.b64encode(certificate).decode())
    return "\r\n ".join([f"Autocrypt: addr={address};", "prefer-encrypt=mutual; keydata=", *lines])


def _text(text: str, mark: str) -> bytes:
    body = "\r\n".join(re.split("\r\n|\r|\n", text)).encode("utf-8", "replace")
    body = body if body.endswith(b"\r\n") else body + b"\r\n"
    return _leaf(f"Content-Type: text/plain; charset=utf-8{mark}", body, text=True)


def _enclosed(enclosure: Enclosure) -> bytes:
    if not _FILE_NAME.fullmatch(enclosure.name) or not _MEDIA_TYPE.fullmatch(enclosure.type):
        raise ValueError("an enclosure needs a short ASCII file name and a media type in lower case")
    header = f'Content-Type: {enclosure.type}\r\nContent-Disposition: attachment;\r\n filename="{enclosure.name}"'
    return _leaf(header, enclosure.content, text=False)


def _leaf(header: str, body: bytes, *, text: bool) -> bytes:
    """Encode one part in base64, or text in quoted-printable where that is shorter."""
    encoding, encoded = "base64", base64.encodebytes(body).replace(b"\n", b"\r\n")
    if text and len(quoted := _quoted_printable(body)) <= len(encoded):
        encoding, encoded = "quoted-printable", quoted
    return f"{header}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode("ascii") + encoded


_PIECE = re.compile(rb".{1,73}(?<!=)(?<!=.)")  # never cut inside an escape


def _quoted_printable(body: bytes) -> bytes:
    """Encode lines that end in CRLF, per RFC 2045 section 6.7, https://www.rfc-editor.org/rfc/rfc2045#section-6.7 ."""
    # binascii cuts at 76 bytes, which leaves `_safe_start` no room: its cuts are undone, and ours are shorter.
    encoded = binascii.b2a_qp(body).replace(b"=\r\n", b"")
    return b"\r\n".join(b"=\r\n".join(map(_safe_start, _PIECE.findall(line))) for line in encoded.split(b"\r\n"))


def _safe_start(piece: bytes) -> bytes:
    """Hide a leading dot (SMTP doubles it) and `From ` (mbox quotes it): RFC 3156 section 3."""
    if piece.startswith(b"."):
        return b"=2E" + piece[1:]
    return b"=46" + piece[1:] if piece.startswith(b"From ") else piece


def _armored(block: bytes, kind: bytes) -> bytes:
    """Check OpenPGP armor and give it CRLF line ends."""
    armor = block.strip()
    if not armor.startswith(b"-----BEGIN PGP %s-----" % kind) or not armor.endswith(b"-----END PGP %s-----" % kind):
        raise ValueError(f"expected an armored PGP {kind.decode().lower()}")
    return b"".join(line.rstrip() + b"\r\n" for line in armor.splitlines())


def _multipart(subtype: str, parts: Sequence[bytes]) -> bytes:
    """Join parts with a boundary drawn from them: `=_` can stand in none, for every body is encoded or armored."""
    boundary = f"=_{hashlib.sha256(b''.join(parts)).hexdigest()[:40]}"
    media, *parameters = subtype.split("; ")
    header = ";\r\n ".join([f"Content-Type: multipart/{media}", *parameters, f'boundary="{boundary}"'])
    delimiter = f"--{boundary}\r\n".encode("ascii")
    joined = b"".join(delimiter + part + b"\r\n" for part in parts)
    return f"{header}\r\n\r\n".encode("ascii") + joined + f"--{boundary}--\r\n".encode("ascii")
