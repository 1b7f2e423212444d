from datetime import UTC, date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.config_schema import ARRAYS
from mailroom.config_types import quiet_hours
from tests.config_texts import FINGERPRINT, KEEPER, MINIMAL, changed, fill, loaded, refusal, refusals, toml


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path)


def test_ports_follow_security_unless_given(folder: Path) -> None:
    assert changed(folder, imap__security='"starttls"').imap.port == 143
    assert changed(folder, smtp__security='"starttls"').smtp.port == 587
    assert changed(folder, smtp__security='"plain"', smtp__host='"127.0.0.9"').smtp.port == 25
    assert changed(folder, smtp__port="2525").smtp.port == 2525


def test_relative_paths_belong_to_the_folder_of_the_file(folder: Path) -> None:
    config = changed(folder, paths__rules='"/etc/rules"', alarms__heartbeat_file='"alive"')
    assert (config.openpgp.home, config.alarms.heartbeat_file) == (folder / "gnupg", folder / "alive")
    assert (config.paths.rules, config.paths.templates) == (Path("/etc/rules"), folder / "templates")
    assert config.database_url == f"sqlite+aiosqlite:///{folder}/data/mailroom.db"


def test_relative_database_file_belongs_to_the_folder_of_the_file(folder: Path) -> None:
    config = changed(folder, database__url='"sqlite+aiosqlite:///other.db"')
    assert config.database_url == f"sqlite+aiosqlite:///{folder}/other.db"


@pytest.mark.parametrize("url", ["postgresql://db", "sqlite+aiosqlite:///", "sqlite+aiosqlite:///{folder}/a.db"])
def test_database_that_is_no_sqlite_file_is_refused(folder: Path, url: str) -> None:
    assert refusal(folder, database__url=f'"{url}"').nearest == "sqlite+aiosqlite:///{data_dir}/mailroom.db"


def test_addresses_are_bare_with_the_domain_in_lower_case(folder: Path) -> None:
    config = changed(folder, service__aliases='["Old.Desk@Other.EXAMPLE"]')
    assert config.own_addresses == frozenset({"desk@example.org", "Old.Desk@other.example"})
    assert config.desk_domain == "example.org"


@pytest.mark.parametrize(
    "address",
    [
        "desk",
        "Desk <desk@example.org>",
        "a@b@example.org",
        "desk@example.org, x@example.org",
        "desk@-x.example",
        "@a",
        "",
    ],
)
def test_what_is_not_one_bare_address_is_refused(folder: Path, address: str) -> None:
    assert "bare mail address" in refusal(folder, service__address=f'"{address}"').what


def test_fingerprints_may_have_spaces_and_small_letters(folder: Path) -> None:
    config = changed(folder, openpgp__key='"0123 4567 89ab cdef 0123  4567 89ab cdef 0123 4567"')
    assert config.openpgp.key == FINGERPRINT
    assert changed(folder, openpgp__key=f'"{"ab" * 32}"').openpgp.key == "AB" * 32


@pytest.mark.parametrize("key", ["", "89ABCDEF01234567", "0x" + "a" * 40, "g" * 40])
def test_short_key_ids_are_refused(folder: Path, key: str) -> None:
    assert "fingerprint" in refusal(folder, openpgp__key=f'"{key}"').what


def test_missing_key_is_told_with_the_line_of_its_table(folder: Path) -> None:
    second = '[[keepers]] # deputy\naddress = "b@example.org"\n'
    (problem,) = refusals(folder, toml({}, KEEPER + second))
    assert problem.where == "line 14 (keepers[2].fingerprint)"


