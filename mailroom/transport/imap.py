"""The inbox over IMAP: the one file that knows aioimaplib.

aioimaplib gives commands, tags and states. How it reads is replaced here (`_Connection`), because on its own it
recurses once per line of a segment (a long answer kills the connection), changes data (every `* ` in a line is
dropped), loses the place in an answer when a quoted file name holds a parenthesis, and leaves a command waiting
for ever when the connection is lost.
"""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import aioimaplib

from mailroom.errors import MailboxError, ServerUnreachable
from mailroom.flow.filing import Location
from mailroom.mail.beginning import BEGINNING_BYTES, beginning
from mailroom.mail.message import Arrival, RawMail
from mailroom.transport import imap_parse as parse
from mailroom.transport import imap_steps as steps
from mailroom.transport.network import Security, reason, tls_context

# At DEBUG the library logs commands and answers, with names of folders in them.
logging.getLogger("aioimaplib").setLevel(logging.WARNING)

LOGOUT_SECONDS = 0.9

# What these commands lead to when the server says OK (RFC 3501 section 3).
_STATES = {"LOGIN": aioimaplib.AUTH, "AUTHENTICATE": aioimaplib.AUTH, "SELECT": aioimaplib.SELECTED}
_FAILURES = (OSError, aioimaplib.AioImapException)


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """Where the mailbox is and how to get in.

    `password` is asked at every login. `timeout`: seconds of silence after which the server counts as gone.
    `cafile`: a PEM file of authorities to trust beside those of the system.
    """

    host: str
    port: int
    security: Security
    username: str
    password: Callable[[], Awaitable[str]] = field(repr=False)
    inbox: str = "INBOX"
    timeout: float = 60.0
    cafile: str | None = None


class _Connection(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]  # the library is not annotated
    """One connection; one command at a time. Every failure shows as OSError or AioImapException."""

    transport: asyncio.Transport
    capabilities: set[str]
    state: str

    def __init__(self, timeout: float) -> None:
        super().__init__(asyncio.get_running_loop())
        self.greeting: asyncio.Future[bytes] = self.loop.create_future()
        self.closed = asyncio.Event()
        self.spaces: list[tuple[str, str]] = []
        self.selected = ("", 0)
        self._timeout = timeout
        self._deadline: asyncio.Timeout | None = None
        self._reader = parse.ResponseReader()
        self._literals: deque[bytes] = deque()

    async def command(self, name: str, *args: str, uid: bool = False, literals: Iterable[bytes] = ()) -> steps.Answer:
        """Run one command, as `steps.Session` says; the deadline moves on with every sign of life."""
        if self.closed.is_set():
            raise ConnectionResetError
        self._literals = deque(literals)
        command = aioimaplib.Command(name, self.new_tag(), *args, prefix="UID" if uid else None)
        try:
            async with asyncio.timeout(self._timeout) as self._deadline:
                answer = await self.execute(command)
        finally:
            self._deadline = None
        if answer.result == "BYE":
            raise ConnectionResetError
        if answer.result == "OK":
            self.state = _STATES.get(name, self.state)
        return steps.Answer(answer.result, answer.lines[-1], answer.lines[:-1])

    async def upgrade(self, context: ssl.SSLContext, host: str) -> None:
        """Go on inside TLS, with the certificate of `host`; what came in clear before is forgotten."""
        self._reader = parse.ResponseReader()
        async with asyncio.timeout(self._timeout):
            self.transport = await self.loop.start_tls(self.transport, self, context, server_hostname=host)

    def data_received(self, d: bytes) -> None:
        if self._deadline and not self._deadline.expired():
            self._deadline.reschedule(self.loop.time() + self._timeout)
        for response in self._reader.feed(d):
            self._receive(response)

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set()
        if not self.greeting.done():
            self.greeting.set_result(b"* BYE")
        if command := self._in_flight():
            command.close(b"", "BYE")

    def _receive(self, response: parse.Response) -> None:
        line, command = response[0], self._in_flight()
        if not self.greeting.done():
            self.greeting.set_result(line)
        elif line.startswith(b"* ") and line[2:5].upper() != b"BYE":
            if command:
                command.append_to_resp(response)
        elif line.startswith(b"+"):
            # Nothing left to say: "*" ends an authentication that the server wants to go on with.
            self.transport.write((self._literals.popleft() if self._literals else b"*") + b"\r\n")
        elif command and line.split(b" ")[:2] in [[command.tag.encode(), word] for word in (b"OK", b"NO", b"BAD")]:
            self._response_done(line)
        else:
            self.transport.abort()

    def _in_flight(self) -> aioimaplib.Command | None:
        return self.pending_sync_command or next(iter(self.pending_async_commands.values()), None)


