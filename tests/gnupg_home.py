"""Real GnuPG homes for tests, with the throw-away keys of tests/keys.

`desk_home` holds the desk's secret key and the public keys of keeper and deputy, as a real desk does; `people_home`
holds every secret key, to write mails with. Both last for the session and are shared: do not change them. A test that
changes a home asks for `own_desk_home`.

Use: `from tests.gnupg_home import desk_home, people_home` in a conftest.py, with `__all__`.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pysequoia
import pytest

from mailroom.transport.gnupg_home import DeskHome, prepare_home

KEYS = Path(__file__).parent / "keys"
PASSPHRASE = "open sesame"
EVERYBODY = tuple(sorted(path.name.removesuffix(".secret.asc") for path in KEYS.glob("*.secret.asc")))


@cache
def secret(name: str) -> bytes:
    """The secret key called `name`, armored."""
    return (KEYS / f"{name}.secret.asc").read_bytes()


@cache
def public(name: str) -> bytes:
    """The certificate called `name`, armored."""
    return (KEYS / f"{name}.public.asc").read_bytes()


@cache
def fingerprint(name: str) -> str:
    """The primary fingerprint of the key called `name`, in upper case."""
    return pysequoia.Cert.from_bytes(public(name)).fingerprint.upper()


def gpg(home: Path, *args: str, stdin: bytes = b"", check: bool = True) -> bytes:
    """Run the real gpg in `home`, as a person would; give its standard output."""
    command = ["gpg", "--homedir", str(home), "--batch", "--yes", "--quiet", "--trust-model", "always", *args]
    return subprocess.run(command, input=stdin, check=check, capture_output=True).stdout


@contextmanager
def new_home(secret_keys: Sequence[str] = (), public_keys: Sequence[str] = ()) -> Iterator[Path]:
    """Make a home with these keys; its agent ends and the home goes afterwards."""
    with empty_home() as home:
        keys = [*map(secret, secret_keys), *map(public, public_keys)]
        if keys:
            gpg(home, "--import", stdin=b"\n".join(keys))
        yield home


@contextmanager
def empty_home() -> Iterator[Path]:
    """Make a home without keys. Its path is short, because the socket of gpg's agent lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="gh", dir="/tmp"))
    home = folder / "home"
    prepare_home(home)
    try:
        yield home
    finally:
        DeskHome(home).stop_agent()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def copied_home(home: Path) -> Iterator[Path]:
    """Make a home with the keys of another one; its agent, if any, is its own."""
    with empty_home() as copy:
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("S.*", ".#*", "*.lock"), dirs_exist_ok=True)
        yield copy


@pytest.fixture(scope="session")
def desk_home() -> Iterator[Path]:
    with new_home(["desk"], ["keeper", "deputy"]) as home:
        yield home


@pytest.fixture(scope="session")
def people_home() -> Iterator[Path]:
    with new_home([name for name in EVERYBODY if name != "locked"]) as home:
        yield home


@pytest.fixture
def own_desk_home(desk_home: Path) -> Iterator[Path]:
    with copied_home(desk_home) as home:
        yield home
