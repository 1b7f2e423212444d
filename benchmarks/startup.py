"""How long whole processes take, the start of Python and of every library with them; medians.

    python -m benchmarks.startup [--repeat 5] [--mails 500] [--json]

The daemon counts as ready at its first SELECT, which a relay between it and Dovecot sees.
"""

import argparse
import json
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.mails import mails
from benchmarks.sink import ROOT
from benchmarks.watch import machine
from tests.e2e.house import House, build
from tests.servers.dovecot import Dovecot

_HOST = "127.0.0.1"


class Relay:
    """Passes one IMAP connection on to Dovecot, and sets `selected` when a SELECT comes by."""

    def __init__(self, port: int) -> None:
        self._target, self._server = port, socket.create_server((_HOST, 0))
        self.port: int = self._server.getsockname()[1]
        self.selected = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        client, _ = self._server.accept()
        server = socket.create_connection((_HOST, self._target))
        threading.Thread(target=self._pass, args=(server, client), daemon=True).start()
        self._pass(client, server)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # the other end has gone
            while chunk := source.recv(65_536):
                if b" SELECT " in chunk:
                    self.selected.set()
                target.sendall(chunk)
            target.shutdown(socket.SHUT_RDWR)


def ready(dovecot: Dovecot) -> float:
    """Give the seconds from the start of `mailroom run` to its first SELECT."""
    relay = Relay(dovecot.port)
    with build(dovecot, 1, imap__port=relay.port) as house:
        began = time.monotonic()
        daemon = subprocess.Popen(_command(house, "run"), cwd=ROOT, stderr=subprocess.DEVNULL)
        assert relay.selected.wait(60)
        seconds = time.monotonic() - began
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(15) == 0
    return seconds


def explained(house: House, *paths: Path) -> float:
    """Give the seconds that `mailroom explain` takes."""
    began = time.monotonic()
    command = [*_command(house, "explain"), "--json", *map(str, paths)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def _command(house: House, verb: str) -> list[str]:
    return [sys.executable, "-m", "mailroom", "--config", str(house.config), verb]


def _written(folder: Path, kind: str, count: int) -> Path:
    folder.mkdir()
    for number, content in enumerate(mails(kind, count, 4096)):
        (folder / f"{number:05}.eml").write_bytes(content)
    return folder


def measure(repeat: int, count: int) -> dict[str, float]:
    """Measure everything."""

    def median(work: Callable[[], float]) -> float:
        return round(statistics.median(work() for _ in range(repeat)), 3)

    with Dovecot() as dovecot, build(dovecot, 1) as house:
        plain, pgp = (_written(house.folder / kind, kind, count) for kind in ("plain", "pgp"))
        found = {
            "daemon_ready": median(lambda: ready(dovecot)),
            "explain_plain": median(lambda: explained(house, plain / "00000.eml")),
            "explain_pgp": median(lambda: explained(house, pgp / "00000.eml")),
            "explain_folder": median(lambda: explained(house, plain)),
        }
    return found | {"explain_folder_rate": round(count / found["explain_folder"], 1)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--mails", type=int, default=500, help="in the folder that is explained")
    parser.add_argument("--json", action="store_true")
    wanted, here = parser.parse_args(), machine()
    found = measure(wanted.repeat, wanted.mails)
    if wanted.json:
        print(json.dumps(found | {"mails": wanted.mails, "machine": here}))
        return
    for name, value in found.items():
        print(f"{name:24}{value:10} {'mails a second' if name.endswith('rate') else 's'}")


if __name__ == "__main__":
    main()
