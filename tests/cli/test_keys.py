import asyncio
from pathlib import Path

import pytest

from tests.cli.running import Done, here
from tests.e2e.house import House
from tests.e2e.letters import TEXTS
from tests.gnupg_home import fingerprint, public, secret
from tests.openpgp_mails import entity, pgp_mime_encrypted
from tests.servers.sink import Sink


def keys(house: House, *args: str, stdin: bytes = b"") -> Done:
    return here("--config", str(house.config), "keys", *args, stdin=stdin)


def test_list_names_what_each_key_is_for(house: House) -> None:
    found = {line["fingerprint"]: line for line in keys(house, "list", "--json").lines()}
    assert found[fingerprint("desk")]["named"] == ["openpgp.key"]
    assert found[fingerprint("desk")]["secret"] is True
    assert found[fingerprint("keeper")]["named"] == ["archive.recipients[1]", "keepers[1].fingerprint"]
    assert found[fingerprint("deputy")]["named"] == []
    assert fingerprint("deputy") in keys(house, "list").out


def test_an_imported_key_is_in_the_keyring_and_told_when_nothing_names_it(house: House, tmp_path: Path) -> None:
    file = tmp_path / "rsa.asc"
    file.write_bytes(public("rsa"))
    done = keys(house, "import", "--json", str(file))
    assert [line["fingerprint"] for line in done.lines()] == [fingerprint("rsa")]
    assert "not named in the configuration" in done.err
    assert fingerprint("rsa") in keys(house, "list").out
    named = keys(house, "import", "--json", "-", stdin=public("keeper"))
    assert (named.status, named.err) == (0, "")


@pytest.mark.parametrize("content", [secret("complainant"), b"no key", public("rsa") + secret("complainant")])
def test_private_keys_and_other_things_are_refused(house: House, content: bytes) -> None:
    before = keys(house, "list").out
    done = keys(house, "import", "-", stdin=content)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert keys(house, "list").out == before


async def test_a_retired_desk_key_is_added_and_what_waited_for_it_is_read(house: House, sink: Sink) -> None:
    house.receive(pgp_mime_encrypted("writer2@example.net", entity(TEXTS["es"]), to=["rsa"]))
    house.receive(pgp_mime_encrypted("writer3@example.net", entity(TEXTS["en"]), to=["complainant"]))
    await asyncio.to_thread(house.mailroom, "run", "--once")
    done = await asyncio.to_thread(keys, house, "add", "--json", "-", stdin=secret("rsa"))
    assert done.status == 0
    added, *tried = done.lines()
    assert added == {"fingerprint": fingerprint("rsa")}
    assert sorted(str(line["kind"]) for line in tried) == ["None", "report"]
    found = await asyncio.to_thread(house.lines, "case", "list", "--json")
    assert sorted((line["language"], "sealed" in line["flags"]) for line in found) == [("es", False), ("und", True)]
    again = await asyncio.to_thread(keys, house, "add", "-", stdin=secret("rsa"))
    assert again.out.splitlines()[0] == f"{fingerprint('rsa')} is the desk's now"


@pytest.mark.parametrize("content", [public("rsa"), b"no key"])
def test_a_key_without_its_private_half_cannot_be_added(house: House, content: bytes) -> None:
    before = keys(house, "list").out
    done = keys(house, "add", "-", stdin=content)
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert keys(house, "list").out == before


def test_a_key_can_be_added_before_there_are_records(house: House) -> None:
    assert keys(house, "add", "-", stdin=secret("rsa")).status == 0
    assert fingerprint("rsa") in keys(house, "list").out


def test_one_missing_file_keeps_every_key_out(house: House, tmp_path: Path) -> None:
    file = tmp_path / "rsa.asc"
    file.write_bytes(public("rsa"))
    assert keys(house, "import", str(file), str(tmp_path / "none.asc")).status == 2
    assert fingerprint("rsa") not in keys(house, "list").out


def test_export_prints_the_public_desk_key_or_the_one_asked_for(house: House) -> None:
    assert "BEGIN PGP PUBLIC KEY BLOCK" in keys(house, "export").out
    spaced = " ".join(fingerprint("keeper")[at : at + 4] for at in range(0, 40, 4))
    exported = keys(house, "export", spaced)
    assert keys(house, "import", "--json", "-", stdin=exported.out.encode()).lines()[0]["fingerprint"] == fingerprint(
        "keeper"
    )
    assert keys(house, "export", "0" * 40).status == 2