@pytest.mark.parametrize(
    ("key", "value", "nearest"),
    [
        ("imap.security", '"TLS1"', "tls"),
        ("imap.after_filing", '"deleted"', "delete"),
        ("service.timezone", '"Europe/Berln"', "Europe/Berlin"),
        ("research.timezone", '"Berlin"', "Europe/Berlin"),
        ("service.timezone", '"Europe"', None),
        ("research.withheld_countries", '["UK"]', "GB"),
        ("research.withheld_countries", '["150"]', None),
        ("smtp.port", "70000", "65535"),
        ("notices.digest", "[8, 24]", "23"),
        ("service.retention_months", "0", "1"),
        ("commands.undo_minutes", "-1", "0"),
        ("research.threshold", "9", "10"),
        ("research.threshold", "11", "13"),
        ("research.base", "3", "5"),
        ("research.base", "6", "7"),
        ("research.min_width", "3", "4"),
        ("research.lag_days", "9", "10"),
    ],
)
def test_value_out_of_bounds_names_the_nearest_valid_one(
    folder: Path, key: str, value: str, nearest: str | None
) -> None:
    (problem,) = refusals(folder, toml({key: value}))
    if nearest:
        assert problem.nearest == nearest


def test_threshold_must_fit_the_base(folder: Path) -> None:
    assert refusal(folder, research__base="7").where == "research.threshold"
    config = changed(folder, research__base="7", research__threshold="11")
    assert (config.research.base, config.research.threshold) == (7, 11)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("imap.idle", '"yes"'),
        ("imap.port", '"993"'),
        ("imap.port", "true"),
        ("imap.poll_seconds", "1.5"),
        ("service.aliases", '"old@example.org"'),
        ("service.aliases", "[1]"),
        ("service.name", '""'),
        ("service.name", '"a\\r\\nBcc: x"'),
        ("service.hours", f'"{"x" * 81}"'),
        ("service.default_language", '"English"'),
        ("imap.host", '"imaps://imap.example.org"'),
        ("imap.filed", '"INBOX"'),
        ("notices.quiet", '"8pm-7am"'),
        ("notices.quiet", '"07-07"'),
        ("notices.quiet", '"24-07"'),
        ("openpgp.home", '"~/gnupg"'),
        ("openpgp.home", "3"),
        ("archive.key_file", "3"),
        ("paths.pages_url", '"ftp://example.org"'),
        ("smtp.username", '"desk"'),
        ("smtp.password_file", '"password"'),
        ("imap", "3"),
    ],
)
def test_value_that_does_not_fit_is_refused(folder: Path, key: str, value: str) -> None:
    changes = {name: None for name in MINIMAL if key == "imap" and name.startswith("imap.")}
    (problem,) = refusals(folder, toml({key: value, **changes}))
    assert problem.what != "has a value that does not fit."
    assert key.rpartition(".")[2] in problem.where or key == "smtp.username"


@pytest.mark.parametrize("server", ["imap", "smtp"])
def test_token_command_stands_in_the_place_of_a_password(folder: Path, server: str) -> None:
    text = toml({f"{server}.token_command": '["sh", "-c", "echo token"]', f"{server}.password_file": None})
    text = text if server == "imap" else toml({"smtp.token_command": '["sh"]', "smtp.username": '"desk"'})
    config = loaded(folder, text)
    assert getattr(config, server).token_command[0] == "sh"


@pytest.mark.parametrize("server", ["imap", "smtp"])
def test_there_is_one_way_to_log_in(folder: Path, server: str) -> None:
    name: dict[str, str | None] = {"smtp.username": '"desk"'} if server == "smtp" else {}
    both: dict[str, str | None] = {f"{server}.token_command": '["sh"]', f"{server}.password_file": '"password"'}
    (problem,) = refusals(folder, toml(both | name))
    assert problem.what == "must be left out where token_command stands: there is one way to log in."


@pytest.mark.parametrize("program", ["no-such-program", "./no-such-program", "", "sh\\u0000"])
def test_a_token_command_that_cannot_be_run_is_refused(folder: Path, program: str) -> None:
    (problem,) = refusals(folder, toml({"imap.token_command": f'["{program}"]', "imap.password_file": None}))
    assert problem.where.endswith("(imap.token_command)")


