"""A file is called what its bytes are, when they say so; and nothing is unpacked for it."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.mail.filetype import BEGINNING_BYTES, content_type

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"


def zipped(*names: str, first: str = "") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, first)
    return packed.getvalue()[:BEGINNING_BYTES]


WORD = zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml")
PROGRAM = b"MZ" + bytes(58) + b"\x80\x00\x00\x00" + bytes(100)
MP4 = b"\x00\x00\x00\x20ftypisom" + bytes(20)


@pytest.mark.parametrize(
    ("declared", "content", "kind"),
    [
        ("application/octet-stream", b"\x89PNG\r\n\x1a\n" + bytes(8), "image/png"),
        ("image/jpeg", PROGRAM, "application/vnd.microsoft.portable-executable"),
        ("image/jpg", b"\xff\xd8\xff\xe0" + bytes(8), "image/jpeg"),
        ("application/pdf", b"%PDF-1.7\n", "application/pdf"),
        ("text/plain", b"%PDF-1.7 is what his file began with", "text/plain"),
        ("text/plain", b"%PDF-1.7\n\x00\x01", "application/pdf"),
        ("text/plain", b"MZ is a market here", "text/plain"),
        ("application/octet-stream", b"MZ is a market here", "application/octet-stream"),
        ("application/octet-stream", b"BM is short", "application/octet-stream"),
        ("image/heic", b"\x00\x00\x00\x18ftypheic" + bytes(20), "image/heic"),
        ("application/octet-stream", b"\x00\x00\x00\x18ftypmif1" + bytes(20), "image/heic"),
        ("audio/x-m4a", MP4, "audio/x-m4a"),
        ("application/octet-stream", MP4, "video/mp4"),
        ("audio/ogg", b"OggS\x00", "audio/ogg"),
        ("application/octet-stream", b"RIFF....WEBPVP8 ", "image/webp"),
        ("video/webm", b"\x1aE\xdf\xa3" + bytes(8), "video/webm"),
        (DOCX, WORD, DOCX),
        ("application/octet-stream", WORD, DOCX),
        ("application/octet-stream", zipped("mimetype", first=ODT), ODT),
        ("application/x-zip-compressed", zipped("a.txt"), "application/zip"),
        ("application/tlsrpt+gzip", b"\x1f\x8b\x08", "application/tlsrpt+gzip"),
        ("image/png", b"\x1f\x8b\x08", "application/gzip"),
        ("image/png", zipped("a.txt"), "application/zip"),
        ("application/vnd.ms-excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/vnd.ms-excel"),
        ("application/octet-stream", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        ("application/octet-stream", b"words", "application/octet-stream"),
        ("image/png", b"", "image/png"),
    ],
)
def test_a_file_is_called_what_its_first_bytes_are(declared: str, content: bytes, kind: str) -> None:
    assert content_type(declared, content) == kind


@given(st.binary(max_size=200), st.sampled_from(["image/png", "text/plain", "application/octet-stream"]))
def test_bytes_that_say_nothing_keep_what_was_declared(content: bytes, declared: str) -> None:
    # No sign begins with this byte, and none is looked for where four bytes before it are letters of that kind.
    assert content_type(declared, b"\x02\x02\x02\x02\x02" + content) == declared
