"""Text in header fields: RFC 2047 encoded words, broken and whole, and raw 8-bit bytes.

Python's and mail-parser's decoders drop the bytes that do not fit the named charset, and give up on bad base64
and on blanks inside a word; this one loses no text.

See Also:
    RFC 2047, https://www.rfc-editor.org/rfc/rfc2047
"""

import binascii
import re

from mailroom.mail.charset import decode, is_utf8
from mailroom.mail.transfer import base64_bytes

# The closing "?=" may be missing at the end; the charset may carry a language (RFC 2231 section 5).
_WORD = re.compile(rb"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,40})?\?([bBqQ])\?(.*?)(?:\?=|\?$|$)", re.DOTALL)


def decode_words(value: bytes, label: str | None = None) -> tuple[str, bool]:
    """Decode a field value; give it with whether it was sound. `label`: the charset that raw 8-bit bytes may be in."""
    parts: list[str] = []
    sound = is_utf8(value)  # raw UTF-8 is allowed in a header (RFC 6532 section 3.2)
    position = 0
    for charset, run, start, end in _runs(value):
        between = value[position:start]
        # Blanks between two words are not text (RFC 2047 section 6.2); anything else is.
        if position == 0 or between.strip():
            parts.append(decode(between, label)[0])
        text, honest = decode(run, charset)
        parts.append(text)
        sound = sound and honest and value[end - 2 : end] == b"?="
        position = end
    parts.append(decode(value[position:], label)[0])
    return "".join(parts), sound


def _runs(value: bytes) -> list[tuple[str, bytes, int, int]]:
    """Find the words; neighbours in one charset become one run, because some mailers cut a character in two."""
    runs: list[tuple[str, bytes, int, int]] = []
    for match in _WORD.finditer(value):
        charset = match.group(1).decode("ascii", "replace").lower()
        content = _word(match.group(2), match.group(3))
        if runs and runs[-1][0] == charset and not value[runs[-1][3] : match.start()].strip():
            _, before, start, _ = runs.pop()
            runs.append((charset, before + content, start, match.end()))
        else:
            runs.append((charset, content, match.start(), match.end()))
    return runs


def _word(encoding: bytes, content: bytes) -> bytes:
    if encoding in b"bB":
        return base64_bytes(content)
    return binascii.a2b_qp(content, header=True)
