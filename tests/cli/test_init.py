import asyncio
import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mailroom.config import load
from mailroom.transport.gnupg_home import DeskHome
from tests.cli.running import Done, here
from tests.e2e.house import KEEPER, notices, replies
from tests.e2e.letters import TEXTS, plain
from tests.gnupg_home import fingerprint, public, secret
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.sink import Sink


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for answers; its desk is made in `place / "desk"`. Its path is short, for the socket of gpg's agent."""
    folder = tmp_path_factory.mktemp("i")
    (folder / "password").write_text(PASSWORD + "\n")
    for name in ("keeper", "deputy", "expired", "sign-only"):
        (folder / f"{name}.asc").write_bytes(public(name))
    yield folder
    home = folder / "desk" / "gnupg"
    if home.exists():
        with suppress(OSError):
            DeskHome(home).stop_agent()


def init(place: Path, *more: str, **changed: str | None) -> Done:
    return connecting(place, "--no-connect", *more, **changed)


def connecting(place: Path, *more: str, **changed: str | None) -> Done:
    answers: dict[str, str | None] = {
        "address": "desk@example.org",
        "imap-host": "127.0.0.1",
        "smtp-host": "127.0.0.1",
        "username": "desk",
        "security": "plain",
        "password-file": str(place / "password"),
        "keeper": KEEPER,
        "keeper-key": str(place / "keeper.asc"),
    }
    answers |= {name.replace("_", "-"): value for name, value in changed.items()}
    options = [word for name, value in answers.items() if value is not None for word in (f"--{name}", value)]
    return here("init", str(place / "desk"), *options, *more)


async def test_what_init_writes_files_and_answers_mail(place: Path, dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    async with Sink(password=PASSWORD) as sink:
        ports = {"imap_port": str(dovecot.port), "smtp_port": str(sink.port), "username": user}
        done = await asyncio.to_thread(lambda: connecting(place, **ports))
        config = place / "desk" / "config.toml"
        assert (done.status, done.out) == (0, f"{config}\n")
        dovecot.append(user, plain(1, TEXTS["en"]))
        sink.deliveries.clear()
        told = await asyncio.to_thread(_once, config)
        assert (told["filed"], told["replies_sent"], told["outbox_left"]) == (1, 1, 0)
        assert (len(replies(sink.deliveries)), len(notices(sink.deliveries))) == (1, 1)


def _once(config: Path) -> dict[str, int]:
    command = [sys.executable, "-m", "mailroom", "run", "--once", "--json", "--config", str(config)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def test_every_file_is_for_its_owner_alone(place: Path) -> None:
    assert init(place).status == 0
    paths = [place / "desk", *(place / "desk").rglob("*")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert {path.name for path in (place / "desk").iterdir()} == {
        *("config.toml", "data", "gnupg", "secrets", "rules", "templates", "desk-key.asc", "publish.txt")
    }


def test_one_archive_key_is_warned_of_and_a_second_is_not(place: Path) -> None:
    one = init(place)
    assert "Only one key opens the archive" in one.err
    (place / "desk").rename(place / "first")
    DeskHome(place / "first" / "gnupg").stop_agent()
    two = init(place, "--archive-key", str(place / "deputy.asc"))
    assert "Only one key" not in two.err
    recipients = load(place / "desk" / "config.toml").archive.recipients
    assert recipients == (fingerprint("keeper"), fingerprint("deputy"))


@pytest.mark.parametrize("name", ["config.toml", "rules", "data", "secrets"])
def test_nothing_that_is_there_is_replaced(place: Path, name: str) -> None:
    (place / "desk").mkdir()
    (place / "desk" / name).write_text("mine")
    done = init(place)
    assert done.status == 1
    assert str(place / "desk" / name) in done.err
    assert [path.name for path in (place / "desk").iterdir()] == [name]
    assert (place / "desk" / name).read_text() == "mine"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"address": "not an address"}, ["--address"]),
        ({"security": "tsl"}, ["--security", "'tls'"]),
        ({"imap_host": "imap.example.org"}, ["--security"]),
        ({"keeper": "desk@example.org"}, ["--keeper"]),
        ({"name": "Desk <x>"}, ["--name"]),
        ({"keeper_key": "/no/key", "password_file": "/no/password"}, ["--keeper-key", "--password-file"]),
        ({"keeper_key": None, "keeper": None}, ["--keeper", "--keeper-key"]),
        ({"keeper_key": "two.asc"}, ["--keeper-key", "2 public keys"]),
        ({"keeper_key": "private.asc"}, ["--keeper-key", "private"]),
        ({"keeper_key": "expired.asc"}, ["--keeper-key", "expired"]),
        ({"keeper_key": "sign-only.asc"}, ["--keeper-key", "signing only"]),
        ({"keeper_key": "password"}, ["--keeper-key", "no OpenPGP keys"]),
        ({"keeper_key": "two.asc", "address": "nobody"}, ["--keeper-key", "--address"]),
    ],
)
def test_a_wrong_answer_is_named_by_its_option_and_leaves_nothing(
    place: Path, changed: dict[str, str | None], named: list[str]
) -> None:
    (place / "two.asc").write_bytes(public("keeper") + public("deputy"))
    (place / "private.asc").write_bytes(secret("keeper"))
    key = changed.get("keeper_key")
    done = init(place, **(changed | ({"keeper_key": str(place / key)} if key else {})))
    assert (done.status, done.out) == (2, "")
    assert all(name in done.err for name in named), done.err
    assert "Traceback" not in done.err
    assert not (place / "desk").exists()
