"""Options and ways to print that several verbs share."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailroom.config_find import PLACES, VARIABLE, find
from mailroom.mail.display import display_line

if TYPE_CHECKING:
    from mailroom.config import Config

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The configuration file (default: $MAILROOM_CONFIG, ./config.toml, /etc/mailroom/config.toml).",
        metavar="FILE",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


def remember(context: typer.Context, config: ConfigOption = None) -> None:
    """Keep a `--config` that stood before the verb."""
    if config is not None:
        context.obj = config


def group(about: str) -> typer.Typer:
    """Make a verb that has verbs of its own, such as `mailroom case`."""
    return typer.Typer(help=about, callback=remember, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


def explicit_path(context: typer.Context, config: Path | None) -> Path | None:
    """Give the `--config` after the verb, else the one before it, else None."""
    return config or context.obj


def config_path(context: typer.Context, config: Path | None) -> Path:
    """Find the configuration: the option after the verb, then before it, then the usual places.

    Raises:
        ConfigError: there is none.
    """
    return find(explicit_path(context, config), os.environ)


def config_of(context: typer.Context, config: Path | None) -> "Config":
    """Load the configuration.

    Raises:
        ConfigError: there is none, or it is wrong.
    """
    from mailroom.config import load  # noqa: PLC0415 its schema takes long to load, and some verbs do without

    return load(config_path(context, config))


def optional_config(context: typer.Context, config: Path | None) -> Path | None:
    """Find the configuration for a verb that also runs without; None when none was asked for and none is there.

    Raises:
        ConfigError: one was asked for that is not there.
    """
    explicit = explicit_path(context, config)
    named = explicit is not None or os.environ.get(VARIABLE)
    if not named and not any(os.access(path, os.R_OK) for path in PLACES):
        return None
    return find(explicit, os.environ)


def print_json(line: object) -> None:
    """Print one object as one line, every letter as it is."""
    typer.echo(json.dumps(line, ensure_ascii=False))


def shown(value: object) -> str:
    """Give a value for a terminal: what a stranger wrote cannot move its cursor, or turn the order of letters."""
    if isinstance(value, list | tuple):
        return ", ".join(shown(one) for one in value)
    if value is None:
        return ""
    return display_line(str(value))


def print_columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table, each column as wide as its widest cell."""
    cells = [list(head), *([shown(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    for row in cells:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
