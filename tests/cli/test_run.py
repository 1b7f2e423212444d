"""`mailroom run` in processes of its own: streams, exit statuses, signals."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.running import here, process
from tests.e2e.conftest import Build
from tests.e2e.house import House
from tests.e2e.letters import TEXTS, plain
from tests.gnupg_home import fingerprint, gpg, public
from tests.servers.dovecot import free_port
from tests.servers.sink import Delivery, Sink

SUMMARY = [
    *("fetched", "filed", "follow_ups", "commands", "parked", "duplicates", "deferred"),
    *("replies_sent", "replies_held", "outbox_left", "seconds"),
]
BECAME = SUMMARY[1:7]


async def test_once_prints_one_object_whose_sums_add_up(house: House, sink: Sink) -> None:
    house.receive(*(plain(number, text) for number, text in enumerate(TEXTS.values())), plain(0, TEXTS["en"]))
    done = await asyncio.to_thread(house.fresh, "run", "--once", "--json")
    [line] = done.stdout.splitlines()
    told = json.loads(line)
    assert list(told) == SUMMARY
    assert told["fetched"] == sum(told[name] for name in BECAME) == 7
    assert all(json.loads(line)["event"] for line in done.stderr.splitlines())


async def test_an_imap_server_that_is_not_there_is_status_3(furnish: Build) -> None:
    house = furnish(imap__port=free_port())
    done = await asyncio.to_thread(house.mailroom, "run", "--once", "--json", check=False)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"Traceback" not in done.stderr


async def test_an_smtp_server_that_is_not_there_is_status_3_after_the_summary(furnish: Build) -> None:
    house = furnish(smtp__port=free_port())
    house.receive(plain(1, TEXTS["en"]))
    done = await asyncio.to_thread(house.mailroom, "run", "--once", "--json", check=False)
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert (told["filed"], told["replies_sent"], told["outbox_left"]) == (1, 0, 2)


def test_keys_that_are_missing_are_all_told_with_the_command_that_mends_it(house: House) -> None:
    gpg(house.home, "--delete-keys", *_names(house, "keeper@example.org"))
    for verb in (["run", "--once"], ["explain", "-"]):
        done = here("--config", str(house.config), *verb)
        assert (done.status, done.out) == (2, "")
        assert [line.split(": ")[1] for line in done.err.splitlines()] == [
            "archive.recipients[1]",
            "keepers[1].fingerprint",
        ]
        assert done.err.count("`mailroom keys import FILE`") == 2


def test_a_revoked_archive_key_is_refused_before_any_mail_is_touched(furnish: Build) -> None:
    house = furnish(archive__recipients=[fingerprint("keeper"), fingerprint("revoked")])
    gpg(house.home, "--import", stdin=public("revoked"))
    done = here("--config", str(house.config), "run", "--once")
    assert (done.status, done.out) == (2, "")
    assert "archive.recipients[2]" in done.err
    assert "revoked" in done.err


def test_a_desk_key_without_its_private_half_is_refused(house: House) -> None:
    gpg(house.home, "--delete-secret-keys", *_names(house, "desk@example.org"))
    done = here("--config", str(house.config), "explain", "-")
    assert done.status == 2
    assert "openpgp.key" in done.err


def _names(house: House, address: str) -> list[str]:
    listed = gpg(house.home, "--list-keys", "--with-colons", address).decode().splitlines()
    return [line.split(":")[9] for line in listed if line.startswith("fpr:")][:1]


async def test_a_key_store_is_made_only_where_there_are_no_records(house: House, sink: Sink) -> None:
    store = house.data / "keystore"
    store.unlink()
    assert (await asyncio.to_thread(house.mailroom, "run", "--once")).returncode == 0
    assert store.stat().st_mode & 0o777 == 0o600
    store.unlink()
    done = await asyncio.to_thread(house.mailroom, "run", "--once", check=False)
    assert done.returncode == 2
    assert b"key store" in done.stderr
    assert not store.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_daemon_in_order_amid_its_work(
    house: House, sink: Sink, number: signal.Signals
) -> None:
    at_work = asyncio.Event()

    def answer(step: str, _delivery: Delivery) -> None:
        if step == "DATA":
            at_work.set()

    sink.answer(answer)
    house.receive(*(plain(each, TEXTS["en"]) for each in range(60)))
    with process("--config", str(house.config), "run", process_group=0) as running:
        await asyncio.wait_for(at_work.wait(), 60)
        _signal_group(running, number)
        out, err = await asyncio.to_thread(running.communicate, timeout=10)
    assert (running.returncode, out) == (0, b"")
    assert b"Traceback" not in err
    assert [json.loads(line)["event"] for line in err.splitlines()].count("ready") == 1
    assert suspects(house.data) == 0
    done = await asyncio.to_thread(house.mailroom, "run", "--once", "--json")
    assert json.loads(done.stdout)["parked"] == 0
    assert house.inbox() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_single_round_with_its_summary(house: House, sink: Sink, number: signal.Signals) -> None:
    at_work = asyncio.Event()
    sink.answer(lambda _step, _delivery: at_work.set())
    house.receive(*(plain(each, TEXTS["en"]) for each in range(60)))
    with process("--config", str(house.config), "run", "--once", "--json", process_group=0) as running:
        await at_work.wait()
        _signal_group(running, number)
        out, err = await asyncio.to_thread(running.communicate, timeout=30)
    assert running.returncode == 0
    assert b"Traceback" not in err
    [line] = out.splitlines()
    told = json.loads(line)
    assert list(told) == SUMMARY
    assert told["fetched"] == sum(told[name] for name in BECAME)
    assert told["filed"] == len(house.cases())
    assert suspects(house.data) == 0


def _signal_group(running: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send it as a terminal does: to the daemon and everything that it started."""
    os.killpg(running.pid, number)


def suspects(data: Path) -> int:
    with closing(sqlite3.connect(data / "mailroom.db")) as database:
        [[count]] = database.execute("SELECT count(*) FROM arrivals WHERE state IN ('started', 'alone', 'suspect')")
    return int(count)


async def test_a_second_daemon_over_the_same_records_is_refused(house: House, sink: Sink) -> None:
    at_work = asyncio.Event()
    sink.answer(lambda _step, _delivery: at_work.set())
    house.receive(plain(1, TEXTS["en"]))
    with process("--config", str(house.config), "run") as running:
        await asyncio.wait_for(at_work.wait(), 60)
        done = await asyncio.to_thread(house.mailroom, "run", "--once", "--json", check=False)
        running.terminate()
        assert await asyncio.to_thread(running.wait, 10) == 0
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"another Mailroom already runs" in done.stderr
    assert len(done.stderr.splitlines()) == 1
