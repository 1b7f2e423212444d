"""The machine: notes that outlive a restart, the heartbeat, the service manager, keys that end."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailroom.transport.machine import LocalMachine
from tests.gnupg_home import fingerprint, new_home


@pytest.fixture
def machine(tmp_path: Path) -> LocalMachine:
    return LocalMachine(tmp_path, tmp_path / "gnupg", {}, tmp_path / "alive")


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inlet:
        inlet.bind(str(tmp_path / "notify"))
        inlet.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield inlet


def test_what_was_noted_is_recalled_after_a_restart(machine: LocalMachine, tmp_path: Path) -> None:
    machine.note({"inbox": 7})
    assert LocalMachine(tmp_path, tmp_path, {}).recall() == {"inbox": 7}


@pytest.mark.parametrize("content", [None, b"", b"[1]", b'{"inbox": "x"}', b'{"inbox": 99999999999999}', b"\xff"])
def test_notes_that_cannot_be_read_are_none(machine: LocalMachine, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "alarms.json").write_bytes(content)
    assert machine.recall() == {}


def test_a_place_that_takes_no_notes_is_no_error(tmp_path: Path) -> None:
    machine = LocalMachine(tmp_path / "gone", tmp_path, {}, tmp_path / "gone" / "alive")
    machine.note({"inbox": 7})
    machine.beat()
    assert machine.recall() == {}


def test_the_heartbeat_file_is_touched(machine: LocalMachine, tmp_path: Path) -> None:
    machine.beat()
    assert (tmp_path / "alive").exists()


def test_the_service_manager_hears_what_is_told(machine: LocalMachine, manager: socket.socket) -> None:
    machine.notify("READY=1")
    assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "nowhere", "/no/such/socket", "@no-such-name"])
def test_without_a_service_manager_nothing_happens(
    machine: LocalMachine, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    machine.notify("READY=1")


async def test_keys_that_end_are_told_by_what_they_are_for(tmp_path: Path) -> None:
    named = {fingerprint("expired"): "the keeper's key", fingerprint("keeper"): "the archive key"}
    with new_home([], ["expired", "keeper", "deputy"]) as home:
        [(what, at)] = await LocalMachine(tmp_path, home, named).key_expiries()
    assert (what, at > 0) == ("the keeper's key", True)


async def test_a_home_that_is_not_there_ends_nothing(tmp_path: Path) -> None:
    assert await LocalMachine(tmp_path, tmp_path / "gone", {}).key_expiries() == []


def test_the_free_share_of_the_disk_is_a_share(machine: LocalMachine) -> None:
    assert 0 <= machine.disk_free() <= 1


def test_a_disk_that_cannot_be_asked_counts_as_full(tmp_path: Path) -> None:
    assert LocalMachine(tmp_path / "gone", tmp_path, {}).disk_free() == 0.0
