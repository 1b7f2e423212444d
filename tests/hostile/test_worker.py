"""Every hostile mail, opened by real workers with the desk's key: within seconds of a processor, and one gigabyte."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailroom.errors import OpeningFailed
from mailroom.flow.desk import Guide
from mailroom.mail.message import Arrival, RawMail
from mailroom.transport.pool import WorkerPool
from mailroom.worker import WorkerSettings, open_mail
from tests.e2e.killers import start_small
from tests.e2e.letters import plain
from tests.gnupg_home import fingerprint
from tests.hostile.bodies import BODIES
from tests.hostile.bombs import BOMBS, armored, hidden_recipients, pgp_mime
from tests.hostile.frugal import open_frugally
from tests.hostile.structures import STRUCTURES

HOSTILE = STRUCTURES | BODIES | BOMBS


@pytest.fixture
def settings(desk_home: Path, guide: Guide) -> WorkerSettings:
    """What a desk with the limits of the example configuration gives its workers."""
    return WorkerSettings(
        home=desk_home,
        key=fingerprint("desk"),
        passphrase=None,
        own_addresses=frozenset({"desk@example.org"}),
        configured=frozenset({fingerprint("keeper")}),
        authserv_id="mx.example.org",
        max_output=100 * 1024 * 1024,
        memory=1024**3,
        lexicon=guide.lexicon,
    )


@pytest.fixture
def pool(settings: WorkerSettings) -> Iterator[WorkerPool]:
    """Workers with less memory than a desk's have; what counts of time is that of the processor."""
    workers = WorkerPool(open_frugally, start_small, settings, seconds=60)
    yield workers
    workers.close()


@pytest.fixture
def hasty_pool(settings: WorkerSettings) -> Iterator[WorkerPool]:
    """Workers that have a second."""
    workers = WorkerPool(open_mail, start_small, settings, seconds=1)
    yield workers
    workers.close()


def raw(content: bytes) -> RawMail:
    return RawMail(Arrival("INBOX", 1, 1, len(content)), content)


async def test_no_hostile_mail_takes_more_than_a_worker_has(pool: WorkerPool) -> None:
    failed: dict[str, str] = {}
    names = iter(HOSTILE)

    async def work_through() -> None:
        for name in names:
            try:
                await pool.open(raw(HOSTILE[name]()))
            except OpeningFailed as error:
                failed[name] = str(error)

    await asyncio.gather(work_through(), work_through())
    assert failed == {}


async def test_what_would_keep_gpg_busy_for_minutes_is_given_up_and_the_next_mail_is_opened(
    hasty_pool: WorkerPool,
) -> None:
    busy = raw(pgp_mime(armored(hidden_recipients(50_000))))
    with pytest.raises(OpeningFailed, match="timeout"):
        await hasty_pool.open(busy)
    assert (await hasty_pool.open(raw(plain(1, "He waits outside.")))).opened.message.text == "He waits outside."


async def test_the_next_mail_is_opened_while_a_worker_is_kept_busy(pool: WorkerPool) -> None:
    busy = asyncio.create_task(pool.open(raw(pgp_mime(armored(hidden_recipients(50_000))))))
    await pool.open(raw(plain(1, "He waits outside.")))
    assert not busy.done()
    busy.cancel()
