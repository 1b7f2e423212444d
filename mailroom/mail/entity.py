"""The structure of a mail: where its parts begin and end in the bytes, and nothing copied.

We cut the structure ourselves, because the parsers at hand copy the whole mail several times over (mail-parser:
a 43 MB mail costs 373 MB) and go as deep as the sender likes. Here a part is a pair of positions, and the
number of parts and the depth are bounded. The positions are exact, as signatures need them. Tests hold it
against Python's own parser.

See Also:
    RFC 2045 and RFC 2046, https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from mailroom.mail.charset import decode, one_line
from mailroom.mail.transfer import encoding_named

MAX_PARTS = 1000
MAX_DEPTH = 20
MAX_FIELDS = 1000
MAX_HEADER_BYTES = 1_048_576
MAX_FIELD_BYTES = 65_536

_BEGINNING = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:>?From [^\r\n]*(?:\r\n|\r|\n)|(?:\r\n|\r|\n){1,20}(?=[A-Za-z][!-9;-~]{1,60}:))?"
)
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_EMPTY_LINE = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r(?!\n)|\n)")
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r\n|\r|\n|\Z)")
_FIRST_DELIMITER = re.compile(rb"^--([!-~]{1,70})(?:\r\n|\r|\n)content-[a-z-]{1,40}:", re.IGNORECASE | re.MULTILINE)
_PREAMBLE_BYTES = 4096
_MIME_FIELDS = {"content-type", "content-disposition", "content-transfer-encoding", "content-id"}
# A shorter line counts as one of so many bytes: it is as much work.
_LEAST_SIZE = 16
# No MIME field needs more, and Python's own reader of parameters is slow on longer ones.
_MIME_FIELD_LENGTH = 4000


class MimeFields(Message):
    """The MIME fields of an entity; a parameter that breaks Python's reader is one that is missing."""

    def get_param(self, param: str, failobj: Any = None, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as Python declares it
        """Give a parameter, or `failobj`: `name*` beside `name*0` makes Python compare a number with nothing."""
        try:
            return super().get_param(param, failobj, *args, **kwargs)
        except (TypeError, ValueError):
            return failobj

    def get_params(self, failobj: Any = None, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as Python declares it
        """Give all parameters, or `failobj` where Python's reader breaks on them."""
        try:
            return super().get_params(failobj, *args, **kwargs)
        except (TypeError, ValueError):
            return failobj


@dataclass(frozen=True, slots=True)
class Entity:
    """A header and a body inside `content`, and the parts of a multipart body.

    The entity is content[start:end], its body content[body:end]. `header` holds (name in lower case, unfolded
    value) in order; `parts` is empty for a leaf. `defects` are those of this entity alone. `charset` is the label as
    sent, None without one.
    """

    content: bytes = field(repr=False)
    start: int
    body: int
    end: int
    header: tuple[tuple[str, bytes], ...]
    mime: MimeFields
    type: str
    parts: tuple["Entity", ...] = ()
    defects: tuple[str, ...] = ()
    charset: str | None = None

    @property
    def encoding(self) -> str:
        """The name of the transfer encoding in lower case, "" without one."""
        return encoding_named(str(self.mime.get("content-transfer-encoding", "")))

    @property
    def disposition(self) -> str:
        """The name of the content disposition in lower case (RFC 2183), "" without one."""
        return str(self.mime.get("content-disposition", "")).partition(";")[0].strip().lower()

    def walk(self) -> Iterator["Entity"]:
        """Give this entity and all inside it, in the order of the mail."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def leaves(self) -> Iterator["Entity"]:
        """Give the entities that have no parts, in the order of the mail."""
        return (entity for entity in self.walk() if not entity.parts)


@dataclass(slots=True)
class _Budget:
    """How many parts may still be cut out of this mail, and the charset of the first text in it."""

    parts: int = MAX_PARTS
    charset: str | None = None


def header_start(content: bytes) -> int:
    """Tell where the header of a mail begins: after a mbox "From " line, a byte order mark, or blank lines."""
    found = _BEGINNING.match(content)
    return found.end() if found else 0


def read_mail(content: bytes) -> "Entity":
    """Cut a mail into its parts, from where its header begins."""
    start = header_start(content)
    return read_entity(content[start:] if start else content)


def read_entity(content: bytes, start: int = 0) -> Entity:
    """Cut a mail, from `start` on, into its parts. Any bytes give an entity; a multipart that has none is a leaf."""
    return _entity(content, (start, len(content)), "text/plain", 0, _Budget())


def _entity(content: bytes, span: tuple[int, int], default_type: str, depth: int, budget: _Budget) -> Entity:
    start, end = span
    header, body, defects = _header(content, start, end)
    mime = _mime_fields(header, budget.charset)
    charset = _charset(mime)
    budget.charset = budget.charset or charset
    mime.set_default_type(default_type)
    kind = mime.get_content_type()
    parts: tuple[Entity, ...] = ()
    if kind.startswith("multipart/"):
        spans, more = _spans(content, body, end, _boundary(mime))
        if not spans:
            spans, _ = _spans(content, body, end, _unnamed_boundary(content, body, end))
        allowed, limits = _within_limits(spans, depth, budget)
        inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        parts = tuple(_entity(content, each, inner, depth + 1, budget) for each in allowed)
        defects = (*defects, *more, *limits)
        reused = _reuse(parts, mime)
        if reused is not None:
            rest = (parts[reused].start, end)
            parts = (*parts[:reused], _entity(content, rest, inner, depth + 1, budget))
            defects = (*defects, "boundary-used-twice")
    return Entity(content, start, body, end, header, mime, kind, parts, defects, charset)


def _reuse(parts: tuple[Entity, ...], outer: MimeFields) -> int | None:
    """Find the multipart inside another that has the same boundary; all that follows is taken to be inside it."""
    boundary = _boundary(outer)
    same = (
        n for n, part in enumerate(parts) if part.type.startswith("multipart/") and _boundary(part.mime) == boundary
    )
    return next(same, None)


def _within_limits(
    spans: list[tuple[int, int]], depth: int, budget: _Budget
) -> tuple[list[tuple[int, int]], tuple[str, ...]]:
    if depth >= MAX_DEPTH:
        return [], ("too-deep",)
    allowed = spans[: budget.parts]
    budget.parts -= len(allowed)
    return allowed, () if len(allowed) == len(spans) else ("too-many-parts",)


def _header(content: bytes, start: int, end: int) -> tuple[tuple[tuple[str, bytes], ...], int, tuple[str, ...]]:
    """Read fields up to the first empty line, or up to the first line that is no field: there the body begins."""
    header = _Header()
    position = start
    while position < end:
        found = _LINE.match(content, position, end)
        stop, after = (found.end(1), found.end()) if found else (end, end)
        if stop == position:
            return header.fields(), after, tuple(header.defects)
        if header.is_full():
            gap = _EMPTY_LINE.search(content, position, end)
            return header.fields(), gap.end() if gap else end, tuple(header.defects)
        if not header.take(content, position, stop):
            return header.fields(), position, tuple(header.defects)
        position = after
    return header.fields(), end, tuple(header.defects)


@dataclass(slots=True)
class _Header:
    """The fields read so far. What exceeds a limit is skipped, with a defect, so that the body is still found."""

    lines: list[tuple[str, list[bytes]]] = field(default_factory=list)
    size: int = 0
    length: int = 0
    defects: dict[str, None] = field(default_factory=dict)

    def is_full(self) -> bool:
        """Tell whether no further field is taken."""
        if len(self.lines) >= MAX_FIELDS:
            self.defects["too-many-fields"] = None
        if self.size > MAX_HEADER_BYTES:
            self.defects["header-cut"] = None
        return len(self.lines) >= MAX_FIELDS or self.size > MAX_HEADER_BYTES

    def take(self, content: bytes, start: int, stop: int) -> bool:
        """Take the line content[start:stop]; False when it is neither a field nor goes on with one."""
        line = self._cut(content, start, stop)
        name = _FIELD.match(line)
        if line[:1] in b" \t" and self.lines:
            self.length += len(line)
            self.lines[-1][1].append(line)
        elif name:
            self.lines.append((name.group(1).decode("ascii").lower(), [line[name.end() :]]))
            self.length = len(line)
        else:
            self.defects.update({"no-header-end": None} if self.lines else {})
            return False
        self.size += max(stop - start, _LEAST_SIZE)
        return True

    def _cut(self, content: bytes, start: int, stop: int) -> bytes:
        """Copy a line, but no more of it than fits in its field."""
        goes_on = content[start : start + 1] in b" \t"
        room = MAX_FIELD_BYTES - self.length if goes_on else MAX_FIELD_BYTES
        if stop - start > room:
            self.defects["header-cut"] = None
        return content[start : min(stop, start + max(room, 1))]

    def fields(self) -> tuple[tuple[str, bytes], ...]:
        """Give the fields unfolded: only the line ends go (RFC 5322 section 2.2.3)."""
        return tuple((name, b"".join(lines).strip()) for name, lines in self.lines)


def _mime_fields(header: tuple[tuple[str, bytes], ...], label: str | None) -> MimeFields:
    """Give the MIME fields alone, as text, to Python's reader of parameters; the first of each name counts.

    `label`: the charset that raw bytes in them may be in, such as those of a file name.
    """
    mime = MimeFields()
    for name, value in header:
        if name in _MIME_FIELDS and name not in mime:
            mime[name] = one_line(decode(value, label)[0])[:_MIME_FIELD_LENGTH]
    return mime


def _charset(mime: MimeFields) -> str | None:
    label = mime.get_param("charset") if "content-type" in mime else None
    return str(label[2] if isinstance(label, tuple) else label) if label else None


def _boundary(mime: MimeFields) -> bytes:
    return (mime.get_boundary() or "").encode()


def _unnamed_boundary(content: bytes, start: int, end: int) -> bytes:
    """Guess the boundary that the header does not name: that of the first line before what looks like a header."""
    found = _FIRST_DELIMITER.search(content, start, min(end, start + _PREAMBLE_BYTES))
    return found[1] if found else b""


def _spans(content: bytes, start: int, end: int, boundary: bytes) -> tuple[list[tuple[int, int]], tuple[str, ...]]:
    """Find where the parts lie between their delimiters. Parts after a closing delimiter are parts all the same."""
    found = list(islice(_delimiters(content, start, end, b"--" + boundary), MAX_PARTS + 2)) if boundary else []
    if not found:
        return [], ("no-boundary",)
    spans = []
    for this, following in zip_longest(found, found[1:]):
        if not this.closes:
            stop = _before_line_end(content, following.start) if following else end
            spans.append((this.end, max(this.end, stop)))
    closed = [delimiter.closes for delimiter in found]
    defects = () if closed[-1] else ("no-final-boundary",)
    return spans, (*defects, "parts-after-end") if any(closed[:-1]) else defects


class _Delimiter(NamedTuple):
    start: int
    end: int
    closes: bool


def _delimiters(content: bytes, start: int, end: int, mark: bytes) -> Iterator[_Delimiter]:
    """Find the lines that are a delimiter and nothing else; the mark inside a line or as its beginning is text."""
    position = content.find(mark, start, end)
    while position >= 0:
        rest = _DELIMITER_END.match(content, position + len(mark), end)
        if rest and (position == start or content[position - 1] in b"\r\n"):
            yield _Delimiter(position, rest.end(), bool(rest.group(1)))
        position = content.find(mark, position + 1, end)


def _before_line_end(content: bytes, position: int) -> int:
    """Step back over the line end that belongs to the delimiter after it (RFC 2046 section 5.1.1)."""
    if content[position - 2 : position] == b"\r\n":
        return position - 2
    return position - 1
