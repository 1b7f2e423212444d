"""text/plain; format=flowed: lines that end in a blank go on in the next.

See Also:
    RFC 3676 section 4, https://www.rfc-editor.org/rfc/rfc3676#section-4
"""

import re

_QUOTE = re.compile(">*")
_SIGNATURE = "-- "


def unflow(text: str, *, delsp: bool = False) -> str:
    """Put flowed paragraphs back together; a quoted one becomes one line after "> ". `delsp`: DelSp=yes."""
    paragraphs: list[tuple[int, list[str]]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        depth, words = _parsed(line)
        flows = words.endswith(" ") and words != _SIGNATURE
        kept = words[:-1] if flows and delsp else words
        if open_depth == depth and words != _SIGNATURE:
            paragraphs[-1][1].append(kept)
        else:
            paragraphs.append((depth, [kept]))
        open_depth = depth if flows else None
    return "\n".join(_quoted(depth, "".join(lines)) for depth, lines in paragraphs)


def _parsed(line: str) -> tuple[int, str]:
    """Give the quote depth and the words without the one stuffed blank (section 4.4)."""
    marks = _QUOTE.match(line)
    depth = marks.end() if marks else 0
    return depth, line[depth:].removeprefix(" ")


def _quoted(depth: int, line: str) -> str:
    return f"{'>' * depth} {line}" if depth else line
