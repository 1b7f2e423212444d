"""Which parts of a mail are its text, which are attachments, and which are plumbing.

See Also:
    RFC 2046 section 5.1, https://www.rfc-editor.org/rfc/rfc2046#section-5.1
    RFC 2183 (Content-Disposition), https://www.rfc-editor.org/rfc/rfc2183
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import unescape

from mailroom.mail.charset import clean, decode, one_line
from mailroom.mail.encodedword import decode_words
from mailroom.mail.entity import Entity
from mailroom.mail.filetype import BEGINNING_BYTES, content_type
from mailroom.mail.flowed import unflow
from mailroom.mail.html import declared_charset, html_to_text
from mailroom.mail.message import Attachment
from mailroom.mail.rtf import written
from mailroom.mail.tnef import TNEF_TYPES, read_tnef
from mailroom.mail.transfer import decoded, decoded_size
from mailroom.mail.uuencode import without_files

TEXT_LIMIT = 1_000_000
# Base64 and quoted-printable make of TEXT_LIMIT bytes at most this many.
_ENCODED_LIMIT = 3 * TEXT_LIMIT
_NAME_LENGTH = 500

_TEXTS = {"text/plain", "text/html"}
# What mailers put beside the text of an alternative, for machines or watches: never an attachment.
_TWINS = _TEXTS | {"text/x-amp-html", "text/watch-html", "text/enriched"}
_MARKED_UP = {"text/enriched", "text/richtext", "application/xhtml+xml"}
_RTF = {"text/rtf", "application/rtf"}
# Read when the mail has no other text.
_READABLE = _TEXTS | _MARKED_UP | _RTF | {"text/markdown", "text/x-markdown"}
_MADE_UP_NAME = re.compile(r"(text_?\d{0,4}|noname|att\d{1,6}|mms|message|part)(\.(txt|html?))?", re.IGNORECASE)
# A page begins so, whatever it is called.
_PAGE = re.compile(r"\s{0,100}(<!doctype html|<html[\s>])", re.IGNORECASE)
_TAG = re.compile(r"<[A-Za-z!/]")
_UNTYPED = "application/octet-stream"
_STUB_LENGTH = 400
_STUB = re.compile(
    r"\bhtml[- ]?(e-?mail|mail|format|message|version|capable|compatible|enabled|viewer|fähig|nachricht|kompatib)"
    r"|\b(support|unterstützt|display|view|read|anzeigen|darstellen|afficher|lire|mostrar|ver|leer|en|au|im|formato?)"
    r"\s+(kein(e|en)?\s+|no\s+)?html\b|HTML\s?(形式|格式|メール|邮件|郵件|메일)",
    re.IGNORECASE,
)
_PLUMBING = {
    "application/pgp-encrypted", "application/pgp-signature", "application/pkcs7-signature",
    "application/x-pkcs7-signature",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """What a mail shows: its texts, in order, what is attached, and what was wrong.

    Attached are leaves, and files found inside a text or a winmail.dat. `spare` are the texts of wrappers, which
    count when there is no other.
    """

    texts: tuple[str, ...] = ()
    attached: tuple[Entity | Attachment, ...] = ()
    defects: tuple[str, ...] = ()
    spare: tuple[tuple[Entity, str], ...] = ()

    @property
    def text(self) -> str:
        """All texts, a blank line between them, at most TEXT_LIMIT characters."""
        return "\n\n".join(self.texts)[:TEXT_LIMIT]

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Name, type and decoded size of what is attached."""
        return tuple(each if isinstance(each, Attachment) else _attachment(each) for each in self.attached)


def read_body(entity: Entity) -> Body:
    """Choose the text and the attachments of a mail or of a part of it."""
    body = _read(entity)
    return body if body.texts else _with_spare(body)


def _with_spare(body: Body) -> Body:
    """Show what a mail without text has instead: a text that came as a nameless file, or that of a winmail.dat."""
    for each in body.attached:
        if isinstance(each, Entity) and _may_be_the_text(each):
            text, files, defects = _text(each)
            others = tuple(other for other in body.attached if other is not each)
            if text.strip():
                return Body((text,), (*others, *files), (*body.defects, *defects))
    wrappers = [wrapper for wrapper, _ in body.spare]
    others = tuple(each for each in body.attached if not any(each is wrapper for wrapper in wrappers))
    return replace(body, texts=tuple(text for _, text in body.spare), attached=others)


def _may_be_the_text(entity: Entity) -> bool:
    """Tell a text that only looks like a file: nobody called it attached, or it has no name but a made-up one."""
    if entity.type not in _READABLE:
        return False
    name = file_name(entity)
    return entity.disposition in {"", "inline"} or name is None or _MADE_UP_NAME.fullmatch(name) is not None


def _read(entity: Entity) -> Body:
    if not entity.parts:
        return _leaf(entity)
    if entity.type == "multipart/alternative":
        return _alternative(entity.parts)
    if entity.type == "multipart/related":
        return _related(entity)
    return _joined(map(_read, _without_plumbing(entity)))


def _joined(bodies: Iterable[Body]) -> Body:
    texts: list[str] = []
    attached: list[Entity | Attachment] = []
    defects: list[str] = []
    spare: list[tuple[Entity, str]] = []
    for body in bodies:
        if sum(map(len, texts)) < TEXT_LIMIT:
            texts.extend(body.texts)
        attached.extend(body.attached)
        defects.extend(body.defects)
        spare.extend(body.spare)
    return Body(tuple(texts), tuple(attached), tuple(defects), tuple(spare))


