"""Files that a mail carries inside its text, as mailers did before MIME and news readers still do: uuencode and yEnc.

See Also:
    uuencode, https://pubs.opengroup.org/onlinepubs/9799919799/utilities/uuencode.html
    yEnc, http://www.yenc.org/yenc-draft.1.3.txt
"""

import binascii
import re
from collections.abc import Sequence

from mailroom.mail.charset import decode, one_line
from mailroom.mail.filetype import BEGINNING_BYTES, content_type
from mailroom.mail.message import Attachment
from mailroom.mail.transfer import base64_bytes

_BEGIN = re.compile(rb"begin(-base64)? [0-7]{3,4} (\S.{0,299})")
_YENC_BEGIN = re.compile(rb"=ybegin .{0,200}?size=(\d{1,12}) name=(\S.{0,299})")
MAX_FILES = 1000
_NAME_LENGTH = 500
# Without the line "end", fewer lines than these may be words.
_FEWEST_LINES = 3


def without_files(text: bytes, label: str | None) -> tuple[bytes, tuple[Attachment, ...]]:
    """Take the files out of a text, given as bytes; give what is left of it, and what they were.

    `label` names the charset of the text, and so of their names. What only looks like a file stays, and so do
    files after the first MAX_FILES. Linear time.
    """
    if b"begin" not in text:
        return text, ()
    lines = text.splitlines(keepends=True)
    kept: list[bytes] = []
    files: list[Attachment] = []
    number = 0
    while number < len(lines):
        file, after = _file(lines, number, label) if len(files) < MAX_FILES else (None, number + 1)
        if file is None:
            kept.append(lines[number])
        else:
            files.append(file)
        number = after
    return b"".join(kept), tuple(files)


def _file(lines: Sequence[bytes], number: int, label: str | None) -> tuple[Attachment | None, int]:
    """Read the file that begins on this line; give it, or None, and the number of the line after it."""
    first = lines[number].rstrip()
    old, news = _BEGIN.fullmatch(first), _YENC_BEGIN.fullmatch(first)
    if old:
        end, whole = _end(lines, number + 1, base64=bool(old[1]))
        coded = lines[number + 1 : end]
        if whole or len(coded) >= _FEWEST_LINES:
            return _decoded(coded, _name(old[2], label), base64=bool(old[1])), end + whole
    if news:
        end = next((n for n in range(number + 1, len(lines)) if lines[n].startswith(b"=yend ")), len(lines))
        size = min(int(news[1]), sum(map(len, lines[number + 1 : end])))
        return Attachment(_name(news[2], label), "application/octet-stream", size), end + 1
    return None, number + 1


def _end(lines: Sequence[bytes], start: int, *, base64: bool) -> tuple[int, bool]:
    """Find the line that ends a file, or the first that cannot be in it; tell whether it was the end."""
    is_line = _is_base64 if base64 else _is_coded
    number = start
    while number < len(lines) and is_line(lines[number].rstrip(b"\r\n")):
        number += 1
    mark = lines[number].strip() if number < len(lines) else b""
    return number, mark == (b"====" if base64 else b"end")


def _is_base64(line: bytes) -> bool:
    return bool(line) and line != b"====" and re.fullmatch(rb"[A-Za-z0-9+/]{0,96}={0,2}", line) is not None


def _is_coded(line: bytes) -> bool:
    """Tell whether a line has the length that its first character says; blanks at its end may be lost."""
    if not line:
        return True
    count = (line[0] - 32) & 63
    needed = -(-count // 3) * 4
    return 32 <= line[0] <= 96 and len(line) - 1 <= needed + 2 and (len(line) - 1 >= needed - 4)


def _decoded(coded: Sequence[bytes], name: str, *, base64: bool) -> Attachment:
    if base64:
        content = base64_bytes(b"".join(coded))
        return Attachment(name, content_type("application/octet-stream", content[:BEGINNING_BYTES]), len(content))
    beginning = b"".join(map(_bytes, coded[: BEGINNING_BYTES // 40]))
    size = sum((line[0] - 32) & 63 for line in coded if line.strip())
    return Attachment(name, content_type("application/octet-stream", beginning), size)


def _bytes(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        return b""


def _name(name: bytes, label: str | None) -> str:
    return one_line(decode(name, label)[0])[:_NAME_LENGTH]
