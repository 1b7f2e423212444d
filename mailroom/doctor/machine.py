"""The machine: who may read which file, room on the disk, the programs, and whether the daemon runs."""

import fcntl
import os
import platform
import pwd
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from mailroom.config import Config
from mailroom.doctor.finding import Finding, note, ok, wrong
from mailroom.doctor.records import is_credential
from mailroom.keeper.alarms import DISK_FREE
from mailroom.transport.programs import version

_DISK_SOON = 0.10
_GNUPG = (2, 2)
_OTHERS = 0o077


def machine(config: Config, file: Path) -> list[Finding]:
    """Check what Mailroom stands on."""
    rights = list(_rights(config, file))
    return [
        *_user(config),
        *(rights or [ok("rights", "secrets, keys and records are for this user alone")]),
        _disk(config),
        *_programs(),
        _daemon(config),
    ]


def _user(config: Config) -> Iterator[Finding]:
    """See that the files which gpg and the database leave here will belong to whom the daemon runs as."""
    owner = config.service.data_dir.stat().st_uid
    if owner != os.geteuid():
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        do = f"Run it as that user: sudo -u {name} mailroom doctor"
        yield wrong("user", f"data_dir belongs to {name}, and this is another user", do)


def _rights(config: Config, file: Path) -> Iterator[Finding]:
    secrets = [config.imap.password_file, config.smtp.password_file, config.openpgp.passphrase_file]
    paths = [file, *(one.path for one in (*secrets, config.archive.key_file) if one)]
    for path in dict.fromkeys(paths):
        if not is_credential(path) and _open_to_others(path):
            yield wrong("rights", f"others may read {path}", f"chmod 600 {path}")
    for path in (config.service.data_dir, config.openpgp.home):
        if path.exists() and path.stat().st_mode & _OTHERS:
            yield wrong("rights", f"others may enter {path}", f"chmod 700 {path}")
    for path in (config.service.data_dir / "keystore",):
        if path.exists() and path.stat().st_mode & _OTHERS:
            yield wrong("rights", f"others may read {path}", f"chmod 600 {path}")


def _open_to_others(path: Path) -> bool:
    """Whether somebody else may read or write it. What belongs to root may be lent to our group for reading."""
    found = path.stat()
    lent = found.st_uid == 0 and os.geteuid() != 0
    return bool(stat.S_IMODE(found.st_mode) & (_OTHERS & ~0o040 if lent else _OTHERS))


def _disk(config: Config) -> Finding:
    usage = shutil.disk_usage(config.service.data_dir)
    free = usage.free / usage.total
    what, do = f"{free:.0%} of the disk is free", "Make room on the disk of data_dir."
    if free < DISK_FREE:
        return wrong("disk", what, f"{do} While it is full, mail stays in the inbox and nobody is answered.")
    return note("disk", what, do) if free < _DISK_SOON else ok("disk", what)


def _programs() -> Iterator[Finding]:
    yield ok("python", platform.python_version())
    for program in ("gpg", "gpgconf", "gpg-agent"):
        found = version(program)
        text = ".".join(map(str, found or ()))
        if found is None:
            do = "Install GnuPG; on Debian and Ubuntu: apt install gnupg gpg-agent"
            yield wrong(program, "it is not installed, or not in $PATH", do)
        elif found < _GNUPG:
            yield wrong(program, f"it is version {text}, too old", "Install GnuPG 2.2 or newer.")
        else:
            yield ok(program, text)


def _daemon(config: Config) -> Finding:
    if is_running(config):
        return ok("daemon", "it is running")
    return note("daemon", "it is not running", "Start it: systemctl start mailroom, or: mailroom run")


def is_running(config: Config) -> bool:
    """Whether another Mailroom works over the same records. The look is over before it could be in the way."""
    try:
        with (config.service.data_dir / "run.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
