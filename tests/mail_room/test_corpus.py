"""Every mail under tests/mail that has an expect.json is read as it says; a difference is written beside it."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailroom.mail.message import Message
from mailroom.mail.parse import parse

CORPUS = Path(__file__).parent.parent / "mail"
# Mails of tests/mail/private are never in the repository; where there are some, they are read too.
FOLDERS = sorted(
    path.parent
    for path in CORPUS.rglob("mail.eml")
    if path.with_name("expect.json").exists() or CORPUS / "private" in path.parents
)


def shown(message: Message) -> dict[str, object]:
    """Give the part of a message that `mailroom explain` shows."""
    date: datetime | None = message.date
    return {
        "from": message.sender,
        "reply_to": message.reply_to,
        "subject": message.subject,
        "date": date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if date else None,
        "text": message.text,
        "attachments": [asdict(attachment) for attachment in message.attachments],
        "defects": list(message.defects),
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_golden_mail_is_read_as_expected(folder: Path, request: pytest.FixtureRequest) -> None:
    got = shown(parse((folder / "mail.eml").read_bytes()))
    text = json.dumps(got, ensure_ascii=False, indent=2) + "\n"
    wanted = folder / "expect.json"
    if request.config.getoption("--update-golden"):
        wanted.write_text(text, encoding="utf-8")
    expected = json.loads(wanted.read_text(encoding="utf-8")) if wanted.exists() else None
    beside = folder / "expect.got.json"
    if got == expected:
        beside.unlink(missing_ok=True)
    else:
        beside.write_text(text, encoding="utf-8")
    assert got == expected


def test_every_golden_mail_says_what_is_odd_in_it() -> None:
    assert len([folder for folder in FOLDERS if folder.parent == CORPUS]) >= 59
    for folder in FOLDERS:
        assert (folder / "mail.eml").exists()
        if folder.parent == CORPUS:
            assert (folder / "why.md").read_text(encoding="utf-8").strip()
