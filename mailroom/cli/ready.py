"""What must be there before a mail is touched: the keys that the configuration names, and the key store."""

from collections.abc import Iterator
from pathlib import Path

from mailroom.config import Config
from mailroom.errors import ConfigError, EncryptionFailed, Problem
from mailroom.transport.gnupg_home import DeskHome
from mailroom.transport.sequoia import Sequoia

_UNUSABLE = "was revoked, is damaged, or is for signing only: nothing can be sealed to it."
_MISSING = "is not in the keyring; `mailroom keys import FILE` puts a public key there."


def named_keys(config: Config) -> Iterator[tuple[str, str]]:
    """Give each key of the configuration that names a fingerprint, with that fingerprint."""
    yield "openpgp.key", config.openpgp.key
    for number, fingerprint in enumerate(config.archive.recipients, start=1):
        yield f"archive.recipients[{number}]", fingerprint
    for table in ("keepers", "admins", "researchers"):
        for number, person in enumerate(getattr(config, table), start=1):
            if person.fingerprint:
                yield f"{table}[{number}].fingerprint", person.fingerprint


def require_keys(config: Config, file: Path) -> None:
    """Refuse a configuration that names keys which are not in the desk's home.

    Raises:
        ConfigError: with every such key.
    """
    here = {key.fingerprint: key for key in DeskHome(config.openpgp.home).list_keys()}
    problems = [Problem(str(file), key, _MISSING) for key, name in list(named_keys(config))[1:] if name not in here]
    desk = here.get(config.openpgp.key)
    if desk is None or not desk.secret:
        what = "has no private half in openpgp.home: nothing that people encrypt to it could be read."
        problems.insert(0, Problem(str(file), "openpgp.key", what))
    if problems:
        raise ConfigError(*problems)
    _require_archive(config, file)


def _require_archive(config: Config, file: Path) -> None:
    """Refuse archive keys that nothing can be sealed to. One that has expired still seals, and the log says so."""
    home, sequoia = DeskHome(config.openpgp.home), Sequoia()
    problems = []
    for number, fingerprint in enumerate(config.archive.recipients, start=1):
        try:
            sequoia.seal(b"", [home.certificate(fingerprint)])
        except EncryptionFailed:
            problems.append(Problem(str(file), f"archive.recipients[{number}]", _UNUSABLE))
    if problems:
        raise ConfigError(*problems)


def require_key_store(config: Config, file: Path) -> None:
    """See that there is a key store; a new one is made only where there are no records yet.

    Raises:
        ConfigError: there are records, but their keys are gone.
    """
    from mailroom.records.keystore import KeyStore  # noqa: PLC0415 `explain` asks about keys alone, and is spared it

    store = config.service.data_dir / "keystore"
    if store.exists():
        return
    if config.has_database:
        what = f"there are records, but not the key store {store} that opens them: put its backup there."
        raise ConfigError(Problem(str(file), "service.data_dir", what))
    KeyStore.create(store, config.archive.key_file.read_key())
