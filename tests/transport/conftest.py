"""Real servers for the transport tests; each xdist worker starts its own."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from mailroom.transport.imap import ImapSettings
from mailroom.transport.login import Password
from mailroom.transport.mailbox import ImapMailbox
from mailroom.transport.smtp import SmtpCourier, SmtpSettings
from tests.servers.dovecot import HOST, PASSWORD, Dovecot
from tests.servers.sink import Sink

ODD_USERS = {'we "ird\\ üser': 'p "w\\ ß 密', "plain": "with space"}

OpenMailbox = Callable[..., ImapMailbox]
OpenCourier = Callable[..., SmtpCourier]


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    with Dovecot(tls=True, odd_users=ODD_USERS) as server:
        yield server


@pytest.fixture(scope="session")
def prefixed() -> Iterator[Dovecot]:
    """A server that keeps every folder below INBOX, as Courier does."""
    with Dovecot(prefix="INBOX.", separator=".") as server:
        yield server


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    return dovecot.new_user()


@pytest.fixture
async def open_mailbox(dovecot: Dovecot) -> AsyncIterator[OpenMailbox]:
    """Make mailboxes (by default on the shared Dovecot) and close them after the test."""
    opened: list[ImapMailbox] = []

    def open_one(username: str, password: str = PASSWORD, **changes: Any) -> ImapMailbox:
        async def secret() -> str:
            return password

        usual: dict[str, Any] = {"host": HOST, "port": dovecot.port, "security": "plain", "timeout": 20.0}
        usual["secret"] = Password(secret)
        opened.append(ImapMailbox(ImapSettings(username=username, **(usual | changes))))
        return opened[-1]

    yield open_one
    for mailbox in opened:
        await mailbox.close()


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as server:
        yield server


@pytest.fixture
async def open_courier() -> AsyncIterator[OpenCourier]:
    opened: list[SmtpCourier] = []

    def open_one(port: int, password: str = "pass", **changes: Any) -> SmtpCourier:
        async def secret() -> str:
            return password

        usual: dict[str, Any] = {"host": HOST, "port": port, "security": "plain", "timeout": 20.0}
        usual["secret"] = Password(secret)
        opened.append(SmtpCourier(SmtpSettings(**(usual | changes))))
        return opened[-1]

    yield open_one
    for courier in opened:
        await courier.close()
