"""The verb itself: what it prints, how it ends, and that a running daemon is left in peace."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.cli.running import Done, here, process
from tests.doctor.conftest import Build, change, delivering, faults, findings, only
from tests.e2e.house import House
from tests.e2e.letters import TEXTS, plain
from tests.servers.dovecot import free_port
from tests.servers.sink import Delivery, Sink, Step


async def doctor(house: House, *more: str) -> Done:
    return await asyncio.to_thread(here, "--config", str(house.config), "doctor", *more)


async def test_a_set_up_that_works_is_clean(house: House) -> None:
    done = await doctor(house)
    assert done.status == 0, done.out
    lines = [line for line in done.out.splitlines() if not line.startswith(" ")]
    assert {line.split()[0] for line in lines} == {"ok", "note"}
    assert "ok     deletion          a deleted mail is gone from every folder" in lines
    assert "ok     suffix addresses  a mail to a suffix of [service] address arrives" in lines


async def test_json_is_one_object_a_line(house: House) -> None:
    house.config.chmod(0o644)
    done = await doctor(house, "--json", "--offline")
    assert done.status == 1
    lines = done.lines()
    assert all(list(line) == ["check", "state", "what", "do"] for line in lines)
    [told] = [line for line in lines if line["state"] == "wrong"]
    assert told["do"] == f"chmod 600 {house.config}"


async def test_below_what_is_wrong_stands_what_to_do(house: House) -> None:
    house.data.chmod(0o755)
    done = await doctor(house, "--offline")
    lines = done.out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("wrong  rights"))
    assert lines[place + 1].strip() == f"-> chmod 700 {house.data}"


async def test_only_both_servers_out_of_reach_are_status_3(furnish: Build) -> None:
    assert (await doctor(furnish(smtp__port=free_port()), "--no-send")).status == 1
    assert (await doctor(furnish(imap__port=free_port(), smtp__port=free_port()))).status == 3


async def test_a_configuration_that_does_not_load_is_status_2(house: House) -> None:
    change(house, "[imap]", "[imap]\nhots = 1")
    done = await doctor(house)
    assert (done.status, done.out) == (2, "")


async def test_offline_asks_no_server(furnish: Build, sink: Sink) -> None:
    done = await doctor(furnish(imap__port=free_port()), "--offline")
    assert done.status == 0
    assert sink.commands == []


async def test_without_sending_no_letter_leaves(house: House, sink: Sink) -> None:
    assert (await doctor(house, "--no-send")).status == 0
    assert "MAIL" in sink.commands
    assert "DATA" not in sink.commands


async def test_looking_makes_nothing(house: House) -> None:
    (house.data / "keystore").unlink()
    before = sorted(house.folder.rglob("*"))
    assert faults(await findings(house)) == set()
    assert sorted(house.folder.rglob("*")) == before


@asynccontextmanager
async def running(house: House, sink: Sink) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """Run the daemon over a service; it has answered one mail when the body begins."""
    answered, deliver = asyncio.Event(), delivering(house)

    def answer(step: Step, delivery: Delivery) -> str | None:
        if step == "DATA":
            answered.set()
        return deliver(step, delivery)

    sink.answer(answer)
    house.receive(plain(1, TEXTS["en"]))
    with process("--config", str(house.config), "run") as daemon:
        await asyncio.wait_for(answered.wait(), 60)
        yield daemon
        daemon.terminate()
        await asyncio.to_thread(daemon.wait, 30)


async def test_a_daemon_at_work_is_left_in_peace_and_files_the_test_mail_without_a_word(
    house: House, sink: Sink
) -> None:
    async with running(house, sink) as daemon:
        agent = agent_of(house.home)
        done = await doctor(house, "--json")
        told = {line["check"]: line for line in done.lines()}
        assert done.status == 0, done.out
        assert told["daemon"]["what"] == "it is running"
        assert told["suffix addresses"]["state"] == "ok"
        assert daemon.poll() is None
        assert agent_of(house.home) == agent
        sent = len(sink.deliveries)
    await asyncio.to_thread(house.mailroom, "run", "--once")
    assert [case["channel"] for case in house.cases()] == ["email", "machine"]
    assert [one for one in sink.deliveries[sent:] if b"Subject: Test" not in one.content] == []


def agent_of(home: Path) -> bytes:
    """Ask gpg's agent for its process id."""
    asked = ["gpg-connect-agent", "--homedir", str(home), "--no-autostart", "GETINFO pid", "/bye"]
    return subprocess.run(asked, check=True, capture_output=True).stdout


async def test_after_the_first_run_the_records_are_looked_at(house: House) -> None:
    assert "none yet" in only(await findings(house), "database", "ok").what
    await asyncio.to_thread(house.mailroom, "run", "--once")
    found = await findings(house)
    assert faults(found) == set()
    assert only(found, "waiting", "ok").what == "nothing waits for somebody"


async def test_what_waits_for_somebody_is_a_note_with_its_command(house: House, sink: Sink) -> None:
    change(house, '# unreviewed = "bilingual"', 'unreviewed = "never"')
    house.receive(plain(1, TEXTS["en"]))
    await asyncio.to_thread(house.mailroom, "run", "--once")
    assert "mailroom case answer REFERENCE" in only(await findings(house), "waiting", "note").do
