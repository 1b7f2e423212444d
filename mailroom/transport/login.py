"""How we prove to a mail server who we are: a password, or an OAuth2 access token that a program prints."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Protocol

from mailroom.errors import LoginRefused

TOKEN_SECONDS = 30.0
_END_SECONDS = 5.0
_MOST_BYTES = 64 * 1024  # no access token comes near that


class Secret(Protocol):
    """What is shown at a login, and whether another one may be had when it is refused."""

    @property
    def is_token(self) -> bool:
        """Whether `get` gives an access token for XOAUTH2, not a password."""
        ...

    async def get(self) -> str:
        """Give the secret.

        Raises:
            LoginRefused: there is none to be had; the text says why.
        """
        ...

    def renew(self) -> bool:
        """Forget a secret that was refused; True when it was an old one, so that a new one is worth a try at once."""
        ...


@dataclass(frozen=True, slots=True)
class Password:
    """A password; it is read at every login, so that a new one needs no restart."""

    read: Callable[[], Awaitable[str]] = field(repr=False)
    is_token: bool = False

    async def get(self) -> str:
        """Read it."""
        return await self.read()

    def renew(self) -> bool:
        """Never: the next login reads it anew."""
        return False


class Token:
    """An access token, asked of `command` when there is none yet or the last one was refused, and kept until then."""

    is_token = True

    def __init__(self, command: Sequence[str], seconds: float = TOKEN_SECONDS) -> None:
        self._command, self._seconds = command, seconds
        self._kept: str | None = None
        self._is_old = False

    async def get(self) -> str:
        """Give the kept token, or ask for one.

        Raises:
            LoginRefused: the program cannot be started, fails, hangs, or prints something else than one word.
        """
        self._is_old = self._kept is not None
        if self._kept is None:
            self._kept = await self._ask()
        return self._kept

    def renew(self) -> bool:
        """Forget the token; True when it was a kept one."""
        self._kept = None
        return self._is_old

    async def _ask(self) -> str:
        try:
            program = await asyncio.create_subprocess_exec(
                *self._command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise LoginRefused(f"token_command cannot be started: {error.strerror}") from None
        async with AsyncExitStack() as failure:
            failure.push_async_callback(_end, program)
            try:
                async with asyncio.timeout(self._seconds):
                    printed, _ = await program.communicate()
            except TimeoutError:
                raise LoginRefused(f"token_command printed no token within {self._seconds:g} seconds") from None
            failure.pop_all()
        if program.returncode:
            raise LoginRefused(f"token_command failed with exit status {program.returncode}; run it by hand to see why")
        return _one_word(printed)


async def _end(program: Process) -> None:
    """End a program with all that it has started: asyncio waits for whoever holds the pipe."""
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    with suppress(TimeoutError):  # somebody left the group, and holds the pipe
        async with asyncio.timeout(_END_SECONDS):
            await program.wait()


def _one_word(printed: bytes) -> str:
    words = printed.split()
    if len(words) != 1 or len(printed) > _MOST_BYTES or not printed.isascii():
        raise LoginRefused("token_command must print one access token and nothing else")
    return words[0].decode()
