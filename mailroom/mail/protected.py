"""Header fields that encryption or a signature covers: they stand at the entity inside, and win over those outside.

See Also:
    RFC 9788 (`hp`), https://www.rfc-editor.org/rfc/rfc9788
    The older way (`protected-headers="v1"`), which Thunderbird and K-9 write,
    https://datatracker.ietf.org/doc/html/draft-autocrypt-lamps-protected-headers-02
"""

from dataclasses import dataclass, replace

from mailroom.mail import openpgp
from mailroom.mail.charset import one_line
from mailroom.mail.encodedword import decode_words
from mailroom.mail.entity import Entity, read_entity

_LEGACY_TYPES = {"text/plain", "text/rfc822-headers"}
_LEGACY_DIV = b"header-protection-legacy-display"


@dataclass(frozen=True, slots=True)
class Protected:
    """What an entity says about the header of its mail: subject and From as sent, None where it says nothing."""

    subject: str | None = None
    sender: bytes | None = None


def protected(payload: Entity) -> Protected:
    """Read the protected fields of a decrypted or signed entity.

    They count only where the entity says that its header is protected: `hp` (RFC 9788) or `protected-headers`.
    """
    if payload.type == "multipart/signed" and payload.parts:
        payload = payload.parts[0]
    if not is_protected(payload):
        return Protected()
    subject = next((value for name, value in payload.header if name == "subject"), None)
    sender = next((value for name, value in payload.header if name == "from"), None)
    return Protected(None if subject is None else one_line(decode_words(subject)[0]), sender)


def is_protected(payload: Entity) -> bool:
    """Whether the entity says that its header is the header of the mail."""
    return any(openpgp.parameter(payload, name) is not None for name in ("hp", "protected-headers"))


def without_legacy_display(payload: Entity) -> Entity:
    """Leave out what was put into the text so that old programs show the subject; the header says it already."""
    if payload.type == "multipart/signed" and payload.parts:
        return replace(payload, parts=(without_legacy_display(payload.parts[0]), *payload.parts[1:]))
    if openpgp.parameter(payload, "protected-headers") is not None and payload.type == "multipart/mixed":
        first = payload.parts[0] if payload.parts else None
        if first is not None and first.type in _LEGACY_TYPES and _is_marked(first):
            return replace(payload, parts=payload.parts[1:])
    return _without_display(payload) if openpgp.parameter(payload, "hp") is not None else payload


def _is_marked(part: Entity) -> bool:
    return openpgp.parameter(part, "protected-headers") is not None


def _without_display(part: Entity) -> Entity:
    """Follow RFC 9788 section 4.10: only a main body part that says `hp-legacy-display="1"` has such lines."""
    if part.parts:
        return replace(part, parts=tuple(map(_without_display, part.parts)))
    if openpgp.parameter(part, "hp-legacy-display") != "1":
        return part
    text = openpgp.body(part)
    if part.type == "text/plain":
        _, _, text = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    elif part.type == "text/html":
        text = _without_div(text)
    return rewritten(part, text)


def _without_div(page: bytes) -> bytes:
    mark = page.find(_LEGACY_DIV)
    start, stop = page.rfind(b"<div", 0, max(mark, 0)), page.find(b"</div>", max(mark, 0))
    return page if min(mark, start, stop) < 0 else page[:start] + page[stop + len(b"</div>") :]


def rewritten(part: Entity, text: bytes) -> Entity:
    """Give a text part another text, in the same charset and without a transfer encoding."""
    kind = str(part.mime.get("content-type", "text/plain"))
    return read_entity(f"Content-Type: {kind}\r\n\r\n".encode() + text)
