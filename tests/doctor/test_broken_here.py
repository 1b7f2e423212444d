"""Set-ups broken on purpose on this machine; the servers are not asked. Each was clean before it was broken."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from mailroom.records import schema
from tests.doctor.conftest import HERE, change, faults, findings, only
from tests.e2e.house import House
from tests.gnupg_home import fingerprint, gpg, public, secret


def url(house: House) -> str:
    return f"sqlite+aiosqlite:///{house.data / 'mailroom.db'}"


def in_database(house: House, *statements: str) -> None:
    schema.upgrade(url(house))
    with closing(sqlite3.connect(house.data / "mailroom.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def recipients(house: House, *names: str) -> None:
    [line] = [line for line in house.config.read_text().splitlines() if line.startswith("recipients = ")]
    change(house, line, "recipients = [" + ", ".join(f'"{fingerprint(name)}"' for name in names) + "]")


def importing(house: House, *names: str) -> None:
    gpg(house.home, "--import", stdin=b"".join(map(public, names)))


def archive_of(*names: str) -> Callable[[House], None]:
    def do(house: House) -> None:
        importing(house, *names)
        recipients(house, "keeper", *names)

    return do


def archive_missing(house: House) -> None:
    recipients(house, "keeper", "rsa")


def no_archive(house: House) -> None:
    recipients(house)


def keeper_expired(house: House) -> None:
    importing(house, "expired")
    change(house, f'fingerprint = "{fingerprint("keeper")}"', f'fingerprint = "{fingerprint("expired")}"')


def another_desk_key(name: str) -> Callable[[House], None]:
    def do(house: House) -> None:
        gpg(house.home, "--import", stdin=secret(name))
        change(house, f'key = "{fingerprint("desk")}"', f'key = "{fingerprint(name)}"')

    return do


def no_private_half(house: House) -> None:
    gpg(house.home, "--delete-secret-keys", fingerprint("desk"))


def no_home(house: House) -> None:
    change(house, f'home = "{house.home}"', 'home = "not-there"')


def another_wrapping_key(house: House) -> None:
    (house.folder / "wrapping.key").write_bytes(bytes(32))


def wrapping_key_beside_the_records(house: House) -> None:
    shutil.copy(house.folder / "wrapping.key", house.data / "wrapping.key")
    change(house, 'key_file = "wrapping.key"', 'key_file = "data/wrapping.key"')


def key_store_lost(house: House) -> None:
    in_database(house)
    (house.data / "keystore").unlink()


def newer_records(house: House) -> None:
    in_database(house, "UPDATE alembic_version SET version_num = '9999'")


def damaged_records(house: House) -> None:
    (house.data / "mailroom.db").write_bytes(b"no database at all\n" * 1000)


def old_letter(house: House) -> None:
    in_database(
        house,
        "PRAGMA foreign_keys=OFF",
        "INSERT INTO outbox (case_id, kind, sequence, state, automatic, attempts, due, since) "
        "VALUES (1, 'reply', 1, 'waiting', 1, 3, 1700000000, 1700000000)",
    )


def everybody_may(mode: int, place: str) -> Callable[[House], None]:
    def do(house: House) -> None:
        path = house.home if place == "gnupg" else house.folder / place
        path.chmod(mode)

    return do


def own_rules(house: House) -> None:
    """Copy rules and texts, so that they can be broken."""
    for name in ("rules", "templates"):
        [line] = [line for line in house.config.read_text().splitlines() if line.startswith(f"{name} = ")]
        source = line.split('"')[1]
        shutil.copytree(source, house.folder / name)
        change(house, line, f'{name} = "{name}"')


def misspelt_rule(house: House) -> None:
    own_rules(house)
    rules = house.folder / "rules" / "rules.yaml"
    rules.write_text(rules.read_text().replace("template:", "templat:", 1))


def nothing_reviewed(house: House) -> None:
    change(house, '# unreviewed = "bilingual"', 'unreviewed = "never"')


BROKEN: dict[str, tuple[Callable[[House], None], str, str, str]] = {
    "no archive key": (no_archive, "archive keys", "wrapping key reads the archive", "[archive] recipients"),
    "archive key missing": (archive_missing, "archive keys", "not in the keyring", "mailroom keys import FILE"),
    "archive key revoked": (archive_of("revoked"), "archive keys", "revoked", "another public key"),
    "archive key signs only": (archive_of("sign-only"), "archive keys", "signing only", "another public key"),
    "keeper's key expired": (keeper_expired, "keeper keys", "has expired", "mailroom keys import FILE"),
    "desk key expired": (another_desk_key("expired"), "desk key", "it expired on 2024", "--quick-set-expire"),
    "desk key revoked": (another_desk_key("revoked"), "desk key", "revoked", "Make a new desk key"),
    "desk key locked": (another_desk_key("locked"), "desk key", "cannot decrypt and sign", "passphrase_file"),
    "desk key is public": (no_private_half, "desk key", "private half", "backup"),
    "keyring gone": (no_home, "desk key", "openpgp.home", "backup"),
    "wrapping key is another": (another_wrapping_key, "key store", "does not open", "[archive] key_file"),
    "wrapping key in data": (wrapping_key_beside_the_records, "wrapping key", "inside data_dir", "Move it"),
    "key store lost": (key_store_lost, "key store", "not the key store", "backup"),
    "records are newer": (newer_records, "database", "newer than this program", "newer Mailroom"),
    "records are damaged": (damaged_records, "database", "does not open", "backup"),
    "a letter waits": (old_letter, "waiting", "waiting for more than 60 minutes", "smtp"),
    "password for all": (everybody_may(0o644, "password"), "rights", "password", "chmod 600"),
    "wrapping key for all": (everybody_may(0o640, "wrapping.key"), "rights", "wrapping.key", "chmod 600"),
    "configuration for all": (everybody_may(0o604, "config.toml"), "rights", "config.toml", "chmod 600"),
    "records for all": (everybody_may(0o755, "data"), "rights", "data", "chmod 700"),
    "keyring for all": (everybody_may(0o750, "gnupg"), "rights", "home", "chmod 700"),
    "a rule is misspelt": (misspelt_rule, "rules and texts", "rules.yaml: line", "mailroom rules check"),
    "nothing is reviewed": (nothing_reviewed, "texts", "every reply is held", "templates/README.md"),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_what_is_broken_is_named_with_what_to_do(house: House, case: str) -> None:
    breaking, check, what, do = BROKEN[case]
    assert faults(await findings(house, HERE)) == set()
    breaking(house)
    found = await findings(house, HERE)
    assert faults(found) == {check}
    told = only(found, check)
    assert what in told.what
    assert do in told.do


async def test_a_machine_without_gnupg_is_told_what_to_install(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(house.folder))
    found = await findings(house, HERE)
    assert faults(found) == {"gpg", "gpgconf", "gpg-agent", "desk key"}
    assert "apt install gnupg gpg-agent" in only(found, "gpg").do


async def test_another_user_than_the_daemons_is_told_to_be_that_user(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    fault = only(await findings(house, HERE), "user")
    assert f"sudo -u {house.data.owner()} mailroom doctor" in fault.do


async def test_what_only_should_be_known_is_a_note(house: House) -> None:
    gpg(house.home, "--quick-set-expire", fingerprint("desk"), "20d")
    importing(house, "expired")
    recipients(house, "expired")
    in_database(house, "DROP TABLE alembic_version")
    found = await findings(house, HERE)
    assert faults(found) == set()
    notes = {one.what for one in found if one.state == "note" and one.check == "archive keys"}
    assert len(notes) == 2
    assert any("still sealed to it" in one for one in notes)
    assert any("only one key" in one for one in notes)
    assert "mailroom db upgrade" in only(found, "database", "note").do
    assert only(found, "desk key", "note").what.startswith("it expires on 20")
    assert "record keeper gets the alarms" in only(found, "admins", "note").what
    assert "30 of 30" in only(found, "texts", "note").what


async def test_a_credential_of_systemd_may_be_read_by_its_group(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(house.folder))
    (house.folder / "wrapping.key").chmod(0o440)
    change(house, 'key_file = "wrapping.key"', 'key_file = "credential:wrapping.key"')
    found = await findings(house, HERE)
    assert faults(found) == set()
    assert only(found, "wrapping key", "ok").what == "it comes from systemd"
