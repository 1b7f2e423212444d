"""ARCHITECTURE.md speaks of code that exists."""

import importlib
import re
from pathlib import Path

import pytest

DOCUMENT = (Path(__file__).parent.parent / "ARCHITECTURE.md").read_text()
NAMES = sorted(set(re.findall(r"`(mailroom(?:\.\w+)+)`", DOCUMENT)))


def resolved(name: str) -> object:
    """Import the longest module in a dotted name, and follow the rest."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f"{name} does not exist")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_the_walk_of_one_mail_exists(name: str) -> None:
    assert resolved(name) is not None


def test_the_walk_passes_every_room() -> None:
    rooms = {name.split(".")[1] for name in NAMES}
    assert {"daemon", "flow", "mail", "records", "referral", "transport", "triage", "worker", "cli"} <= rooms
