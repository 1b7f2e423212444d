import os
from pathlib import Path

import pytest

from tests.cli.running import MAILS, ROOT, here, process
from tests.config_texts import fill, toml


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = fill(tmp_path) / "config.toml"
    path.write_text(toml({}))
    return path


def test_the_configuration_may_stand_before_or_after_the_verb(config: Path) -> None:
    option = ("--config", str(config))
    told = [
        here(*option, "db", "status", "--json"),
        here("db", *option, "status", "--json"),
        here("db", "status", "--json", *option),
    ]
    assert [one.lines() for one in told] == [[{"version": None, "needed": "0001"}]] * 3


def test_without_an_option_the_environment_then_the_folder_names_the_configuration(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILROOM_CONFIG", str(config))
    assert here("db", "status", "--json").lines()
    monkeypatch.setenv("MAILROOM_CONFIG", str(tmp_path / "none.toml"))
    assert here("db", "status", "--json").status == 2
    monkeypatch.delenv("MAILROOM_CONFIG")
    monkeypatch.chdir(tmp_path)
    assert here("db", "status", "--json").lines()


@pytest.mark.parametrize("verb", [["run"], ["run", "--once"], ["case", "list"], ["keys", "list"], ["explain", "-"]])
def test_a_bad_configuration_is_told_whole_with_status_2(config: Path, verb: list[str]) -> None:
    config.write_text(toml({"imap.hots": '"x"', "imap.host": None, "replies.unreviewed": '"bilingal"'}))
    done = here("--config", str(config), *verb)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 3
    assert all(line.startswith(f"{config}: ") for line in done.err.splitlines())
    assert "imap.host" in done.err
    assert "'host'" in done.err
    assert "'bilingual'" in done.err


def test_a_configuration_whose_name_the_system_refuses_has_status_2() -> None:
    done = here("--config", "x" * 300, "db", "status")
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert "cannot be looked at: File name too long" in done.err


@pytest.mark.parametrize(
    "args",
    [["frob"], ["run", "--frob"], ["explain"], ["case", "list", "--status", "lost"], ["case", "retry"], ["case"], []],
)
def test_bad_usage_has_status_2_and_says_so_on_stderr(args: list[str]) -> None:
    done = here(*args)
    assert (done.status, done.out) == (2, "")
    assert done.err
    assert "Traceback" not in done.err


def test_a_damaged_database_is_one_sentence_without_traceback(config: Path) -> None:
    (config.parent / "data").mkdir()
    (config.parent / "data" / "mailroom.db").write_bytes(b"zebra" * 1000)
    done = here("--config", str(config), "case", "list")
    assert (done.status, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1
    assert "Traceback" not in done.err
    assert "zebra" not in done.err


def test_help_names_every_verb_of_the_contract_that_there_is() -> None:
    words = here("--help").out.split()
    assert {"init", "run", "demo", "explain", "rules", "case", "keys", "db"} <= set(words)


def test_who_reads_no_further_sees_no_traceback() -> None:
    with process("explain", "--json", str(MAILS)) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode in (0, 1)


def test_every_letter_is_kept_whatever_the_terminal_speaks() -> None:
    mail = next(MAILS.glob("05-hindi/mail.eml"))
    env = {**os.environ, "PYTHONIOENCODING": "latin-1", "LC_ALL": "C", "PYTHONPATH": str(ROOT)}
    with process("explain", "--json", str(mail), env=env) as running:
        out, err = running.communicate()
    assert (running.returncode, err) == (0, b"")
    assert "नमस्ते" in out.decode() or "मुझे" in out.decode()
