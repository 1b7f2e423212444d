"""A service whose SMTP sink brings what the desk writes to itself into its inbox, as a provider does."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mailroom.config import load
from mailroom.config_writer import Value
from mailroom.doctor.examination import Extent, examine
from mailroom.doctor.finding import Finding
from mailroom.records.clock import Clock, utc
from tests.e2e.house import ADDRESS, House, build
from tests.gnupg_home import desk_home, fingerprint, people_home
from tests.servers.dovecot import Dovecot
from tests.servers.sink import Answer, Delivery, Sink, Step

__all__ = ["desk_home", "people_home"]

Build = Callable[..., House]
ARCHIVE = [fingerprint("keeper"), fingerprint("deputy")]
RESULTS = b"Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=desk@example.org\r\n"
HERE = Extent(offline=True)
NO_MAIL = Extent(send=False)
EVERYTHING = Extent(patience=5)
_SPECIAL = """
namespace inbox {
  mailbox Sent {
    special_use = \\Sent
  }
  mailbox Junk {
    special_use = \\Junk
  }
  mailbox Trash {
    special_use = \\Trash
  }
}
"""
# What the log calls lazy: what is expunged stays in a folder of its own.
_HOARDING = """
mail_plugins = lazy_expunge
plugin {
  lazy_expunge = Kept
}
namespace inbox {
  mailbox Kept {
    auto = create
  }
}
"""


def configured(server: Dovecot, more: str) -> Dovecot:
    """Append to the configuration of a Dovecot that has not started yet."""
    with (server.root / "dovecot.conf").open("a") as file:
        file.write(more)
    return server


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    with configured(Dovecot(tls=True), _SPECIAL) as server:
        yield server


@pytest.fixture
def hoarding_dovecot() -> Iterator[Dovecot]:
    """A server that keeps what is expunged."""
    with configured(Dovecot(), _HOARDING) as server:
        yield server


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as server:
        yield server


@pytest.fixture
async def furnish(dovecot: Dovecot, sink: Sink, desk_home: Path) -> AsyncIterator[Build]:
    """Build services; the mail of the last one that was built to itself arrives in its inbox."""
    with ExitStack() as stack:

        def one(on: Dovecot = dovecot, **values: Value) -> House:
            ours: dict[str, Value] = {"imap__authserv_id": "mx.example.org", "archive__recipients": ARCHIVE}
            house = stack.enter_context(build(on, sink.port, desk_home, **(ours | values)))
            for path in (house.config, house.folder / "password", house.folder / "wrapping.key"):
                path.chmod(0o600)
            house.data.chmod(0o700)
            sink.answer(delivering(house))
            return house

        yield one


@pytest.fixture
def house(furnish: Build) -> House:
    return furnish()


async def findings(house: House, extent: Extent = EVERYTHING, clock: Clock = utc) -> list[Finding]:
    """Let the doctor look at a service."""
    return [one async for one in examine(load(house.config), house.config, extent, clock)]


def faults(found: list[Finding]) -> set[str]:
    """Name the checks that found something wrong."""
    return {one.check for one in found if one.state == "wrong"}


def only(found: list[Finding], check: str, state: str = "wrong") -> Finding:
    """Give the one finding of this check and state."""
    [one] = [one for one in found if (one.check, one.state) == (check, state)]
    return one


def change(house: House, old: str, new: str) -> None:
    """Edit the configuration."""
    text = house.config.read_text()
    assert old in text
    house.config.write_text(text.replace(old, new, 1))


def delivering(house: House, results: bytes = RESULTS, folder: str = "INBOX") -> Answer:
    """Answer the sink's steps so that mail to the desk arrives in a folder of its mailbox."""

    def answer(step: Step, delivery: Delivery) -> str | None:
        if step == "DATA" and is_ours(delivery.rcpt_tos[0]):
            house.dovecot.append(house.user, results + delivery.content, folder)
        return None

    return answer


def is_ours(recipient: str) -> bool:
    local, _, domain = ADDRESS.partition("@")
    return recipient.startswith(local) and recipient.endswith(domain)
