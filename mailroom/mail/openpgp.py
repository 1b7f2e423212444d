"""Where OpenPGP protects something in a mail: found in its parts, before anything is decrypted or verified.

What a signature covers, and what was encrypted, is for `flow.unwrapping` to say: here stands what one part is.

See Also:
    RFC 3156 (PGP/MIME), https://www.rfc-editor.org/rfc/rfc3156
    RFC 9580 section 7 (cleartext signatures), https://www.rfc-editor.org/rfc/rfc9580#section-7
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from mailroom.mail.body import file_name
from mailroom.mail.entity import Entity
from mailroom.mail.transfer import decoded

_BARE_LF = re.compile(rb"(?<!\r)\n")
# Of a part that is no text only so much is decoded to see whether it is OpenPGP.
_PEEK_BYTES = 1000
MOST_BLOCKS = 20  # that are cut out of one text; what comes behind them is text
_PGP_MIME = "application/pgp-encrypted"
_PGP_SIGNATURE = "application/pgp-signature"
_VERSION = b"Version: 1"
_SUFFIX = re.compile(r"\.(asc|gpg|pgp)$", re.IGNORECASE)
# What a message begins with (RFC 9580 section 5): session keys, signature headers, compressed or encrypted data.
_MESSAGE_TAGS = {1, 3, 4, 8, 9, 18, 20}
_BEGIN = re.compile(rb"^[ \t]*-----BEGIN PGP (MESSAGE|SIGNED MESSAGE)-----[ \t]*\r?$", re.MULTILINE)
_END_OF_MESSAGE = re.compile(rb"^[ \t]*-----END PGP MESSAGE-----[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_END_OF_SIGNED = re.compile(rb"^[ \t]*-----END PGP SIGNATURE-----[ \t]*\r?(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class EncryptedMime:
    """PGP/MIME: the ciphertext of a whole MIME entity, and the parts beside it that do not belong to it.

    The ciphertext is empty when the part that should hold it does not.
    """

    ciphertext: bytes = field(repr=False)
    beside: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedMime:
    """PGP/MIME: exactly the signed bytes with CRLF line ends, and the detached signature (armored)."""

    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a text: what stands in clear, an armored message, or a cleartext-signed message."""

    kind: Literal["clear", "message", "signed"]
    content: bytes = field(repr=False)


def encrypted_mime(entity: Entity) -> EncryptedMime | None:
    """Read multipart/encrypted, or what Exchange makes of it: multipart/mixed with the same parts and an empty text."""
    if entity.type == "multipart/encrypted" and parameter(entity, "protocol") in {None, _PGP_MIME}:
        found = _ciphertext(part for part in entity.parts if part.type != _PGP_MIME)
        if found is None and parameter(entity, "protocol") is None:
            return None
    elif entity.type == "multipart/mixed" and any(map(_is_version, entity.parts)):
        found = _ciphertext(part for part in entity.parts if not _is_version(part))
        if found is None:
            return None
    else:
        return None
    part, ciphertext = found or (None, b"")
    return EncryptedMime(ciphertext, tuple(one for one in entity.parts if one is not part and not _is_version(one)))


def signed_mime(entity: Entity) -> SignedMime | None:
    """Read multipart/signed: its first part is signed, its second is the signature."""
    if entity.type != "multipart/signed" or len(entity.parts) < 2:
        return None
    first, second = entity.parts[:2]
    if second.type != _PGP_SIGNATURE or parameter(entity, "protocol") not in {None, _PGP_SIGNATURE}:
        return None
    signed = _BARE_LF.sub(b"\r\n", entity.content[first.start : first.end])  # RFC 3156 section 5
    return SignedMime(signed, body(second))


def encrypted_file(leaf: Entity) -> bytes | None:
    """Give the OpenPGP message that an attached file is, armored or binary; None when it is none.

    Binary ones are known by their name (.gpg, .pgp, .asc) or their type, since any byte may begin any file.
    """
    beginning = peek(leaf)
    if beginning.lstrip().startswith(b"-----BEGIN PGP MESSAGE-----"):
        return message(body(leaf))
    named = leaf.type in {_PGP_MIME, "application/pgp"} or _SUFFIX.search(file_name(leaf) or "")
    return body(leaf) if named and _tag(beginning) in _MESSAGE_TAGS else None


def inner_name(leaf: Entity) -> str | None:
    """Give the name of an encrypted file without the suffix that says so; None without a name."""
    return _SUFFIX.sub("", file_name(leaf) or "") or None


