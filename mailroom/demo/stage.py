"""The demo's stage: a folder, two mail servers, two people with keys, and a desk that is set up like any other."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe

from mailroom import assembly, daemon
from mailroom.config import Config, load
from mailroom.demo.people import Correspondent, correspondent
from mailroom.demo.samples import DESK, KEEPER, PROVIDER, SEALED
from mailroom.demo.servers import Account, ImapServer, SmtpServer
from mailroom.errors import MailroomError
from mailroom.flow.desk import Desk
from mailroom.records.casework import Casework
from mailroom.records.clock import utc
from mailroom.records.seal import Sealer
from mailroom.transport.gnupg_home import DeskHome, prepare_home

_SERVICES = Path(__file__).parent / "services.yaml"
_LONGEST = 60  # bytes; gpg's homes lie inside, and the path of a socket must stay short


@dataclass(frozen=True, slots=True)
class Plan:
    """What the desk's configuration has to say. Both servers are on the loopback, without TLS."""

    address: str
    keeper: str
    username: str
    password_file: Path
    keeper_key: Path
    imap_port: int
    smtp_port: int


#: Makes a working folder for a plan, as `mailroom init` does; gives the path of its configuration.
Furnish = Callable[[Path, Plan], Path]


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that the play needs; `certificate` is the desk's, binary."""

    config: Config
    desk: Desk
    casework: Casework
    imap: ImapServer
    smtp: SmtpServer
    keeper: Correspondent
    writer: Correspondent
    certificate: bytes = field(repr=False)


@contextmanager
def folder() -> Iterator[Path]:
    """Give a private folder with a short path, gone afterwards.

    Raises:
        MailroomError: there is no place for it.
    """
    places = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]  # noqa: S108  # mkdtemp makes it safe
    usable = [one for one in places if one and len(one.encode()) <= _LONGEST and os.access(one, os.W_OK | os.X_OK)]
    if not usable:
        raise MailroomError("The demo needs a temporary folder with a short path, such as /tmp, and can write to none.")
    made = Path(tempfile.mkdtemp(prefix="mailroom-demo-", dir=usable[0]))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@asynccontextmanager
async def built(place: Path, furnish: Furnish) -> AsyncIterator[Stage]:
    """Start the servers, make the keys, set the desk up; end all of it afterwards."""
    account = Account("desk", token_urlsafe(16))
    with ExitStack() as stack:
        keeper = await asyncio.to_thread(_person, stack, place / "keeper", KEEPER)
        writer = await asyncio.to_thread(_person, stack, place / "writer", SEALED)
        async with ImapServer(account) as imap, SmtpServer(account) as smtp:
            plan = _plan(place, account, keeper, (imap.port, smtp.port))
            config = await asyncio.to_thread(_furnished, place, furnish, plan)
            async with daemon.opened(config) as desk:
                home = DeskHome(config.openpgp.home)
                certificate = home.certificate(config.openpgp.key)
                writer.home.import_public(certificate)  # her mail program checks the desk's signature
                books = assembly.records(config, home)
                stack.callback(books.database.close)
                casework = Casework(books.database, Sealer(books.keystore), utc, "demo")
                yield Stage(config, desk, casework, imap, smtp, keeper, writer, certificate)


def _person(stack: ExitStack, home: Path, address: str) -> Correspondent:
    prepare_home(home)
    # gpg leaves an agent running for every home
    stack.callback(DeskHome(home).stop_agent)
    return correspondent(home, address, address.partition("@")[0].capitalize())


def _plan(place: Path, account: Account, keeper: Correspondent, ports: tuple[int, int]) -> Plan:
    password, key = place / "password", place / "keeper-key.asc"
    password.write_text(account.password, encoding="ascii")
    key.write_bytes(keeper.home.export_public(keeper.fingerprint))
    return Plan(DESK, KEEPER, account.username, password, key, *ports)


def _furnished(place: Path, furnish: Furnish, plan: Plan) -> Config:
    path = furnish(place, plan)
    written = path.read_text(encoding="utf-8")
    path.write_text(written.replace('# authserv_id = ""', f'authserv_id = "{PROVIDER}"'), encoding="utf-8")
    # Invented services are dated as verified today in this folder only; what Mailroom ships says `null`.
    today = f"verified: {datetime.now(UTC).date().isoformat()}"
    services = _SERVICES.read_text(encoding="utf-8").replace("verified: null", today)
    (place / "rules" / "services" / "demo.yaml").write_text(services, encoding="utf-8")
    return load(path)
