from collections.abc import Callable
from pathlib import Path

import pytest

from mailroom.mail.message import Message
from mailroom.triage.facts import Triage
from mailroom.triage.triage import Lexicon, lexicon, triage

RULES = Path(__file__).parents[2] / "rules"

Read = Callable[..., Triage]


def rule_files() -> dict[str, str]:
    paths = [RULES / "categories.yaml", *sorted(RULES.glob("phrases/*.yaml")), *sorted(RULES.glob("forms/*.yaml"))]
    return {path.relative_to(RULES).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def message(text: str, subject: str = "", sender: str | None = None) -> Message:
    return Message(sender, "", None, subject, None, None, (), text)


@pytest.fixture(scope="session")
def shipped() -> Lexicon:
    """The lexicon of the rules that we ship."""
    return lexicon(rule_files())


@pytest.fixture(scope="session")
def read(shipped: Lexicon) -> Read:
    """Triage of a text with the rules that we ship."""

    def read_text(text: str, subject: str = "", sender: str | None = None) -> Triage:
        return triage(message(text, subject, sender), shipped)

    return read_text
