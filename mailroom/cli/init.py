"""`mailroom init`: a folder with a configuration that works: keys made, rules and texts copied.

Everything is made in a folder of its own inside the given one and moved up when all of it is right, so that a wrong
answer leaves nothing half-made.
"""

import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from mailroom.config import load
from mailroom.config_writer import Value, render
from mailroom.errors import ConfigError, EncryptionFailed, MailroomError, Problem
from mailroom.records.keystore import KeyStore
from mailroom.share import share_path
from mailroom.transport.gnupg_home import DeskHome, prepare_home
from mailroom.transport.sequoia import Sequoia

_ASKED = {
    "address": "The address that people will write to",
    "imap_host": "The server that receives mail (IMAP)",
    "username": "The name to log in with there",
    "smtp_host": "The server that sends mail (SMTP)",
    "keeper": "The record keeper's address",
    "keeper_key": "A file with the record keeper's public OpenPGP key",
}
# The option that a key of the configuration came from, where it is not the key's own name.
_OPTIONS = {
    "service.address": "--address",
    "service.name": "--name",
    "imap.username": "--username",
    "smtp.username": "--username",
    "imap.password_file": "--password-file",
    "imap.security": "--security",
    "smtp.security": "--security",
    "keepers[1].address": "--keeper",
    "openpgp.home": "DIR",
}
_DRAFT = ".new"  # short, because the path of a GNUPGHOME must be
_MADE = ("data", "secrets", "gnupg", "rules", "templates", "desk-key.asc", "config.toml")
_NOT_YET = "0" * 40  # stands for the fingerprint of the desk key, which is made when all else is right


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` was told; `told` holds an answer to everything in `_ASKED`."""

    told: Mapping[str, str]
    name: str
    security: str
    password_file: Path | None
    imap_port: int | None = field(default=None, kw_only=True)
    smtp_port: int | None = field(default=None, kw_only=True)
    archive_keys: tuple[Path, ...] = field(default=(), kw_only=True)


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
    archive_key: Annotated[
        list[Path] | None, typer.Option(help="A file with one more public key that opens the archive; repeatable.")
    ] = None,
) -> None:
    """Write a configuration that works, with fresh keys, and copies of the rules and texts."""
    _refuse_to_overwrite(folder)
    given = {"address": address, "imap_host": imap_host, "username": username or address, "smtp_host": smtp_host}
    told = _complete(given | {"keeper": keeper, "keeper_key": keeper_key}, password_file)
    ports = {"imap_port": imap_port, "smtp_port": smtp_port}
    answers = Answers(told, name, security, password_file, **ports, archive_keys=tuple(archive_key or ()))
    target = write(folder, answers, lambda line: typer.echo(line, err=True))
    typer.echo(str(target))


def _complete(given: dict[str, str | None], password_file: Path | None) -> dict[str, str]:
    if sys.stdin.isatty():
        return {name: value or typer.prompt(_ASKED[name], err=True) for name, value in given.items()}
    missing = [name for name, value in (given | {"password_file": password_file}).items() if value is None]
    if missing:
        raise ConfigError(*(_problem("--" + one.replace("_", "-"), "is required.") for one in missing))
    return {name: value for name, value in given.items() if value is not None}


def _problem(option: str, what: str, nearest: str | None = None) -> Problem:
    return Problem("mailroom init", option, what, nearest)


def write(folder: Path, answers: Answers, say: Callable[[str], None]) -> Path:
    """Make the folder; give the path of the configuration.

    Raises:
        ConfigError: with everything that is wrong with the answers; nothing was made.
        MailroomError: there is something in the folder already that would be replaced; nothing was changed.
    """
    _refuse_to_overwrite(folder)
    with _draft_in(folder) as draft:
        recipients = _checked(draft, answers)
        desk = _desk_key(draft, answers)
        (draft / "config.toml").write_text(render(_values(answers, desk, recipients)), encoding="utf-8")
        for shared in ("rules", "templates"):
            shutil.copytree(share_path(shared), draft / shared, copy_function=shutil.copyfile)
        _make_private(draft)
        for name in _MADE:
            (draft / name).rename(folder / name)
    _report(folder, desk, recipients, say)
    return folder / "config.toml"


def _refuse_to_overwrite(folder: Path) -> None:
    there = [str(folder / name) for name in _MADE if (folder / name).exists()]
    if there:
        raise MailroomError(f"nothing was changed, because this exists already: {', '.join(there)}")


@contextmanager
def _draft_in(folder: Path) -> Iterator[Path]:
    """Give a private folder inside `folder`; at the end it is gone, and `folder` too if it was made in vain."""
    is_new = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / _DRAFT
    try:
        draft.mkdir(mode=0o700)
    except FileExistsError:
        raise MailroomError(
            f"{draft} is there: another `mailroom init` is at work, or was cut off; delete it"
        ) from None
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if is_new and not any(folder.iterdir()):
            folder.rmdir()


def _checked(draft: Path, answers: Answers) -> list[str]:
    """Make everything but the desk key, and check it; give the fingerprints that the archive is sealed to."""
    problems = list(_missing_files(answers))
    if problems:
        raise ConfigError(*problems)
    (draft / "data").mkdir()
    (draft / "secrets").mkdir()
    _secrets(draft, answers)
    prepare_home(draft / "gnupg")
    home, recipients = DeskHome(draft / "gnupg"), list[str]()
    for option, path in _key_files(answers):
        try:
            recipients.append(_imported(home, option, path))
        except ConfigError as error:
            problems += error.problems
    values = _values(answers, _NOT_YET, recipients or [_NOT_YET])
    (draft / "config.toml").write_text(render(values), encoding="utf-8")
    try:
        load(draft / "config.toml")
    except ConfigError as error:
        problems += map(_as_option, error.problems)
    if problems:
        raise ConfigError(*problems)
    return list(dict.fromkeys(recipients))


def _key_files(answers: Answers) -> list[tuple[str, Path]]:
    return [
        ("--keeper-key", Path(answers.told["keeper_key"])),
        *(("--archive-key", one) for one in answers.archive_keys),
    ]


def _missing_files(answers: Answers) -> Iterator[Problem]:
    password = [("--password-file", answers.password_file)] if answers.password_file else []
    for option, path in [*_key_files(answers), *password]:
        if not path.is_file():
            yield _problem(option, f"there is no file {path}.")


def _imported(home: DeskHome, option: str, path: Path) -> str:
    try:
        imported = home.import_public(path.read_bytes())
    except ConfigError as error:
        raise ConfigError(*(_problem(option, f"{one.file} {one.what}") for one in error.problems)) from None
    if len(imported) != 1:
        raise ConfigError(_problem(option, f"the file holds {len(imported)} public keys; it must hold exactly one."))
    try:
        Sequoia().encrypt(b"", [home.certificate(imported[0])], armor=False)
    except EncryptionFailed:
        what = "nothing can be encrypted to this key: it expired, was revoked, or is for signing only."
        raise ConfigError(_problem(option, what)) from None
    return imported[0]


def _as_option(problem: Problem) -> Problem:
    """Say an error of the configuration in terms of the option that it came from."""
    named = re.search(r"\(([^()]+)\)$", problem.where)
    key = named[1] if named else problem.where or problem.file
    return _problem(_OPTIONS.get(key, "--" + key.replace(".", "-")), problem.what, problem.nearest)


def _secrets(draft: Path, answers: Answers) -> None:
    wrapping = secrets.token_bytes(32)
    (draft / "secrets" / "wrapping.key").write_bytes(wrapping)
    KeyStore.create(draft / "data" / "keystore", wrapping)
    if answers.password_file is not None:
        password = answers.password_file.read_bytes()
    else:
        password = str(typer.prompt("The password", hide_input=True, err=True)).encode()
    (draft / "secrets" / "mail-password").write_bytes(password)


def _desk_key(draft: Path, answers: Answers) -> str:
    home = DeskHome(draft / "gnupg")
    try:
        desk = home.generate_desk_key(answers.told["address"], answers.name)
        (draft / "desk-key.asc").write_bytes(home.export_public(desk))
    except ConfigError as error:
        raise ConfigError(*map(_as_option, error.problems)) from None
    finally:
        home.stop_agent()  # its sockets belong to the place where the home is now
    return desk


def _make_private(draft: Path) -> None:
    for path in draft.rglob("*"):
        if not path.is_socket():
            path.chmod(0o700 if path.is_dir() else 0o600)


def _values(answers: Answers, desk: str, recipients: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {
        "service.name": answers.name,
        "service.address": answers.told["address"],
        "service.data_dir": "data",
        "openpgp.home": "gnupg",
        "openpgp.key": desk,
        "archive.recipients": recipients,
        "archive.key_file": "secrets/wrapping.key",
        "keepers.address": answers.told["keeper"],
        "keepers.fingerprint": recipients[0],
    }
    for server, port in (("imap", answers.imap_port), ("smtp", answers.smtp_port)):
        values |= {
            f"{server}.host": answers.told[f"{server}_host"],
            f"{server}.security": answers.security,
            f"{server}.username": answers.told["username"],
            f"{server}.password_file": "secrets/mail-password",
        } | ({} if port is None else {f"{server}.port": port})
    return values


def _report(folder: Path, desk: str, recipients: list[str], say: Callable[[str], None]) -> None:
    say(f"The desk's public key is in {folder / 'desk-key.asc'}; its fingerprint is {desk}.")
    if len(recipients) < 2:
        say("Only one key opens the archive. If the record keeper loses it, everything is lost: name a second one")
        say("under [archive] recipients before the first mail arrives.")
    say(f"Keep {folder / 'secrets' / 'wrapping.key'} apart from backups of {folder / 'data'}.")
    say(f"Next: mailroom run --once --config {folder / 'config.toml'}")
