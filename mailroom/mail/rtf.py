"""The RTF in which Outlook keeps a mail: unpacked, and read as text. Nothing in it is run or fetched.

See Also:
    Its packing, [MS-OXRTFCP], https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxrtfcp/
    HTML inside it, [MS-OXRTFEX], https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxrtfex/
"""

import re
import struct
from dataclasses import dataclass, field, replace

from mailroom.mail.charset import decode
from mailroom.mail.html import html_to_text

_HEADER = struct.Struct("<IIII")  # size, unpacked size, kind, checksum
_PACKED, _PLAIN = 0x75465A4C, 0x414C454D
_WINDOW = 4096
# What the window holds at first (section 2.1.2.1).
_FIRST = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})?\x20?|\\'([0-9A-Fa-f]{2})|\\([^a-zA-Z'])|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\"
)
_NOT_TEXT = {
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "footnote", "listtable",
    "listoverridetable", "themedata", "datastore", "latentstyles", "generator", "xmlnstbl", "rsidtbl", "fldinst",
}  # fmt: skip
_CHARACTERS = {
    "par": "\n", "line": "\n", "row": "\n", "cell": "\t", "tab": "\t", "emdash": "—", "endash": "–", "bullet": "•",
    "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
}  # fmt: skip


def unpacked(content: bytes, limit: int) -> bytes:
    """Unpack the RTF of Outlook, at most `limit` bytes of it; b"" for what is none."""
    if len(content) < _HEADER.size:
        return b""
    kind = _HEADER.unpack_from(content)[2]
    if kind == _PLAIN:
        return content[_HEADER.size :][:limit]
    return _unpacked(content[_HEADER.size :], limit) if kind == _PACKED else b""


def _unpacked(content: bytes, limit: int) -> bytes:
    """Undo the packing: each byte of flags tells of eight items whether they are a byte or a place and a length."""
    window = bytearray(_FIRST.ljust(_WINDOW, b"\x00"))
    write, out, position = len(_FIRST), bytearray(), 0
    while position < len(content) and len(out) < limit:
        flags, position = content[position], position + 1
        for bit in range(8):
            item = content[position : position + 1 + (flags >> bit & 1)]
            position += 1 + (flags >> bit & 1)
            offset, length = (item[0] << 4 | item[1] >> 4, (item[1] & 15) + 2) if len(item) == 2 else (None, 1)
            if not item or offset == write or (offset is None and flags >> bit & 1):
                return bytes(out[:limit])
            for step in range(length):
                byte = item[0] if offset is None else window[(offset + step) % _WINDOW]
                window[write] = byte
                write = (write + 1) % _WINDOW
                out.append(byte)
    return bytes(out[:limit])


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds inside a pair of braces. `after`: how many characters stand after a Unicode one, to be skipped."""

    shown: bool = True
    after: int = 1


@dataclass(slots=True)
class _Page:
    """What was written so far, and the bytes since then whose charset `label` names."""

    pieces: list[str] = field(default_factory=list)
    pending: bytearray = field(default_factory=bytearray)
    label: str = "cp1252"
    is_html: bool = False
    suppressed: bool = False
    skip: int = 0

    def flush(self) -> None:
        """Decode what waits: a character may be several bytes."""
        if self.pending:
            self.pieces.append(decode(bytes(self.pending), self.label)[0])
            self.pending.clear()

    def write(self, text: str | bytes) -> None:
        """Write characters, or bytes in the charset of the page."""
        if self.suppressed:
            return
        if isinstance(text, bytes):
            skipped, self.skip = text[self.skip :], max(0, self.skip - len(text))
            self.pending += skipped
        else:
            self.flush()
            self.pieces.append(text)


def written(rtf: bytes) -> str:
    """Give the text of RTF; where HTML is wrapped in it, the text of that. In linear time; never raises."""
    page, group, outside = _Page(), _Group(), list[_Group]()
    for token in _TOKEN.finditer(rtf):
        word, number, code, sign, brace, text = token.groups()
        if brace == b"{":
            outside.append(group)
        elif brace:
            group = outside.pop() if outside else group
        elif word:
            group = _obey(page, group, word.decode("ascii"), number)
        elif sign == b"*":
            group = replace(group, shown=False)
        elif group.shown:
            page.write(bytes.fromhex(code.decode("ascii")) if code else _signed(sign) if sign else text or b"")
    page.flush()
    content = "".join(page.pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return html_to_text(content) if page.is_html else content


def _signed(sign: bytes) -> str | bytes:
    return {b"~": "\xa0", b"_": "-", b"\n": "\n", b"\r": "\n", b"-": ""}.get(sign, sign)


def _obey(page: _Page, group: _Group, word: str, argument: bytes | None) -> _Group:
    """Do what a control word says; give what holds from then on in this group."""
    number = int(argument) if argument else 1
    if word == "htmltag":
        return replace(group, shown=True)
    if word in _NOT_TEXT:
        return replace(group, shown=False)
    if word == "uc":
        return replace(group, after=max(0, min(number, 8)))
    if word == "htmlrtf":
        page.suppressed = number != 0
    elif word == "fromhtml":
        page.is_html = True
    elif word == "ansicpg":
        page.label = f"cp{number}"
    elif group.shown and word in _CHARACTERS:
        page.write(_CHARACTERS[word])
    elif group.shown and word == "u":
        page.write(chr(number & 0xFFFF))
        page.skip = group.after
    return group
