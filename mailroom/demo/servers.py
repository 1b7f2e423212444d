"""The demo's own mail servers, in the running event loop, on free ports of the loopback.

pymap holds one inbox in memory; aiosmtpd takes letters and keeps them. No TLS: nothing leaves this machine.
"""

import asyncio
import imaplib
from argparse import Namespace
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, DictBackend, Login
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import BuiltinHash

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in to both servers."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that the SMTP server took."""

    recipient: str
    content: bytes = field(repr=False)


class _Config(Config):
    # pymap would ask the resolver for this machine's name at every connection
    @property
    def greeting(self) -> bytes:
        return b"ready"


class ImapServer:
    """Listens on `port`, with an empty inbox for one account."""

    def __init__(self, account: Account) -> None:
        self.port = 0
        self._account = account
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        config = _Config(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=HOST,
            port=0,
            demo_data=False,
            demo_user=self._account.username,
            demo_password=self._account.password,
            tls_enabled=False,
            reject_dnsbl=False,
            hash_context=BuiltinHash(rounds=1),
            cpu_subsystem=Subsystem.for_asyncio(),
        )
        config.apply_context()
        login = Login(config)
        password = await Passwords(config).hash_password(self._account.password)
        await login.demo_user_identity.set(UserMetadata(config, self._account.username, password=password))
        await DictBackend(login, config).start(self._stack)
        imap = IMAPServer(login, config)

        # Not by pymap's own way: the task that it makes for a connection is held by nobody, and the garbage
        # collector of Python 3.13 takes it away while it waits for a command. asyncio holds this one.
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await imap(reader, writer, SocketInfoLocal(writer))

        server = await asyncio.start_server(serve, HOST, 0)
        # Connections end with their clients; `async with server` would wait for them, without end if need be.
        self._stack.callback(server.close)
        self.port = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def receive(self, mails: Sequence[bytes]) -> None:
        """Put mails into the inbox."""
        await asyncio.to_thread(self._append, mails)

    async def waiting(self) -> int:
        """Count what lies in the inbox."""
        return await asyncio.to_thread(self._count)

    def _append(self, mails: Sequence[bytes]) -> None:
        with self._client() as client:
            for mail in mails:
                client.append("INBOX", "", "", mail)

    def _count(self) -> int:
        with self._client() as client:
            return int(client.select("INBOX", readonly=True)[1][0] or b"0")

    def _client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4(HOST, self.port)
        client.login(self._account.username, self._account.password)
        return client


class SmtpServer:
    """Listens on `port`, takes letters from one account and keeps them."""

    def __init__(self, account: Account) -> None:
        self.port = 0
        self._account = account
        self._letters: list[Sent] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(self._connection, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()

    def take(self) -> list[Sent]:
        """Give the letters that came since the last time."""
        letters, self._letters = self._letters, []
        return letters

    def _connection(self) -> SMTP:
        # `auth_require_tls`: the password crosses the loopback only
        return SMTP(
            self,
            hostname="mail.example",
            ident="demo",
            auth_require_tls=False,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )

    def _authenticate(self, _smtp: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any) -> AuthResult:  # noqa: ANN401  # aiosmtpd has no types
        good = isinstance(given, LoginPassword) and given.password.decode() == self._account.password
        return AuthResult(success=good, handled=False)

    async def handle_DATA(self, _smtp: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep one letter; called by aiosmtpd."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self._letters += [Sent(recipient, content) for recipient in envelope.rcpt_tos]
        return "250 OK"
