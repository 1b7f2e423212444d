"""Bare addresses of header fields, as Python reads them, but never of a field that is built to break its reader.

Python's reader calls itself for every comment in a comment and every group in a group, and copies its list for every
member of a group: a field of 64 KB would end it, one of a megabyte would keep it for minutes.
"""

from collections.abc import Iterable
from email.utils import getaddresses

_LONGEST = 8000
_DEEPEST = 100


def addresses(values: Iterable[str]) -> list[str]:
    """Give the bare addresses in these field values; none of a value that is too long or nests too much."""
    sound = [value for value in values if len(value) <= _LONGEST and value.count("(") + value.count(":") <= _DEEPEST]
    return [address for value in sound for _, address in getaddresses([value])]
