"""ISO-2022-JP as Windows and phones write it: with the characters that only Microsoft's tables have.

Python's codecs stop at the first circled number or at the name 髙, which Outlook sends under the label
iso-2022-jp all the same.

See Also:
    https://encoding.spec.whatwg.org/#iso-2022-jp, and RFC 1468, https://www.rfc-editor.org/rfc/rfc1468
"""

import re

_ESCAPE = re.compile(rb"\x1b(\$\(?[@B]|\$\([DOPQ]|\([BIJ])")
_TWO_BYTES = {b"$@", b"$B", b"$(@", b"$(B"}


def decode_windows_jp(content: bytes) -> str:
    """Decode ISO-2022-JP with Microsoft's additions (code page 50221).

    Raises:
        UnicodeDecodeError: it is none.
    """
    first, *rest = _ESCAPE.split(content)
    return first.decode("ascii") + "".join(map(_run, rest[0::2], rest[1::2]))


def _run(escape: bytes, run: bytes) -> str:
    """Decode the bytes that stand after one escape sequence."""
    if escape in _TWO_BYTES:
        return _shift_jis(run).decode("cp932")
    if escape in {b"(B", b"(J"}:
        return run.decode("ascii")
    return (b"\x1b" + escape + run + b"\x1b(B").decode("iso2022_jp_ext")


def _shift_jis(run: bytes) -> bytes:
    """Write pairs of JIS bytes as Shift JIS, the form in which Python has Microsoft's table."""
    pairs = zip(run[0::2], run[1::2], strict=False)
    return b"".join(_pair(row, cell) for row, cell in pairs) + (b"\xff" if len(run) % 2 else b"")


def _pair(row: int, cell: int) -> bytes:
    lead = (row - 0x21 >> 1) + 0x81
    odd = 0x1F if cell <= 0x5F else 0x20
    return bytes([(lead + (0x40 if lead > 0x9F else 0)) & 0xFF, (cell + (odd if row % 2 else 0x7E)) & 0xFF])
