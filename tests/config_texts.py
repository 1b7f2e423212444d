"""Configuration texts for tests, and what `load` says of them."""

from pathlib import Path

import pytest

from mailroom.config import Config, load
from mailroom.errors import ConfigError, Problem

FINGERPRINT = "0123456789ABCDEF" * 2 + "01234567"
MINIMAL = {
    "service.name": '"Letter desk"',
    "service.address": '"desk@Example.ORG"',
    "service.data_dir": '"data"',
    "imap.host": '"imap.example.org"',
    "imap.username": '"desk"',
    "imap.password_file": '"password"',
    "smtp.host": '"smtp.example.org"',
    "openpgp.home": '"gnupg"',
    "openpgp.key": f'"{FINGERPRINT}"',
    "archive.key_file": '"wrapping"',
}
KEEPER = f'[[keepers]]\naddress = "keeper@example.org"\nfingerprint = "{FINGERPRINT}"\n'


def fill(folder: Path) -> Path:
    """Put the files there that the texts name."""
    (folder / "secrets").mkdir()
    for name in ("password", "secrets/imap-password"):
        (folder / name).write_bytes(b" canary secret\n")
    for name in ("wrapping", "secrets/wrapping-key"):
        (folder / name).write_bytes(bytes(range(32)))
    return folder


def toml(changes: dict[str, str | None], keepers: str = KEEPER) -> str:
    """Write the smallest configuration with these changes; None leaves a key out."""
    keys = {key: value for key, value in (MINIMAL | changes).items() if value is not None}
    return "".join(f"{key} = {value}\n" for key, value in keys.items()) + keepers


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ or {})


def changed(folder: Path, **changes: str | None) -> Config:
    return loaded(folder, toml({key.replace("__", "."): value for key, value in changes.items()}))


def refusals(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text, environ)
    assert all(problem.file == str(folder / "config.toml") for problem in caught.value.problems)
    return list(caught.value.problems)


def refusal(folder: Path, **changes: str | None) -> Problem:
    (problem,) = refusals(folder, toml({key.replace("__", "."): value for key, value in changes.items()}))
    return problem
