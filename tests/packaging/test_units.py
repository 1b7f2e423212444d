"""The systemd units: what they promise, and that the daemon can live inside their walls."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mailroom.daemon import _STOP_SECONDS
from mailroom.flow.draining import DESK_DEATHS
from tests.cli.running import ROOT
from tests.e2e.house import House
from tests.e2e.letters import mixed

UNITS = ROOT / "systemd"
SERVICE, FAILURE = (UNITS / name for name in ("mailroom.service", "mailroom-failure@.service"))
# Refused by the filter, and nobody minds: numpy goes on without the first, SQLite asks for the others only as root.
REFUSED = {"mbind", "fchown", "chown"}


def settings(unit: Path) -> list[tuple[str, str]]:
    """Give key and value of every line of a unit; a key may stand there more than once."""
    lines = (line for line in unit.read_text().splitlines() if line and line[0] not in "#[")
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


def the(key: str, unit: Path = SERVICE) -> str:
    [value] = [value for name, value in settings(unit) if name == key]
    return value


def walls(unit: Path) -> list[tuple[str, str]]:
    """Give what holds the unit in: everything from its user on, but for memory and the folders at run time."""
    found = settings(unit)
    own = {"MemoryMax", "OOMPolicy", "RuntimeDirectory", "NoExecPaths", "WantedBy"}
    return [(key, value) for key, value in found[found.index(("User", "mailroom")) :] if key not in own]


def members(group: str) -> set[str]:
    """Give the system calls of one of systemd's groups, and of the groups in it."""
    command = ["systemd-analyze", "syscall-filter", group]
    listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\n")[1:]
    found = {line.strip() for line in listed if line.strip() and "#" not in line}
    return {call for call in found if call[0] != "@"}.union(*(members(call) for call in found if call[0] == "@"))


def allowed() -> set[str]:
    calls: set[str] = set()
    for key, value in settings(SERVICE):
        if key == "SystemCallFilter":
            groups = set[str]().union(*(members(group) for group in value.lstrip("~").split()))
            calls = calls - groups if value.startswith("~") else calls | groups
    return calls


@pytest.mark.parametrize("unit", [SERVICE, FAILURE], ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path, tmp_path: Path) -> None:
    for one in (SERVICE, FAILURE):  # the command must be there to be verified
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", one.read_text(), flags=re.MULTILINE)
        (tmp_path / one.name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=one", str(tmp_path / unit.name)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", [SERVICE, FAILURE], ids=lambda unit: unit.name)
def test_exposure_of_the_unit_is_low(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=12", str(unit)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout


def test_a_mail_that_kills_the_desk_is_parked_before_systemd_gives_up() -> None:
    # once in its batch, then so often alone, then the start that parks it
    assert int(the("StartLimitBurst")) >= DESK_DEATHS + 5


def test_a_desk_that_cannot_start_reaches_the_limit_and_somebody_is_told() -> None:
    starts, pause, limit = int(the("StartLimitBurst")), int(the("RestartSec")), the("StartLimitIntervalSec")
    assert starts * (pause + 20) <= int(limit.removesuffix("min")) * 60
    assert the("OnFailure") == "mailroom-failure@%n.service"
    assert the("ExecStart", FAILURE).split()[1:] == ["alarm", "%I"]


def test_the_desk_has_time_to_end_in_order() -> None:
    assert int(the("TimeoutStopSec")) >= 2 * _STOP_SECONDS
    assert the("KillMode") == "mixed"


def test_both_units_stand_within_the_same_walls() -> None:
    assert walls(SERVICE) == walls(FAILURE)


def test_the_command_beside_the_service_gets_the_same_secrets() -> None:
    script = (UNITS / "mailroom-desk").read_text()
    passed = [value for key, value in settings(SERVICE) if key == "LoadCredential"]
    assert re.findall(r"LoadCredential=(\S+)", script) == passed


async def test_every_system_call_of_the_desk_is_allowed_by_the_unit(house: House, tmp_path: Path) -> None:
    house.receive(*mixed(5))
    # Only what the unit would refuse is written down, and every socket.
    watched = "trace=!" + ",".join(f"?{call}" for call in sorted(allowed() - {"socket"}))
    command = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", watched, "-o", str(tmp_path / "trace")]
    daemon = [sys.executable, "-m", "mailroom", "--config", str(house.config), "run", "--once"]
    # beside this event loop, where the SMTP server lives
    await asyncio.to_thread(subprocess.run, [*command, *daemon], cwd=ROOT, capture_output=True, check=True)
    trace = (tmp_path / "trace").read_text()
    calls = set(re.findall(r"^\d+ +(\w+)\(", trace, re.MULTILINE))
    families = set(re.findall(r"socket\((AF_\w+)", trace))
    assert calls - REFUSED == {"socket"}
    assert {"AF_UNIX", "AF_INET"} <= families <= set(the("RestrictAddressFamilies").split())
