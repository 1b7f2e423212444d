"""What is fuzzed: each target takes any bytes and checks what must hold for them.

A target raises only where Mailroom is wrong. `python -m fuzz NAME` runs one under atheris; tests/hostile/test_found.py
runs all of them over the inputs that were found, without atheris.
"""

import functools
import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace

from fuzz.attacker import AttackersKeyring
from fuzz.promises import check_message, check_opened
from mailroom.cli.bench import bare_bench
from mailroom.flow.opening import Reader
from mailroom.mail import thread
from mailroom.mail.authentication import verdict
from mailroom.mail.automatic import machine_sign
from mailroom.mail.beginning import beginning_of
from mailroom.mail.bounce import read_bounce
from mailroom.mail.message import Arrival, Message, RawMail
from mailroom.mail.parse import parse, parse_entity
from mailroom.mail.rtf import unpacked, written
from mailroom.mail.tnef import read_tnef
from mailroom.mail.uuencode import without_files
from mailroom.triage.triage import triage

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
_FORM_HEADER = (
    b"From: wiki@wiki.example.org\r\nReply-To: a@example.net\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
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
    read_bounce(content)
    sign = machine_sign(message, message.field("content-type") or "", _OURS)
    assert sign is None or _WHY.fullmatch(sign.why)


def fill_form(content: bytes) -> None:
    """Read a form from the bytes as text, and from what they spell as numbers of the words of all forms."""
    words = _form_words()
    spelled = "".join(words[byte % len(words)] for byte in content[:2000])
    for text in (content, spelled.encode()):
        opened = attacked_reader().open(RawMail(Arrival("INBOX", 1, 1, len(text)), _FORM_HEADER + text))
        check_opened(opened, len(_FORM_HEADER + text))
        if opened.form is not None:
            assert len(opened.form.links) <= 10
            json.dumps(asdict(opened.form), ensure_ascii=False).encode()
            found = triage(opened.message, attacked_reader().lexicon, opened.form)
            assert set(found.flags) <= attacked_reader().lexicon.taxonomy.flags


def unpack(content: bytes) -> None:
    """Unpack what old mailers wrap a mail in: winmail.dat, packed RTF, uuencode."""
    packed = (16).to_bytes(4, "little") * 2 + b"LZFu" + bytes(4) + content
    assert len(unpacked(packed, 10_000)) <= 10_000
    for rtf in (content, unpacked(packed, 10_000)):
        written(rtf).encode()
    wrapped = read_tnef(b"\x78\x9f\x3e\x22\x01\x00" + content)
    if wrapped is not None:
        json.dumps(asdict(wrapped), ensure_ascii=False).encode()
        assert all(one.size <= len(content) for one in wrapped.attachments)
    left, files = without_files(content, None)
    assert len(left) <= len(content)
    assert all(one.size <= len(content) for one in files)


@functools.cache
def _form_words() -> tuple[str, ...]:
    """Every label, choice and mark of the forms that come with Mailroom, and what stands around them."""
    shapes = attacked_reader().lexicon.forms
    words = [word for shape in shapes for word in (*shape.labels, *shape.choices, shape.mark)]
    around = [
        *(": ", "：", "\n", "\n\n", "\n--\n", "\n---\n", "*", "<", ">", "> ", "x"),
        *("https://a.example/b ", "a@example.net"),
    ]
    return (*around, *around, *sorted(set(words)))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "read": read,
    "open_wrapped": open_wrapped,
    "find_case": find_case,
    "judge_sender": judge_sender,
    "fill_form": fill_form,
    "unpack": unpack,
}

if __name__ == "__main__":  # for the Makefile
    print(*TARGETS)
