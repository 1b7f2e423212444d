"""The command line: `mailroom VERB`. stdout carries only data; what the program says goes to stderr."""

from typing import NoReturn


def main() -> NoReturn:
    """Run the command line."""
    # Imported here: every worker process imports the main module again, and needs nothing of this.
    from mailroom.cli.app import main as run  # noqa: PLC0415

    run()
