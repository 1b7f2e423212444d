"""How OpenPGP protects a mail: found in the raw bytes, before anything is decrypted or verified.

A mail has at most one ciphertext or one signed part that counts; the first is taken. What is called *whole*
is what the protection covers completely: only then may it speak for all that is shown.

See Also:
    RFC 3156 (PGP/MIME), https://www.rfc-editor.org/rfc/rfc3156
    RFC 9580 section 7 (cleartext signatures), https://www.rfc-editor.org/rfc/rfc9580#section-7
    RFC 9788 (protected header fields), https://www.rfc-editor.org/rfc/rfc9788
    Autocrypt Level 1 (keys that come with mail), https://docs.autocrypt.org/level1.html
"""

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mailroom.mail.body import read_body
from mailroom.mail.charset import decode, one_line
from mailroom.mail.encodedword import decode_words
from mailroom.mail.entity import Entity, header_start, read_entity
from mailroom.mail.html import html_to_text
from mailroom.mail.transfer import decoded

_BARE_LF = re.compile(rb"(?<!\r)\n")
# Of a part that is no text only so much is decoded to see whether it is armored.
_PEEK_BYTES = 1000
_MAX_KEYS_BYTES = 1_048_576
_SIGNED = (b"SIGNED MESSAGE", b"SIGNATURE")
_AUTOCRYPT = {"addr", "prefer-encrypt", "keydata"}
_PGP_MIME = "application/pgp-encrypted"
_PGP_SIGNATURE = "application/pgp-signature"


@dataclass(frozen=True, slots=True)
class EncryptedMime:
    """PGP/MIME: the ciphertext is a whole MIME entity. Empty when the part that should hold it does not."""

    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedMime:
    """PGP/MIME: exactly the signed bytes with CRLF line ends, and the detached signature (armored).

    `whole` is True only when the signed part and the signature are all that the mail has.
    """

    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    whole: bool


@dataclass(frozen=True, slots=True)
class InlineEncrypted:
    """An armored message in a text, or as a file. `whole`: no other text is shown than what it holds."""

    ciphertext: bytes = field(repr=False)
    whole: bool


@dataclass(frozen=True, slots=True)
class InlineSigned:
    """A cleartext-signed message in a text. `whole`: no other text is shown than what it holds."""

    armored: bytes = field(repr=False)
    whole: bool


@dataclass(frozen=True, slots=True)
class Unprotected:
    """No OpenPGP message."""


Protection = EncryptedMime | SignedMime | InlineEncrypted | InlineSigned | Unprotected


def find(content: bytes) -> Protection:
    """Say how a mail, or a decrypted MIME entity, is protected. Never raises, whatever the bytes are."""
    root = _root(content)
    return _encrypted(root) or _signed(root) or _in_list(root) or _inline(root) or Unprotected()


def inner_subject(entity: bytes) -> str | None:
    """Give the Subject that a decrypted or signed entity carries inside, decoded; None without one.

    It counts only where the entity says that its header is protected: `hp` (RFC 9788) or
    `protected-headers` (as Thunderbird and K-9 write it).
    """
    payload = _root(entity)
    if payload.type == "multipart/signed" and payload.parts:
        payload = payload.parts[0]
    if _parameter(payload, "hp") is None and _parameter(payload, "protected-headers") is None:
        return None
    subject = next((value for name, value in payload.header if name == "subject"), None)
    return None if subject is None else one_line(decode_words(subject)[0])


def attached_keys(content: bytes) -> bytes | None:
    """Give the public keys that came with a mail: parts of type application/pgp-keys, else the first armored block.

    None when there are none, or more than 1 MiB of them.
    """
    root = _root(content)
    keys = [_body(leaf) for leaf in root.leaves() if leaf.type == "application/pgp-keys"]
    if not keys:
        blocks = (_block(text, b"PUBLIC KEY BLOCK") for text in _armored(root, b"PUBLIC KEY BLOCK"))
        keys = [block.armor for block in blocks if block][:1]
    together = b"\n".join(keys)
    return together if keys and len(together) <= _MAX_KEYS_BYTES else None


def autocrypt_key(value: str, sender: str) -> bytes | None:
    """Read one Autocrypt field of a mail from `sender`; give the binary certificate, or None.

    None when the field is for another address (case ignored), repeats an attribute, has an unknown one that does
    not begin with "_", or has no sound key. That a mail has several such fields is for the caller to refuse.
    """
    pairs = [part.partition("=") for part in value.split(";") if part.strip()]
    attributes = {name.strip().lower(): content.strip() for name, _, content in pairs}
    critical = {name for name in attributes if not name.startswith("_")}
    if len(attributes) != len(pairs) or not critical <= _AUTOCRYPT:
        return None
    if attributes.get("addr", "").casefold() != sender.casefold():
        return None
    code = "".join(attributes.get("keydata", "").split())
    try:
        return binascii.a2b_base64(code.encode(), strict_mode=True) or None
    except (binascii.Error, UnicodeEncodeError):
        return None


def _root(content: bytes) -> Entity:
    """Cut the mail into parts, from the same beginning as `parse` does."""
    return read_entity(content, header_start(content))


def _body(entity: Entity) -> bytes:
    return decoded(entity.content[entity.body : entity.end], entity.encoding)[0]


def _parameter(entity: Entity, name: str) -> str | None:
    value = entity.mime.get_param(name)
    return None if value is None else str(value[2] if isinstance(value, tuple) else value).strip().lower()