def _without_plumbing(entity: Entity) -> list[Entity]:
    """Leave out signatures and encrypted content, but not what a mailing list hung beside them (RFC 3156)."""
    sealed = entity.type == "multipart/encrypted" or any(
        part.type == "application/pgp-encrypted" for part in entity.parts
    )
    return [part for part in entity.parts if not (sealed and part.type == "application/octet-stream")]


def _alternative(parts: Sequence[Entity]) -> Body:
    """Show the plain text; when it says nothing, the last version that does; the others are no attachments."""
    plain = [part for part in parts if part.type == "text/plain"]
    order = [*plain, *(part for part in reversed(parts) if part.type != "text/plain")]
    speaking = ((part, body) for part, body in ((part, _read(part)) for part in order) if body.texts)
    chosen, shown = next(speaking, (None, Body()))
    if chosen in plain and _points_at_html(shown.text):
        chosen, shown = next(((part, body) for part, body in speaking if len(body.text) > 0), (chosen, shown))
    return _joined(shown if part is chosen else Body(attached=_beside(part)) for part in parts)


def _points_at_html(text: str) -> bool:
    """Tell whether a plain text is what newsletters and forms put there, in any language: "use an HTML reader"."""
    return len(text) <= _STUB_LENGTH and _STUB.search(text) is not None


def _beside(part: Entity) -> tuple[Entity, ...]:
    """Give the attachments inside a version that is not shown."""
    return tuple(leaf for leaf in part.leaves() if leaf.type not in _TWINS | _PLUMBING or is_attached(leaf))


def _related(entity: Entity) -> Body:
    """Show the root: the part that `start` names, else the first; another only when the root says nothing."""
    wanted = str(entity.mime.get_param("start") or "").strip()
    named = [part for part in entity.parts if wanted and str(part.mime.get("content-id", "")).strip() == wanted]
    root = (named or list(entity.parts))[0]
    shown = _read(root)
    if not shown.texts:  # the root is not read again: inside one another that would double the work at each level
        return _joined(shown if part is root else _read(part) for part in entity.parts)
    return _joined(shown if part is root else _attached_whole(part) for part in entity.parts)


def _attached_whole(part: Entity) -> Body:
    return Body(attached=tuple(leaf for leaf in part.leaves() if leaf.type not in _PLUMBING))


def _leaf(entity: Entity) -> Body:
    if entity.type in _PLUMBING:
        return Body()
    if entity.type in TNEF_TYPES or (entity.type == _UNTYPED and (file_name(entity) or "").lower() == "winmail.dat"):
        return _wrapped(entity)
    # A multipart in which no part was found is shown as it is, so that its text is not lost.
    broken = entity.type.startswith("multipart/") and "no-boundary" in entity.defects
    if entity.type.startswith("multipart/") and not entity.defects:
        return Body()  # it has an end, and nothing before it
    if not broken and (entity.type not in _TEXTS or is_attached(entity)):
        return Body(attached=(entity,))
    text, files, defects = _text(entity)
    return Body((text,) if text.strip() else (), files, defects)


def _wrapped(entity: Entity) -> Body:
    """Read a winmail.dat: its files in its place, and its text to spare; what cannot be read stays a file."""
    wrapped = read_tnef(decoded(entity.content[entity.body : entity.end], entity.encoding)[0])
    if wrapped is None:
        return Body(attached=(entity,))
    return Body(
        attached=wrapped.attachments or (entity,), spare=((entity, wrapped.text),) if wrapped.text.strip() else ()
    )


def is_attached(entity: Entity) -> bool:
    """Tell a file from a text: it says so, or it has a name and does not say `inline`. The mail itself is no file."""
    if entity.disposition in {"", "inline"}:
        return entity.disposition == "" and entity.start > 0 and file_name(entity) is not None
    return entity.disposition == "attachment" or file_name(entity) is not None


def _text(entity: Entity) -> tuple[str, tuple[Attachment, ...], tuple[str, ...]]:
    """Decode a text part as a reader sees it, with the files inside it and what was wrong in it."""
    encoded = entity.content[entity.body : min(entity.end, entity.body + _ENCODED_LIMIT)]
    content, sound = decoded(encoded, entity.encoding)
    is_html = entity.type == "text/html"
    content, files = (content, ()) if is_html else without_files(content, entity.charset)
    label = entity.charset or (declared_charset(content) if is_html else None)
    raw, honest = decode(content[:TEXT_LIMIT], label)
    cut = entity.end - entity.body > _ENCODED_LIMIT or len(content) > TEXT_LIMIT
    found = {"bad-transfer-encoding": not sound, "bad-charset": not honest, "text-cut": cut, "nul-bytes": "\x00" in raw}
    return _rendered(entity, clean(raw)), files, tuple(name for name, is_so in found.items() if is_so)


def _rendered(entity: Entity, text: str) -> str:
    if entity.type in _RTF:
        return clean(written(text.encode("latin-1", "replace"))).strip("\n")
    if entity.type in {"text/html", *_MARKED_UP} or _PAGE.match(text):
        # Some programs call a text a page; its lines are all that it has.
        return html_to_text(text) if _TAG.search(text) else unescape(text).strip("\n")
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
    if header not in entity.mime:
        return ""
    values: list[object] = [value for key, value in entity.mime.get_params([], header=header) if key.lower() == name]
    extended = next((value for value in values if isinstance(value, tuple)), None)
    if extended is None:
        return one_line(decode_words(str(next(iter(values), "")).encode())[0]).lstrip('"')
    # Python gives the bytes of RFC 2231 as latin-1; what is no latin-1 was text from the start.
    charset, _, raw = map(str, extended)
    value = decode(raw.encode("latin-1"), charset)[0] if all(char < "\u0100" for char in raw) else raw
    return one_line(decode_words(value.encode())[0])
