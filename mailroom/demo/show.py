"""Plays the demo in a temporary folder, keeps that folder if asked to, and tells what happened."""

import asyncio
import shutil
from pathlib import Path

from rich.console import Console

from mailroom.demo.account import tell
from mailroom.demo.play import keep_mails, play
from mailroom.demo.stage import Furnish, folder
from mailroom.errors import MailroomError

# Sockets and locks of gpg belong to the place where they were made.
_NOT_KEPT = shutil.ignore_patterns("S.*", ".#*", "*.lock", "password")


def show(furnish: Furnish, keep: Path | None) -> None:
    """Play, then tell on stdout. `keep` is a folder that is new or empty, or None.

    Raises:
        MailroomError: something did not work; the text says what.
    """
    with folder() as place:
        story = asyncio.run(play(place, furnish))
        if keep is not None:
            keep_mails(place, story)
            _copy(place, keep)
    tell(Console(highlight=False, markup=False, emoji=False), story, keep)


def _copy(place: Path, keep: Path) -> None:
    try:
        shutil.copytree(place, keep, ignore=_NOT_KEPT, dirs_exist_ok=True)
    except (OSError, shutil.Error):
        raise MailroomError(f"{keep} could not be written; nothing was kept of the demo.") from None
