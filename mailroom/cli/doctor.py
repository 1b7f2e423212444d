"""`mailroom doctor`: looks at the whole set-up; one line a check, and what to do where something is wrong."""

import asyncio
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mailroom import daemon
from mailroom.cli.options import ConfigOption, JsonOption, config_path, print_json, shown
from mailroom.config import Config, load
from mailroom.doctor.examination import Extent, examine
from mailroom.doctor.finding import Finding

_WIDTH = 16


def doctor(
    context: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server.")] = False,
    no_send: Annotated[bool, typer.Option("--no-send", help="Send no test mail from the desk to itself.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the test mail.")] = 30.0,
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Check configuration, servers, keys, records, rules and texts; say what is wrong and what to do."""
    file = config_path(context, config)
    settings = load(file)
    try:
        found = asyncio.run(_told(settings, file, Extent(offline, not no_send, wait), json_lines=json_lines))
    finally:
        with suppress(OSError):  # without gpgconf there is no agent either, and that is told
            daemon.stop_idle_agent(settings)
    raise typer.Exit(_status(found))


async def _told(config: Config, file: Path, extent: Extent, *, json_lines: bool) -> list[Finding]:
    found = []
    async for finding in examine(config, file, extent):
        found.append(finding)
        if json_lines:
            print_json(asdict(finding))
        else:
            tell(finding)
    return found


def tell(finding: Finding, *, err: bool = False) -> None:
    """Print a finding for people: one line, and below it what to do."""
    typer.echo(f"{finding.state:<5}  {finding.check:<{_WIDTH}}  {shown(finding.what)}", err=err)
    if finding.do:
        typer.echo(f"{'':<{_WIDTH + 9}}-> {shown(finding.do)}", err=err)


def _status(found: list[Finding]) -> int:
    faults = {finding.check for finding in found if finding.state == "wrong"}
    if {"imap reach", "smtp reach"} <= faults:
        return 3
    return 1 if faults else 0
