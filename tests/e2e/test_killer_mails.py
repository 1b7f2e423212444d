"""Mails that break their reader: each is parked after three tries alone, and the others are served meanwhile."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from mailroom import assembly, daemon
from mailroom.config import load
from mailroom.records import schema
from mailroom.transport.pool import WorkerPool
from mailroom.worker import WorkerSettings
from tests.e2e.conftest import Build
from tests.e2e.house import House, notices, parsed, replies
from tests.e2e.killers import BREAKING, deadly, start_small
from tests.e2e.letters import plain
from tests.servers.sink import Sink


async def run_with_deadly_worker(house: House) -> daemon.Summary:
    config = load(house.config)
    schema.upgrade(config.database_url)
    async with contextlib.AsyncExitStack() as stack:
        return await daemon.run_once(await assembly.desk(config, stack, deadly_workers))


def deadly_workers(settings: WorkerSettings, stack: contextlib.AsyncExitStack) -> WorkerPool:
    pool = WorkerPool(deadly, start_small, settings, seconds=1.5)
    stack.callback(pool.close)
    return pool


@pytest.mark.parametrize("how", list(BREAKING))
async def test_a_killer_mail_is_parked_after_three_tries_alone_and_the_others_are_answered(
    furnish: Build, sink: Sink, tmp_path: Path, how: str
) -> None:
    house = furnish()
    house.receive(plain(1, "Before it."), plain(2, f"Tries: {tmp_path}/tries", subject=how), plain(3, "After it."))
    summary = await run_with_deadly_worker(house)
    assert (summary.drained.filed, summary.drained.parked) == (2, 1)
    assert (tmp_path / "tries").read_text() == "x" * 4  # once with the others, then three times alone
    assert house.inbox() == []
    assert {one.rcpt_tos[0] for one in replies(sink.deliveries)} == {"writer1@example.net", "writer3@example.net"}
    told = [parsed(one)["Subject"] for one in notices(sink.deliveries)]
    assert len(told) == len(set(told)) == 3
    statuses = sorted(str(case["status"]) for case in await asyncio.to_thread(house.cases))
    assert statuses == ["open", "open", "parked"]


async def test_a_parked_mail_that_can_be_read_later_is_filed_sealed_and_answered_by_retry(
    furnish: Build, sink: Sink, tmp_path: Path
) -> None:
    house = furnish()
    house.receive(plain(1, f"He waits outside my house every evening.\r\nTries: {tmp_path}/tries", subject="dies"))
    await run_with_deadly_worker(house)
    [parked] = await asyncio.to_thread(house.cases)
    done = await asyncio.to_thread(house.mailroom, "case", "retry", "--parked")
    assert f"{parked['case']}: report" in done.stdout.decode()
    await asyncio.to_thread(house.mailroom, "run", "--once")
    [case] = await asyncio.to_thread(house.cases)
    assert (case["case"], case["status"], case["messages"]) == (parked["case"], "open", 1)
    assert [one.rcpt_tos for one in replies(sink.deliveries)] == [("writer1@example.net",)]
    again = await asyncio.to_thread(house.mailroom, "case", "retry", "--parked")
    assert again.stdout == b""
    exported = await asyncio.to_thread(house.mailroom, "case", "export", parked["case"], str(house.folder / "out"))
    assert all(line.endswith(b".pgp") for line in exported.stdout.splitlines())


async def test_no_error_of_a_worker_tells_what_stood_in_the_mail(
    furnish: Build, sink: Sink, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    house = furnish()
    house.receive(plain(1, f"canary-text\r\nTries: {tmp_path}/tries", subject="raises"))
    await run_with_deadly_worker(house)
    out, err = capfd.readouterr()
    assert "canary" not in out + err
    assert "suspect" in err
