"""`mailroom init`: a folder with a configuration that works: servers tried, keys made, rules and texts copied."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from mailroom.cli.init_connect import attempt, greet_keeper, require_servers
from mailroom.cli.init_questions import ASKED, Answers, ask, problem, require_all, telling
from mailroom.cli.init_write import refuse_to_overwrite, write
from mailroom.errors import ConfigError, DeliveryFailure, MailroomError
from mailroom.transport.gnupg_home import DeskHome

_TOKEN_HELP = "Instead of a password: a program that prints an OAuth2 access token, and its arguments."  # noqa: S105 # help
Port = Annotated[int | None, typer.Option(help="When it is not the usual one.")]
Security = Annotated[str, typer.Option(help="For both servers: tls, starttls, or plain (only on this machine).")]
PasswordFile = Annotated[Path | None, typer.Option(help="A file with the password for both servers.")]
MoreKeys = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="A file with one more public key that opens the archive; repeatable."),
]


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder to make.")] = Path(),
    address: Annotated[str, typer.Option(help=ASKED["address"])] = "",
    name: Annotated[str, typer.Option(help="The name in the From field; keep it neutral.")] = "Letter desk",
    imap_host: Annotated[str, typer.Option(help=ASKED["imap_host"])] = "",
    smtp_host: Annotated[str, typer.Option(help=ASKED["smtp_host"])] = "",
    imap_port: Port = None,
    smtp_port: Port = None,
    security: Security = "tls",
    username: Annotated[str, typer.Option(help=ASKED["username"])] = "",
    password_file: PasswordFile = None,
    token_command: Annotated[str, typer.Option(help=_TOKEN_HELP)] = "",
    authserv_id: Annotated[str, typer.Option(help="See [imap] authserv_id; `mailroom doctor` tells it.")] = "",
    sent: Annotated[str, typer.Option(help="The folder where the provider puts copies of what is sent.")] = "",
    keeper: Annotated[str, typer.Option(help=ASKED["keeper"])] = "",
    keeper_key: Annotated[str, typer.Option(help=ASKED["keeper_key"])] = "",
    archive_key: MoreKeys = None,
    admin: Annotated[str, typer.Option(help="Where alarms about the machine go.")] = "",
    no_connect: Annotated[bool, typer.Option("--no-connect", help="Ask no server, and send no test mail.")] = False,
) -> None:
    """Write a configuration that works, with fresh keys, and copies of the rules and texts."""
    refuse_to_overwrite(folder)
    answers = Answers(
        address, imap_host, smtp_host, username, keeper, keeper_key, name, security, password_file,
        token_command=_command(token_command),
        imap_port=imap_port,
        smtp_port=smtp_port,
        archive_keys=tuple(archive_key or ()),
        admin=admin,
        authserv_id=authserv_id,
        sent=sent,
    )  # fmt: skip
    if sys.stdin.isatty():
        answers = ask(answers, attempt if not no_connect else lambda _answers, _server: None)
    else:
        answers = require_all(answers)
    typer.echo(str(_made(folder, answers, connect=not no_connect)))


def _made(folder: Path, answers: Answers, *, connect: bool) -> Path:
    for option in telling(answers):
        _say(f"{option} tells what people write about to whoever sees it, on a locked phone say. Take a neutral one,")
        _say("such as desk@ and Letter desk: it stands in every answer, and in the user id of the desk's key.")
    if not connect:
        return write(folder, answers, _say)

    def prove(home: DeskHome, desk: str, keeper: str) -> None:
        require_servers(answers)
        try:
            greet_keeper(answers, home.certificate(keeper), home.certificate(desk), desk)
        except DeliveryFailure as error:
            raise MailroomError(
                f"nothing was written, because no mail goes to the address of --keeper: {error}"
            ) from None
        _say(f"An encrypted test mail went to {answers.keeper}. Ask whether it can be read.")

    return write(folder, answers, _say, prove)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _command(words: str) -> tuple[str, ...]:
    """Split a command as a shell does; a program named by a path is found from any folder."""
    try:
        program, *arguments = shlex.split(words) or [""]
    except ValueError:
        raise ConfigError(problem("--token-command", "has a quotation mark without its end.")) from None
    if not program:
        return ()
    return str(Path(program).absolute()) if "/" in program else program, *arguments
