"""The records: whether they open, fit this program, and what in them waits for somebody."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from mailroom.config import Config
from mailroom.doctor.finding import Finding, note, ok, skipped, wrong
from mailroom.errors import ConfigError, RecordsUnavailable, SealError
from mailroom.records.database import HEAD
from mailroom.records.keystore import KeyStore
from mailroom.records.standing import schema_version, standing

_BACKUP = "Put its backup there. Without it no record can be opened."


def records(config: Config, now: datetime) -> list[Finding]:
    """Check key store, wrapping key and database. Works beside the daemon, and changes nothing."""
    return [key_store(config), _wrapping_key(config), *_database(config, now)]


def key_store(config: Config) -> Finding:
    """See whether the wrapping key opens the key store."""
    check, store = "key store", config.service.data_dir / "keystore"
    if not store.exists():
        if config.has_database:
            return wrong(check, f"there are records, but not the key store {store} that opens them", _BACKUP)
        return ok(check, "there is none yet: the first run makes it")
    try:
        KeyStore(store, config.archive.key_file.read_key())
    except SealError as error:
        return wrong(check, str(error), "Name the right file in [archive] key_file, or put the backup of both there.")
    except ConfigError as error:
        return wrong(check, str(error), "Name the right file in [archive] key_file.")
    except OSError as error:
        return wrong(check, f"{store} cannot be read: {error.strerror}", _BACKUP)
    return ok(check, "it opens with the wrapping key")


def _wrapping_key(config: Config) -> Finding:
    """See that a backup of the records does not hold the key to them."""
    check, key, data = "wrapping key", config.archive.key_file.path.resolve(), config.service.data_dir.resolve()
    do = "Move it to where the backups of the records do not go, or make it a credential; see [archive] key_file."
    if is_credential(key):
        return ok(check, "it comes from systemd")
    if key.is_relative_to(data):
        return wrong(check, "it lies inside data_dir: whoever finds a backup can open the records", do)
    if key.is_relative_to(data.parent):
        return note(check, "it lies beside data_dir: a backup of the whole folder would hold both", do)
    return ok(check, "it lies apart from the records")


def is_credential(path: Path) -> bool:
    """Whether systemd put this file there."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and path.resolve().is_relative_to(Path(folder or "").resolve())


def _database(config: Config, now: datetime) -> Iterator[Finding]:
    check = "database"
    if not config.has_database:
        yield ok(check, "there is none yet: the first run makes it")
        return
    try:
        version = schema_version(config.database_url)
    except RecordsUnavailable as error:
        do = "If Mailroom is not running and the disk is not full, put the backup of the database and key store there."
        yield wrong(check, str(error), do)
        return
    if version == HEAD:
        yield ok(check, f"it has the version of this program, {HEAD}")
        yield from _waiting(config, now)
        return
    yield _other_version(check, version)
    yield skipped("waiting", "the database has another version")


def _other_version(check: str, version: str | None) -> Finding:
    if version is None or version < HEAD:
        what = f"it has version {version or 'none'}, this program needs {HEAD}"
        return note(check, what, "Run `mailroom db upgrade`; `mailroom run` does it by itself.")
    return wrong(check, f"it has version {version}, newer than this program knows", "Install the newer Mailroom again.")


def _waiting(config: Config, now: datetime) -> Iterator[Finding]:
    try:
        waits = standing(config.database_url)
    except RecordsUnavailable as error:
        yield wrong("waiting", str(error), "Try again; if it stays so, put the backup of the database there.")
        return
    if waits.unread:
        what = f"{waits.unread} cases have a mail that could not be read"
        yield note("waiting", what, "Mend the cause, then run: mailroom case retry --parked")
    if waits.failed:
        do = "Their cases are in `mailroom case list`; the keeper tries another way to reach these people."
        yield note("waiting", f"{waits.failed} letters were refused for good", do)
    if waits.held:
        do = "Let one go with `mailroom case answer REFERENCE`. The keeper was told of each."
        yield note("waiting", f"{waits.held} answers are held for the record keeper", do)
    late = waits.waiting_since is not None and now.timestamp() - waits.waiting_since > config.alarms.outbox_minutes * 60
    if late:
        what = f"a letter has been waiting for more than {config.alarms.outbox_minutes} minutes"
        yield wrong("waiting", what, "Look at the findings about smtp, and whether `mailroom run` is running.")
    if not (waits.unread or waits.failed or waits.held or late):
        yield ok("waiting", "nothing waits for somebody")
