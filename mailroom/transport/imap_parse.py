"""Reading what an IMAP server says, and writing what it accepts. Pure: bytes in, values out.

See Also:
    RFC 3501 section 9 (grammar), https://www.rfc-editor.org/rfc/rfc3501#section-9
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

# One response: the line, or line, literal, line, literal, ... line when it holds literals.
Response = tuple[bytes, ...]
Value = bytes | None | list["Value"]

# RFC 7162 section 4 asks clients for lines of at most 8192 bytes; older servers take less.
LINE_BYTES = 4000
# A set that long, a tag, the command and the rest of its arguments stay below LINE_BYTES.
SET_BYTES = 3000
# As many messages in one command, so that one answer stays a bounded piece of work.
SET_MESSAGES = 1000
# No person writes parts within parts deeper than that.
DEEPEST = 50

_LITERAL = re.compile(rb"\{(\d{1,12})\}\Z")
_TOKEN = re.compile(rb'\(|\)|"(?:[^"\\]|\\.)*"|[^\s()"]+', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_COPYUID = re.compile(rb"\[COPYUID (\d{1,10}) ([\d:,]+) ([\d:,]+)\]", re.IGNORECASE)
_UIDVALIDITY = re.compile(rb"\[UIDVALIDITY (\d{1,10})\]", re.IGNORECASE)
_CODE = re.compile(rb"\[([A-Z]+)[\] ]", re.IGNORECASE)


class ResponseReader:
    """Cuts the bytes of a server into whole responses, however the network has cut them."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._literal: int | None = None
        self._searched = 0

    def feed(self, chunk: bytes) -> list[Response]:
        """Take the next bytes and give the responses that are complete now."""
        self._buffer += chunk
        complete: list[Response] = []
        while (part := self._next_part()) is not None:
            self._parts.append(part)
            if self._literal is None:
                complete.append(tuple(self._parts))
                self._parts = []
        return complete

    def _next_part(self) -> bytes | None:
        if self._literal is not None and len(self._parts) % 2:
            return self._next_literal(self._literal)
        end = self._buffer.find(b"\r\n", self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - 1)
            return None
        line = self._take(end, 2)
        announced = _LITERAL.search(line)
        self._literal = int(announced[1]) if announced else None
        return line

    def _next_literal(self, size: int) -> bytes | None:
        return self._take(size, 0) if len(self._buffer) >= size else None

    def _take(self, size: int, separator: int) -> bytes:
        part = memoryview(self._buffer)[:size].tobytes()
        del self._buffer[: size + separator]
        self._searched = 0
        return part


def values(response: Response) -> list[Value]:
    """Parse one response: lists for parentheses, None for NIL, bytes for everything else.

    Never raises: parentheses that are not balanced are closed or ignored.
    """
    top: list[Value] = []
    open_lists = [top]
    for index, part in enumerate(response):
        if index % 2:
            open_lists[-1].append(part)
            continue
        for token in _TOKEN.findall(_LITERAL.sub(b"", part)):
            _place(token, open_lists)
    return top


def _place(token: bytes, open_lists: list[list[Value]]) -> None:
    if token == b"(":
        inner: list[Value] = []
        open_lists[-1].append(inner)
        open_lists.append(inner)
    elif token == b")":
        if len(open_lists) > 1:
            open_lists.pop()
    elif token.startswith(b'"'):
        open_lists[-1].append(_ESCAPED.sub(rb"\1", token[1:-1]))
    else:
        open_lists[-1].append(None if token.upper() == b"NIL" else token)


def fetched(responses: Iterable[Response]) -> dict[int, dict[bytes, Value]]:
    """Collect FETCH responses that name a UID: UID -> attribute name (upper case) -> value."""
    found: dict[int, dict[bytes, Value]] = {}
    for response in responses:
        match values(response):
            case [b"*", bytes(), bytes(word), list(pairs)] if word.upper() == b"FETCH":
                names = (name.upper() for name in pairs[::2] if isinstance(name, bytes))
                attributes = dict(zip(names, pairs[1::2], strict=False))
                uid = number(attributes.get(b"UID"))
                if uid is not None:
                    found.setdefault(uid, {}).update(attributes)
    return found


def number(value: Value) -> int | None:
    """Read a number, or None when this is none."""
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) < 20 else None


def search_result(responses: Iterable[Response]) -> list[int]:
    """Give the UIDs of all SEARCH responses, in ascending order."""
    lines = (line[0].split() for line in responses if line[0][:9].upper() == b"* SEARCH ")
    return sorted({uid for words in lines for word in words[2:] if (uid := number(word)) is not None})


