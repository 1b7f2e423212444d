"""Records over a real database file, a real key store and real OpenPGP."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailroom.flow.filing import Case, Facts, Filing, Letter, Outgoing, OutgoingKind
from mailroom.mail.message import Arrival, Message, Opened, RawMail
from mailroom.records import schema
from mailroom.records.arrivals import ArrivalBook
from mailroom.records.cases import CaseBook
from mailroom.records.casework import Casework
from mailroom.records.database import Database
from mailroom.records.digests import Digests
from mailroom.records.filing import Archive, Filer
from mailroom.records.keystore import KeyStore
from mailroom.records.outbox import OutboxBook
from mailroom.records.seal import Sealer
from mailroom.transport.sequoia import Sequoia

KEYS = Path(__file__).parent.parent / "keys"
WRAPPING = bytes(range(32))


@dataclass
class Shelf:
    """Everything of the records, over one folder. `at` is the clock."""

    folder: Path
    database: Database
    keystore: KeyStore
    cases: CaseBook
    arrivals: ArrivalBook
    outbox: OutboxBook
    casework: Casework
    at: datetime

    async def report(self, content: bytes, uid: int = 1, **case: object) -> Filing:
        """File one report with an answer and a notice, as the flow does."""
        filing = self.filing(content, uid, replace(self.cases.open(), **case))  # type: ignore[arg-type]  # fields of Case
        await self.arrivals.start([filing.raw.arrival], alone=False)
        await self.cases.file(filing)
        return filing

    def filing(self, content: bytes, uid: int, case: Case, kind: str = "report") -> Filing:
        """Put together what the flow would file."""
        message = Message("anna@example.net", "", None, "", None, f"{uid}@example.net", (), "")
        raw = RawMail(Arrival("INBOX", 1, uid, len(content)), content)
        outgoing = tuple(self.letter(case, kind) for kind in ("reply", "notice"))
        facts = Facts(category="stalking", country="IN", country_source="stated", language="hi", flags=("minor",))
        case = case if case.address else replace(case, address="anna@example.net")
        return Filing(
            case, "report" if kind == "report" else "follow_up", raw, Opened(message), facts, {"why": "test"}, outgoing
        )

    def letter(self, case: Case, kind: str, sequence: int = 1, held: str | None = None) -> Outgoing:
        """Make a letter for the outbox."""
        message_id = self.cases.message_id(case, kind, sequence, "desk.example")
        letter = Letter("desk@desk.example", "anna@example.net", f"{kind} {sequence}".encode())
        kind_of: OutgoingKind = "reply" if kind == "reply" else "notice"
        return Outgoing(kind_of, sequence, letter, message_id, self.cases.token(case, kind, sequence), held)

    def everything(self) -> bytes:
        """Give every byte of every file."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file())


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = open_shelf(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def reopen(tmp_path: Path) -> Iterator[Callable[[], Shelf]]:
    """Open the same records once more, as a restarted desk does."""
    opened: list[Shelf] = []

    def once_more() -> Shelf:
        opened.append(open_shelf(tmp_path))
        return opened[-1]

    yield once_more
    for one in opened:
        one.database.close()


def open_shelf(folder: Path, archive: Archive | None = None) -> Shelf:
    url = f"sqlite+aiosqlite:///{folder / 'mailroom.db'}"
    schema.upgrade(url)
    if not (folder / "keystore").exists():
        KeyStore.create(folder / "keystore", WRAPPING)
    keystore = KeyStore(folder / "keystore", WRAPPING)
    sealer, digests, opened = Sealer(keystore), Digests(keystore), Database(url)
    archive = archive or Archive(1, ((KEYS / "keeper.public.asc").read_bytes(),))

    def clock() -> datetime:
        return made.at

    filer = Filer(sealer, digests, Sequoia(), archive, timedelta(days=730))
    made = Shelf(
        folder=folder,
        database=opened,
        keystore=keystore,
        cases=CaseBook(opened, keystore, filer, clock),
        arrivals=ArrivalBook(opened),
        outbox=OutboxBook(opened, sealer, digests, clock),
        casework=Casework(opened, sealer, clock),
        at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
    )
    return made
