"""Twice as much of a mail is about twice the work, counted in calls of Python: they do not depend on the machine.

What loops inside one call, patterns above all, is held by test_worker.py: there nothing may last for seconds.
"""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType

import pytest

from fuzz.targets import attacked_reader
from mailroom.mail.message import Arrival, RawMail
from mailroom.mail.transfer import decoded
from tests.hostile.structures import many_parts, nested_mails, nested_multiparts

_RELATED = b"Content-Type: multipart/related; boundary=c\r\n\r\n--c\r\n\r\n--c\r\n\r\n--c--"


def calls(content: bytes) -> int:
    """Count the calls that it takes to open a mail."""
    count = 0

    def counted(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    raw = RawMail(Arrival("INBOX", 1, 1, len(content)), content)
    reader = attacked_reader()
    reader.open(raw)  # what is made once is made now
    sys.setprofile(counted)
    try:
        reader.open(raw)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", [b"mixed", b"alternative", b"related", b"signed", b"encrypted", b"report"])
def test_levels_of_multiparts_add_up_and_do_not_multiply(kind: bytes) -> None:
    picture = b"Content-Type: image/png\r\n\r\nx"
    assert calls(nested_multiparts(18, kind, picture)) < 3 * calls(nested_multiparts(9, kind, picture))


@pytest.mark.parametrize(
    "make",
    [many_parts, nested_mails, lambda count: many_parts(count, _RELATED), lambda count: b"To: a\r\n" * count],
    ids=["parts", "mails in mails", "parts of related", "fields"],
)
def test_twice_as_many_parts_are_twice_the_work(make: Callable[[int], bytes]) -> None:
    assert calls(make(400)) < 3 * calls(make(200))


@pytest.mark.parametrize("line", [b"YWFh\r\n", b"A=", b"!\n", b"a b\nYWFhYWFhYWFh\nYWFh\n"])
def test_base64_takes_a_few_times_its_own_bytes(line: bytes) -> None:
    content = line * (4_000_000 // len(line))
    tracemalloc.start()
    try:
        decoded(content, "base64")
        assert tracemalloc.get_traced_memory()[1] < 20 * len(content)
    finally:
        tracemalloc.stop()
