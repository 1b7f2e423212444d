"""Finds the files that come with Mailroom: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path
from typing import Literal

from mailroom.errors import MailroomError

Shared = Literal["rules", "templates", "config.example.toml"]

_PACKAGE = Path(__file__).resolve().parent


def share_path(name: Shared, package: Path = _PACKAGE) -> Path:
    """Give the path of a file or folder that comes with Mailroom.

    Raises:
        MailroomError: it did not come with this installation.
    """
    for place in (package / "share" / name, package.parent / name):
        if place.exists():
            return place
    raise MailroomError(f"{name} is missing from this installation of Mailroom; install it again")
