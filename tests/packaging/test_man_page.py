"""mailroom(1) says what the program says."""

import os
import re
import subprocess
import sys

import pytest

from mailroom.cli.app import VERBS
from tests.cli.running import ROOT, here

PAGE = ROOT / "docs" / "man" / "mailroom.1"


def shown() -> str:
    """Give the page as `man` shows it, each run of spaces as one."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "120", "MANPAGER": "cat"}
    done = subprocess.run(["man", "-l", "--warnings", str(PAGE)], env=env, capture_output=True, check=True, text=True)
    assert done.stderr == ""
    return " ".join(re.sub("[‐−]", "-", done.stdout).split())  # the hyphens of a terminal


def verbs() -> list[list[str]]:
    """Give the words of every command, as the program's own help lists them."""
    listed = {verb: here(verb, "--help").out.partition("\nCommands:\n")[2] for verb in (*VERBS, "version")}
    return [
        [verb, *word]
        for verb, commands in listed.items()
        for word in ([[one] for one in re.findall(r"^  (\S+)", commands, re.MULTILINE)] or [[]])
    ]


def test_page_is_up_to_date() -> None:
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    command = [sys.executable, str(ROOT / "scripts" / "man_page.py")]
    made = subprocess.run(command, env=env, capture_output=True, check=True).stdout
    assert PAGE.read_bytes() == made, "run: .venv/bin/python scripts/man_page.py > docs/man/mailroom.1"


def test_every_verb_and_option_of_the_program_is_in_the_page() -> None:
    page, found = shown(), verbs()
    assert ["case", "show"] in found
    for words in found:
        told = here(*words, "--help").out
        assert (" ".join(["mailroom", *words])) in page
        assert [option for option in re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE) if option not in page] == []


@pytest.mark.parametrize("head", ["NAME", "DESCRIPTION", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"])
def test_page_has_what_people_look_for_and_man_has_no_complaint(head: str) -> None:
    assert f" {head} " in shown()
