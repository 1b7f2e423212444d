"""Options and settings that several verbs share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mailroom.config import Config, find, load

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The configuration file (default: $MAILROOM_CONFIG, ./config.toml, /etc/mailroom/config.toml).",
        metavar="FILE",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


def remember(context: typer.Context, config: Path | None) -> None:
    """Keep a `--config` that stood before the verb."""
    if config is not None:
        context.obj = config


def config_path(context: typer.Context, config: Path | None) -> Path:
    """Find the configuration: the option after the verb, then before it, then the usual places.

    Raises:
        ConfigError: there is none.
    """
    return find(config or context.obj, os.environ)


def config_of(context: typer.Context, config: Path | None) -> Config:
    """Load the configuration.

    Raises:
        ConfigError: there is none, or it is wrong.
    """
    return load(config_path(context, config))
