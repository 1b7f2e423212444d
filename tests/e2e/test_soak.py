"""A soak: mails arrive, and every few seconds something goes wrong. Five minutes; an hour with `--soak 3600`."""

import asyncio
import hashlib
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from email import message_from_bytes
from pathlib import Path

import pytest

from mailroom.assembly import workers
from tests.e2e.conftest import Build
from tests.e2e.house import KEEPER, House
from tests.e2e.letters import mixed
from tests.e2e.shift import ADMIN, Shift, shift
from tests.servers.proxy import Fault, Kind, word
from tests.servers.sink import Delivery, Sink

MAILS_AN_HOUR = 5000  # in the five minutes of every day, a third as many come in a twelfth of the time
FASTER = 60  # seconds that pass for the desk in one: letters that were deferred come back within the test
IMAP = [b"SELECT", b"SEARCH", b"FETCH", b"STORE", b"EXPUNGE", b"IDLE", b"DONE", b"AUTHENTICATE"]
SMTP = [b"EHLO", b"MAIL FROM", b"RCPT TO", b"DATA"]
GROWTH = 1.15  # of what all processes hold, from a third of the mails to the last


class Ledger(Sink):
    """Keeps of each letter what has to add up, not its bytes. Now and then it takes a letter later only."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.letters: dict[tuple[str, str], set[bytes]] = {}
        self.answer(lambda step, _: "451 4.7.1 later" if step == "RCPT" and chance.random() < 0.02 else None)

    def keep(self, delivery: Delivery) -> None:
        """Note recipient, Message-ID and a checksum."""
        name = delivery.rcpt_tos[0], str(message_from_bytes(delivery.content)["Message-ID"])
        self.letters.setdefault(name, set()).add(hashlib.sha256(delivery.content).digest())


@pytest.fixture
async def ledger(request: pytest.FixtureRequest) -> AsyncIterator[Ledger]:
    async with Ledger(random.Random(7)) as server:
        yield server


async def test_a_soak_with_faults_loses_nothing_doubles_nothing_and_leaves_nothing(
    furnish: Build, ledger: Ledger, request: pytest.FixtureRequest
) -> None:
    seconds = int(request.config.getoption("--soak"))
    count = MAILS_AN_HOUR if seconds >= 3600 else max(MAILS_AN_HOUR * seconds // 900, 50)
    house = furnish(admins__address=ADMIN, smtp__port=ledger.port)
    assert house.inbox() == []  # the test itself keeps this connection
    before = left_open()
    async with shift(house, ledger, workers) as desk:
        desk.begin()
        held = await _through(desk, ledger, count, seconds)
        await desk.end()
    await ledger.drop()
    assert left_open() == before
    assert held[1] < held[0] * GROWTH
    _add_up(house, ledger, count)


async def _through(desk: Shift, ledger: Ledger, count: int, seconds: int) -> tuple[float, float]:
    """Let all mails come in while things go wrong; give what all processes held in the first third and at the end."""
    done = asyncio.Event()
    others = [asyncio.create_task(one) for one in (_faults(desk, done), _time(desk, done))]
    await _arrive(desk.house, count, seconds)
    await ledger.until(lambda _: _answered(ledger) >= count // 3)
    first = memory()
    await ledger.until(lambda _: _answered(ledger) >= count)
    last = memory()
    done.set()
    await asyncio.gather(*others)
    desk.imap.fault = desk.smtp.fault = None
    await desk.emptied()
    return first, last


async def _arrive(house: House, count: int, seconds: int) -> None:
    """Spread the mails over nine tenths of the time."""
    mails = list(mixed(count))
    at_once = max(count // seconds, 1)
    for first in range(0, count, at_once):
        await asyncio.to_thread(house.receive, *mails[first : first + at_once])
        await asyncio.sleep(0.9 * seconds * at_once / count)


async def _time(desk: Shift, done: asyncio.Event) -> None:
    while not done.is_set():
        desk.host.now += FASTER / 10
        await asyncio.sleep(0.1)


async def _faults(desk: Shift, done: asyncio.Event) -> None:
    """Let something go wrong every few seconds; what comes is drawn, but the same in every run."""
    chance = random.Random(11)
    while not done.is_set():
        await _fault(desk, chance)
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), chance.uniform(1, 4))


async def _fault(desk: Shift, chance: random.Random) -> None:
    kinds: list[Kind] = ["cut", "cut after", "hang", "bye", "no"]
    match chance.choice(["imap", "imap", "smtp", "drop", "away", "locked", "worker"]):
        case "imap":
            desk.imap.fault = Fault(chance.choice(kinds), word(chance.choice(IMAP)))
        case "smtp":
            desk.smtp.fault = Fault(chance.choice(kinds[:1] + kinds[2:3]), word(chance.choice(SMTP)))
        case "drop":
            desk.imap.drop()
            desk.smtp.drop()
        case "away":
            desk.imap.close()
            await asyncio.sleep(chance.uniform(0, 2))
            await desk.imap.open()
        case "locked":
            await asyncio.to_thread(_lock, desk.house.data / "mailroom.db", chance.uniform(0, 1))
        case "worker":
            _kill_a_worker(chance)


def _lock(records: Path, seconds: float) -> None:
    with closing(sqlite3.connect(records, isolation_level=None, timeout=20)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)


def _kill_a_worker(chance: random.Random) -> None:
    found = [pid for parent in children(os.getpid()) for pid in children(parent) if _is_python(pid)]
    if found:
        os.kill(chance.choice(found), signal.SIGKILL)


def _add_up(house: House, ledger: Ledger, count: int) -> None:
    assert house.inbox() == []
    assert len(house.lines("case", "list", "--json", "--limit", str(2 * count))) == count
    to = Counter(recipient for recipient, _ in ledger.letters)
    told = to.pop(ADMIN, 0)
    assert to.pop(KEEPER) == count
    assert to == {f"writer{number}@example.net": 1 for number in range(count)}
    assert all(len(contents) == 1 for contents in ledger.letters.values())
    assert told % 2 == 0  # each alarm had its end


def _answered(ledger: Ledger) -> int:
    counts = Counter(recipient in {KEEPER, ADMIN} for recipient, _ in ledger.letters)
    return min(counts[False], sum(recipient == KEEPER for recipient, _ in ledger.letters))


def left_open() -> tuple[int, int, int]:
    """Count tasks, open files and processes of ours."""
    files = [one for one in Path("/proc/self/fd").iterdir() if _leads_somewhere(one)]
    return len(asyncio.all_tasks()), len(files), len(children(os.getpid()))


def _leads_somewhere(descriptor: Path) -> bool:
    with suppress(OSError):
        return not str(descriptor.readlink()).startswith("/proc")
    return False


def children(parent: int) -> list[int]:
    """Give the processes that this one has started."""
    with suppress(OSError):
        return [int(pid) for path in Path(f"/proc/{parent}/task").iterdir()
                for pid in (path / "children").read_text().split()]  # fmt: skip
    return []


def _is_python(pid: int) -> bool:
    with suppress(OSError):
        return b"python" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def memory() -> float:
    """Sum what this process and all below it hold, in MiB, shared pages divided (PSS)."""
    waiting, total = [os.getpid()], 0.0
    while waiting:
        pid = waiting.pop()
        waiting += children(pid)
        with suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(text.partition("\nPss:")[2].split()[0]) / 1024
    return total