def _encrypted(entity: Entity) -> EncryptedMime | None:
    """Read multipart/encrypted, or what Exchange makes of it: multipart/mixed with the same parts and an empty text."""
    if entity.type == "multipart/encrypted" and _parameter(entity, "protocol") in {None, _PGP_MIME}:
        messages = _messages(part for part in entity.parts if part.type != _PGP_MIME)
        fits = bool(messages) or _parameter(entity, "protocol") is not None
        return EncryptedMime((messages or [b""])[0]) if fits else None
    if entity.type == "multipart/mixed" and any(part.type == _PGP_MIME for part in entity.parts):
        others = [part for part in entity.parts if part.type != _PGP_MIME and not _is_empty_text(part)]
        messages = _messages(others)
        return EncryptedMime(messages[0]) if len(others) == len(messages) == 1 else None
    return None


def _is_empty_text(part: Entity) -> bool:
    return part.type.startswith("text/") and not read_body(part).texts and not _message(_body(part))


def _messages(parts: Iterable[Entity]) -> list[bytes]:
    return [message for part in parts if (message := _message(_body(part)))]


def _message(body: bytes) -> bytes | None:
    """Give an armored message without what stands around it; binary OpenPGP as it is."""
    block = _block(body, b"MESSAGE")
    if block:
        return block.armor
    # Every OpenPGP packet begins with bit 7 set (RFC 9580 section 4.2).
    return body if body[:1] >= b"\x80" else None


def _signed(entity: Entity) -> SignedMime | None:
    if entity.type != "multipart/signed" or len(entity.parts) < 2:
        return None
    first, second = entity.parts[:2]
    if second.type != _PGP_SIGNATURE or _parameter(entity, "protocol") not in {None, _PGP_SIGNATURE}:
        return None
    signed = _BARE_LF.sub(b"\r\n", entity.content[first.start : first.end])  # RFC 3156 section 5
    return SignedMime(signed, _body(second), whole=len(entity.parts) == 2)


def _in_list(root: Entity) -> EncryptedMime | SignedMime | None:
    """Look one level into multipart/mixed, where mailing lists put a mail to add their footer."""
    if root.type != "multipart/mixed":
        return None
    inside = [part for part in root.parts if part.type in {"multipart/encrypted", "multipart/signed"}]
    if len(inside) != 1:
        return None
    signed = _signed(inside[0])
    if signed:
        return SignedMime(signed.signed, signed.signature, whole=False)
    footers = all(part.type == "text/plain" for part in root.parts if part is not inside[0])
    return _encrypted(inside[0]) if footers else None


def _inline(root: Entity) -> InlineEncrypted | InlineSigned | None:
    for text in _armored(root, b"MESSAGE"):
        block = _block(text, b"MESSAGE")
        if block:
            # Armor may be indented, and HTML leaves blanks around its lines.
            lines = b"\n".join(line.strip() for line in block.armor.splitlines())
            return InlineEncrypted(lines + b"\n", block.alone and _is_all_shown(root, b"MESSAGE"))
    for leaf in root.leaves():
        block = _block(_body(leaf), *_SIGNED) if leaf.type == "text/plain" else None
        if block:
            return InlineSigned(block.armor, block.alone and _is_all_shown(root, *_SIGNED))
    return None


def _is_all_shown(root: Entity, *titles: bytes) -> bool:
    """Tell whether the mail shows no text, or one that is an armored block and nothing else."""
    blocks = [_block(text.encode(), *titles) for text in read_body(root).texts]
    return len(blocks) <= 1 and all(block is not None and block.alone for block in blocks)


def _armored(root: Entity, title: bytes) -> Iterator[bytes]:
    """Give the bytes that may hold armor: plain texts, then HTML as text, then files that begin with it."""
    leaves = list(root.leaves())
    yield from (_body(leaf) for leaf in leaves if leaf.type == "text/plain")
    yield from (_html(leaf) for leaf in leaves if leaf.type == "text/html")
    begin = b"-----BEGIN PGP " + title + b"-----"
    for leaf in leaves:
        peek = decoded(leaf.content[leaf.body : min(leaf.body + _PEEK_BYTES, leaf.end)], leaf.encoding)[0]
        if leaf.type not in {"text/plain", "text/html"} and peek.lstrip().startswith(begin):
            yield _body(leaf)


def _html(leaf: Entity) -> bytes:
    page = _body(leaf)
    return html_to_text(decode(page, leaf.charset)[0]).encode() if b"-----BEGIN PGP " in page else b""


def _is_blank(text: bytes) -> bool:
    return not text.replace(b"\xc2\xa0", b" ").strip()


@dataclass(frozen=True, slots=True)
class _Block:
    """An armored block, and whether it stands alone in its text."""

    armor: bytes
    alone: bool


def _block(text: bytes, title: bytes, end_title: bytes | None = None) -> _Block | None:
    """Find the first armored block. Its lines begin the line, so a quoted block ("> ") is none.

    A message that was cut off is a message all the same (a damaged one); a signed text without signature is none.
    """
    if b"-----BEGIN PGP " + title not in text:
        return None
    begin = re.search(rb"^[ \t]*-----BEGIN PGP " + title + rb"-----[ \t]*\r?$", text, re.MULTILINE)
    if not begin:
        return None
    mark = rb"^[ \t]*-----END PGP " + (end_title or title) + rb"-----[ \t]*\r?(?:\n|\Z)"
    end = re.compile(mark, re.MULTILINE).search(text, begin.end())
    if end is None and end_title:
        return None
    stop = end.end() if end else len(text)
    return _Block(text[begin.start() : stop], _is_blank(text[: begin.start()] + text[stop:]))
