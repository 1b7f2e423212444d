"""The case records for `explain`: only looked at. Apart from `bench.py`: SQLAlchemy takes long to load."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from mailroom.config import Config
from mailroom.flow.desk import Policy
from mailroom.flow.filing import Budget, Understood
from mailroom.flow.intake import with_usable_key
from mailroom.flow.limiting import asked
from mailroom.flow.linking import Link, find_case
from mailroom.mail.message import Opened
from mailroom.records import database
from mailroom.records.cases import CaseBook
from mailroom.records.clock import utc
from mailroom.records.database import Database
from mailroom.records.digests import Digests, quarter
from mailroom.records.filing import Archive, Filer
from mailroom.records.keystore import KeyStore
from mailroom.records.seal import Sealer
from mailroom.transport.sequoia import Sequoia


@dataclass(frozen=True, slots=True)
class Records:
    """The case records, for looking only."""

    cases: CaseBook
    keystore: KeyStore

    async def link(self, policy: Policy, opened: Opened) -> Link:
        """Find the case that a mail belongs to, without a reply key that has expired or was revoked since."""
        return with_usable_key(Sequoia().certificate_for, await find_case(self.cases, policy, opened))

    async def spent(self, understood: Understood, link: Link) -> Budget:
        """Count the answers that its sender had; none in a quarter that has no hash key yet, which asking would make.

        The other questions use only keys that are there.
        """
        begun = quarter(utc()) in self.keystore.hash_periods()
        return await self.cases.budget(asked(understood, link)) if begun else Budget()


@contextmanager
def records(config: Config) -> Iterator[Records]:
    """Open the records, which must be there: none are made.

    Raises:
        MailroomError: they are of another version.
    """
    database.require_current(config.database_url)
    store = KeyStore(config.service.data_dir / "keystore", config.archive.key_file.read_key())
    opened = Database(config.database_url)
    filer = Filer(Sealer(store), Digests(store), Sequoia(), Archive(0, ()), timedelta(0))  # nothing is filed here
    try:
        yield Records(CaseBook(opened, store, filer, utc), store)
    finally:
        opened.close()