class ImapMailbox:
    """The inbox, fitting `flow.ports.Mailbox`. Connects when first needed, and anew after any failure."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._connection: _Connection | None = None
        self._lock = asyncio.Lock()

    async def arrivals(self) -> list[Arrival]:
        """List what lies in the inbox and is not marked deleted, oldest UID first."""
        async with self._selected(self._settings.inbox) as (connection, validity):
            found: dict[int, steps.Attributes] = {}
            for uids in parse.uid_sets(await steps.search(connection, "UNDELETED")):
                answer = await connection.command("FETCH", uids, "(UID RFC822.SIZE)", uid=True)
                found |= parse.fetched(steps.accepted(answer, "FETCH").responses)
        sizes = {uid: parse.number(attributes.get(b"RFC822.SIZE")) for uid, attributes in found.items()}
        inbox = self._settings.inbox
        return [Arrival(inbox, validity, uid, size) for uid, size in sorted(sizes.items()) if size is not None]

    async def fetch(self, arrivals: Sequence[Arrival]) -> list[RawMail]:
        """Fetch the bytes without marking them seen; a message that is gone meanwhile is left out."""
        bodies: dict[int, parse.Value] = {}
        if not arrivals:
            return []
        async with self._holding(arrivals, anew=False) as connection:
            for uids in parse.uid_sets(arrival.uid for arrival in arrivals):
                found = await steps.fetch(connection, uids, "(UID BODY.PEEK[])")
                bodies |= {uid: attributes.get(b"BODY[]") for uid, attributes in found.items()}
        contents = ((arrival, bodies.get(arrival.uid)) for arrival in arrivals)
        return [RawMail(arrival, content) for arrival, content in contents if isinstance(content, bytes)]

    async def fetch_beginning(self, arrival: Arrival) -> RawMail:
        """Fetch the header and the first text part of an oversize message as a small mail of one part.

        Both are cut at `BEGINNING_BYTES`. Without a text part, or when it is encrypted, the body is empty.
        """
        async with self._holding([arrival], anew=False) as connection:
            whole = await steps.fetch_one(
                connection, arrival.uid, f"BODYSTRUCTURE BODY.PEEK[HEADER]<0.{BEGINNING_BYTES}>"
            )
            header, part = _bytes(whole.get(b"BODY[HEADER]<0>")), parse.text_part(whole.get(b"BODYSTRUCTURE"))
            if part is None:
                return RawMail(arrival, beginning(header), complete=False)
            wanted = f"BODY.PEEK[{part}.MIME]<0.{BEGINNING_BYTES}> BODY.PEEK[{part}]<0.{BEGINNING_BYTES}>"
            found = await steps.fetch_one(connection, arrival.uid, wanted)
        mime, body = (_bytes(found.get(f"BODY[{part}{which}".encode())) for which in (".MIME]<0>", "]<0>"))
        content = beginning(header, mime, body, cut=len(body) >= BEGINNING_BYTES)
        return RawMail(arrival, content, complete=False)

    async def delete(self, arrivals: Sequence[Arrival]) -> None:
        """Delete and expunge exactly these messages and no other.

        A server without UIDPLUS can only expunge everything that is marked deleted. If somebody else has marked
        another message there, ours are left marked: `arrivals` does not list them, and they go with the next expunge.
        """
        if not arrivals:
            return
        async with self._holding(arrivals, anew=True) as connection:
            await steps.remove(connection, [arrival.uid for arrival in arrivals])

    async def move(self, arrivals: Sequence[Arrival], folder: str) -> dict[Arrival, Location]:
        """Move exactly these messages to `folder` (made when missing); give the COPYUID where the server tells.

        `/` in `folder` divides levels. Without MOVE (RFC 6851) the messages are copied and then deleted as in
        `delete`; a failure between the two leaves a second copy in `folder`, never none.
        """
        places: dict[Arrival, Location] = {}
        if not arrivals:
            return places
        async with self._holding(arrivals, anew=True) as connection:
            verb = "MOVE" if "MOVE" in connection.capabilities else "COPY"
            for uids in parse.uid_sets(arrival.uid for arrival in arrivals):
                answer = await steps.transfer(connection, verb, uids, folder)
                texts = [answer.text, *(response[0] for response in answer.responses)]
                validity, new = parse.copied(texts, len(arrivals))
                moved = [arrival for arrival in arrivals if arrival.uid in new]
                places |= {arrival: Location(folder, validity, new[arrival.uid]) for arrival in moved}
            if verb == "COPY":
                await steps.remove(connection, [arrival.uid for arrival in arrivals])
        return places

    async def close(self) -> None:
        """Log out, or drop the connection within a second; never raises."""
        connection = self._connection
        if connection is None:
            return
        try:
            with suppress(*_FAILURES):
                async with asyncio.timeout(LOGOUT_SECONDS):
                    await connection.command("LOGOUT")
        finally:
            self._drop()

    @asynccontextmanager
    async def _holding(self, arrivals: Sequence[Arrival], *, anew: bool) -> AsyncIterator[_Connection]:
        """Open the folder that these messages lie in, if their UIDs still mean the same messages."""
        mailbox = arrivals[0].mailbox
        async with self._selected(mailbox, anew=anew) as (connection, validity):
            if any((arrival.mailbox, arrival.uidvalidity) != (mailbox, validity) for arrival in arrivals):
                raise MailboxError("uidvalidity changed: the messages have to be listed again; nothing was touched")
            yield connection

    @asynccontextmanager
    async def _selected(self, mailbox: str, *, anew: bool = True) -> AsyncIterator[tuple[_Connection, int]]:
        """Open a folder and give its UIDVALIDITY; on any failure the connection is dropped.

        `anew` shows news and a changed UIDVALIDITY, but costs 40 ms with 20,000 messages; reading can do without.
        """
        async with self._lock:
            with ExitStack() as failure:
                failure.callback(self._drop)
                connection = await self._connected()
                try:
                    if anew or connection.selected[0] != mailbox:
                        connection.selected = mailbox, await steps.select(connection, mailbox)
                    yield connection, connection.selected[1]
                except _FAILURES as error:
                    # `from None`: the library's errors quote commands and answers
                    raise MailboxError(f"the IMAP server {self._place}: {reason(error)}") from None
                failure.pop_all()

    async def _connected(self) -> _Connection:
        if self._connection and not self._connection.closed.is_set():
            return self._connection
        try:
            connection = await self._dial()
            await steps.log_in(connection, self._settings.username, await self._settings.password())
        except _FAILURES as error:
            raise ServerUnreachable(f"the IMAP server {self._place}: {reason(error)}") from None
        except MailboxError as error:
            raise ServerUnreachable(f"the IMAP server {self._place}: {error}") from None
        return connection

    async def _dial(self) -> _Connection:
        settings = self._settings
        context = None if settings.security == "plain" else tls_context(settings.cafile)
        at_once = context if settings.security == "tls" else None
        loop, made = asyncio.get_running_loop(), lambda: _Connection(settings.timeout)
        async with asyncio.timeout(settings.timeout):
            _, connection = await loop.create_connection(made, settings.host, settings.port, ssl=at_once)
            self._connection = connection
            greeting = await connection.greeting
        if not greeting.upper().startswith(b"* OK"):
            raise MailboxError("it did not offer a login")
        connection.state = aioimaplib.NONAUTH
        if context and not at_once:
            await _start_tls(connection, context, settings.host)
        return connection

    @property
    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection and connection.transport:
            connection.transport.abort()


async def _start_tls(connection: _Connection, context: ssl.SSLContext, host: str) -> None:
    await steps.learn(connection)
    if "STARTTLS" not in connection.capabilities:
        raise MailboxError("it does not offer STARTTLS; nothing was sent in clear")
    steps.accepted(await connection.command("STARTTLS"), "STARTTLS")
    await connection.upgrade(context, host)


def _bytes(value: parse.Value) -> bytes:
    return value if isinstance(value, bytes) else b""