def uid_sets(uids: Iterable[int]) -> Iterator[str]:
    """Write UIDs as sequence sets (`1:3,7`): exactly these UIDs, in ascending order, each set short enough for a line.

    See Also:
        RFC 3501 section 9, sequence-set, https://www.rfc-editor.org/rfc/rfc3501#section-9
    """
    ordered = sorted(set(uids))
    for start in range(0, len(ordered), SET_MESSAGES):
        yield from _lines(_ranges(ordered[start : start + SET_MESSAGES]))


def _ranges(ordered: Sequence[int]) -> Iterator[str]:
    first = 0
    for index, uid in enumerate(ordered):
        if index + 1 == len(ordered) or ordered[index + 1] != uid + 1:
            yield str(uid) if first == index else f"{ordered[first]}:{uid}"
            first = index + 1


def _lines(ranges: Iterable[str]) -> Iterator[str]:
    line = ""
    for one in ranges:
        if line and len(line) + 1 + len(one) > SET_BYTES:
            yield line
            line = ""
        line = f"{line},{one}" if line else one
    if line:
        yield line


def uids_of(sequence_set: bytes, limit: int) -> list[int]:
    """Read a sequence set in its own order; [] when it holds more than `limit` UIDs, or a `*`.

    A range may be written either way round; it always means its UIDs in ascending order
    (RFC 4315 section 3, https://www.rfc-editor.org/rfc/rfc4315#section-3).
    """
    uids: list[int] = []
    for one in sequence_set.split(b","):
        first, _, last = one.partition(b":")
        low, high = number(first), number(last or first)
        if low is None or high is None or abs(high - low) + 1 + len(uids) > limit:
            return []
        uids.extend(range(min(low, high), max(low, high) + 1))
    return uids


def copied(texts: Iterable[bytes], limit: int) -> tuple[int, dict[int, int]]:
    """Read COPYUID: the UIDVALIDITY of the target folder, and old UID -> new UID; (0, {}) when the server tells none.

    See Also:
        RFC 4315 section 3, https://www.rfc-editor.org/rfc/rfc4315#section-3
    """
    for text in texts:
        found = _COPYUID.search(text)
        if found:
            old, new = uids_of(found[2], limit), uids_of(found[3], limit)
            return int(found[1]), dict(zip(old, new, strict=True)) if len(old) == len(new) else {}
    return 0, {}


def response_code(text: bytes) -> str:
    """Give the code at the start of a status text (`TRYCREATE`), "" without one; the rest may hold names of folders."""
    found = _CODE.match(text)
    return found[1].decode().upper() if found else ""


def uidvalidity(responses: Iterable[Response]) -> int | None:
    """Find UIDVALIDITY in the answer to SELECT."""
    found = (_UIDVALIDITY.search(line[0]) for line in responses)
    return next((int(one[1]) for one in found if one), None)


def text_part(structure: Value) -> str | None:
    """Give the part number of what was written: shown before attached, text/plain before other text, the first of them.

    None when there is no text, or only inside multipart/encrypted or an attached message.

    See Also:
        RFC 3501 section 7.4.2, BODYSTRUCTURE, https://www.rfc-editor.org/rfc/rfc3501#section-7.4.2
    """
    texts = [(place, leaf) for place, leaf in _leaves(structure) if _is(leaf[0], b"TEXT")]
    return min(texts, key=_rank)[0] if texts else None


def _leaves(structure: Value) -> Iterator[tuple[str, list[Value]]]:
    waiting = [("", structure)]
    while waiting:
        place, part = waiting.pop()
        if not isinstance(part, list) or not part or place.count(".") >= DEEPEST:
            continue
        children = list(itertools.takewhile(lambda child: isinstance(child, list), part))
        if not children:
            yield place or "1", part
        elif not _is(part[len(children) :][:1], b"ENCRYPTED"):
            numbered = [(f"{place}.{count}".strip("."), child) for count, child in enumerate(children, 1)]
            waiting.extend(reversed(numbered))


def _rank(leaf: tuple[str, list[Value]]) -> tuple[bool, bool]:
    # Position 9 of a text leaf is its Content-Disposition.
    fields = leaf[1]
    return _is(fields[9:10], b"ATTACHMENT"), not _is(fields[1:2], b"PLAIN")


def _is(value: Value, word: bytes) -> bool:
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, bytes) and value.upper() == word
