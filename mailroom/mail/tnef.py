"""winmail.dat: what Outlook and Exchange wrap a mail and its attachments in (TNEF).

The library tnefparse was tried and turned down: it copies the rest of the file for each attribute, and believes a
count of four thousand million properties, so that a few hostile bytes keep it busy for hours. Here every step
forward costs at least four bytes of the file, and nothing but the text is copied.

See Also:
    [MS-OXTNEF], https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxtnef/
    Property ids in [MS-OXPROPS], https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxprops/
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mailroom.mail.charset import clean, decode, one_line
from mailroom.mail.filetype import BEGINNING_BYTES, content_type
from mailroom.mail.html import html_to_text
from mailroom.mail.message import Attachment
from mailroom.mail.rtf import unpacked, written

TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
MAX_FILES = 1000
_TEXT_BYTES = 1_000_000
_NAME_LENGTH = 500

_SIGNATURE = struct.pack("<I", 0x223E9F78)
_ATTRIBUTE = struct.Struct("<BII")  # level, name, size (section 2.1.3.1)
_BODY, _MESSAGE_PROPERTIES, _CODEPAGE = 0x2800C, 0x69003, 0x69007
_FILE_BEGINS, _FILE_TITLE, _FILE_CONTENT, _FILE_PROPERTIES = 0x69002, 0x18010, 0x6800F, 0x69005

_TEXT, _RTF, _HTML, _INTERNET_CODEPAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_CONTENT, _NAME, _LONG_NAME, _DISPLAY_NAME, _MIME_TYPE = 0x3701, 0x3704, 0x3707, 0x3001, 0x370E
_STRING, _UNICODE, _BINARY, _OBJECT, _MANY = 0x1E, 0x1F, 0x102, 0x0D, 0x1000
_NAMED = 0x8000
_SIZES = {2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
_WITH_SIZE = {_STRING, _UNICODE, _BINARY, _OBJECT}
# Before an object stands the id of its interface.
_INTERFACE_BYTES = 16
_CODEPAGES = {65001: "utf-8", 20127: "us-ascii", 20866: "koi8-r", 21866: "koi8-u", 54936: "gb18030", 51932: "euc-jp"}


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What a winmail.dat holds: its text, "" without one, and its attachments."""

    text: str
    attachments: tuple[Attachment, ...]


class _Value(NamedTuple):
    type: int
    content: memoryview


def read_tnef(content: bytes) -> Wrapped | None:
    """Read a winmail.dat; None when it is none, or nothing can be read in it. Never raises, and in linear time."""
    if not content.startswith(_SIGNATURE):
        return None
    message: dict[int, _Value] = {}
    files: list[dict[int, _Value]] = []
    for name, value in _attributes(memoryview(content)):
        if name == _FILE_BEGINS and len(files) < MAX_FILES:
            files.append({})
        elif name in {_BODY, _MESSAGE_PROPERTIES, _CODEPAGE}:
            message.update(_taken(name, value))
        elif files:
            files[-1].update(_taken(name, value))
    label = _label(message)
    wrapped = Wrapped(_text(message, label), tuple(_attachment(each, label) for each in files))
    return wrapped if wrapped.text or wrapped.attachments else None


