"""What the writer says about being written to."""

from collections.abc import Iterable

from mailroom.triage.facts import Contact
from mailroom.triage.matching import Hit, outermost

_CAUTIOUS_FIRST: tuple[Contact, ...] = ("none", "unsafe", "ok")


def preference(hits: Iterable[Hit]) -> tuple[Contact | None, tuple[str, ...]]:
    """Give the most cautious wish that is in the text, with its words: "none" before "unsafe" before "ok"."""
    found = outermost(hits, "contact")
    for wish in _CAUTIOUS_FIRST:
        said = tuple(dict.fromkeys(hit.words for hit in found if hit.meaning.target == wish))
        if said:
            return wish, said
    return None, ()
