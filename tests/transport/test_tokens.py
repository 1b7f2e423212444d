"""Login by OAuth2 access token (XOAUTH2), against Dovecot's own mechanism and an SMTP server."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailroom.errors import LoginRefused, ServerUnreachable
from mailroom.flow.filing import Letter
from mailroom.transport.imap import ImapSettings
from mailroom.transport.login import Token
from mailroom.transport.mailbox import ImapMailbox
from tests.servers.dovecot import HOST, Dovecot
from tests.servers.scripted import ScriptedImap
from tests.servers.sink import Sink
from tests.servers.tokens import Tokens
from tests.transport.conftest import OpenCourier, OpenMailbox

LETTER = Letter("desk@example.org", "anna@example.net", b"Subject: x\r\n\r\ntext\r\n")


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture(scope="module")
def provider(tokens: Tokens) -> Iterator[Dovecot]:
    with Dovecot(tokens=tokens) as server:
        yield server


class Program:
    """A program that prints the words of a file, one a run; the last one again and again. It counts its runs."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._words, self._runs = folder / "words", folder / "runs"
        self._runs.write_text("")
        self.print(*words)
        lines = f"import sys, pathlib; runs = pathlib.Path({str(self._runs)!r}); n = len(runs.read_text())"
        lines += f"; runs.write_text('x' * (n + 1)); words = pathlib.Path({str(self._words)!r}).read_text().split()"
        self.command = [sys.executable, "-c", lines + "; print(words[min(n, len(words) - 1)])"]

    def print(self, *words: str) -> None:
        self._words.write_text(" ".join(words))

    @property
    def runs(self) -> int:
        return len(self._runs.read_text())


def mailbox_of(provider: Dovecot, user: str, program: Program, **changes: object) -> ImapMailbox:
    usual: dict[str, object] = {"security": "plain", "timeout": 20.0} | changes
    return ImapMailbox(ImapSettings(HOST, provider.port, username=user, secret=Token(program.command), **usual))  # type: ignore[arg-type]  # keywords of a test


async def test_a_token_opens_the_mailbox(provider: Dovecot, tokens: Tokens, tmp_path: Path) -> None:
    user = provider.new_user()
    mailbox = mailbox_of(provider, user, Program(tmp_path, tokens.issue(user)))
    assert await mailbox.arrivals() == []
    await mailbox.close()


async def test_a_token_is_kept_until_it_is_refused(provider: Dovecot, tokens: Tokens, tmp_path: Path) -> None:
    user = provider.new_user()
    program = Program(tmp_path, tokens.issue(user))
    mailbox = mailbox_of(provider, user, program)
    for _ in range(3):
        await mailbox.arrivals()
        await mailbox.close()
    assert program.runs == 1


async def test_a_token_that_has_expired_meanwhile_is_asked_for_again_at_once(
    provider: Dovecot, tokens: Tokens, tmp_path: Path
) -> None:
    user = provider.new_user()
    program = Program(tmp_path, tokens.issue(user, seconds=-60), tokens.issue(user))
    secret = Token(program.command)
    await secret.get()  # the desk got it long ago
    mailbox = ImapMailbox(ImapSettings(HOST, provider.port, "plain", user, secret, timeout=20.0))
    assert await mailbox.arrivals() == []
    assert program.runs == 2
    await mailbox.close()


async def test_a_fresh_token_that_is_refused_is_not_asked_for_again_and_again(
    provider: Dovecot, tokens: Tokens, tmp_path: Path
) -> None:
    program = Program(tmp_path, tokens.issue("somebody-else"))
    with pytest.raises(LoginRefused, match="refused the login: NO AUTHENTICATIONFAILED"):
        await mailbox_of(provider, provider.new_user(), program).arrivals()
    assert program.runs == 1


async def test_a_server_without_xoauth2_is_told(open_mailbox: OpenMailbox, tmp_path: Path) -> None:
    async with ScriptedImap() as server:
        mailbox = open_mailbox("desk", port=server.port, secret=Token(Program(tmp_path, "t0ken").command))
        with pytest.raises(ServerUnreachable, match="does not offer XOAUTH2"):
            await mailbox.arrivals()
        assert not any("t0ken" in command for command in server.received)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("import sys; sys.exit(3)", "exit status 3"),
        ("print('two words')", "one access token and nothing else"),
        ("pass", "one access token and nothing else"),
        ("print('Ä')", "one access token and nothing else"),
        ("import time; time.sleep(60)", "no token within 0.3 seconds"),
    ],
)
async def test_a_program_that_prints_no_token_is_told_and_does_not_stay(script: str, why: str) -> None:
    with pytest.raises(LoginRefused, match=why):
        await Token([sys.executable, "-c", script], seconds=0.3 if "sleep" in script else 30).get()


async def test_what_a_program_has_started_is_ended_with_it_and_not_waited_for(tmp_path: Path) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    script = f"exec 3> {held}; sleep 10000 & wait"
    with pytest.raises(LoginRefused, match=r"no token within 0\.5 seconds"):
        async with asyncio.timeout(20):
            await Token(["/bin/sh", "-c", script], seconds=0.5).get()
    with open(reader, "rb") as rest:  # noqa: ASYNC230, PTH123 it ends when nobody holds the other end any more
        os.set_blocking(reader, True)
        async with asyncio.timeout(20):
            assert await asyncio.to_thread(rest.read) == b""


async def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(LoginRefused, match="cannot be started: No such file"):
        await Token(["/no/such/program"]).get()


async def test_a_token_lets_letters_go_and_an_old_one_is_replaced(open_courier: OpenCourier, tmp_path: Path) -> None:
    program = Program(tmp_path, "old", "new")
    async with Sink(token="new") as sink:
        secret = Token(program.command)
        await secret.get()
        courier = open_courier(sink.port, username="desk@example.org", secret=secret)
        await courier.send(LETTER)
        assert (len(sink.deliveries), program.runs) == (1, 2)


async def test_an_smtp_server_without_xoauth2_is_told(sink: Sink, open_courier: OpenCourier, tmp_path: Path) -> None:
    secret = Token(Program(tmp_path, "token").command)
    with pytest.raises(ServerUnreachable, match="does not offer XOAUTH2"):
        await open_courier(sink.port, username="desk", secret=secret).send(LETTER)
