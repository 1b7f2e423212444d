"""The beginning of a mail that is too large to be read whole: its header and the text that a person wrote.

The daemon fetches these parts from the server (`transport.imap`); `explain` has the bytes and cuts them out itself.
"""

import re
from collections.abc import Iterator

from mailroom.mail.entity import Entity, header_start, read_entity

# Enough for the words of a person; header and text are each cut there.
BEGINNING_BYTES = 262_144

_CONTENT_FIELD = re.compile(rb"^content-[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)


def beginning(header: bytes, mime: bytes = b"", body: bytes = b"", *, cut: bool = False) -> bytes:
    """Make a small mail of one part: the header of the whole mail, described by the MIME header of that part.

    With no `mime` the header stays as it is. With `cut` the last line of `body` may be half a line: it is dropped.
    """
    fields = header.rstrip(b"\r\n") + b"\r\n"
    if mime:
        fields = _CONTENT_FIELD.sub(b"", fields) + b"".join(_CONTENT_FIELD.findall(mime))
    return fields + b"\r\n" + (body[: body.rfind(b"\n") + 1] if cut else body)


def beginning_of(content: bytes) -> bytes:
    """Make of a mail what the daemon would fetch of it. Where `content` itself was cut, parts after it are missed."""
    mail = read_entity(content, header_start(content))
    header = content[mail.start : mail.body][:BEGINNING_BYTES]
    text = min(_texts(mail), key=_rank, default=None)
    if text is None:
        return beginning(header)
    mime, body = content[text.start : text.body][:BEGINNING_BYTES], content[text.body : text.end][:BEGINNING_BYTES]
    return beginning(header, mime, body, cut=len(body) >= BEGINNING_BYTES)


def _texts(entity: Entity) -> Iterator[Entity]:
    """Give the leaves that are text, but for those inside multipart/encrypted."""
    if entity.type == "multipart/encrypted":
        return
    if not entity.parts and entity.type.startswith("text/"):
        yield entity
    for part in entity.parts:
        yield from _texts(part)


def _rank(text: Entity) -> tuple[bool, bool]:
    """Put shown before attached, and plain before other text; the same order as for what a server lists."""
    return text.disposition == "attachment", text.type != "text/plain"
