"""The daemon as a service: it tells its manager that it is ready, that it lives, and that it stops."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.cli.running import ROOT
from tests.e2e.conftest import Build


def test_the_manager_is_told_of_readiness_life_and_end_and_sigterm_ends_in_order(
    furnish: Build, tmp_path: Path
) -> None:
    house = furnish(alarms__heartbeat_file=str(tmp_path / "alive"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environment = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        command = [sys.executable, "-m", "mailroom", "--config", str(house.config), "run"]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as daemon:
            told = [manager.recv(100), manager.recv(100)]
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(60) == 0
            assert daemon.stderr
            daemon.stderr.read()
        told.append(manager.recv(100))
    assert told == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]
    assert (tmp_path / "alive").exists()
