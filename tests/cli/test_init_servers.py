"""`mailroom init` before real servers: what it tries, what it asks again, and the test mail to the record keeper."""

import asyncio
import os
import pty
import select
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailroom.cli.init_connect import attempt
from mailroom.cli.init_questions import Answers
from mailroom.config import load
from mailroom.errors import ConfigError
from tests.cli.running import ROOT, Done
from tests.cli.test_init import connecting, init, place
from tests.e2e.house import ADDRESS, KEEPER
from tests.gnupg_home import fingerprint, gpg
from tests.servers.dovecot import PASSWORD, Dovecot, free_port
from tests.servers.sink import Delivery, Sink, Step

__all__ = ["place"]


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink(password=PASSWORD) as server:
        yield server


async def tried(place: Path, dovecot: Dovecot, sink: Sink, *more: str, **changed: str | None) -> Done:
    """Run init with options, against both servers."""
    ports = {"imap_port": str(dovecot.port), "smtp_port": str(sink.port), "username": dovecot.new_user()}
    return await asyncio.to_thread(lambda: connecting(place, *more, **(ports | changed)))


async def test_the_keeper_gets_one_mail_that_only_she_can_read(
    place: Path, dovecot: Dovecot, sink: Sink, people_home: Path
) -> None:
    done = await tried(place, dovecot, sink)
    assert done.status == 0, done.err
    [letter] = sink.deliveries
    assert (letter.mail_from, letter.rcpt_tos) == (ADDRESS, (KEEPER,))
    assert b"If you can read this" not in letter.content
    armored = letter.content[letter.content.index(b"-----BEGIN PGP") : letter.content.index(b"--=_", 2000)]
    opened = gpg(people_home, "--decrypt", stdin=armored.replace(b"\r\n", b"\n"))
    assert b"If you can read this" in opened
    assert load(place / "desk" / "config.toml").openpgp.key.encode() in opened.replace(b" ", b"")
    assert b"Autocrypt: addr=desk@example.org" in letter.content
    assert f"An encrypted test mail went to {KEEPER}" in done.err


async def test_a_wrong_password_is_told_with_what_to_do_and_nothing_is_written(
    place: Path, dovecot: Dovecot, sink: Sink
) -> None:
    (place / "password").write_text("wrong")
    done = await tried(place, dovecot, sink)
    assert (done.status, done.out) == (1, "")
    assert "imap login" in done.err
    assert "app password" in done.err
    assert not (place / "desk").exists()
    assert sink.commands == []


@pytest.mark.parametrize(("server", "option"), [("imap", "imap_port"), ("smtp", "smtp_port")])
async def test_a_server_out_of_reach_is_status_3_and_nothing_is_written(
    place: Path, dovecot: Dovecot, sink: Sink, server: str, option: str
) -> None:
    done = await tried(place, dovecot, sink, **{option: str(free_port())})
    assert (done.status, done.out) == (3, "")
    assert f"{server} reach" in done.err
    assert not (place / "desk").exists()


async def test_a_keeper_who_cannot_be_written_to_is_found_before_anything_is_left(
    place: Path, dovecot: Dovecot, sink: Sink
) -> None:
    def refuse(step: Step, _delivery: Delivery) -> str | None:
        return "550 5.1.1 nobody" if step == "RCPT" else None

    sink.answer(refuse)
    done = await tried(place, dovecot, sink)
    assert (done.status, done.out) == (1, "")
    assert "answered 550 at RCPT" in done.err
    assert "--keeper" in done.err
    assert not (place / "desk").exists()


@pytest.mark.parametrize("server", ["imap", "smtp"])
def test_a_password_goes_to_no_server_without_protection(server: str) -> None:
    answers = Answers(imap_host="imap.example.org", smtp_host="smtp.example.org", security="plain")
    with pytest.raises(ConfigError, match="--security: plain is allowed only for servers on this machine"):
        attempt(answers, server)


def test_every_answer_can_be_an_option(place: Path) -> None:
    admin = ("--admin", "admin@example.org", "--authserv-id", "mx.example.org", "--sent", "Sent Items")
    done = init(place, *admin, "--token-command", "echo 'a token'", password_file=None)
    assert done.status == 0, done.err
    config = load(place / "desk" / "config.toml")
    assert [one.address for one in config.admins] == ["admin@example.org"]
    assert (config.imap.authserv_id, config.imap.sent) == ("mx.example.org", "Sent Items")
    assert config.imap.token_command == config.smtp.token_command == ("echo", "a token")
    assert config.imap.password_file is None


