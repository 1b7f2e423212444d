"""What a thief of the whole server can open, what the keeper can, and that neither needs Mailroom for it."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from mailroom.records.database import Database
from mailroom.records.keystore import KeyStore
from mailroom.records.seal import Sealer
from mailroom.records.tables import blobs, cases, messages, outbox
from tests.e2e.conftest import Build
from tests.e2e.house import WRAPPING_KEY, House
from tests.e2e.test_canary import encrypted, plain
from tests.gnupg_home import fingerprint, gpg, public
from tests.servers.sink import Sink

DOCUMENT = Path(__file__).parents[2] / "docs" / "archive-format.md"
CONTENT = [b"zebra-subject", b"zebra-text", b"zebra-file", b"zebra-inside", b"Zebraname"]


async def filed(furnish: Build, *mails: bytes) -> tuple[House, str]:
    """Let mails be filed; give the house and the reference of the last."""
    house: House = furnish()
    house.receive(*mails)
    await asyncio.to_thread(house.mailroom, "run", "--once")
    return house, str((await asyncio.to_thread(house.cases))[-1]["case"])


def opened_by_a_thief(house: House) -> list[bytes]:
    """Open everything that the wrapping key opens."""
    sealer = Sealer(KeyStore(house.data / "keystore", WRAPPING_KEY))

    def each(connection: Connection) -> list[bytes]:
        found: list[bytes] = []
        for case in connection.execute(select(cases)).all():
            found.append(sealer.open(case.details, f"{case.reference}/case"))
            for mail in connection.execute(select(messages).where(messages.c.case_id == case.id)).all():
                place = f"{case.reference}/{mail.number}"
                found.append(sealer.open(mail.details, f"{place}/details"))
                sealed = connection.execute(select(blobs).where(blobs.c.message_id == mail.id)).all()
                found += [sealer.open(one.sealed, f"{place}/{one.name}") for one in sealed]
            letters: Any = connection.execute(select(outbox).where(outbox.c.case_id == case.id)).all()
            found += [
                sealer.open(one.letter, f"{case.reference}/outbox/{one.kind}/{one.sequence}")
                for one in letters
                if one.letter
            ]
        return found

    database = Database(f"sqlite+aiosqlite:///{house.data / 'mailroom.db'}")
    try:
        return database.read_now(each)
    finally:
        database.close()


@pytest.mark.parametrize("make", [plain, encrypted])
async def test_every_file_and_the_wrapping_key_open_no_content(furnish: Build, sink: Sink, make: Any) -> None:
    house, _ = await filed(furnish, make())
    found = opened_by_a_thief(house)
    assert len(found) >= 4
    assert [word for word in CONTENT for one in found if word in one] == []
    for one in found:
        if not one.startswith(b"{"):
            with pytest.raises(subprocess.CalledProcessError):
                gpg(house.home, "--decrypt", stdin=one)


async def test_plain_gpg_opens_an_export_with_the_keepers_key_byte_for_byte(
    furnish: Build, sink: Sink, people_home: Path
) -> None:
    mail = plain()
    house, reference = await filed(furnish, mail)
    await asyncio.to_thread(house.mailroom, "case", "export", reference, str(house.folder / "out"))
    exported = house.folder / "out" / f"{reference}-1-original.eml.pgp"
    assert gpg(people_home, "--decrypt", stdin=exported.read_bytes()) == mail
    revealed = await asyncio.to_thread(house.mailroom, "case", "show", reference, "--reveal")
    assert gpg(people_home, "--decrypt", stdin=revealed.stdout) == mail


async def test_an_archive_key_that_has_expired_still_seals(furnish: Build, sink: Sink, people_home: Path) -> None:
    house = furnish(archive__recipients=[fingerprint("expired")])
    gpg(house.home, "--import", stdin=public("expired"))
    mail = plain()
    house.receive(mail)
    done = await asyncio.to_thread(house.mailroom, "run", "--once")
    assert b"archive key expired" in done.stderr
    found = opened_by_a_thief(house)
    assert [word for word in CONTENT for one in found if word in one] == []
    assert mail in [gpg(people_home, "--decrypt", stdin=one) for one in found if not one.startswith(b"{")]


async def test_the_script_of_the_archive_format_opens_a_case_without_mailroom(
    furnish: Build, sink: Sink, people_home: Path
) -> None:
    mail = encrypted()
    house, reference = await filed(furnish, mail)
    [script] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert "mailroom." not in script
    assert len(script.splitlines()) <= 45
    out = house.folder / "stripped"
    out.mkdir()
    files = [str(house.data / "mailroom.db"), str(house.data / "keystore"), str(house.folder / "wrapping.key")]
    command = [sys.executable, "-I", "-", *files, reference, str(out)]
    await asyncio.to_thread(subprocess.run, command, input=script.encode(), check=True)
    assert gpg(people_home, "--decrypt", stdin=(out / "1-original.pgp").read_bytes()) == mail
    assert b"zebra-text" in gpg(people_home, "--decrypt", stdin=(out / "1-cleartext.pgp").read_bytes())


async def test_nothing_of_a_case_opens_once_its_key_is_destroyed(furnish: Build, sink: Sink) -> None:
    house, reference = await filed(furnish, plain())
    store = KeyStore(house.data / "keystore", WRAPPING_KEY)
    database = Database(f"sqlite+aiosqlite:///{house.data / 'mailroom.db'}")
    key_id = database.read_now(lambda connection: connection.execute(select(cases.c.key_id)).scalar_one())
    database.close()
    store.destroy([key_id])
    done = await asyncio.to_thread(house.mailroom, "case", "export", reference, str(house.folder / "out"), check=False)
    assert done.returncode == 1
    assert b"destroyed" in done.stderr
