"""What is fuzzed: each target takes any bytes and checks what must hold for them.

A target raises only where Mailroom is wrong. `python -m fuzz NAME` runs one under atheris; tests/hostile/test_found.py
runs all of them over the inputs that were found, without atheris.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import replace

from fuzz.attacker import AttackersKeyring
from fuzz.promises import check_message, check_opened
from mailroom.cli.bench import bare_bench
from mailroom.flow.opening import Reader
from mailroom.mail import thread
from mailroom.mail.authentication import verdict
from mailroom.mail.automatic import machine_sign
from mailroom.mail.beginning import beginning_of
from mailroom.mail.message import Arrival, Message, RawMail
from mailroom.mail.parse import parse, parse_entity

_OURS = frozenset({"desk@example.org"})
_REFERENCE = re.compile("[0-9A-HJ-KM-NP-TV-Z]{4}-[0-9A-HJ-KM-NP-TV-Z]{4}-[0-9A-HJ-KM-NP-TV-Z]")
# Of what references and prefixes of subjects are made, and letters that upper case, lower case or `\\s` treat oddly.
_LETTERS = (
    *"[]-()<>:\n\t K7QD3M9XTilouKſİ１\u00ad\u2011\u2212\x1c\u3000",
    *(
        "[K7QD-3M9X-T]",
        "K7QD-3M9X-T",
        "k7qd",
        "re",
        "Aw",
        "Fwd: ",
        "[list] ",
        "[2]",
        "(3)",
        "：",
        "回复",
        "@example.org",
    ),
)
_WHY = re.compile(r"[A-Za-z ,']+ \([A-Za-z-]+\)")


@functools.cache
def attacked_reader() -> Reader:
    """The reader as `explain` has it without a configuration, but with the attacker's keyring."""
    with bare_bench() as bench:
        return replace(bench.reader, keyring=AttackersKeyring(), own_addresses=_OURS, authserv_id="mx.example.org")


def read(content: bytes) -> None:
    """Read a mail, the beginning that would be fetched of it, and the same bytes as an entity inside itself."""
    message = parse(content)
    check_message(message, len(content))
    assert parse(content) == message
    check_message(parse(beginning_of(content)), len(content) + 1000)
    check_message(parse_entity(content, message, None), len(content))


def open_wrapped(content: bytes) -> None:
    """Open a mail whose sender chose the plaintext, the verdict on every signature, and the keys that come along."""
    reader = attacked_reader()
    raw = RawMail(Arrival("INBOX", 1, 1, len(content)), content)
    opened = reader.open(raw)
    check_opened(opened, len(content))
    assert reader.open(raw) == opened


def find_case(content: bytes) -> None:
    """Look for what ties a mail to a case, in the bytes as text, and in what they spell as numbers of `_LETTERS`."""
    _find_case(content.decode("utf-8", "replace"))
    _find_case("".join(_LETTERS[byte % len(_LETTERS)] for byte in content[:2000]))


def _find_case(written: str) -> None:
    subject, _, text = written.partition("\n")
    message = Message(None, "", None, subject, None, None, tuple(text.split()[:50]), text)
    found = thread.reference_candidates(message)
    assert len(found) <= 10
    assert all(_REFERENCE.fullmatch(each) for each in found)
    for each in found:
        again = Message(None, "", None, f"Re: [{each}]", None, None, (), "")
        assert thread.reference_candidates(again) == (each,)
    assert set(thread.our_ids(message, "example.org")) <= set(message.references)
    assert thread.is_answer(subject, ()) in {True, False}


def judge_sender(content: bytes) -> None:
    """Judge a header: whose word is believed, and whether a machine wrote it."""
    message = parse(content)
    for server in ("mx.example.org", "none-m365"):
        assert verdict(message.fields, message.sender, server) in {"pass", "fail", "none"}
        # What stands below a stranger's Received was there before the mail reached us.
        below = (("received", "from a.example by b.stranger.example"), *message.fields)
        assert verdict(below, message.sender, server) == "none"
    assert verdict(message.fields, message.sender, "") == "none"
    sign = machine_sign(message, message.field("content-type") or "", _OURS)
    assert sign is None or _WHY.fullmatch(sign.why)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "read": read,
    "open_wrapped": open_wrapped,
    "find_case": find_case,
    "judge_sender": judge_sender,
}

if __name__ == "__main__":  # for the Makefile
    print(*TARGETS)
