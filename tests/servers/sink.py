"""An SMTP server in the running loop that keeps what it is given, and answers as a test wants."""

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"
HANG = "hang"
CLOSE = "close"

Step = Literal["MAIL", "RCPT", "DATA", "RSET", "QUIT"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A letter as far as it has come: at MAIL there is no recipient yet, before the end of DATA no content."""

    mail_from: str
    rcpt_tos: tuple[str, ...] = ()
    content: bytes = field(default=b"", repr=False)


Answer = Callable[[Step, Delivery], str | None]


class Sink:
    """Collects letters in `deliveries` (only those it answered 250 to) and every command in `commands`.

    `security` and `certificate` (PEM files: certificate, key) give it TLS; with `password` or `token` only who logs in
    with that may send. `smtputf8` offers that extension.
    """

    def __init__(
        self,
        *,
        security: Literal["plain", "starttls", "tls"] = "plain",
        certificate: tuple[str, str] | None = None,
        password: str | None = None,
        token: str | None = None,
        smtputf8: bool = True,
    ) -> None:
        self.port = 0
        self.deliveries: list[Delivery] = []
        self.commands: list[str] = []
        self._answer: Answer = lambda _step, _delivery: None
        self._security = security
        self._password, self._token = password, token
        self._smtputf8 = smtputf8
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if certificate else None
        if certificate and self._tls:
            self._tls.load_cert_chain(*certificate)
        self._news = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._connections: list[SMTP] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def answer(self, reply: Answer) -> None:
        """Ask `reply(step, delivery)` from now on: an SMTP reply such as "451 later", HANG, CLOSE, or None for 250."""
        self._answer = reply

    def keep(self, delivery: Delivery) -> None:
        """Keep a letter that was taken."""
        self.deliveries.append(delivery)

    async def until(self, holds: Callable[[list[Delivery]], bool]) -> None:
        """Wait until this holds for the letters that came."""
        while not holds(self.deliveries):
            self._news.clear()
            await self._news.wait()

    async def start(self) -> None:
        """Listen on a free port, the second time on the same one."""
        at_once = self._tls if self._security == "tls" else None
        self._server = await asyncio.get_running_loop().create_server(self._connection, HOST, self.port, ssl=at_once)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server:
            self._server.close()
        await self.drop()

    async def drop(self) -> None:
        """Close every connection from this side, as a server does that has waited too long."""
        for smtp in self._connections:
            if smtp.transport:
                smtp.transport.close()
            if smtp._handler_coroutine:
                await asyncio.wait([smtp._handler_coroutine])
        self._connections.clear()

    def _connection(self) -> SMTP:
        self.commands.append("CONNECT")
        if self._token:
            # aiosmtpd offers every mechanism that its handler has a method for
            self.auth_XOAUTH2 = self._xoauth2
        smtp = SMTP(
            self,
            hostname="sink.example",
            ident="ESMTP",
            enable_SMTPUTF8=self._smtputf8,
            tls_context=self._tls if self._security == "starttls" else None,
            auth_require_tls=False,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )
        self._connections.append(smtp)
        return smtp

    def _authenticate(self, _smtp: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any) -> AuthResult:
        good = isinstance(given, LoginPassword) and given.password.decode() == self._password
        return AuthResult(success=good, handled=False)

    async def _reply(self, smtp: SMTP, step: Step, delivery: Delivery) -> str:
        self.commands.append(step)
        reply = self._answer(step, delivery) or "250 OK"
        if reply == CLOSE:
            assert isinstance(smtp.transport, asyncio.WriteTransport)
            smtp.transport.abort()
        if reply in {CLOSE, HANG}:
            await asyncio.Event().wait()  # until the connection is lost
        return reply

    async def _xoauth2(self, _smtp: SMTP, args: list[str]) -> AuthResult:
        shown = base64.b64decode(args[1]).decode()
        return AuthResult(success=f"auth=Bearer {self._token}\x01\x01" in shown, handled=False)

    # The hooks of aiosmtpd, by the names and arguments that it looks for.

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, _smtp: SMTP, session: Session, _envelope: Envelope, name: str, replies: list[str]
    ) -> list[str]:
        session.host_name = name
        self.commands.append(f"EHLO {name}")
        return replies

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, smtp: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if (self._password or self._token) and not session.authenticated:
            return "530 5.7.0 Authentication required"
        reply = await self._reply(smtp, "MAIL", Delivery(_sender(address)))
        if reply.startswith("250"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
            self.commands.extend(options)
        return reply

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, smtp: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = await self._reply(smtp, "RCPT", Delivery(_sender(envelope.mail_from), (address,)))
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, smtp: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        delivery = Delivery(_sender(envelope.mail_from), tuple(envelope.rcpt_tos), envelope.content)
        reply = await self._reply(smtp, "DATA", delivery)
        if reply.startswith("250"):
            self.keep(delivery)
            self._news.set()
        return reply

    async def handle_RSET(self, smtp: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        return await self._reply(smtp, "RSET", Delivery(""))

    async def handle_QUIT(self, smtp: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        reply = await self._reply(smtp, "QUIT", Delivery(""))
        return reply.replace("250 OK", "221 Bye")


def _sender(address: str | None) -> str:
    return "" if address in {None, "<>"} else str(address)  # aiosmtpd writes the null sender as "<>"