def message(content: bytes) -> bytes | None:
    """Give an armored message without what stands around it; binary OpenPGP as it is; None for anything else."""
    block = next((piece.content for piece in pieces(content) if piece.kind == "message"), None)
    # Every OpenPGP packet begins with bit 7 set (RFC 9580 section 4.2).
    return block or (content if content[:1] >= b"\x80" else None)


def pieces(text: bytes) -> Sequence[Piece]:
    """Cut a text where armored blocks begin and end; nothing is lost. Without a block it is one clear piece.

    Their lines begin the line, so a quoted block ("> ") is none. A message that was cut off is a message all the same
    (a damaged one); a signed text without signature is none.
    """
    return tuple(_pieces(text)) if b"-----BEGIN PGP " in text else (Piece("clear", text),)


def body(entity: Entity) -> bytes:
    """Give what a leaf holds, with its transfer encoding undone."""
    return decoded(entity.content[entity.body : entity.end], entity.encoding)[0]


def peek(leaf: Entity) -> bytes:
    """Give the beginning of what a leaf holds."""
    return decoded(leaf.content[leaf.body : min(leaf.body + _PEEK_BYTES, leaf.end)], leaf.encoding)[0]


def parameter(entity: Entity, name: str) -> str | None:
    """Give a parameter of Content-Type in lower case."""
    value = entity.mime.get_param(name)
    return None if value is None else str(value[2] if isinstance(value, tuple) else value).strip().lower()


def _pieces(text: bytes) -> Iterator[Piece]:
    done = 0
    signatures = True  # once no signature follows, none does: no text is searched twice
    for begin in islice(_BEGIN.finditer(text), MOST_BLOCKS):
        is_signed = begin[1] == b"SIGNED MESSAGE"
        if begin.start() < done or (is_signed and not signatures):
            continue
        end = (_END_OF_SIGNED if is_signed else _END_OF_MESSAGE).search(text, begin.end())
        if end is None and is_signed:
            signatures = False
            continue
        stop = end.end() if end else len(text)
        yield Piece("clear", text[done : begin.start()])
        block = text[begin.start() : stop]
        yield Piece("signed", block) if is_signed else Piece("message", _stripped(block))
        done = stop
    yield Piece("clear", text[done:])


def _stripped(armor: bytes) -> bytes:
    """Armor may be indented, HTML leaves blanks around its lines, and web mailers lose the empty one above the data."""
    lines = [line.replace(b"\xc2\xa0", b" ").strip() for line in armor.splitlines()]
    data = next((at for at, line in enumerate(lines) if at and b": " not in line), len(lines))
    if lines[data : data + 1] != [b""]:
        lines.insert(data, b"")
    return b"\n".join([*lines, b""])


def _is_version(part: Entity) -> bool:
    """Tell the part that only says that the other one is encrypted; Exchange takes its type away."""
    if part.type == _PGP_MIME:
        return True
    is_short = not part.parts and part.end - part.body <= _PEEK_BYTES
    return part.type == "application/octet-stream" and is_short and body(part).strip() == _VERSION


def _ciphertext(parts: Iterator[Entity]) -> tuple[Entity, bytes] | None:
    """Find the first part that is a message."""
    leaves = (part for part in parts if not part.parts)
    return next(((part, found) for part in leaves if (found := message(body(part))) is not None), None)


def _tag(beginning: bytes) -> int | None:
    """Read the type of the first packet (RFC 9580 section 4.2)."""
    if beginning[:1] < b"\x80":
        return None
    return beginning[0] & 0x3F if beginning[0] & 0x40 else (beginning[0] & 0x3C) >> 2


def written_inside(armored: bytes) -> bytes:
    """Give the text of a cleartext-signed message, whoever signed it; b"" where the armor is damaged.

    Only for showing it where no GnuPG judges the signature (RFC 9580 section 7.1: a line that begins with a dash has
    "- " before it).
    """
    _, begun, rest = armored.replace(b"\r\n", b"\n").partition(b"-----BEGIN PGP SIGNED MESSAGE-----\n")
    _, headed, rest = rest.partition(b"\n\n")
    text, signed, _ = rest.partition(b"\n-----BEGIN PGP SIGNATURE-----")
    if not (begun and headed and signed):
        return b""
    return b"\n".join(line.removeprefix(b"- ") for line in text.split(b"\n"))
