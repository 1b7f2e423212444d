"""The valid value that a misspelt one was meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(value: str, valid: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Find the valid value most like this one, capital or not; None when none is like it.

    `cutoff` is how like it must be: 0 takes any, 1 only the same.
    """
    spelled = {name.casefold(): name for name in sorted(valid)}
    return next((spelled[name] for name in get_close_matches(value.casefold(), spelled, n=1, cutoff=cutoff)), None)