def _attributes(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    position = len(_SIGNATURE) + 2
    while position + _ATTRIBUTE.size <= len(content):
        level, name, size = _ATTRIBUTE.unpack_from(content, position)
        if level not in {1, 2}:
            return
        position += _ATTRIBUTE.size
        yield name, content[position : position + size]
        position += size + 2  # a checksum, which says nothing that matters


def _taken(name: int, value: memoryview) -> Mapping[int, _Value]:
    """Give what an attribute tells, by the ids of the properties that replaced the older attributes."""
    if name in {_MESSAGE_PROPERTIES, _FILE_PROPERTIES}:
        return dict(_properties(_Reader(value)))
    older = {_BODY: (_TEXT, _STRING), _FILE_TITLE: (_NAME, _STRING), _FILE_CONTENT: (_CONTENT, _BINARY)}
    if name == _CODEPAGE:
        return {_CODEPAGE: _Value(_BINARY, value)}
    return {older[name][0]: _Value(older[name][1], value)} if name in older else {}


class _Reader:
    """Reads on in the bytes of a property list; every item is padded to four bytes."""

    def __init__(self, content: memoryview) -> None:
        self._content, self._position = content, 0

    def number(self) -> int:
        """Read a whole number of 32 bits.

        Raises:
            EOFError: nothing is left.
        """
        return int.from_bytes(self.take(4), "little")

    def take(self, size: int) -> memoryview:
        """Read `size` bytes and their padding.

        Raises:
            EOFError: so much is not left.
        """
        start, self._position = self._position, self._position + size + (-size % 4)
        if start + size > len(self._content):
            raise EOFError
        return self._content[start : start + size]


def _properties(reader: _Reader) -> Iterator[tuple[int, _Value]]:
    """Give id and first value of each property, up to the first that cannot be read (section 2.1.3.4)."""
    try:
        for _ in range(reader.number()):
            tag = reader.number()
            kind, name = tag & 0xFFFF, tag >> 16
            if name >= _NAMED:
                _skip_name(reader)
            yield name, _Value(kind & ~_MANY, _first_value(reader, kind))
    except EOFError:
        return


def _skip_name(reader: _Reader) -> None:
    reader.take(16)
    if reader.number():
        reader.take(reader.number())
    else:
        reader.number()


def _first_value(reader: _Reader, kind: int) -> memoryview:
    size = _SIZES.get(kind & ~_MANY)
    if size is None and kind & ~_MANY not in _WITH_SIZE:
        raise EOFError  # nobody can say where the next property begins
    count = reader.number() if kind & _MANY or size is None else 1
    values = (reader.take(reader.number() if size is None else size) for _ in range(count))
    first = next(values, memoryview(b""))
    for _ in values:
        pass
    return first


def _label(message: Mapping[int, _Value]) -> str:
    """Name the charset of strings that are not Unicode."""
    value = message.get(_INTERNET_CODEPAGE) or message.get(_CODEPAGE)
    number = int.from_bytes(value.content[:4], "little") if value else 1252
    if 28591 <= number <= 28606:
        return f"iso-8859-{number - 28590}"
    return _CODEPAGES.get(number, f"cp{number}")


def _string(value: _Value | None, label: str) -> str:
    if value is None:
        return ""
    content = bytes(value.content[:_TEXT_BYTES])
    text = content.decode("utf-16-le", "replace") if value.type == _UNICODE else decode(content, label)[0]
    return clean(text.rstrip("\x00"))


def _text(message: Mapping[int, _Value], label: str) -> str:
    """Give the text of the wrapped mail: plain, else HTML, else what Outlook's own RTF says."""
    for text in (_string(message.get(_TEXT), label), html_to_text(_string(message.get(_HTML), label))):
        if text.strip():
            return text.strip("\n")
    rtf = message.get(_RTF)
    return clean(written(unpacked(bytes(rtf.content), _TEXT_BYTES))).strip("\n") if rtf else ""


def _attachment(file: Mapping[int, _Value], label: str) -> Attachment:
    names = (one_line(_string(file.get(name), label)) for name in (_LONG_NAME, _NAME, _DISPLAY_NAME))
    name = next((each for each in names if each), None)
    value = file.get(_CONTENT) or _Value(_BINARY, memoryview(b""))
    content = value.content[_INTERFACE_BYTES if value.type == _OBJECT else 0 :]
    declared = one_line(_string(file.get(_MIME_TYPE), label)).lower()[:100] or "application/octet-stream"
    return Attachment(
        name and name[:_NAME_LENGTH], content_type(declared, bytes(content[:BEGINNING_BYTES])), len(content)
    )
