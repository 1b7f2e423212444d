"""The command line: `mailroom VERB`. stdout carries only data; what the program says goes to stderr."""

from mailroom.cli.app import main

__all__ = ["main"]
