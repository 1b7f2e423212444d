"""One connection to an IMAP server: the one file that knows aioimaplib.

aioimaplib gives commands, tags and states. How it reads is replaced here, because on its own it recurses once per
line of a segment (a long answer kills the connection), changes data (every `* ` in a line is dropped), loses the
place in an answer when a quoted file name holds a parenthesis, and leaves a command waiting for ever when the
connection is lost.
"""

import asyncio
import logging
import math
import ssl
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

import aioimaplib

from mailroom.errors import LoginRefused, MailboxError, ServerUnreachable
from mailroom.transport import imap_parse as parse
from mailroom.transport import imap_steps as steps
from mailroom.transport.login import Secret
from mailroom.transport.network import Security, reason, tls_context

# At DEBUG the library logs commands and answers, with names of folders in them.
logging.getLogger("aioimaplib").setLevel(logging.WARNING)

#: How a connection fails: with these, and never with another.
FAILURES = (OSError, aioimaplib.AioImapException)
# A server that is slow but alive may take so many times the allowed silence for one command.
_PATIENCE = 30

# What these commands lead to when the server says OK (RFC 3501 section 3).
_STATES = {"LOGIN": aioimaplib.AUTH, "AUTHENTICATE": aioimaplib.AUTH, "SELECT": aioimaplib.SELECTED}


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """Where the mailbox is and how to get in.

    `junk`: the folder of suspected spam; "" for the one that the server marks so, "-" for none.
    `timeout`: seconds of silence after which the server counts as gone. `cafile`: a PEM file of authorities to trust
    beside those of the system.
    """

    host: str
    port: int
    security: Security
    username: str
    secret: Secret
    inbox: str = "INBOX"
    junk: str = ""
    idle: bool = True
    timeout: float = 60.0
    cafile: str | None = None

    @property
    def place(self) -> str:
        """Name the server, for errors."""
        return f"{self.host}:{self.port}"


