"""`mailroom run`: the daemon, or one round of it."""

import asyncio
import dataclasses
from typing import Annotated

import typer

from mailroom import daemon, log
from mailroom.cli.options import ConfigOption, JsonOption, config_path, print_json
from mailroom.cli.ready import require_key_store, require_keys
from mailroom.config import Config, load
from mailroom.daemon import Summary
from mailroom.errors import ServerUnreachable


def run(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Drain inbox and outbox, print a summary, end.")] = False,
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Watch the mailbox, file what arrives and answer it."""
    file = config_path(context, config)
    settings = load(file)
    require_keys(settings, file)
    require_key_store(settings, file)
    log.configure()
    log.install_hooks()
    if not once:
        asyncio.run(_daemon(settings))
        return
    summary = asyncio.run(_once(settings))
    if json_lines:
        print_json(as_json(summary))
    else:
        typer.echo(as_text(summary))
    if summary.trouble is not None:
        raise ServerUnreachable(summary.trouble)


async def _once(config: Config) -> Summary:
    stop = _until_a_signal()
    async with daemon.opened(config) as desk:
        return await daemon.run_once(desk, stop)


async def _daemon(config: Config) -> None:
    stop = _until_a_signal()
    async with daemon.opened(config) as desk:
        await daemon.run(desk, config.imap.poll_seconds, stop)


def _until_a_signal() -> asyncio.Event:
    stop = asyncio.Event()
    daemon.stop_on_signals(stop)
    log.install_hooks(asyncio.get_running_loop())
    return stop


def as_json(summary: Summary) -> dict[str, object]:
    """Give the object that `run --once --json` ends with (DESIGN section 7)."""
    return dataclasses.asdict(summary.drained) | {
        "replies_sent": summary.replies_sent,
        "replies_held": summary.replies_held,
        "outbox_left": summary.outbox_left,
        "seconds": summary.seconds,
    }


def as_text(summary: Summary) -> str:
    """Give the summary in words."""
    return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in as_json(summary).items())
