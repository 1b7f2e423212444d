"""How `mailroom init` makes its folder: in a draft inside it, moved up when all is right.

A wrong answer so leaves nothing half-made.
"""

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mailroom.cli.init_questions import Answers, problem
from mailroom.cli.init_texts import next_steps, publication
from mailroom.config import load
from mailroom.config_writer import Value, render
from mailroom.errors import ConfigError, EncryptionFailed, MailroomError, Problem
from mailroom.records.keystore import KeyStore
from mailroom.share import share_path
from mailroom.transport.gnupg_home import DeskHome, prepare_home
from mailroom.transport.sequoia import Sequoia

# The option that a key of the configuration came from, where it is not the key's own name.
_OPTIONS = {
    "service.address": "--address",
    "service.name": "--name",
    "imap.username": "--username",
    "smtp.username": "--username",
    "imap.password_file": "--password-file",
    "imap.token_command": "--token-command",
    "smtp.token_command": "--token-command",
    "imap.security": "--security",
    "smtp.security": "--security",
    "imap.sent": "--sent",
    "imap.authserv_id": "--authserv-id",
    "keepers[1].address": "--keeper",
    "admins[1].address": "--admin",
    "openpgp.home": "DIR",
}
_DRAFT = ".new"  # short, because the path of a GNUPGHOME must be
_MADE = ("data", "secrets", "gnupg", "rules", "templates", "desk-key.asc", "publish.txt", "config.toml")
_NOT_YET = "0" * 40  # stands for the fingerprint of the desk key, which is made when all else is right


def write(
    folder: Path,
    answers: Answers,
    say: Callable[[str], None],
    prove: Callable[[DeskHome, str, str], None] = lambda _home, _desk, _keeper: None,
) -> Path:
    """Make the folder; give the path of the configuration.

    `prove` is called when all is made and can still be given up, with the keyring and the fingerprints of desk and
    keeper: if it raises, nothing is left.

    Raises:
        ConfigError: with everything that is wrong with the answers; nothing was made.
        MailroomError: there is something in the folder already that would be replaced; nothing was changed.
    """
    refuse_to_overwrite(folder)
    with _draft_in(folder) as draft:
        recipients = _checked(draft, answers)
        desk = _desk_key(draft, answers)
        (draft / "config.toml").write_text(render(_values(answers, desk, recipients)), encoding="utf-8")
        for shared in ("rules", "templates"):
            shutil.copytree(share_path(shared), draft / shared, copy_function=shutil.copyfile)
        (draft / "publish.txt").write_text(publication(answers.address, answers.name, desk), encoding="utf-8")
        _make_private(draft)
        prove(DeskHome(draft / "gnupg"), desk, recipients[0])
        for name in _MADE:
            (draft / name).rename(folder / name)
    _report(folder, desk, recipients, say)
    return folder / "config.toml"


def refuse_to_overwrite(folder: Path) -> None:
    """Refuse a folder that holds something of what is made.

    Raises:
        MailroomError: it does; the text names what.
    """
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
        ("--keeper-key", Path(answers.keeper_key)),
        *(("--archive-key", one) for one in answers.archive_keys),
    ]


def _missing_files(answers: Answers) -> Iterator[Problem]:
    password = [] if answers.password_file is None else [("--password-file", answers.password_file)]
    for option, path in [*_key_files(answers), *password]:
        if not path.is_file():
            yield problem(option, f"there is no file {path}.")


def _imported(home: DeskHome, option: str, path: Path) -> str:
    try:
        imported = home.import_public(path.read_bytes())
    except ConfigError as error:
        raise ConfigError(*(problem(option, f"{one.file} {one.what}") for one in error.problems)) from None
    if len(imported) != 1:
        raise ConfigError(problem(option, f"the file holds {len(imported)} public keys; it must hold exactly one."))
    try:
        Sequoia().encrypt(b"", [home.certificate(imported[0])], armor=False)
    except EncryptionFailed:
        what = "nothing can be encrypted to this key: it expired, was revoked, or is for signing only."
        raise ConfigError(problem(option, what)) from None
    return imported[0]


def _as_option(found: Problem) -> Problem:
    """Say an error of the configuration in terms of the option that it came from."""
    named = re.search(r"\(([^()]+)\)$", found.where)
    key = named[1] if named else found.where or found.file
    return problem(_OPTIONS.get(key, "--" + key.replace(".", "-")), found.what, found.nearest)


def _secrets(draft: Path, answers: Answers) -> None:
    wrapping = secrets.token_bytes(32)
    (draft / "secrets" / "wrapping.key").write_bytes(wrapping)
    KeyStore.create(draft / "data" / "keystore", wrapping)
    if answers.password is not None:
        (draft / "secrets" / "mail-password").write_bytes(answers.password)


def _desk_key(draft: Path, answers: Answers) -> str:
    home = DeskHome(draft / "gnupg")
    try:
        desk = home.generate_desk_key(answers.address, answers.name)
        (draft / "desk-key.asc").write_bytes(home.export_public(desk))
    except ConfigError as error:
        raise ConfigError(*map(_as_option, error.problems)) from None
    finally:
        home.stop_agent()  # its sockets belong to the place where the home is now
    return desk


def _make_private(draft: Path) -> None:
    for path in draft.rglob("*"):
        if path.is_dir() or path.is_file():  # no sockets: gpg's agent may take its own away meanwhile
            path.chmod(0o700 if path.is_dir() else 0o600)


def _values(answers: Answers, desk: str, recipients: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {
        "service.name": answers.name,
        "service.address": answers.address,
        "service.data_dir": "data",
        "openpgp.home": "gnupg",
        "openpgp.key": desk,
        "archive.recipients": recipients,
        "archive.key_file": "secrets/wrapping.key",
        "keepers.address": answers.keeper,
        "keepers.fingerprint": recipients[0],
    }
    hosts = (("imap", answers.imap_host, answers.imap_port), ("smtp", answers.smtp_host, answers.smtp_port))
    for server, host, port in hosts:
        values |= {
            f"{server}.host": host,
            f"{server}.security": answers.security,
            f"{server}.username": answers.username,
            f"{server}.password_file": "" if answers.token_command else "secrets/mail-password",
            f"{server}.token_command": answers.token_command,
        } | ({} if port is None else {f"{server}.port": port})
    others = {"admins.address": answers.admin, "imap.authserv_id": answers.authserv_id, "imap.sent": answers.sent}
    return values | {key: value for key, value in others.items() if value}


def _report(folder: Path, desk: str, recipients: list[str], say: Callable[[str], None]) -> None:
    say(f"The desk's public key is in {folder / 'desk-key.asc'}; its fingerprint is {desk}.")
    say(f"A text for publishing the address is in {folder / 'publish.txt'}. Read it, and change it to fit.")
    if len(recipients) < 2:
        say("Only one key opens the archive. If the record keeper loses it, everything is lost: name a second one")
        say("under [archive] recipients before the first mail arrives.")
    say(f"Move {folder / 'secrets' / 'wrapping.key'} to where the backups of {folder / 'data'} do not go.")
    for line in next_steps(folder / "config.toml"):
        say(line)
