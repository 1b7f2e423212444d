"""The machine that we run on: disk, monotonic clock, keys that expire, notes, heartbeat, and the service manager."""

import asyncio
import json
import os
import shutil
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mailroom.errors import MailroomError
from mailroom.transport.gnupg_home import DeskHome

_NOTES = "alarms.json"
_LATEST = 2**33  # the year 2242; a later time is damage
_KEYS_AGAIN = 3600.0  # asking gpg costs a process


class LocalMachine:
    """Fits `flow.ports.Machine`. `keys`: what each key is, in words, by its fingerprint."""

    def __init__(self, data_dir: Path, home: Path, keys: Mapping[str, str], heartbeat: Path | None = None) -> None:
        self._data_dir, self._home, self._keys, self._heartbeat = data_dir, home, dict(keys), heartbeat
        self._expiries: list[tuple[str, int]] = []
        self._asked_at: float | None = None

    def ticks(self) -> float:
        """Give the monotonic clock."""
        return time.monotonic()

    def disk_free(self) -> float:
        """Give what this user may still write, as a share of the whole; nothing when the disk cannot be asked."""
        try:
            usage = shutil.disk_usage(self._data_dir)
        except OSError:  # it was unmounted, say: that is an alarm, and must not end what tells it
            return 0.0
        return usage.free / usage.total

    async def key_expiries(self) -> list[tuple[str, int]]:
        """Ask gpg, once an hour."""
        if self._asked_at is None or self.ticks() - self._asked_at > _KEYS_AGAIN:
            with suppress(MailroomError, OSError):  # then nothing can be opened either, and that is told
                self._expiries = await asyncio.to_thread(self._ask)
            self._asked_at = self.ticks()
        return self._expiries

    def _ask(self) -> list[tuple[str, int]]:
        return [
            (self._keys[key.fingerprint], int(key.expires.timestamp()))
            for key in DeskHome(self._home).list_keys()
            if key.expires and key.fingerprint in self._keys
        ]

    def recall(self) -> dict[str, int]:
        """Read the notes."""
        try:
            noted = json.loads((self._data_dir / _NOTES).read_bytes())
        except (OSError, ValueError):
            return {}
        pairs = noted.items() if isinstance(noted, dict) else ()
        return {name: at for name, at in pairs if isinstance(at, int) and 0 <= at < _LATEST}

    def note(self, told: Mapping[str, int]) -> None:
        """Write the notes, whole or not at all."""
        draft = self._data_dir / f"{_NOTES}.new"
        with suppress(OSError):
            draft.write_text(json.dumps(told), encoding="utf-8")
            draft.replace(self._data_dir / _NOTES)

    def beat(self) -> None:
        """Touch the file."""
        if self._heartbeat:
            with suppress(OSError):
                self._heartbeat.touch()

    def notify(self, state: str) -> None:
        """Send one datagram to $NOTIFY_SOCKET; a name that begins with @ is an abstract one."""
        address = os.environ.get("NOTIFY_SOCKET", "")
        if address[:1] not in {"/", "@"}:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as outlet:
            outlet.setblocking(False)  # a manager that is busy must not hold us up
            outlet.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
