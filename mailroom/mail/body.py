"""Which parts of a mail are its text, which are attachments, and which are plumbing.

See Also:
    RFC 2046 section 5.1, https://www.rfc-editor.org/rfc/rfc2046#section-5.1
    RFC 2183 (Content-Disposition), https://www.rfc-editor.org/rfc/rfc2183
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailroom.mail.charset import clean, decode, one_line
from mailroom.mail.encodedword import decode_words
from mailroom.mail.entity import Entity
from mailroom.mail.filetype import BEGINNING_BYTES, content_type
from mailroom.mail.flowed import unflow
from mailroom.mail.html import declared_charset, html_to_text
from mailroom.mail.message import Attachment
from mailroom.mail.transfer import decoded, decoded_size

TEXT_LIMIT = 1_000_000
# Base64 and quoted-printable make of TEXT_LIMIT bytes at most this many.
_ENCODED_LIMIT = 3 * TEXT_LIMIT
_NAME_LENGTH = 500

_TEXTS = {"text/plain", "text/html"}
# What mailers put beside the text of an alternative, for machines or watches: never an attachment.
_TWINS = _TEXTS | {"text/x-amp-html", "text/watch-html", "text/enriched"}
_PLUMBING = {
    "application/pgp-encrypted", "application/pgp-signature", "application/pkcs7-signature",
    "application/x-pkcs7-signature",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """What a mail shows: its texts, in order, the leaves that are attachments, and what was wrong."""

    texts: tuple[str, ...] = ()
    attached: tuple[Entity, ...] = ()
    defects: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All texts, a blank line between them, at most TEXT_LIMIT characters."""
        return "\n\n".join(self.texts)[:TEXT_LIMIT]

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Name, type and decoded size of what is attached."""
        return tuple(map(_attachment, self.attached))


def read_body(entity: Entity) -> Body:
    """Choose the text and the attachments of a mail or of a part of it."""
    if not entity.parts:
        return _leaf(entity)
    if entity.type == "multipart/alternative":
        return _alternative(entity.parts)
    if entity.type == "multipart/related":
        return _related(entity)
    return _joined(map(read_body, _without_plumbing(entity)))


def _joined(bodies: Iterable[Body]) -> Body:
    texts: list[str] = []
    attached: list[Entity] = []
    defects: list[str] = []
    for body in bodies:
        if sum(map(len, texts)) < TEXT_LIMIT:
            texts.extend(body.texts)
        attached.extend(body.attached)
        defects.extend(body.defects)
    return Body(tuple(texts), tuple(attached), tuple(defects))


def _without_plumbing(entity: Entity) -> list[Entity]:
    """Leave out signatures and encrypted content, but not what a mailing list hung beside them (RFC 3156)."""
    sealed = entity.type == "multipart/encrypted" or any(
        part.type == "application/pgp-encrypted" for part in entity.parts
    )
    return [part for part in entity.parts if not (sealed and part.type == "application/octet-stream")]


def _alternative(parts: Sequence[Entity]) -> Body:
    """Show the plain text; when it is empty, the last version that says anything; the others are no attachments."""
    plain = [part for part in parts if part.type == "text/plain"]
    order = [*plain, *(part for part in reversed(parts) if part.type != "text/plain")]
    chosen, shown = next(
        ((part, body) for part, body in ((part, read_body(part)) for part in order) if body.texts), (None, Body())
    )
    return _joined(shown if part is chosen else Body(attached=_beside(part)) for part in parts)


def _beside(part: Entity) -> tuple[Entity, ...]:
    """Give the attachments inside a version that is not shown."""
    return tuple(leaf for leaf in part.leaves() if leaf.type not in _TWINS | _PLUMBING or _is_attached(leaf))


def _related(entity: Entity) -> Body:
    """Show the root: the part that `start` names, else the first; another only when the root says nothing."""
    wanted = str(entity.mime.get_param("start") or "").strip()
    named = [part for part in entity.parts if wanted and str(part.mime.get("content-id", "")).strip() == wanted]
    root = (named or list(entity.parts))[0]
    shown = read_body(root)
    if not shown.texts:  # the root is not read again: inside one another that would double the work at each level
        return _joined(shown if part is root else read_body(part) for part in entity.parts)
    return _joined(shown if part is root else _attached_whole(part) for part in entity.parts)


def _attached_whole(part: Entity) -> Body:
    return Body(attached=tuple(leaf for leaf in part.leaves() if leaf.type not in _PLUMBING))


def _leaf(entity: Entity) -> Body:
    if entity.type in _PLUMBING:
        return Body()
    # A multipart in which no part was found is shown as it is, so that its text is not lost.
    broken = entity.type.startswith("multipart/") and "no-boundary" in entity.defects
    if not broken and (entity.type not in _TEXTS or _is_attached(entity)):
        return Body(attached=(entity,))
    text, defects = _text(entity)
    return Body((text,) if text.strip() else (), (), defects)


def _is_attached(entity: Entity) -> bool:
    """Tell a file from a text: it says so, or it has a name and does not say `inline`. The mail itself is no file."""
    if entity.disposition in {"", "inline"}:
        return entity.disposition == "" and entity.start > 0 and file_name(entity) is not None
    return entity.disposition == "attachment" or file_name(entity) is not None


def _text(entity: Entity) -> tuple[str, tuple[str, ...]]:
    """Decode a text part as a reader sees it, with what was wrong in it."""
    encoded = entity.content[entity.body : min(entity.end, entity.body + _ENCODED_LIMIT)]
    content, sound = decoded(encoded, entity.encoding)
    is_html = entity.type == "text/html"
    label = entity.charset or (declared_charset(content) if is_html else None)
    raw, honest = decode(content[:TEXT_LIMIT], label)
    cut = entity.end - entity.body > _ENCODED_LIMIT or len(content) > TEXT_LIMIT
    found = {"bad-transfer-encoding": not sound, "bad-charset": not honest, "text-cut": cut, "nul-bytes": "\x00" in raw}
    return _rendered(entity, clean(raw)), tuple(name for name, is_so in found.items() if is_so)


def _rendered(entity: Entity, text: str) -> str:
    if entity.type == "text/html":
        return html_to_text(text)
    if str(entity.mime.get_param("format") or "").lower() == "flowed":
        return unflow(text, delsp=str(entity.mime.get_param("delsp") or "").lower() == "yes").strip("\n")
    return text.strip("\n")


def _attachment(entity: Entity) -> Attachment:
    size = decoded_size(entity.content, entity.body, entity.end, entity.encoding)
    beginning = entity.content[entity.body : min(entity.end, entity.body + 2 * BEGINNING_BYTES)]
    kind = content_type(entity.type, decoded(beginning, entity.encoding)[0][:BEGINNING_BYTES])
    return Attachment(file_name(entity), kind, size)


def file_name(entity: Entity) -> str | None:
    """Give the file name of a part as sent, decoded, without control characters; None without one.

    It may hold any path: nobody may open a file by it.
    """
    name = _parameter(entity, "filename", "content-disposition") or _parameter(entity, "name", "content-type")
    return name[:_NAME_LENGTH] or None


def _parameter(entity: Entity, name: str, header: str) -> str:
    """Decode a parameter: RFC 2231, or an encoded word where none belongs, or raw 8-bit (already text).

    Where both are there, RFC 2231 says more than the plain one beside it.
    """
    values: list[object] = [value for key, value in entity.mime.get_params([], header=header) if key.lower() == name]
    extended = next((value for value in values if isinstance(value, tuple)), None)
    if extended is None:
        return one_line(decode_words(str(next(iter(values), "")).encode())[0]).lstrip('"')
    # Python gives the bytes of RFC 2231 as latin-1; what is no latin-1 was text from the start.
    charset, _, raw = map(str, extended)
    value = decode(raw.encode("latin-1"), charset)[0] if all(char < "\u0100" for char in raw) else raw
    return one_line(decode_words(value.encode())[0])
