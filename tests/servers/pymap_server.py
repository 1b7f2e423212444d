"""pymap's in-memory IMAP server in the running loop, with one user."""

import asyncio
import imaplib
from argparse import Namespace
from contextlib import AsyncExitStack
from typing import Self

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, DictBackend, Login
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import BuiltinHash

HOST = "127.0.0.1"
USER = "desk"
PASSWORD = "correct horse"


class _Config(Config):
    # pymap would ask the resolver for this machine's name at every connection
    @property
    def greeting(self) -> bytes:
        return b"ready"


class PymapServer:
    """Listens on `port` of the loopback, without TLS, and starts with an empty inbox for `USER`."""

    def __init__(self) -> None:
        self.port = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        config = _Config(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=HOST,
            port=0,
            demo_data=False,
            demo_user=USER,
            demo_password=PASSWORD,
            tls_enabled=False,
            reject_dnsbl=False,
            hash_context=BuiltinHash(rounds=1),
            cpu_subsystem=Subsystem.for_asyncio(),
        )
        config.apply_context()
        login = Login(config)
        password = await Passwords(config).hash_password(PASSWORD)
        await login.demo_user_identity.set(UserMetadata(config, USER, password=password))
        backend = DictBackend(login, config)
        await backend.start(self._stack)
        connected = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))
        server = await asyncio.start_server(connected, HOST, 0)
        # Connections end with their clients; `async with server` would wait for them, without end if need be.
        self._stack.callback(server.close)
        self.port = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def append(self, content: bytes) -> None:
        """Put one message into the inbox."""
        await asyncio.to_thread(self._append, content)

    def _append(self, content: bytes) -> None:
        with imaplib.IMAP4(HOST, self.port) as client:
            client.login(USER, PASSWORD)
            assert client.append("INBOX", "", "", content)[0] == "OK"
