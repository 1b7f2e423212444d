"""What a stranger wrote, for a person's eyes: nothing in it can turn the order of letters or move a cursor.

Only what is shown goes through here; what is kept, sealed or printed as JSON stays as it came.

See Also:
    Directional formatting characters: UAX 9 section 2, https://www.unicode.org/reports/tr9/
    Why they are dangerous in names: UTR 36 section 2.6, https://www.unicode.org/reports/tr36/
"""

import unicodedata

# Embeddings, isolates and their ends; without them each line has the order that its letters have by themselves.
_DIRECTIONS = "\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
_MARKS = "\u061c\u200e\u200f"
_INVISIBLE = "\u00ad\u200b\u2060\ufeff"
_JOINERS = "\u200c\u200d"  # Persian, Hindi and emoji are spelled with them
_UNWANTED = dict.fromkeys(map(ord, _DIRECTIONS + _INVISIBLE))
_UNWANTED_IN_LINE = _UNWANTED | dict.fromkeys(map(ord, _MARKS))
_LINE_ENDS = dict.fromkeys(map(ord, "\u2028\u2029\x85"), "\n")
_INSTEAD = "\N{REPLACEMENT CHARACTER}"


def display_line(text: str) -> str:
    """Give a name, a subject or an address as one line. Overrides and controls are shown as U+FFFD.

    An override has no honest use there: it makes `annexe.exe` of letters that end in `jpg`.
    """
    return "".join(map(_visible, text.translate(_UNWANTED_IN_LINE)))


def display_text(text: str) -> str:
    """Give a text of several lines. Overrides and controls are shown as U+FFFD; line ends and tabs stay."""
    kept = {"\n", "\t", *_MARKS}
    plain = text.translate(_UNWANTED | _LINE_ENDS)
    return "".join(letter if letter in kept else _visible(letter) for letter in plain)


def isolated(line: str) -> str:
    """Put a line in isolates when it holds letters from right to left, so that what stands around it stays put."""
    if any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in line):
        return f"\N{FIRST STRONG ISOLATE}{line}\N{POP DIRECTIONAL ISOLATE}"
    return line


def _visible(letter: str) -> str:
    if letter.isprintable() or letter in _JOINERS:
        return letter
    return " " if unicodedata.category(letter) == "Zs" else _INSTEAD
