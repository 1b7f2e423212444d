"""`mailroom init`: a folder with a configuration that works: keys made, rules and texts copied."""

import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer

from mailroom.config import load
from mailroom.config_writer import Value, render
from mailroom.errors import ConfigError, MailroomError, Problem
from mailroom.records.keystore import KeyStore
from mailroom.share import share_path
from mailroom.transport.gnupg_home import DeskHome, prepare_home

_ASKED = {
    "address": "The address that people will write to",
    "imap_host": "The server that receives mail (IMAP)",
    "username": "The name to log in with there",
    "smtp_host": "The server that sends mail (SMTP)",
    "keeper": "The record keeper's address",
    "keeper_key": "A file with the record keeper's public OpenPGP key",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` was told; `told` holds an answer to everything in `_ASKED`."""

    told: Mapping[str, str]
    name: str
    security: str
    password_file: Path | None
    imap_port: int | None = field(default=None, kw_only=True)
    smtp_port: int | None = field(default=None, kw_only=True)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder to make.")] = Path(),
    address: Annotated[str | None, typer.Option(help=_ASKED["address"])] = None,
    name: Annotated[str, typer.Option(help="The name in the From field; keep it neutral.")] = "Letter desk",
    imap_host: Annotated[str | None, typer.Option(help=_ASKED["imap_host"])] = None,
    smtp_host: Annotated[str | None, typer.Option(help=_ASKED["smtp_host"])] = None,
    imap_port: Annotated[int | None, typer.Option(help="When it is not the usual one.")] = None,
    smtp_port: Annotated[int | None, typer.Option(help="When it is not the usual one.")] = None,
    security: Annotated[
        str, typer.Option(help="For both servers: tls, starttls, or plain (only on this machine).")
    ] = "tls",
    username: Annotated[str | None, typer.Option(help=_ASKED["username"])] = None,
    password_file: Annotated[Path | None, typer.Option(help="A file with the password for both servers.")] = None,
    keeper: Annotated[str | None, typer.Option(help=_ASKED["keeper"])] = None,
    keeper_key: Annotated[str | None, typer.Option(help=_ASKED["keeper_key"])] = None,
) -> None:
    """Write a configuration that works, with fresh keys, and copies of the rules and texts."""
    given = {"address": address, "imap_host": imap_host, "username": username or address, "smtp_host": smtp_host}
    told = _complete(given | {"keeper": keeper, "keeper_key": keeper_key})
    answers = Answers(told, name, security, password_file)
    write(folder, replace(answers, imap_port=imap_port, smtp_port=smtp_port), typer.echo)


def _complete(given: dict[str, str | None]) -> dict[str, str]:
    if sys.stdin.isatty():
        return {name: value or typer.prompt(_ASKED[name]) for name, value in given.items()}
    missing = [name for name, value in given.items() if value is None]
    if missing:
        raise ConfigError(*(Problem("mailroom init", "--" + one.replace("_", "-"), "is required") for one in missing))
    return {name: value for name, value in given.items() if value is not None}


def write(folder: Path, answers: Answers, say: Callable[[str], None]) -> Path:
    """Make the folder; give the path of the configuration.

    Raises:
        MailroomError: there is a configuration already, or the key cannot be used.
    """
    target = folder / "config.toml"
    if target.exists():
        raise MailroomError(f"{target} exists already; nothing was changed")
    public = Path(answers.told["keeper_key"])
    if not public.is_file():
        raise ConfigError(Problem("mailroom init", "--keeper-key", f"there is no file {public}"))
    for name in ("data", "secrets", "gnupg"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    desk, keeper = _keys(folder, answers, public.read_bytes())
    _secrets(folder, answers)
    for shared in ("rules", "templates"):
        shutil.copytree(share_path(shared), folder / shared, dirs_exist_ok=True)
    target.write_text(render(_values(answers, desk, keeper)), encoding="utf-8")
    load(target)
    _report(folder, target, desk, say)
    return target


def _keys(folder: Path, answers: Answers, public: bytes) -> tuple[str, str]:
    prepare_home(folder / "gnupg")
    home = DeskHome(folder / "gnupg")
    try:
        imported = home.import_public(public)
        if len(imported) != 1:
            raise MailroomError(f"the keeper's file holds {len(imported)} public keys; it must hold exactly one")
        desk = home.generate_desk_key(answers.told["address"], answers.name)
        (folder / "desk-key.asc").write_bytes(home.export_public(desk))
    finally:
        home.stop_agent()
    return desk, imported[0]


def _secrets(folder: Path, answers: Answers) -> None:
    wrapping = secrets.token_bytes(32)
    _private(folder / "secrets" / "wrapping.key", wrapping)
    KeyStore.create(folder / "data" / "keystore", wrapping)
    if answers.password_file is not None:
        _private(folder / "secrets" / "mail-password", answers.password_file.read_bytes())
    elif sys.stdin.isatty():
        _private(folder / "secrets" / "mail-password", typer.prompt("The password", hide_input=True).encode())
    else:
        raise ConfigError(Problem("mailroom init", "--password-file", "is required"))


def _private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _values(answers: Answers, desk: str, keeper: str) -> dict[str, Value]:
    values: dict[str, Value] = {
        "service.name": answers.name,
        "service.address": answers.told["address"],
        "service.data_dir": "data",
        "imap.host": answers.told["imap_host"],
        "imap.security": answers.security,
        "imap.username": answers.told["username"],
        "imap.password_file": "secrets/mail-password",
        "smtp.host": answers.told["smtp_host"],
        "smtp.security": answers.security,
        "smtp.username": answers.told["username"],
        "smtp.password_file": "secrets/mail-password",
    }
    if answers.imap_port is not None:
        values["imap.port"] = answers.imap_port
    if answers.smtp_port is not None:
        values["smtp.port"] = answers.smtp_port
    return values | {
        "openpgp.home": "gnupg",
        "openpgp.key": desk,
        "archive.recipients": [keeper],
        "archive.key_file": "secrets/wrapping.key",
        "keepers.address": answers.told["keeper"],
        "keepers.fingerprint": keeper,
    }


def _report(folder: Path, target: Path, desk: str, say: Callable[[str], None]) -> None:
    say(f"Wrote {target}. The desk's public key is in {folder / 'desk-key.asc'}; its fingerprint is {desk}.")
    say("Only one key opens the archive. If the record keeper loses it, everything is lost: name a second one")
    say("under [archive] recipients before the first mail arrives.")
    say(f"Keep {folder / 'secrets' / 'wrapping.key'} apart from backups of {folder / 'data'}.")
    say(f"Next: mailroom run --once --config {target}")
