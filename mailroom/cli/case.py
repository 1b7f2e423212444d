"""`mailroom case`: list, look at, take out, answer and retry case records."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mailroom import assembly, log
from mailroom.assembly import Books
from mailroom.cli.options import ConfigOption, JsonOption, config_of
from mailroom.config import Config
from mailroom.errors import ConfigError, MailroomError, NoSuchCase, Problem
from mailroom.flow.retrying import retry as try_again
from mailroom.records import database
from mailroom.records.casework import PAGE, Casework, Content
from mailroom.records.clock import utc
from mailroom.records.seal import Sealer
from mailroom.transport.gnupg_home import DeskHome

app = typer.Typer(no_args_is_help=True, help="List, look at, take out, answer and retry case records.")
Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="A case reference such as K7QD-3M9X-T.")]
_SUFFIX = {"original": "eml", "cleartext": "eml", "decision": "json"}


@app.command(name="list")
def list_cases(
    context: typer.Context,
    status: Annotated[
        str | None, typer.Option(help="Only cases with this status: open, waiting, closed, parked.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many of the newest to show.")] = PAGE,
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List cases, newest last."""
    _, casework = _open(config_of(context, config))
    found = casework.page(status, limit)
    if json_lines:
        for line in found:
            typer.echo(json.dumps(line, ensure_ascii=False))
        return
    table = Table(*("case", "opened", "status", "channel", "category", "country", "language", "flags", "messages"))
    for line in found:
        table.add_row(*(_cell(value) for value in line.values()))
    Console().print(table)


@app.command()
def show(
    context: typer.Context,
    reference: Reference,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Write the sealed OpenPGP message to stdout, for your own gpg.")
    ] = False,
    number: Annotated[int, typer.Option(help="Which mail of the case --reveal takes.")] = 1,
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one case and its mails, without their content."""
    _, casework = _open(config_of(context, config))
    if reveal:
        _reveal(casework, reference, number)
        return
    found = casework.show(reference)
    if json_lines:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    mails = found.pop("mails")
    for name, value in found.items():
        typer.echo(f"{name}: {_cell(value)}")
    for mail in mails if isinstance(mails, list) else []:
        typer.echo("  " + ", ".join(f"{name} {_cell(value)}" for name, value in mail.items() if value is not None))


def _reveal(casework: Casework, reference: str, number: int) -> None:
    found = casework.contents(reference, "reveal")
    wanted = [one for one in found if one.number == number]
    best = next((one for one in wanted if one.name == "cleartext"), wanted[0] if wanted else None)
    if best is None:
        raise NoSuchCase(f"{reference} has no mail number {number}")
    sys.stdout.buffer.write(best.content)
    sys.stdout.buffer.flush()


@app.command()
def export(
    context: typer.Context,
    reference: Reference,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made when missing.")],
    config: ConfigOption = None,
) -> None:
    """Write every sealed content of a case as an OpenPGP message that the record keeper's gpg opens."""
    _, casework = _open(config_of(context, config))
    found = casework.contents(reference)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for one in found:
        path = folder / _file_name(reference, one)
        path.touch(mode=0o600)
        path.write_bytes(one.content)
        typer.echo(str(path))


def _file_name(reference: str, one: Content) -> str:
    end = ".pgp" if one.archived else ""
    return f"{reference.strip().upper()}-{one.number}-{one.name}.{_SUFFIX.get(one.name, 'bin')}{end}"


@app.command()
def answer(context: typer.Context, reference: Reference, config: ConfigOption = None) -> None:
    """Let the held answer of a case go."""
    books, casework = _open(config_of(context, config))
    casework.show(reference)
    normal = reference.strip().upper()
    count = books.database.write_now(books.outbox.let_go, normal)
    if not count:
        raise MailroomError(f"{normal} has no held answer")
    typer.echo(f"{normal}: {count} let go")


@app.command()
def retry(
    context: typer.Context,
    reference: Annotated[str | None, typer.Argument(metavar="REFERENCE")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="All that nobody could read yet.")] = False,
    config: ConfigOption = None,
) -> None:
    """Try to open a parked or undecryptable mail again."""
    if (reference is None) is not parked:
        raise ConfigError(Problem("mailroom case retry", "", "give either a reference or --parked"))
    log.configure()
    failed = asyncio.run(_retry(config_of(context, config), reference))
    raise typer.Exit(1 if failed else 0)


async def _retry(config: Config, reference: str | None) -> int:
    failed = 0
    async with AsyncExitStack() as stack:
        desk = await assembly.desk(config, stack)
        books, casework = _open(config)
        stack.callback(books.database.close)
        for one in [reference] if reference else casework.unread():
            mails = casework.unread_mails(one)
            if not mails:
                raise MailroomError(f"{one} has no mail that waits to be read")
            for number, raw in mails:
                case = await desk.cases.by_reference(one)
                if case is None:
                    raise NoSuchCase(f"there is no case {one}")
                try:
                    kind = await try_again(desk, case, number, raw)
                    typer.echo(f"{one}: {kind}")
                except MailroomError as failure:
                    failed += 1
                    typer.echo(f"{one}: {failure}", err=True)
    return failed


def _open(config: Config) -> tuple[Books, Casework]:
    if not database.exists(config.database_url):
        raise MailroomError("there are no records yet: the daemon makes them when it runs")
    database.require_current(config.database_url)
    books = assembly.records(config, DeskHome(config.openpgp.home))
    return books, Casework(books.database, Sealer(books.keystore), utc)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)
