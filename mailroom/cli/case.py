"""`mailroom case`: list, look at, take out, answer and retry case records."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from mailroom import assembly, daemon, log
from mailroom.assembly import Books
from mailroom.cli.options import (
    ConfigOption,
    JsonOption,
    config_of,
    config_path,
    group,
    print_columns,
    print_json,
    shown,
)
from mailroom.cli.ready import require_keys
from mailroom.config import Config, load
from mailroom.errors import ConfigError, MailroomError, NoSuchCase, Problem
from mailroom.flow.retrying import retry as try_again
from mailroom.records import database, reference
from mailroom.records.casework import PAGE, Casework, Content
from mailroom.records.clock import utc
from mailroom.records.seal import Sealer
from mailroom.transport.gnupg_home import DeskHome

app = group("List, look at, take out, answer and retry case records.")
Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="A case reference such as K7QD-3M9X-T.")]
Status = Literal["open", "waiting", "closed", "parked"]
_COLUMNS = ("case", "opened", "status", "channel", "category", "country", "language", "flags", "messages")
_SUFFIX = {"original": "eml", "cleartext": "eml", "decision": "json"}


@app.command(name="list")
def list_cases(
    context: typer.Context,
    status: Annotated[Status | None, typer.Option(help="Only cases with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest to show.")] = PAGE,
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List cases, newest last."""
    settings = config_of(context, config)
    if not settings.has_database:
        typer.echo("there are no records yet: the daemon makes them when it runs", err=True)
        return
    with _opened(settings) as (_, casework):
        found = casework.page(status, limit)
    if json_lines:
        for line in found:
            print_json(line)
    else:
        print_columns(_COLUMNS, [[line[name] for name in _COLUMNS] for line in found])


@app.command()
def show(
    context: typer.Context,
    written: Reference,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Write the sealed OpenPGP message to stdout, for your own gpg.")
    ] = False,
    number: Annotated[int, typer.Option(min=1, help="Which mail of the case --reveal takes.")] = 1,
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one case and its mails, without their content."""
    if reveal and sys.stdout.isatty():
        raise MailroomError(
            "this is not for a terminal. Pipe it: mailroom case show REFERENCE --reveal | gpg --decrypt"
        )
    with _opened(config_of(context, config)) as (_, casework):
        if reveal:
            _reveal(casework, written, number)
            return
        found = casework.show(written)
    if json_lines:
        print_json(found)
        return
    mails = found.pop("mails")
    for name, value in found.items():
        typer.echo(f"{name}: {shown(value)}")
    for mail in mails if isinstance(mails, list) else []:
        typer.echo("  " + ", ".join(f"{name} {shown(value)}" for name, value in mail.items() if value is not None))


def _reveal(casework: Casework, written: str, number: int) -> None:
    wanted = [one for one in casework.contents(written, "reveal") if one.number == number]
    best = next((one for one in wanted if one.name == "cleartext"), wanted[0] if wanted else None)
    if best is None:
        raise NoSuchCase(f"{written} has no mail number {number}")
    if not best.archived:
        typer.echo("this mail is not sealed to the archive keys: what follows is the mail as it came", err=True)
    sys.stdout.buffer.write(best.content)
    sys.stdout.buffer.flush()


@app.command()
def export(
    context: typer.Context,
    written: Reference,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made when missing.")],
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write every sealed content of a case as an OpenPGP message that the record keeper's gpg opens."""
    with _opened(config_of(context, config)) as (_, casework):
        found = casework.contents(written)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for one in found:
        path = folder / _file_name(written, one)
        _write_private(path, one.content)
        line = {"path": str(path), "number": one.number, "name": one.name, "sealed": one.archived}
        print_json(line) if json_lines else typer.echo(shown(path))


def _file_name(written: str, one: Content) -> str:
    end = ".pgp" if one.archived else ""
    return f"{reference.normalise(written)}-{one.number}-{one.name}.{_SUFFIX.get(one.name, 'bin')}{end}"


def _write_private(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 a descriptor
        file.write(content)


@app.command()
def answer(
    context: typer.Context, written: Reference, json_lines: JsonOption = False, config: ConfigOption = None
) -> None:
    """Let the held answer of a case go. Suspected spam becomes a case like any other."""
    settings = config_of(context, config)
    with _opened(settings) as (books, casework):
        normal = reference.normalise(written) or written
        accepted = casework.accept(normal, assembly.retention(settings))
        count = books.database.write_now(books.outbox.let_go, normal)
        if not count and not accepted:
            casework.show(written)
            raise MailroomError(f"{normal} has no held answer")
    print_json({"case": normal, "released": count}) if json_lines else typer.echo(f"{normal}: {count} let go")


@app.command()
def retry(
    context: typer.Context,
    written: Annotated[str | None, typer.Argument(metavar="REFERENCE")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="All that nobody could read yet.")] = False,
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Try to open a parked or undecryptable mail again."""
    if (written is None) is not parked:
        raise ConfigError(Problem("mailroom case retry", "", "give either a reference or --parked."))
    log.configure("error")
    file = config_path(context, config)
    settings = load(file)
    require_keys(settings, file)
    raise typer.Exit(1 if retried(settings, written, json_lines=json_lines) else 0)


def retried(config: Config, written: str | None, *, json_lines: bool) -> int:
    """Retry one case, or all that wait, and print what came of it; give how many mails could still not be read."""
    try:
        return asyncio.run(_retry(config, written, json_lines=json_lines))
    finally:
        daemon.stop_idle_agent(config)


async def _retry(config: Config, written: str | None, *, json_lines: bool) -> int:
    failed = 0
    async with AsyncExitStack() as stack:
        books, casework = stack.enter_context(_opened(config))
        desk = await assembly.desk(config, stack)
        for one in [written] if written else casework.unread():
            mails = casework.unread_mails(one)
            case = await books.cases.by_reference(one)
            if not mails or case is None:
                raise MailroomError(f"{one} has no mail that waits to be read")
            for number, raw in mails:
                line: dict[str, object] = {"case": case.reference, "number": number, "kind": None}
                try:
                    line["kind"] = await try_again(desk, case, number, raw)
                except MailroomError as failure:
                    failed += 1
                    typer.echo(f"{case.reference}: {failure}", err=True)
                if json_lines:
                    print_json(line)
                elif line["kind"]:
                    typer.echo(f"{case.reference}: {line['kind']}")
    return failed


@contextmanager
def _opened(config: Config) -> Iterator[tuple[Books, Casework]]:
    if not config.has_database:
        raise MailroomError("there are no records yet: the daemon makes them when it runs")
    database.require_current(config.database_url)
    books = assembly.records(config, DeskHome(config.openpgp.home))
    try:
        yield books, Casework(books.database, Sealer(books.keystore), utc)
    finally:
        books.database.close()