@pytest.mark.parametrize(
    ("changed", "option"),
    [
        ({"address": "harassment@example.org"}, "--address"),
        ({"address": "Hilfe@example.org"}, "--address"),
        ({"address": "denuncias@example.org"}, "--address"),
        ({"name": "Victim Support"}, "--name"),
        ({"name": "Помощь"}, "--name"),
        ({"name": "骚扰举报"}, "--name"),
    ],
)
def test_a_name_that_tells_what_it_is_about_is_warned_of_and_taken(
    place: Path, changed: dict[str, str | None], option: str
) -> None:
    done = init(place, **changed)
    assert done.status == 0
    assert f"{option} tells what people write about" in done.err


def test_a_neutral_name_is_not_warned_of(place: Path) -> None:
    assert "tells what people write about" not in init(place, address="desk@harassment-help.example.org").err


def test_it_leaves_a_text_for_publishing_and_says_what_comes_next(place: Path) -> None:
    done = init(place)
    text = (place / "desk" / "publish.txt").read_text()
    key = load(place / "desk" / "config.toml").openpgp.key
    assert ADDRESS in text
    assert key in text.replace(" ", "")
    assert "nobody has reviewed this text" in text
    commands = [line.split()[:3] for line in done.err.splitlines() if line.startswith("  mailroom")]
    assert [" ".join(words[:2]) for words in commands] == ["mailroom doctor", "mailroom run", "mailroom run"]


class Terminal:
    """`mailroom init` as a person meets it: what it prints, and what is typed."""

    def __init__(self, *args: str) -> None:
        self.shown = b""
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "mailroom", "init", *args]
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, start_new_session=True
        )
        os.close(theirs)

    def answer(self, question: str, typed: str) -> None:
        """Wait for a question, then type."""
        while question.encode() not in self.shown:
            self.shown += self._read()
        self.shown = self.shown.partition(question.encode())[2]
        os.write(self._ours, typed.encode() + b"\n")

    def rest(self) -> str:
        """Read to the end."""
        while more := self._read():
            self.shown += more
        os.close(self._ours)
        assert self.process.wait(30) == 0, self.shown.decode()
        return self.shown.decode()

    def _read(self) -> bytes:
        """Read some more; b"" at the end."""
        ready, _, _ = select.select([self._ours], [], [], 30)
        if not ready:
            self.process.kill()
            raise AssertionError(f"nothing more came after: {self.shown.decode()}")
        try:
            return os.read(self._ours, 4096)
        except OSError:  # Linux tells so that the other end is closed
            return b""


async def test_on_a_terminal_only_what_was_wrong_is_asked_again(place: Path, dovecot: Dovecot, sink: Sink) -> None:
    ports = ("--security", "plain", "--imap-port", str(dovecot.port), "--smtp-port", str(sink.port))
    shown = await asyncio.to_thread(_talk, place, dovecot.new_user(), ports)
    assert PASSWORD not in shown
    config = load(place / "desk" / "config.toml")
    assert (config.imap.host, config.smtp.host) == ("localhost", "127.0.0.1")
    assert (place / "desk" / "secrets" / "mail-password").read_text() == PASSWORD
    assert config.archive.recipients == (fingerprint("keeper"),)
    assert len(sink.deliveries) == 1


def _talk(place: Path, user: str, ports: tuple[str, ...]) -> str:
    terminal = Terminal(str(place / "desk"), *ports)
    terminal.answer("The address that people will write to", "not an address")
    terminal.answer("It must be one bare mail address", "")
    terminal.answer("The address that people will write to", ADDRESS)
    terminal.answer("(IMAP) [imap.example.org]", "localhost")
    terminal.answer(f"log in with there [{ADDRESS}]", user)
    terminal.answer("The password: ", "wrong")  # with the space: it comes when what is typed is shown no more
    terminal.answer("refused the login", "")
    terminal.answer("The password: ", PASSWORD)
    terminal.answer("(SMTP) [smtp.example.org]", "127.0.0.1")
    terminal.answer("The record keeper's address", KEEPER)
    terminal.answer("public OpenPGP key", "/no/such/file")
    terminal.answer("There is no such file", "")
    terminal.answer("public OpenPGP key", str(place / "keeper.asc"))
    return terminal.rest()
