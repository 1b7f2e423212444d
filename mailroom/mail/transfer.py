"""Content-Transfer-Encoding, as leniently as people need it.

See Also:
    RFC 2045 section 6, https://www.rfc-editor.org/rfc/rfc2045#section-6
"""

import binascii
import re
import string

_ALPHABET = (string.ascii_letters + string.digits + "+/").encode()
_NOT_BASE64 = bytes(sorted(set(range(256)) - set(_ALPHABET)))
_NOT_PADDED = bytes(sorted(set(_NOT_BASE64) - {ord("=")}))
# Base64 has no blank inside a line, and no line without letters: that is prose, a footer that a gateway glued on.
_PROSE = re.compile(rb"^(?:[^\n]*?\S[ \t]+\S[^\n]*|[^A-Za-z0-9+/=\s]+[ \t\x0b\x0c]*)$", re.MULTILINE)
# No gateway writes a footer below so much: longer bodies are not searched for prose.
_PROSE_LIMIT = 3_000_000
_NEVER_IN_PROSE = _ALPHABET + b"=\n"
_BLANKS = b" \t\n\r\x0b\x0c"
_STEP = 65_536
# "Quoted printable" ends at its blank.
_MISSPELT = {"quoted": "quoted-printable", "quoted_printable": "quoted-printable", "base-64": "base64", "b64": "base64"}
# More than a mail of 25 MB has lines, should each have its own padding.
_MAX_PIECES = 400_000


def encoding_named(value: str) -> str:
    """Give the name of a transfer encoding in lower case, without comments and parameters, in its one spelling."""
    match = re.match(r"\s*\"?([\w-]+)", value)
    name = match.group(1).lower() if match else ""
    return _MISSPELT.get(name, name)


def decoded(body: bytes, encoding: str) -> tuple[bytes, bool]:
    """Undo a transfer encoding; give the bytes with whether the encoding was sound. Never raises."""
    if encoding == "base64":
        return _base64(body)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body), not re.search(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*$)", body)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        return _uuencode(body), True
    return body, True


def decoded_size(content: bytes, start: int, end: int, encoding: str) -> int:
    """Count the bytes that content[start:end] decodes to, a step at a time, keeping none of them."""
    if encoding == "base64":
        steps = range(start, end, _STEP)
        letters = sum(len(content[i : min(i + _STEP, end)].translate(None, _NOT_BASE64)) for i in steps)
        return letters * 3 // 4
    if encoding in {"", "7bit", "8bit", "binary"}:
        return end - start
    return len(decoded(content[start:end], encoding)[0])


def base64_bytes(code: bytes) -> bytes:
    """Decode base64 with anything in it: strange bytes skipped, padding wrong, missing or in the middle."""
    *pieces, rest = re.split(rb"=+", code.translate(None, _NOT_PADDED), maxsplit=_MAX_PIECES)
    return b"".join(map(_piece, [*pieces, rest.replace(b"=", b"")]))


def _base64(body: bytes) -> tuple[bytes, bool]:
    """Decode what is base64 in a body. A list of its lines would take thirty times their bytes, so none is made."""
    text = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    mixed = len(text) <= _PROSE_LIMIT and text.translate(None, _NEVER_IN_PROSE)
    prose = _PROSE.findall(text) if mixed else []
    if len(prose) * 2 > text.count(b"\n") + (not text.endswith(b"\n")):
        return body, False
    if prose:
        return base64_bytes(_PROSE.sub(b"", text)) + b"\n" + b"\n".join(prose), False
    try:
        return binascii.a2b_base64(text.translate(None, _BLANKS), strict_mode=True), True
    except binascii.Error:
        return base64_bytes(text), False


def _piece(code: bytes) -> bytes:
    """Decode one run of base64 letters; a single letter left over says nothing and is dropped."""
    whole = code[:-1] if len(code) % 4 == 1 else code
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _uuencode(body: bytes) -> bytes:
    begin = re.search(rb"^begin [0-7]{3,4} .*$", body, re.MULTILINE)
    end = re.search(rb"^end\s*$", body, re.MULTILINE)
    code = body[begin.end() if begin else 0 : end.start() if end else len(body)]
    return b"".join(_uu_line(line) for line in code.splitlines() if line)


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        return b""
