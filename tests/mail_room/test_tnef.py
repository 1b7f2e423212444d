"""What Outlook wraps comes out, and no bytes keep us busy."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.mail.message import Attachment
from mailroom.mail.rtf import unpacked, written
from mailroom.mail.tnef import read_tnef

SIGNATURE = struct.pack("<IH", 0x223E9F78, 1)
PDF = b"%PDF-1.4\n"


def attribute(level: int, name: int, content: bytes) -> bytes:
    return struct.pack("<BII", level, name, len(content)) + content + b"\x00\x00"


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)


def prop(kind: int, name: int, content: bytes) -> bytes:
    fixed = kind in {2, 3, 0x0B}
    return struct.pack("<HH", kind, name) + (b"" if fixed else struct.pack("<II", 1, len(content))) + padded(content)


def props(*each: bytes) -> bytes:
    return struct.pack("<I", len(each)) + b"".join(each)


def message(*each: bytes) -> bytes:
    return SIGNATURE + attribute(1, 0x69003, props(*each))


def file(*each: bytes) -> bytes:
    return attribute(2, 0x69002, bytes(14)) + attribute(2, 0x69005, props(*each))


def text_of(content: bytes) -> str | None:
    wrapped = read_tnef(content)
    return wrapped.text if wrapped else None


def test_text_is_plain_or_html_or_rtf_in_its_own_charset() -> None:
    assert text_of(message(prop(0x1F, 0x1000, "für dich\r\n\0".encode("utf-16-le")))) == "für dich"
    page = prop(3, 0x3FDE, struct.pack("<I", 1251)) + prop(0x102, 0x1013, "<p>привет</p>".encode("cp1251"))
    assert text_of(SIGNATURE + attribute(1, 0x69003, struct.pack("<I", 2) + page)) == "привет"
    rtf = b"".join((struct.pack("<IIII", 0, 0, 0x414C454D, 0), rb"{\rtf1\ansi caf\'e9\par two}"))
    assert text_of(message(prop(0x102, 0x1009, rtf))) == "café\ntwo"
    assert (
        text_of(SIGNATURE + attribute(1, 0x69007, b"\xe3\x04\0\0") + attribute(1, 0x2800C, b"\xea\xf2\xee\0")) == "кто"
    )


def test_files_have_their_long_name_and_the_type_of_their_bytes() -> None:
    short = attribute(2, 0x69002, b"") + attribute(2, 0x18010, b"A~1.PDF\0") + attribute(2, 0x6800F, PDF)
    long = file(prop(0x1F, 0x3707, "für.pdf\0".encode("utf-16-le")), prop(0x0D, 0x3701, bytes(16) + PDF))
    wrapped = read_tnef(SIGNATURE + short + long + file())
    assert wrapped is not None
    assert wrapped.attachments == (
        Attachment("A~1.PDF", "application/pdf", 9),
        Attachment("für.pdf", "application/pdf", 9),
        Attachment(None, "application/octet-stream", 0),
    )


def test_a_named_and_a_manifold_property_are_stepped_over() -> None:
    named = struct.pack("<HH", 0x1E, 0x8001) + bytes(16) + struct.pack("<II", 1, 5) + padded(b"a\0b\0c")
    many = struct.pack("<HHIII", 0x1002, 0x1234, 2, 1, 2)
    named += struct.pack("<II", 1, 2) + padded(b"x\0")
    assert text_of(message(named, many, prop(0x1E, 0x1000, b"words\0"))) == "words"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no TNEF",
        SIGNATURE,
        SIGNATURE + bytes(10_000),
        SIGNATURE + attribute(1, 0x69003, b"\xff\xff\xff\xff" + bytes(7)),
        SIGNATURE + attribute(1, 0x69003, b"\xff\xff\xff\xff" + struct.pack("<HHI", 0x1003, 0x1000, 0xFFFFFFFF)),
        SIGNATURE + struct.pack("<BII", 1, 0x2800C, 0xFFFFFFFF),
        SIGNATURE + attribute(3, 0x2800C, b"junk"),
    ],
)
def test_counts_that_lie_cost_nothing(content: bytes) -> None:
    assert read_tnef(content) is None


def test_a_wrapper_in_a_million_pieces_is_read_once() -> None:
    content = SIGNATURE + attribute(1, 0x2800C, b"x") * 200_000 + attribute(2, 0x69002, b"") * 200_000
    wrapped = read_tnef(content)
    assert wrapped is not None
    assert (wrapped.text, len(wrapped.attachments)) == ("x", 1000)


PIECES = [
    SIGNATURE, b"\x01", b"\x02", b"\x03\x90\x06\x00", b"\x05\x90\x06\x00", b"\x02\x90\x06\x00", b"\x1e\x00",
    b"\x1f\x00", b"\x02\x01\x09\x10", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"LZFu", b"{\\rtf1", b"\\u-1?",
    b"\\'", b"{\\*\\htmltag",
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8))).map(b"".join))
@settings(deadline=None)
def test_any_bytes_can_be_a_wrapper(content: bytes) -> None:
    for each in (content, SIGNATURE + content, message(prop(0x102, 0x1009, content))):
        wrapped = read_tnef(each)
        if wrapped:
            str(wrapped).encode()


@given(st.binary(max_size=400), st.integers(0, 300))
@settings(deadline=None)
def test_packed_rtf_never_grows_over_its_limit(content: bytes, limit: int) -> None:
    packed = struct.pack("<IIII", 0, 0, 0x75465A4C, 0) + content
    assert len(unpacked(packed, limit)) <= limit
    written(unpacked(packed, limit)).encode()


def test_rtf_is_unpacked_from_its_window() -> None:
    # Flags: a byte, then a place (the first of the window) and a length of 6 + 2, then the end.
    packed = struct.pack("<IIII", 0, 0, 0x75465A4C, 0) + b"\x06x" + bytes([0, 6]) + struct.pack(">H", (207 + 9) << 4)
    assert unpacked(packed, 100) == rb"x{\rtf1\a"
    # What was written can be repeated, even beyond its own end.
    again = struct.pack("<IIII", 0, 0, 0x75465A4C, 0) + b"\x04ab" + struct.pack(">H", 207 << 4 | 3)
    assert unpacked(again, 100) == b"abababa"


def test_html_inside_rtf_is_shown_and_its_twin_is_not() -> None:
    rtf = rb"{\rtf1\ansi\fromhtml1{\*\htmltag <p>}\htmlrtf \b twin\htmlrtf0 seen{\*\htmltag </p>}{\*\other not}}"
    assert written(rtf) == "seen"
    assert written(rb"{\rtf1{\fonttbl Arial;}\uc2\u8364 ab!\u-10179??\u-8670?? \{x\}\~y}") == "€!😢 {x}\xa0y"
