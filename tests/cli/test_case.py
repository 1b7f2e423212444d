import asyncio
import re
import stat
import subprocess
from pathlib import Path

import pytest

from mailroom.records.database import Database
from tests.cli.running import Done, here, process
from tests.e2e.conftest import Build
from tests.e2e.house import House, replies
from tests.e2e.letters import TEXTS, plain
from tests.gnupg_home import gpg, secret
from tests.openpgp_mails import entity, pgp_mime_encrypted
from tests.servers.sink import Sink

LIST = ["case", "opened", "status", "channel", "category", "country", "language", "flags", "messages"]


async def case(house: House, *args: str) -> Done:
    return await asyncio.to_thread(here, "--config", str(house.config), "case", *args)


@pytest.fixture
async def filed(house: House, sink: Sink) -> House:
    """A service that filed a plain mail and an encrypted one."""
    inside = entity(TEXTS["es"], subject="inside")
    house.receive(plain(1, TEXTS["hi"]), pgp_mime_encrypted("writer2@example.net", inside, sign_with="complainant"))
    await asyncio.to_thread(house.mailroom, "run", "--once")
    return house


async def reference(house: House, language: str) -> str:
    """The case whose mail was in this language."""
    found = (await case(house, "list", "--json")).lines()
    return str(next(line["case"] for line in found if line["language"] == language))


async def test_list_has_the_keys_of_the_contract_newest_last(filed: House) -> None:
    filed.receive(plain(3, TEXTS["fr"]))
    await asyncio.to_thread(filed.mailroom, "run", "--once")
    found = (await case(filed, "list", "--json")).lines()
    assert [list(line) for line in found] == [LIST] * 3
    assert [line["language"] for line in found][2] == "fr"
    assert {line["language"] for line in found} == {"hi", "es", "fr"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["opened"]) for line in found)
    newest = (await case(filed, "list", "--json", "--limit", "1", "--status", "open")).lines()
    assert newest == found[2:]
    assert (await case(filed, "list", "--json", "--status", "parked")).lines() == []
    words = (await case(filed, "list")).out.splitlines()
    assert (words[0].split()[:3], len(words)) == (["case", "opened", "status"], 4)


async def test_list_without_records_is_empty_and_makes_none(house: House) -> None:
    done = await case(house, "list", "--json")
    assert (done.status, done.out) == (0, "")
    assert not (house.data / "mailroom.db").exists()


async def test_show_tells_the_mails_and_logs_it_first(filed: House) -> None:
    one = await reference(filed, "hi")
    [found] = (await case(filed, "show", one.lower().replace("-", ""), "--json")).lines()
    assert (found["case"], found["address"], len(found["mails"])) == (one, "writer1@example.net", 1)
    assert "help" not in (await case(filed, "show", one)).out
    assert ("operator", "read", one) in _acts(filed)


async def test_reveal_and_export_give_what_the_keepers_own_gpg_opens(filed: House, people_home: Path) -> None:
    two = await reference(filed, "es")
    done = await asyncio.to_thread(filed.fresh, "case", "show", two, "--reveal")
    opened = gpg(people_home, "--decrypt", stdin=done.stdout)
    assert b"inside" in opened
    out = filed.folder / "out"
    exported = (await case(filed, "export", two.lower(), str(out), "--json")).lines()
    assert {line["name"] for line in exported} == {"original", "cleartext", "decision"}
    assert all(line["sealed"] for line in exported)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
    assert (modes, stat.S_IMODE(out.stat().st_mode)) == ({0o600}, 0o700)
    assert gpg(people_home, "--decrypt", stdin=(out / f"{two}-1-cleartext.eml.pgp").read_bytes()) == opened
    taken = await case(filed, "export", two, str(filed.config))
    assert (taken.status, taken.err) == (1, f"{filed.config}: File exists\n")
    assert {("operator", "reveal", two), ("operator", "export", two)} <= _acts(filed)


