"""A desk for one test: real records, real gpg and the shipped rules and texts, between an inbox and a bag in memory."""

import dataclasses
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from mailroom import assembly, daemon
from mailroom.config import load
from mailroom.config_writer import Value
from mailroom.flow.desk import Desk, Guide
from mailroom.flow.filing import Case, Letter
from mailroom.guide import guide_from
from mailroom.records import schema
from mailroom.share import share_path
from tests.e2e.crashing import InProcess
from tests.e2e.house import KEEPER, _furnish
from tests.e2e.reading import body, opened_letter
from tests.e2e.warm import warm
from tests.fakes import Bag, Inbox
from tests.gnupg_home import desk_home, people_home

__all__ = ["desk_home", "people_home", "warm"]

OUR_MAIL_SERVER = "mx.example.org"
VOUCHED = f"Authentication-Results: {OUR_MAIL_SERVER}; dmarc=pass header.from=example.net\r\n".encode()
FORGED = f"Authentication-Results: {OUR_MAIL_SERVER}; dmarc=fail header.from=example.net\r\n".encode()


@dataclass
class Counter:
    """A desk and its outside. `folder` holds its configuration and records, `people` the keys of everybody."""

    desk: Desk
    inbox: Inbox
    bag: Bag
    folder: Path
    people: Path

    async def take(self, *mails: bytes) -> list[Letter]:
        """Let mails arrive, work through them, and give the letters that went out."""
        before = len(self.bag.letters)
        self.inbox.receive(*mails)
        await daemon.run_once(self.desk)
        return self.bag.letters[before:]

    def later(self, hours: float) -> None:
        """Turn the desk's clock on."""
        clock = self.desk.office.clock
        office = dataclasses.replace(self.desk.office, clock=lambda: clock() + timedelta(hours=hours))
        self.desk = dataclasses.replace(self.desk, office=office)

    async def case(self, letter: Letter) -> Case:
        """Give the case that a letter is about."""
        found = await self.desk.cases.by_reference(reference_in(letter))
        assert found is not None
        return found

    def read(self, letter: Letter) -> str:
        """Decrypt a letter with the keys of people, as its reader would."""
        return opened_letter(self.people, letter.content)


Open = Callable[..., Awaitable[Counter]]


@pytest.fixture(scope="session")
def guide() -> Guide:
    return guide_from(share_path("rules"), share_path("templates"))


@pytest.fixture
async def open_counter(desk_home: Path, people_home: Path, guide: Guide, tmp_path: Path) -> AsyncIterator[Open]:
    """Build desks; `values` are keys of the configuration with two underscores for the dot."""
    async with AsyncExitStack() as stack:

        async def one(home: Path = desk_home, **values: Value) -> Counter:
            ours: dict[str, Value] = {"imap.port": 1, "smtp.port": 1, "imap.username": "desk"}
            ours |= {"imap.authserv_id": OUR_MAIL_SERVER}
            ours |= {name.replace("__", "."): value for name, value in values.items()}
            folder = Path(tempfile.mkdtemp(dir=tmp_path))
            _furnish(folder, home, ours)
            config = load(folder / "config.toml")
            schema.upgrade(config.database_url)
            desk, inbox, bag = await assembly.desk(config, stack, InProcess), Inbox(), Bag()
            desk = dataclasses.replace(desk, mailbox=inbox, courier=bag)
            return Counter(desk, inbox, bag, folder, people_home)

        yield one


@pytest.fixture
async def counter(open_counter: Open) -> Counter:
    return await open_counter()


def reference_in(letter: Letter) -> str:
    """Read the reference in the subject of a letter of ours."""
    return str(message_from_bytes(letter.content)["Subject"]).partition("[")[2].partition("]")[0]


def replies(letters: list[Letter]) -> list[Letter]:
    return [one for one in letters if one.recipient != KEEPER]


def notices(letters: list[Letter]) -> list[Letter]:
    return [one for one in letters if one.recipient == KEEPER]


def text_of(letter: Letter) -> str:
    """Give the body of a plain letter."""
    return body(message_from_bytes(letter.content))