class Connection(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]  # the library is not annotated
    """One connection; one command at a time. Every failure shows as one of FAILURES.

    `news` is set when the server tells of messages in the open folder, asked or not. `selected` is the open folder
    with its UIDVALIDITY, ("", 0) for none.
    """

    transport: asyncio.Transport
    capabilities: set[str]
    state: str

    def __init__(self, timeout: float) -> None:
        super().__init__(asyncio.get_running_loop())
        self.greeting: asyncio.Future[bytes] = self.loop.create_future()
        self.closed, self.news = asyncio.Event(), asyncio.Event()
        self.spaces: list[tuple[str, str]] = []
        self.selected = ("", 0)
        self._timeout = timeout
        self._silence = timeout
        self._deadline: asyncio.Timeout | None = None
        self._latest = math.inf
        self._reader = parse.ResponseReader()
        self._literals: deque[bytes] = deque()

    async def command(self, name: str, *args: str, uid: bool = False, literals: Iterable[bytes] = ()) -> steps.Answer:
        """Run one command, as `steps.Session` says; the deadline moves on with every sign of life."""
        if self.closed.is_set():
            raise ConnectionResetError
        self._literals = deque(literals)
        command = aioimaplib.Command(name, self.new_tag(), *args, prefix="UID" if uid else None)
        self._latest = self.loop.time() + self._silence * _PATIENCE
        try:
            async with asyncio.timeout(self._silence) as self._deadline:
                answer = await self.execute(command)
        finally:
            self._deadline = None
        if answer.result == "BYE":
            raise ConnectionResetError
        if answer.result == "OK":
            self.state = _STATES.get(name, self.state)
        return steps.Answer(answer.result, answer.lines[-1], answer.lines[:-1])

    async def idle(self, seconds: float) -> steps.Answer:
        """Let the server tell of new messages in the open folder; end when it does, or after `seconds`.

        See Also:
            RFC 2177, https://www.rfc-editor.org/rfc/rfc2177
        """
        self._silence = self._timeout + seconds
        idling, news = asyncio.create_task(self.command("IDLE")), asyncio.create_task(self.news.wait())
        try:
            await asyncio.wait([idling, news], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            self._silence = self._timeout
            if not idling.done():
                self._move_deadline()
                self.transport.write(b"DONE\r\n")
            return await idling
        finally:
            self._silence = self._timeout
            idling.cancel()
            news.cancel()
            await asyncio.gather(idling, news, return_exceptions=True)

    async def upgrade(self, context: ssl.SSLContext, host: str) -> None:
        """Go on inside TLS, with the certificate of `host`; what came in clear before is forgotten."""
        self._reader = parse.ResponseReader()
        async with asyncio.timeout(self._timeout):
            self.transport = await self.loop.start_tls(self.transport, self, context, server_hostname=host)

    def data_received(self, d: bytes) -> None:
        """Take what came over the network (asyncio calls this)."""
        self._move_deadline()
        for response in self._reader.feed(d):
            self._receive(response)

    def connection_lost(self, _: Exception | None) -> None:
        """End what waits for an answer (asyncio calls this)."""
        self.closed.set()
        if not self.greeting.done():
            self.greeting.set_result(b"* BYE")
        if command := self._in_flight():
            command.close(b"", "BYE")

    def drop(self) -> None:
        """Give the connection up at once."""
        if self.transport:
            self.transport.abort()

    def _move_deadline(self) -> None:
        if self._deadline and not self._deadline.expired():
            self._deadline.reschedule(min(self.loop.time() + self._silence, self._latest))

    def _receive(self, response: parse.Response) -> None:
        line, command = response[0], self._in_flight()
        if not self.greeting.done():
            self.greeting.set_result(line)
        elif line.startswith(b"* ") and line[2:5].upper() != b"BYE":
            if line.upper().endswith(b" EXISTS"):
                self.news.set()
            if command:
                command.append_to_resp(response)
        elif line.startswith(b"+"):
            self._go_on(command)
        elif command and line.split(b" ")[:2] in [[command.tag.encode(), word] for word in (b"OK", b"NO", b"BAD")]:
            self._response_done(line)
        else:
            self.transport.abort()

    def _go_on(self, command: aioimaplib.Command | None) -> None:
        """Say what comes next. With nothing left to say, "*" ends a login that the server wants to go on with."""
        if command is None or command.name != "IDLE":
            self.transport.write((self._literals.popleft() if self._literals else b"*") + b"\r\n")

    def _in_flight(self) -> aioimaplib.Command | None:
        return self.pending_sync_command or next(iter(self.pending_async_commands.values()), None)


async def connect(settings: ImapSettings) -> Connection:
    """Open a connection and log in. A refused token is asked for anew, once.

    Raises:
        LoginRefused: the server refuses name and secret, or there is no token to be had.
        ServerUnreachable: there is no way to a login: no connection, no TLS, no answer.
    """
    try:
        return await _logged_in(settings)
    except LoginRefused:
        if not settings.secret.renew():
            raise
        return await _logged_in(settings)


async def _logged_in(settings: ImapSettings) -> Connection:
    try:
        connection = await _dial(settings)
        with ExitStack() as failure:
            failure.callback(connection.drop)
            await _welcome(connection, settings)
            await _log_in(connection, settings)
            failure.pop_all()
    except FAILURES as error:
        raise ServerUnreachable(f"the IMAP server {settings.place}: {reason(error)}") from None
    except MailboxError as error:
        raise ServerUnreachable(f"the IMAP server {settings.place}: {error}") from None
    return connection


async def _dial(settings: ImapSettings) -> Connection:
    context = tls_context(settings.cafile) if settings.security == "tls" else None
    loop, made = asyncio.get_running_loop(), lambda: Connection(settings.timeout)
    async with asyncio.timeout(settings.timeout):
        _, connection = await loop.create_connection(made, settings.host, settings.port, ssl=context)
    return connection


async def _welcome(connection: Connection, settings: ImapSettings) -> None:
    async with asyncio.timeout(settings.timeout):
        greeting = await connection.greeting
    if not greeting.upper().startswith(b"* OK"):
        raise MailboxError("it did not offer a login")
    connection.state = aioimaplib.NONAUTH
    if settings.security == "starttls":
        await steps.learn(connection)
        if "STARTTLS" not in connection.capabilities:
            raise MailboxError("it does not offer STARTTLS; nothing was sent in clear")
        steps.accepted(await connection.command("STARTTLS"), "STARTTLS")
        await connection.upgrade(tls_context(settings.cafile), settings.host)


async def _log_in(connection: Connection, settings: ImapSettings) -> None:
    try:
        secret = await settings.secret.get()
        await steps.log_in(connection, settings.username, secret, is_token=settings.secret.is_token)
    except LoginRefused as error:
        raise LoginRefused(f"the IMAP server {settings.place}: {error}") from None
