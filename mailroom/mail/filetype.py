"""What a file is by its first bytes, because the sender's word for it may be a lie, or nothing.

Only the kinds that people and attackers send are known; all else keeps the type that was declared. Nothing is
unpacked: of a zip the names of its first entries are read where they lie in clear.

See Also:
    https://mimesniff.spec.whatwg.org/ and the format of zip, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import re
from typing import NamedTuple

# Enough for every sign below, and little enough to be decoded for each of a thousand attachments.
BEGINNING_BYTES = 4096


class _Sign(NamedTuple):
    """What the bytes at `place` say: a type, and the declared types that are the same thing or a kind of it."""

    place: int
    sign: re.Pattern[bytes]
    type: str
    agrees: str = ""


def _sign(sign: bytes, kind: str, agrees: str = "", place: int = 0) -> _Sign:
    return _Sign(place, re.compile(sign, re.DOTALL), kind, agrees)


_MP4 = r"(audio|video)/(x-)?(mp4|m4a|m4v|3gpp2?|quicktime)(-.*)?"
_OGG = r"(audio|video|application)/(x-)?(ogg|opus|vorbis|speex|theora)"
_EBML = r"(audio|video|application)/(x-)?(matroska|webm)"
_OLE = r"application/(msword|msexcel|mspowerpoint|vnd\.(ms-|visio).*|x-(msi|ole|cdf|hwp|tika).*|cdfv2.*|haansofthwp)"
_PROGRAM = "application/vnd.microsoft.portable-executable"
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_ZIPPED = (
    r"application/(vnd\.openxmlformats.*|vnd\.ms-.*|vnd\.oasis\..*|vnd\.sun\.xml\..*|vnd\.android\..*|vnd\.apple\..*"
    r"|vnd\.google-earth\.kmz|epub\+zip|(x-)?java-archive|.*\+zip)"
)
# A type such as application/tlsrpt+gzip says more exactly what is packed (RFC 8460 section 6.4).
_GZIPPED = r"application/(x-(gzip|gtar|tgz|compressed-tar|gtar-compressed)|[\w.-]+\+gzip)"
_SIGNS = (
    _sign(rb"\x89PNG\r\n\x1a\n", "image/png", "image/(apng|vnd.mozilla.apng)"),
    _sign(rb"\xff\xd8\xff", "image/jpeg"),
    _sign(rb"GIF8[79]a", "image/gif"),
    _sign(rb"RIFF.{4}WEBP", "image/webp"),
    _sign(rb"RIFF.{4}WAVE", "audio/wav", r"audio/(x-|vnd\.)?wave?"),
    _sign(rb"RIFF.{4}AVI ", "video/x-msvideo", "video/(avi|vnd.avi)"),
    _sign(rb"(II\*\x00|MM\x00\*)", "image/tiff", "image/.*"),
    _sign(rb"BM.{4}\x00{4}.{4}[\x0c-\x7c]\x00{3}", "image/bmp", "image/x-(ms-)?bmp"),
    _sign(rb"ftyp(hei[cfmsx]|hev[cmsx]|mif1|msf1)", "image/heic", "image/hei[cf](-sequence)?", 4),
    _sign(rb"ftypavi[fs]", "image/avif", "", 4),
    _sign(rb"ftyp(M4A |M4B )", "audio/mp4", _MP4, 4),
    _sign(rb"ftypqt  ", "video/quicktime", _MP4, 4),
    _sign(rb"ftyp3g", "video/3gpp", _MP4, 4),
    _sign(rb"ftyp[\x20-\x7e]{4}", "video/mp4", _MP4, 4),
    _sign(rb"#!AMR(-WB)?\n", "audio/amr", "audio/(x-)?amr(-wb)?"),
    _sign(rb"OggS\x00", "application/ogg", _OGG),
    _sign(rb"ID3[\x02-\x04].{6}", "audio/mpeg", "audio/(x-)?(mp3|mpeg3?|mpg)"),
    _sign(rb"fLaC\x00", "audio/flac", "audio/x-flac"),
    _sign(rb"\x1aE\xdf\xa3", "video/x-matroska", _EBML),
    _sign(rb"%PDF-\d", "application/pdf"),
    _sign(rb"\{\\rtf\d", "application/rtf", "text/(rtf|richtext)"),
    _sign(rb"Rar!\x1a\x07", "application/vnd.rar", r"application/(x-)?rar(-compressed)?"),
    _sign(rb"7z\xbc\xaf'\x1c", "application/x-7z-compressed"),
    _sign(rb"\x1f\x8b\x08", "application/gzip", _GZIPPED),
    _sign(rb"BZh[1-9]1AY&SY", "application/x-bzip2", "application/(x-)?bzip2?"),
    _sign(rb"\xfd7zXZ\x00", "application/x-xz"),
    _sign(rb"(PK\x03\x04|PK\x05\x06)", "application/zip", _ZIPPED),
    _sign(rb"MSCF\x00{4}", "application/vnd.ms-cab-compressed"),
    _sign(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage", _OLE),
    _sign(rb"MZ.{58}.{2}[\x00-\x0f]\x00", _PROGRAM, "application/(x-(ms)?dos(-program|download|exec)|x-msdownload)"),
    _sign(rb"\x7fELF[\x01\x02]", "application/x-executable", "application/x-(sharedlib|pie-executable|elf)"),
    _sign(rb"L\x00{3}\x01\x14\x02\x00", "application/x-ms-shortcut"),
    _sign(rb"\x78\x9f\x3e\x22", "application/ms-tnef", "application/vnd.ms-tnef"),
    _sign(rb"SQLite format 3\x00", "application/vnd.sqlite3"),
)
_MIMETYPE = re.compile(rb"PK\x03\x04.{26}mimetype(?:.{0,64}?)(application/[a-z0-9.+-]{1,80})", re.DOTALL)
_OPEN_XML_PARTS = (
    (b"word/", _OPEN_XML + "wordprocessingml.document"),
    (b"xl/", _OPEN_XML + "spreadsheetml.sheet"),
    (b"ppt/", _OPEN_XML + "presentationml.presentation"),
)


def content_type(declared: str, beginning: bytes) -> str:
    """Give the media type of a file: what its first BEGINNING_BYTES show, else what was declared.

    A declared type that names the same more exactly is kept (a docx is a zip), and so is that of a text which
    only begins like something else: a text holds no NUL.
    """
    found = next((each for each in _SIGNS if each.sign.match(beginning, each.place)), None)
    if found is None or re.fullmatch(found.agrees, declared):
        return declared
    if declared.startswith("text/") and b"\x00" not in beginning:
        return declared
    return _zipped(beginning) if found.type == "application/zip" else found.type


def _zipped(beginning: bytes) -> str:
    """Tell an office document from any other zip: it names its type, or its first entries do."""
    named = _MIMETYPE.match(beginning)
    if named:
        return named[1].decode("ascii")
    if b"[Content_Types].xml" not in beginning and b"_rels/.rels" not in beginning:
        return "application/zip"
    return next((kind for folder, kind in _OPEN_XML_PARTS if folder in beginning), "application/zip")
