"""Parts that the event loop and the thread of the records use at the same time, and workers that never start."""

import asyncio
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailroom.errors import WorkersBroken
from mailroom.flow.filing import Understood
from mailroom.mail.message import Arrival, RawMail
from mailroom.records.keystore import KeyStore
from mailroom.transport.pool import WorkerPool

WRAPPING = bytes(range(32))


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Let threads take turns as often as they do on a loaded machine."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_a_key_store_that_two_threads_use_stays_whole(tmp_path: Path, busy_threads: None) -> None:
    path = tmp_path / "keystore"
    KeyStore.create(path, WRAPPING)
    store = KeyStore(path, WRAPPING)
    store.hash_key("2026Q4")
    first = store.new_case_key()
    made: list[bytes] = []

    def look() -> None:
        while not making.done():
            store.case_key(first)
            assert store.hash_periods() == ["2026Q4"]

    def make() -> None:
        made.extend(store.new_case_key() for _ in range(3000))

    with ThreadPoolExecutor(2) as threads:
        making = threads.submit(make)
        looking = threads.submit(look)
        making.result()
        looking.result()
    # Erasure rewrites the store: whatever stands between the records would stop it for ever.
    KeyStore(path, WRAPPING).destroy([first])
    again = KeyStore(path, WRAPPING)
    assert all(again.case_key(key_id) for key_id in made)


def broken(_settings: object) -> None:
    """Start of a worker that fails, as with a GnuPG home that cannot be read."""
    raise RuntimeError


def never(_raw: RawMail) -> Understood:
    raise NotImplementedError


async def test_workers_that_never_start_are_reported_without_waiting_and_use_up_no_descriptors() -> None:
    pool = WorkerPool(never, broken, None, seconds=1)
    counts = []
    async with asyncio.timeout(40):  # so that a wait for ever fails this test, and not the whole suite
        for number in range(10):
            with pytest.raises(WorkersBroken):
                await pool.open(RawMail(Arrival("INBOX", 1, number, 1), b"x"))
            counts.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 # names only
    pool.close()
    assert max(counts) - counts[1] <= 6
