"""Prints mailroom(1): docs/man/mailroom.1.in, with every command and option as the program itself tells them.

After a change of a verb or an option: .venv/bin/python scripts/man_page.py > docs/man/mailroom.1
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from mailroom import __version__
from mailroom.cli.app import app

WRITTEN = Path(__file__).parents[1] / "docs" / "man" / "mailroom.1.in"
_SAID_ONCE = ("--config", "--help")  # of every verb, so they stand in the page for all of them


def page() -> str:
    """Give the whole page."""
    written = WRITTEN.read_text(encoding="utf-8")
    return written.replace("@VERSION@", __version__).replace("@COMMANDS@\n", "".join(commands()))


def commands() -> Iterator[str]:
    """Give the text of every verb, in the order of `mailroom --help`."""
    root: Any = typer.main.get_command(app)
    context = root.make_context("mailroom", [], resilient_parsing=True)
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        verbs = {name: command}
        if hasattr(command, "commands"):
            verbs = {f"{name} {verb}": one for verb, one in command.commands.items()}
        for words, one in verbs.items():
            yield "".join(_verb(words, one, context))


def _verb(words: str, command: Any, context: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.opts[0] not in _SAID_ONCE and one not in arguments]
    shown = "".join(f" {_escaped(_metavar(one))}" for one in arguments)
    yield f'.SS "mailroom {_escaped(words)}{shown}"\n{_escaped(command.help)}\n'
    for argument in arguments:
        if argument.help:
            yield _entry(_metavar(argument), argument.help)
    for option in options:
        yield _entry(*option.get_help_record(context))


def _metavar(argument: Any) -> str:
    bare: str = (argument.metavar or argument.name.upper()).strip("[]")
    return bare if argument.required else f"[{bare}]"


def _entry(term: str, text: str) -> str:
    return f".TP\n.B {_escaped(term)}\n{_escaped(text)}\n"


def _escaped(text: str) -> str:
    """Make text safe for troff: a line that begins with a dot would be a request (groff_char(7), groff(7))."""
    lines = (line.strip().replace("\\", "\\e").replace("-", "\\-") for line in text.splitlines())
    return "\n".join(f"\\&{line}" if line[:1] in {".", "'"} else line for line in lines if line)


if __name__ == "__main__":
    sys.stdout.write(page())
