"""Charset labels: what mailers call an encoding, and what Python calls the one that they really send.

See Also:
    Labels mean what browsers make of them, e.g. latin-1 is windows-1252: https://encoding.spec.whatwg.org/#names-and-labels
"""

import codecs
import re

# Names that Python does not know, by the pattern that they have once "x-" is gone.
_SPELLINGS = (
    (re.compile(r"(?:cp|win|windows|ms|ibm|dos)[-_]?((?:125|8\d)\d|437|866|874|932|936|949|950)"), r"cp\1"),
    (re.compile(r"(?:cp50220|cp50221|iso-2022-jp-ms|csiso2022jp)"), "iso2022_jp"),
    (re.compile(r"windows-31j|cswindows31j|ms_kanji|mac-?japanese"), "cp932"),
    (re.compile(r"koi8|koi8-ru|koi8_u"), "koi8_u"),
    (re.compile(r"iso-ir-111|ecma-cyrillic"), "koi8_r"),
    (re.compile(r"chinesegb|gb_2312-80|gb-?2312-?80|mac-?chinesesimp"), "gb18030"),
    (re.compile(r"mac-?chinesetrad|cn-big5|big5-eten"), "big5hkscs"),
    (re.compile(r"mac-?korean|ks_c_5601-\d{4}|ksc5601"), "cp949"),
    (re.compile(r"mac-ce|mac-?centraleurroman"), "mac_latin2"),
    (re.compile(r"mac-ukrainian"), "mac_cyrillic"),
    (re.compile(r"utf-?8mb[34]|cesu-8|unicode-utf-8"), "utf-8"),
    (re.compile(r"(?:windows-)?latin-?1.{0,30}|iso-8859-1-windows.{0,30}"), "cp1252"),
    (re.compile(r"iso-8859-8-[ei]"), "iso8859-8"),
)
# A label is widened to the superset that mailers really send under it.
_WIDER = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp950": "big5hkscs",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso2022_jp": "iso2022_jp_ext",
    "koi8-r": "koi8-u",
}
# With bytes from 80 to 9F it is not ISO, where they are controls, but what Windows has under the same name.
_ON_WINDOWS = {
    "iso8859-2": "cp1250",
    "iso8859-4": "cp1257",
    "iso8859-5": "cp1251",
    "iso8859-6": "cp1256",
    "iso8859-7": "cp1253",
    "iso8859-8": "cp1255",
    "iso8859-13": "cp1257",
    "iso8859-15": "cp1252",
}
# Python calls these encodings; as the label of a mail they are junk, and some are slow on hostile input.
_NOT_FOR_MAIL = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"}


def codec_named(label: str | None) -> str | None:
    """Name Python's codec for a label; None for no label, US-ASCII, and a name nobody knows."""
    match = re.search(r"[A-Za-z0-9][\w.:-]{0,40}", (label or "").lower().removeprefix("charset="), re.ASCII)
    if not match:
        return None
    name = re.sub(r"^(x-|unicode-1-1-)", "", match.group())
    spelled = ((pattern.fullmatch(name), codec) for pattern, codec in _SPELLINGS)
    name = next((found.expand(codec) for found, codec in spelled if found), name)
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    if found == "ascii" or found in _NOT_FOR_MAIL:
        return None
    return _WIDER.get(found, found)


def on_windows(codec: str | None, content: bytes) -> str | None:
    """Name the Windows code page that `content` is really in when it is labelled with an ISO 8859 one, or None."""
    windows = _ON_WINDOWS.get(codec or "")
    return windows if windows and re.search(rb"[\x80-\x9f]", content) else None
