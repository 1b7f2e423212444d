"""What the writer says about being written to."""

import re
import unicodedata
from collections.abc import Iterable

from mailroom.triage.facts import Contact
from mailroom.triage.matching import Hit, outermost

# Our texts ask for these words in every language. They count alone on a line, with or without a case reference,
# so that "make him stop" silences nobody.
_PLAIN_WORDS: dict[str, Contact] = {"STOP": "none", "MORE": "ok"}
_REFERENCE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")
_SHORT = 60  # characters; a line that says only one word is not longer, whatever stands around it
_CAUTIOUS_FIRST: tuple[Contact, ...] = ("none", "unsafe", "ok")


def preference(hits: Iterable[Hit]) -> tuple[Contact | None, tuple[str, ...]]:
    """Give the most cautious wish that is in the text, with its words: "none" before "unsafe" before "ok"."""
    found = outermost(hits, "contact")
    for wish in _CAUTIOUS_FIRST:
        said = tuple(dict.fromkeys(hit.words for hit in found if hit.meaning.target == wish))
        if said:
            return wish, said
    return None, ()


def plain_word(text: str) -> tuple[Contact | None, str | None]:
    """Find STOP or MORE alone on a line; give the wish, the more cautious one first, and the word."""
    lines = {_bare(line) for line in text.splitlines() if len(line) < _SHORT}
    return next(((wish, word) for word, wish in _PLAIN_WORDS.items() if word in lines), (None, None))


def _bare(line: str) -> str:
    """Leave out the reference, punctuation and marks of direction around what a line says."""
    kept = (letter for letter in _REFERENCE.sub("", line.upper()) if unicodedata.category(letter)[0] not in "PCSZ")
    return "".join(kept)


def more_cautious(*wishes: Contact | None) -> Contact | None:
    """Pick the most cautious of several wishes: "none" before "unsafe" before "ok"."""
    return next((wish for wish in _CAUTIOUS_FIRST if wish in wishes), None)
