"""What a check found, in a form that a person and a program can read."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of one check. `check` is a fixed short name; `what` and `do` are sentences, `do` "" for nothing.

    `note`: the desk works, but somebody should know. `wrong`: something does not work, or will not be safe.
    """

    check: str
    state: State
    what: str
    do: str = ""


def ok(check: str, what: str) -> Finding:
    """Say that all is well."""
    return Finding(check, "ok", what)


def note(check: str, what: str, do: str = "") -> Finding:
    """Say something that should be known."""
    return Finding(check, "note", what, do)


def wrong(check: str, what: str, do: str) -> Finding:
    """Say what is wrong, and what to do about it."""
    return Finding(check, "wrong", what, do)


def skipped(check: str, why: str) -> Finding:
    """Say that a check could not be made, and why."""
    return Finding(check, "note", f"not checked, because {why}")
