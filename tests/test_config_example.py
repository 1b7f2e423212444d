import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.config import Config, key_lines, load
from mailroom.config_schema import ARRAYS, TABLES
from mailroom.config_writer import Value, render, toml_value
from mailroom.errors import MailroomError
from mailroom.share import share_path
from tests.config_texts import FINGERPRINT, fill, loaded

EXAMPLE = share_path("config.example.toml").read_text(encoding="utf-8")
SWITCHED_ON = re.sub(r"^# (?=\[\[?\w+\]|\w+ = )", "", EXAMPLE, flags=re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path)


def keys(text: str) -> Iterator[str]:
    for table, found in tomllib.loads(text).items():
        yield from (f"{table}.{key}" for key in (found[0] if isinstance(found, list) else found))


def test_example_loads_and_has_the_default_for_every_optional_key(folder: Path) -> None:
    people = {"admins", "researchers"}
    example, switched_on = loaded(folder, EXAMPLE), loaded(folder, SWITCHED_ON)
    assert switched_on.model_dump(exclude=people) == example.model_dump(exclude=people)
    assert (example.admins, example.researchers) == ((), ())
    assert (switched_on.admins[0].fingerprint, switched_on.researchers[0].fingerprint) == (None, None)


def test_example_has_every_key_once_and_no_other() -> None:
    assert sorted(keys(SWITCHED_ON)) == sorted(f"{name}.{key}" for name in TABLES for key in TABLES[name].model_fields)


CONTRACT = """
service name address aliases default_language timezone data_dir hours retention_months
imap host port security username password_file token_command inbox junk filed quarantine sent after_filing filed_days
imap idle poll_seconds max_message_bytes authserv_id
smtp host port security username password_file token_command
database url
openpgp home key passphrase_file
archive recipients key_file
keepers address fingerprint name also_known_as role language
admins address fingerprint
researchers address fingerprint until
commands proof undo_minutes window_hours
notices digest quiet per_hour
replies per_sender_per_day per_domain_per_hour circuit_per_minute hold_unauthenticated unreviewed envelope
research threshold base min_width lag_days timezone withheld_countries
audit anchor
alarms poll_minutes outbox_minutes heartbeat_file
paths rules templates pages_url
"""


def test_no_published_key_is_renamed() -> None:
    promised = {f"{line.split()[0]}.{key}" for line in CONTRACT.strip().splitlines() for key in line.split()[1:]}
    assert promised <= set(keys(SWITCHED_ON))


def test_example_switches_on_exactly_the_required_keys() -> None:
    required = {
        f"{name}.{key}" for name in TABLES for key, field in TABLES[name].model_fields.items() if field.is_required()
    }
    people = {key for key in required if key.startswith(("admins", "researchers"))}
    assert set(keys(EXAMPLE)) == required - people | {"imap.password_file"}


def test_every_key_of_the_example_has_its_comment() -> None:
    lines = SWITCHED_ON.splitlines()
    keys_at = [
        number for location, number in key_lines(SWITCHED_ON).items() if len(location) - (location[0] in ARRAYS) == 2
    ]
    assert keys_at
    assert all(re.match(r"# [A-Z\"].*[.:]$", lines[number - 2]) for number in keys_at)


def test_every_line_of_the_example_is_found_where_it_stands() -> None:
    lines = SWITCHED_ON.splitlines()
    for location, number in key_lines(SWITCHED_ON).items():
        assert lines[number - 1].startswith((f"{location[-1]} = ", f"[{location[0]}]", f"[[{location[0]}]]"))


def test_written_configuration_loads_with_the_given_values(folder: Path) -> None:
    values: dict[str, Value] = {
        "service.name": 'A "neutral" name\\',
        "service.aliases": ["old@example.org"],
        "imap.port": 1143,
        "imap.idle": False,
        "keepers.fingerprint": "A" * 40,
        "admins.address": "admin@example.net",
        "researchers.address": "r@example.net",
        "researchers.until": date(2031, 1, 31),
        "archive.recipients": [FINGERPRINT, "B" * 64],
        "notices.digest": [8, 18],
    }
    config = loaded(folder, render(values))
    assert (config.service.name, config.service.aliases) == ('A "neutral" name\\', ("old@example.org",))
    assert (config.imap.port, config.imap.idle) == (1143, False)
    assert (config.keepers[0].fingerprint, config.admins[0].address) == ("A" * 40, "admin@example.net")
    assert config.researchers[0].until == date(2031, 1, 31)
    assert (config.archive.recipients, config.notices.digest) == ((FINGERPRINT, "B" * 64), (8, 18))


def test_written_configuration_keeps_every_comment() -> None:
    def comments(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("# ") and " = " not in line and "[[" not in line]

    assert comments(render({"imap.port": 1143, "admins.address": "a@example.org"})) == comments(EXAMPLE)


def test_nothing_given_writes_the_example() -> None:
    assert render({}) == EXAMPLE


def test_value_for_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no key imap\.prot$"):
        render({"imap.prot": 993})


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.dates(),
    st.lists(st.text(st.characters(codec="utf-8"))),
)


@given(VALUES)
def test_every_value_survives_being_written(value: Value) -> None:
    assert tomllib.loads(f"key = {toml_value(value)}") == {"key": value}


def test_shared_files_are_found_in_a_checkout_and_in_a_wheel(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout" / "mailroom"
    wheel = tmp_path / "wheel" / "mailroom"
    (tmp_path / "checkout" / "rules").mkdir(parents=True)
    (wheel / "share" / "rules").mkdir(parents=True)
    assert share_path("rules", checkout) == tmp_path / "checkout" / "rules"
    assert share_path("rules", wheel) == wheel / "share" / "rules"
    assert share_path("rules").is_dir()
    with pytest.raises(MailroomError, match="install it again"):
        share_path("templates", wheel)


def test_example_is_a_configuration(folder: Path) -> None:
    (folder / "config.toml").write_text(EXAMPLE, encoding="utf-8")
    assert isinstance(load(folder / "config.toml", {}), Config)