def test_a_relative_program_lies_beside_the_configuration(folder: Path) -> None:
    (folder / "token").write_text("#!/bin/sh\n")
    (folder / "token").chmod(0o700)
    text = toml({"imap.token_command": '["./token", "--secret=x"]', "imap.password_file": None})
    assert loaded(folder, text).imap.token_command == (str(folder / "token"), "--secret=x")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_plain_is_allowed_on_this_machine(folder: Path, host: str) -> None:
    assert changed(folder, imap__security='"plain"', imap__host=f'"{host}"').imap.port == 143


@pytest.mark.parametrize("host", ["imap.example.org", "10.0.0.1", "localhost.example.org", "127.0.0.1.example.org"])
def test_plain_is_refused_off_this_machine(folder: Path, host: str) -> None:
    assert refusal(folder, imap__security='"plain"', imap__host=f'"{host}"').nearest == "tls"
    assert refusal(folder, smtp__security='"plain"', smtp__host=f'"{host}"').where == "line 11 (smtp.security)"


@pytest.mark.parametrize("table", sorted(ARRAYS))
def test_service_is_never_one_of_its_own_people(folder: Path, table: str) -> None:
    keys = f'[[{table}]]\naddress = "DESK@example.org"\nfingerprint = "{FINGERPRINT}"\n'
    keys += "until = 2030-12-31\n" if table == "researchers" else ""
    (problem,) = refusals(folder, toml({}, KEEPER + keys))
    assert "write to itself" in problem.what


def test_a_deputy_alone_is_not_enough(folder: Path) -> None:
    (problem,) = refusals(folder, toml({}, KEEPER + 'role = "deputy"\n'))
    assert 'role "keeper" is required' in problem.what


def test_one_person_is_not_named_twice(folder: Path) -> None:
    (problem,) = refusals(folder, toml({}, KEEPER + KEEPER))
    assert "twice" in problem.what


def test_people_are_written_as_arrays_of_tables(folder: Path) -> None:
    (problem,) = refusals(folder, toml({}, KEEPER.replace("[[keepers]]", "[keepers]")))
    assert problem.what == "must be written [[keepers]]."


@pytest.mark.parametrize("written", ["2030-12-31", '"2030-12-31"'])
def test_researchers_have_a_last_day(folder: Path, written: str) -> None:
    people = f'[[researchers]]\naddress = "r@example.org"\nfingerprint = ""\nuntil = {written}\n'
    (person,) = loaded(folder, toml({}, KEEPER + people)).researchers
    assert (person.until, person.fingerprint) == (date(2030, 12, 31), None)


@pytest.mark.parametrize("until", ['"next year"', "20301231", "true"])
def test_last_day_that_is_no_date_is_refused(folder: Path, until: str) -> None:
    people = f'[[researchers]]\naddress = "r@example.org"\nuntil = {until}\n'
    (problem,) = refusals(folder, toml({}, KEEPER + people))
    assert problem.what == "must be a date, such as 2030-12-31."


def test_zone_of_the_service_is_a_time_zone(folder: Path) -> None:
    assert changed(folder).service.zone is UTC
    assert changed(folder, service__timezone='"Asia/Tokyo"').service.zone == ZoneInfo("Asia/Tokyo")


@given(st.integers(-1, 30), st.integers(-1, 30))
def test_quiet_hours_are_two_different_hours(first: int, last: int) -> None:
    if first in range(24) and last in range(24) and first != last:
        assert quiet_hours(f"{first:02}-{last:02}") == quiet_hours(f"{first}-{last}") == (first, last)
    else:
        with pytest.raises(ValueError, match="hours"):
            quiet_hours(f"{first}-{last}")


@pytest.mark.parametrize("key", ["filed", "quarantine"])
def test_filed_mail_does_not_go_where_junk_is_read(folder: Path, key: str) -> None:
    found = refusal(folder, imap__junk='"Spam"', **{f"imap__{key}": '"Spam"'})
    assert f"imap.{key}" in found.where
    assert "another folder than junk" in found.what
