import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailroom import config_find
from mailroom.config import load
from mailroom.config_find import find
from mailroom.errors import ConfigError
from tests.config_texts import KEEPER, MINIMAL, changed, fill, loaded, refusal, refusals, toml


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path)


def test_smallest_configuration_has_the_documented_defaults(folder: Path) -> None:
    config = changed(folder)
    assert (config.service.default_language, config.service.timezone, config.service.retention_months) == (
        "en",
        "UTC",
        24,
    )
    assert (config.imap.port, config.imap.security, config.imap.after_filing) == (993, "tls", "delete")
    assert (config.imap.poll_seconds, config.imap.max_message_bytes, config.imap.idle) == (60, 26214400, True)
    assert (config.smtp.port, config.smtp.username, config.smtp.password_file) == (465, "", None)
    assert (config.openpgp.passphrase_file, config.archive.recipients) == (None, ())
    assert (config.keepers[0].role, config.keepers[0].language) == ("keeper", "en")
    assert (config.commands.proof, config.commands.undo_minutes, config.commands.window_hours) == ("signature", 2, 48)
    assert (config.notices.digest, config.notices.quiet_hours, config.notices.per_hour) == ((), None, 20)
    assert (config.replies.unreviewed, config.replies.envelope) == ("bilingual", "verp")
    assert (config.research.threshold, config.research.base, config.research.min_width) == (10, 5, 4)
    assert (config.alarms.poll_minutes, config.alarms.outbox_minutes, config.alarms.heartbeat_file) == (15, 60, None)


def test_data_folder_is_made_for_this_user_only(folder: Path) -> None:
    config = changed(folder, service__data_dir='"deep/data"')
    assert stat.S_IMODE(config.service.data_dir.stat().st_mode) == 0o700


def test_data_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    assert refusal(folder, service__data_dir='"password/data"').where == "service.data_dir"


def test_looking_for_the_database_makes_none(folder: Path) -> None:
    config = changed(folder)
    assert not config.has_database
    assert list(config.service.data_dir.iterdir()) == []
    (config.service.data_dir / "mailroom.db").touch()
    assert config.has_database


def test_faulty_configuration_makes_no_data_folder(folder: Path) -> None:
    refusal(folder, imap__host=None)
    assert not (folder / "data").exists()


def test_every_required_key_is_missed_at_once(folder: Path) -> None:
    missing = {problem.where: problem.what for problem in refusals(folder, "")}
    assert set(missing) == set(MINIMAL) | {"keepers"}
    assert missing["imap.password_file"] == "is required, unless there is a token_command."
    assert missing["service.name"] == "is required."


def test_all_problems_come_at_once_with_their_lines(folder: Path) -> None:
    text = toml(
        {}, f'\n{KEEPER}role = "kepper"\n[replies]\nunreviewd = "send"\n# a comment\nper_sender_per_day = "3"\n'
    )
    problems = refusals(folder, text.replace('"Letter desk"', "7"))
    assert [(problem.where, problem.nearest) for problem in problems] == [
        ("line 1 (service.name)", None),
        ("line 15 (keepers[1].role)", "keeper"),
        ("line 19 (replies.per_sender_per_day)", None),
        ("line 17 (replies.unreviewd)", "unreviewed"),
    ]


def test_no_line_is_told_when_it_is_not_certain(folder: Path) -> None:
    text = toml({"service.hours": '"""\nimap.port = 3\n"""', "imap.port": "0"})
    assert {problem.where for problem in refusals(folder, text)} == {"service.hours", "imap.port"}


@pytest.mark.parametrize(
    ("key", "nearest"), [("imap.prot", "port"), ("imap.password", "password_file"), ("reserch.base", "research")]
)
def test_unknown_keys_are_refused_with_a_suggestion(folder: Path, key: str, nearest: str) -> None:
    (problem,) = refusals(folder, toml({key: '"canary"'}))
    assert problem.nearest == nearest
    assert "canary" not in str(problem)


def test_configuration_cannot_be_changed(folder: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        changed(folder).imap.__setattr__("port", 1)


def test_what_is_not_toml_is_told_with_its_line(folder: Path) -> None:
    (problem,) = refusals(folder, "[service]\nname\n")
    assert problem.where == "line 2"


def test_file_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / "latin.toml").write_bytes(b'a = "\xe9"')
    with pytest.raises(ConfigError, match="UTF-8"):
        load(folder / "latin.toml", {})


def test_file_that_is_missing_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(folder / "none.toml", {})


def test_byte_order_mark_is_not_minded(folder: Path) -> None:
    assert loaded(folder, "\ufeff" + toml({})) == loaded(folder, toml({}))


def write(path: Path) -> Path:
    path.write_text("", encoding="utf-8")
    return path


def test_explicit_file_comes_before_the_variable(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.toml"), write(tmp_path / "two.toml")
    assert find(one, {"MAILROOM_CONFIG": str(two)}) == one
    assert find(None, {"MAILROOM_CONFIG": str(two)}) == two


def test_file_in_this_folder_is_found_without_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "config.toml")
    assert find(None, {"MAILROOM_CONFIG": ""}) == Path("config.toml")


def test_file_that_was_asked_for_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "config.toml")
    for explicit, environ in ((Path("no.toml"), {}), (None, {"MAILROOM_CONFIG": "no.toml"})):
        with pytest.raises(ConfigError, match=r"^no\.toml: "):
            find(explicit, environ)


def test_all_places_that_were_tried_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"\$MAILROOM_CONFIG.* config\.toml, /etc/mailroom/config\.toml"):
        find(None, {})


@contextmanager
def without_rights_of_root() -> Iterator[None]:
    """Root may look into every folder, so be nobody for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("named", [True, False])
def test_file_that_may_not_be_looked_at_is_told_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    hidden = write(closed / "config.toml")
    if not named:
        monkeypatch.setattr(config_find, "PLACES", (hidden, write(tmp_path / "next.toml")))
    closed.chmod(0)
    try:
        with without_rights_of_root(), pytest.raises(ConfigError, match=r"config\.toml: cannot be looked at: Perm"):
            find(hidden if named else None, {})
    finally:
        closed.chmod(0o700)
