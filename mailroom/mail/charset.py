"""Bytes to text, when the label may be missing, wrong or a lie: no text is ever lost to it.

Order: byte order mark; escape sequences of ISO 2022; UTF-8 where the bytes can hardly be anything else; the
label; the label or UTF-8 with a few damaged bytes; what charset-normalizer finds; windows-1252.

What a label means is told in `labels`.
"""

import codecs
import re
from collections.abc import Iterator

from charset_normalizer import from_bytes

from mailroom.mail.japanese import decode_windows_jp
from mailroom.mail.labels import codec_named, on_windows

_MULTIBYTE = {"gb18030", "big5hkscs", "cp949", "cp932", "euc_jp", "hz", "johab"}
# These are pure ASCII on the wire: there the label alone decides.
_SEVEN_BIT = {
    "utf-7",
    "hz",
    "iso2022_jp_ext",
    "iso2022_jp_1",
    "iso2022_jp_2",
    "iso2022_jp_3",
    "iso2022_jp_2004",
    "iso2022_kr",
}
_WIDE = {"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_JAPANESE = re.compile(rb"\x1b(?:\$[@B]|\$\([@BDOPQ]|\([BIJ])")
_KOREAN = re.compile(rb"\x1b\$\)C")
# What an unlabelled mail may be in; the shorter this list, the surer and faster the guess.
_PLAUSIBLE = [
    "cp1252", "cp1250", "cp1251", "koi8_u", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874",
    "iso8859_2", "gb18030", "big5hkscs", "cp932", "euc_jp", "cp949", "utf_16",
    "iso8859_5", "iso8859_6", "cp866", "mac_cyrillic",
]  # fmt: skip
_SAMPLE = 16_384
_WESTERN = set("àáâãäåæçèéêëìíîïñòóôõöøùúûüßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜ«»‘’‚“”„–—…€°ºª¿¡·§\xa0")
_HIGH = re.compile(rb"[\x80-\xff]+")
# Letters of Hebrew; as Cyrillic they read as small letters without any of the last five, and four rare ones abound.
_HEBREW = bytes(range(0xE0, 0xFB))
_COMMON_HEBREW = "יורשת".encode("cp1255")
# Chinese or Korean text of this many bytes above ASCII is valid UTF-8 by accident less than once in a million.
_SURELY_UTF8 = 16
_SURROGATE = re.compile("[\ud800-\udfff]")
_AS_WINDOWS = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}
_CONTROL = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t\r\x85"}


def decode(content: bytes, label: str | None) -> tuple[str, bool]:
    """Turn bytes into text; give it with whether the label told the truth.

    A missing label is the truth for ASCII and UTF-8. The text holds no surrogates, so it can always be
    encoded again. Never raises.
    """
    codec = codec_named(label)
    for guess in _guesses(content, codec):
        text = _strictly(content, guess)
        if text is not None:
            return text, _is_honest(guess, codec, label) or (guess == "utf-8" and content.isascii())
    return _roughly(content, codec), False


def is_utf8(content: bytes) -> bool:
    """Tell whether bytes are sound UTF-8."""
    return _strictly(content, "utf-8") is not None


def clean(text: str) -> str:
    """Make every line end a LF and drop NUL and all other controls but the tab."""
    return re.sub("\r\n?|\x85", "\n", text).translate(_CONTROL).removeprefix("\ufeff")


def one_line(text: str) -> str:
    """Make one line of it: line ends and tabs become one space, other controls go; the ends are stripped."""
    return re.sub(r"[\r\n\t\x0b\x0c\x85\u2028\u2029]+", " ", text).translate(_CONTROL).strip()


def _is_honest(guess: str, codec: str | None, label: str | None) -> bool:
    if codec is None:
        return guess in {"utf-8", "utf-8-sig"} and not label
    # utf-8-sig is utf-8 with a mark, utf-16-le is utf-16 without one.
    return guess.startswith(codec) or codec.startswith(guess)


def _guesses(content: bytes, codec: str | None) -> Iterator[str]:
    """Name the codecs to try strictly, surest first."""
    yield from (name for mark, name in _MARKS if content.startswith(mark))
    if _JAPANESE.search(content):
        yield "iso2022_jp_ext"
    if _KOREAN.search(content):
        yield "iso2022_kr"
    if codec in _WIDE:
        yield from _wide(content, codec)
        codec = None
    if codec in _MULTIBYTE and _above_ascii(content) < _SURELY_UTF8:
        yield str(codec)
    if codec not in _SEVEN_BIT or not content.isascii():
        yield "utf-8"
    windows = on_windows(codec, content)
    yield from (guess for guess in (windows, codec) if guess)


def _wide(content: bytes, codec: str) -> Iterator[str]:
    """Believe a 16 or 32 bit label only with zero bytes; without a mark they tell the byte order (RFC 2781 4.3)."""
    even, odd = content[0::2].count(0), content[1::2].count(0)
    if codec == "utf-16" and even + odd:
        yield "utf-16-le" if odd > even else "utf-16-be"
    elif even + odd or not content.isascii():
        yield codec


def _above_ascii(content: bytes) -> int:
    return len(content) - len(content.translate(None, bytes(range(0x80, 0x100))))


def _strictly(content: bytes, codec: str) -> str | None:
    try:
        text = content.decode(codec)
    except (LookupError, ValueError):
        return _japanese(content) if codec == "iso2022_jp_ext" else None
    # Some codecs (UTF-7 for one) make lone surrogates, which no output can carry.
    return None if _SURROGATE.search(text) else text


def _japanese(content: bytes) -> str | None:
    try:
        return decode_windows_jp(content)
    except ValueError:
        return None


def _roughly(content: bytes, codec: str | None) -> str:
    """Decode what is right nowhere: nearly as labelled, nearly UTF-8, as detected, or as windows-1252."""
    paired = _with_paired_halves(content) if codec in {None, "utf-8"} else None
    if paired is not None:
        return paired
    for guess in filter(None, (codec, "utf-8")):
        text = _repaired(content, guess)
        if text is not None:
            return text
    found = likely_charset(content)
    text = _strictly(content, found) if found else None
    return text if text is not None else _repaired(content, "cp1252", tolerated=1.0) or ""


def _with_paired_halves(content: bytes) -> str | None:
    """Decode CESU-8: UTF-8 in which an emoji is two halves of three bytes each, as old Java programs write it."""
    if b"\xed" not in content:
        return None
    try:
        halves = content.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
        return halves.decode("utf-16-le")
    except ValueError:
        return None


def _repaired(content: bytes, codec: str, tolerated: float = 0.1) -> str | None:
    """Decode, reading the few bytes that do not fit as windows-1252; None when they are not few."""
    try:
        text = content.decode(codec, "surrogateescape")
    except (LookupError, ValueError):
        return None
    strange = sum(1 for char in text if char > "\x7f")
    if len(_SURROGATE.findall(text)) > tolerated * strange:
        return None
    return _SURROGATE.sub("\ufffd", text.translate(_AS_WINDOWS))


def likely_charset(content: bytes) -> str | None:
    """Guess the charset of bytes that are no UTF-8: charset-normalizer looks at their beginning, cut between lines.

    It finds other scripts well, but takes a short Western text for Chinese. So where bytes above ASCII stand
    alone between letters, as accents do, and all are Western letters, the text is Western.
    """
    sample = content[:_SAMPLE]
    if len(content) > _SAMPLE and b"\n" in sample:
        sample = sample[: sample.rindex(b"\n")]
    runs = _HIGH.findall(sample)
    high = sum(map(len, runs))
    accents = 2 * high < 3 * len(runs) and 3 * high < len(sample)
    if accents and _WESTERN.issuperset(b"".join(runs).decode("cp1252", "replace")):
        return "cp1252"
    if _is_hebrew(b"".join(runs)):
        return "cp1255"
    best = from_bytes(sample, cp_isolation=_PLAUSIBLE).best()
    return best.encoding if best else None


def _is_hebrew(high: bytes) -> bool:
    """Tell Hebrew from Cyrillic, for which charset-normalizer takes it; `high` are the bytes above ASCII."""
    common = len(high) - len(high.translate(None, _COMMON_HEBREW))
    return len(high) >= 20 and not high.translate(None, _HEBREW) and 100 * common > 25 * len(high)
