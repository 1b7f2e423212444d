"""The danger screen: words that must reach the keeper at once and put the emergency lines first.

High recall on purpose: "he did not hit me" raises the flag too. A flag never stops a message.
"""

from collections.abc import Iterable

from mailroom.triage.matching import Hit

Raised = tuple[tuple[str, tuple[str, ...]], ...]


def flags(hits: Iterable[Hit]) -> Raised:
    """Give each flag that is raised with the words that raised it, sorted by flag."""
    found: dict[str, list[str]] = {}
    for hit in hits:
        flag = hit.meaning.target if hit.meaning.kind == "danger" else hit.meaning.flag
        if flag is not None:
            found.setdefault(flag, []).append(hit.words)
    return tuple((flag, tuple(dict.fromkeys(found[flag]))) for flag in sorted(found))


def merged(*raised: Raised) -> Raised:
    """Put flags that were raised by different evidence together, each once, sorted by flag."""
    found: dict[str, list[str]] = {}
    for flag, words in (pair for each in raised for pair in each):
        found.setdefault(flag, []).extend(words)
    return tuple((flag, tuple(dict.fromkeys(found[flag]))) for flag in sorted(found))