async def test_a_reference_that_no_case_has_is_one_sentence(filed: House) -> None:
    for verb in ("show", "show --reveal", "answer", "retry", f"export {filed.folder / 'out'}"):
        first, *rest = verb.split()
        done = await case(filed, first, "0000-0000-0", *rest)
        assert (done.status, done.out) == (1, "")
        assert re.fullmatch(r"there is no case [0-9A-Z-]+\n", done.err)
    assert not (filed.folder / "out").exists()


async def test_a_held_answer_waits_until_it_is_let_go(furnish: Build, sink: Sink) -> None:
    house = furnish(imap__authserv_id="mx.example.org")
    header = b"Authentication-Results: mx.example.org; dmarc=fail header.from=example.net\r\n"
    house.receive(header + plain(1, TEXTS["en"]))
    [told] = await asyncio.to_thread(house.lines, "run", "--once", "--json")
    assert (told["replies_sent"], told["replies_held"]) == (0, 1)
    one = await reference(house, "en")
    assert (await case(house, "answer", one, "--json")).lines() == [{"case": one, "released": 1}]
    again = await case(house, "answer", one)
    assert (again.status, again.err) == (1, f"{one} has no held answer\n")
    await asyncio.to_thread(house.mailroom, "run", "--once")
    assert [letter.rcpt_tos for letter in replies(sink.deliveries)] == [("writer1@example.net",)]


async def test_what_no_key_opened_is_tried_again_once_the_key_is_there(house: House, sink: Sink) -> None:
    house.receive(pgp_mime_encrypted("writer2@example.net", entity(TEXTS["es"]), to=["rsa"]))
    await asyncio.to_thread(house.mailroom, "run", "--once")
    one = await reference(house, "und")
    still = await case(house, "retry", one, "--json")
    assert (still.status, still.lines()) == (1, [{"case": one, "number": 1, "kind": None}])
    assert still.err == f"{one}: an OpenPGP message could not be opened: no_key\n"
    gpg(house.home, "--import", stdin=secret("rsa"))
    done = await case(house, "retry", "--parked", "--json")
    assert (done.status, done.lines()) == (0, [{"case": one, "number": 1, "kind": "report"}])
    assert (await case(house, "retry", "--parked", "--json")).lines() == []
    assert (await case(house, "list", "--json")).lines()[0]["language"] == "es"


def agent(house: House) -> bytes:
    """Name the process of gpg's agent for the desk's home; b"" when there is none."""
    command = ["gpg-connect-agent", "--homedir", str(house.home), "--no-autostart", "GETINFO pid", "/bye"]
    answer = subprocess.run(command, capture_output=True, check=False).stdout.split()
    return answer[1] if answer[:1] == [b"D"] else b""


async def test_retry_beside_a_daemon_leaves_it_its_agent(house: House, sink: Sink) -> None:
    house.receive(pgp_mime_encrypted("writer2@example.net", entity(TEXTS["es"]), to=["rsa"]))
    at_work = asyncio.Event()
    sink.answer(lambda _step, _delivery: at_work.set())
    with process("--config", str(house.config), "run") as running:
        await at_work.wait()
        gpg(house.home, "--import", stdin=secret("rsa"))
        before = agent(house)
        done = await case(house, "retry", "--parked", "--json")
        assert [line["kind"] for line in done.lines()] == ["report"]
        assert agent(house) == before != b""
        running.terminate()
        assert await asyncio.to_thread(running.wait, 30) == 0
    assert agent(house) == b""


async def test_retry_without_a_daemon_leaves_no_agent_behind(house: House, sink: Sink) -> None:
    house.receive(pgp_mime_encrypted("writer2@example.net", entity(TEXTS["es"]), to=["rsa"]))
    await asyncio.to_thread(house.mailroom, "run", "--once")
    gpg(house.home, "--import", stdin=secret("rsa"))
    assert (await case(house, "retry", "--parked")).status == 0
    assert agent(house) == b""


def _acts(house: House) -> set[tuple[str, str, str]]:
    database = Database(f"sqlite:///{house.data / 'mailroom.db'}")
    try:
        with database.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT actor, act, object FROM audit").all()
        return {(actor, act, about) for actor, act, about in rows}
    finally:
        database.close()
