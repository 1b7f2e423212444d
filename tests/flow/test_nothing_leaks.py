"""EFAIL and its kin: whatever a mail makes us decrypt, no letter that leaves shows a word of it to anybody else."""

import asyncio
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from mailroom.flow import answering, informing
from mailroom.flow.desk import Desk, Person
from mailroom.flow.filing import Budget, Case, Letter
from mailroom.flow.linking import Link
from mailroom.flow.opening import Reader
from mailroom.flow.routing import route
from mailroom.mail.message import Arrival, Opened, RawMail
from tests.flow.test_answers import REFERENCE, answer, desk, office, understood
from tests.flow.test_reply_protection import certificate, reader

__all__ = ["desk", "office", "reader"]

GOLDEN = sorted((Path(__file__).parent.parent / "mail").glob("2[0-4][0-9]-*"))
KEEPERS = [Person("keeper@example.org", "keeper", certificate=certificate(name)) for name in ("keeper", "expired")]


def opened(reader: Reader, folder: Path) -> Opened:
    content = (folder / "mail.eml").read_bytes()
    return reader.open(RawMail(Arrival("INBOX", 1, 1, len(content)), content))


def notices(desk: Desk, found: Opened) -> list[Letter]:
    """Tell a keeper with a good key, and one whose key has expired."""
    case = Case(REFERENCE, b"key")
    routed, text = answering.settle(
        desk.office, route(desk.office, understood(desk, found), Link(), Budget(0, 0)), REFERENCE
    )
    notice = answering.notice_about(routed, found, case, text)
    return [one.letter for one in asyncio.run(informing.tell(desk, notice, case, KEEPERS))]


def readable(letter: Letter) -> str:
    """Give everything in a letter that somebody on the way can read."""
    mail = message_from_bytes(letter.content)
    parts: list[Any] = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    return " ".join(f"{mail['Subject']} {b' '.join(parts).decode(errors='replace')}".split())


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_no_letter_shows_three_words_of_a_mail_to_anybody_else(desk: Any, reader: Reader, folder: Path) -> None:
    found = opened(reader, folder)
    words = [word for word in found.message.text.split() if "-----" not in word]  # each letter has those
    runs = {" ".join(words[at : at + 3]) for at in range(len(words) - 2)}
    subject = found.message.subject
    answered = answer(desk, found)
    told = notices(desk, found)
    assert len(told) == 2
    for letter in [*told, *([answered] if answered else [])]:
        shown = readable(letter)
        assert [run for run in runs if run in shown] == []
        assert len(subject) < 5 or REFERENCE in subject or subject not in shown


def test_the_golden_mails_hold_words_that_could_leak(reader: Reader) -> None:
    assert sum(opened(reader, folder).openpgp.decrypted for folder in GOLDEN) >= 25
