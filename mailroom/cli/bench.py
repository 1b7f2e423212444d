"""What mails are explained with: everything that `run` decides with, and nothing that changes anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from mailroom import assembly
from mailroom.cli.ready import require_keys
from mailroom.config import Config, load
from mailroom.errors import DecryptionFailed
from mailroom.flow import answering
from mailroom.flow.desk import Office, Policy
from mailroom.flow.explanation import explanation
from mailroom.flow.filing import Budget
from mailroom.flow.intake import budget
from mailroom.flow.opening import Reader
from mailroom.flow.ports import Decrypted
from mailroom.flow.routing import Link, find_case, route
from mailroom.mail.message import Arrival, Opened, RawMail, Signature
from mailroom.records import database
from mailroom.records.cases import CaseBook
from mailroom.records.clock import utc
from mailroom.records.database import Database
from mailroom.records.digests import Digests, quarter
from mailroom.records.filing import Archive, Filer
from mailroom.records.keystore import KeyStore
from mailroom.records.seal import Sealer
from mailroom.share import share_path
from mailroom.transport.gnupg_home import DeskHome
from mailroom.transport.sequoia import Sequoia
from mailroom.worker import reader

# Stands where a case would have its reference; its check letter is right, so it can be read as one.
NO_REFERENCE = "0000-0000-0"
_ADDRESS = "desk@desk.example"  # the desk's own where there is no configuration


@dataclass(frozen=True, slots=True)
class Records:
    """The case records, for looking only."""

    cases: CaseBook
    keystore: KeyStore

    async def link(self, policy: Policy, opened: Opened) -> Link:
        """Find the case that a mail belongs to, without a reply key that has expired or was revoked since."""
        link = await find_case(self.cases, policy, opened)
        case = link.case
        if case is None or case.reply_key is None or case.address is None:
            return link
        usable = Sequoia().certificate_for(case.reply_key, case.address)
        return link if usable else replace(link, case=replace(case, reply_key=None))

    async def spent(self, opened: Opened) -> Budget:
        """Count the answers that its sender had; none in a quarter that has no hash key yet, which asking would make.

        The other questions use only keys that are there.
        """
        begun = quarter(utc()) in self.keystore.hash_periods()
        return await budget(self.cases, opened) if begun else Budget(0, 0)


@dataclass(frozen=True, slots=True)
class Bench:
    """What mails are explained with; `records` only where there are any."""

    office: Office
    reader: Reader
    records: Records | None = None

    async def explain(self, content: bytes) -> dict[str, object]:
        """Say what `run` would do with this mail, in the form of the contract, `path` left out."""
        whole = len(content) <= self.office.policy.max_message_bytes
        opened = self.reader.open(RawMail(Arrival("", 0, 0, len(content)), content, complete=whole))
        link, spent = Link(), Budget(0, 0)
        if self.records is not None:
            link = await self.records.link(self.office.policy, opened)
            spent = await self.records.spent(opened)
        routed = route(self.office, opened, link, spent)
        reference = routed.link.case.reference if routed.link.case else NO_REFERENCE
        routed, text = answering.settle(self.office, routed, reference)
        encrypted = routed.answer.template is not None and answering.is_encrypted(routed, opened)
        return explanation(opened, routed, text, encrypted=encrypted)


@contextmanager
def bench(file: Path) -> Iterator[Bench]:
    """Build the bench from a configuration.

    Raises:
        ConfigError: it is wrong, or names keys that are not there.
        MailroomError: the records are of another version.
    """
    config = load(file)
    require_keys(config, file)
    home = DeskHome(config.openpgp.home)
    opener = reader(assembly.worker_settings(config))
    with _records(config) as records:
        yield Bench(assembly.office(config, home), opener, records)


@contextmanager
def _records(config: Config) -> Iterator[Records | None]:
    if not database.exists(config.database_url):
        yield None
        return
    database.require_current(config.database_url)
    store = KeyStore(config.service.data_dir / "keystore", config.archive.key_file.read_key())
    opened = Database(config.database_url)
    filer = Filer(Sealer(store), Digests(store), Sequoia(), Archive(0, ()), timedelta(0))  # nothing is filed here
    try:
        yield Records(CaseBook(opened, store, filer, utc), store)
    finally:
        opened.close()


@contextmanager
def bare_bench() -> Iterator[Bench]:
    """Build the bench without a configuration: ./rules and ./templates, or those that come with Mailroom."""
    own = frozenset({_ADDRESS})
    policy = Policy("The mail desk", _ADDRESS, own, "")
    office = Office(policy, (), assembly.guide_from(*guide_folders()), utc)
    yield Bench(office, Reader(NoKeyring(), Sequoia().certificate_for, own, frozenset(), ""))


def guide_folders() -> tuple[Path, Path]:
    """Give the folders of rules and texts where there is no configuration."""
    rules = Path("rules") if Path("rules").is_dir() else share_path("rules")
    return rules, Path("templates") if Path("templates").is_dir() else share_path("templates")


class NoKeyring:
    """Stands for GnuPG where there is no configuration: nothing opens, nobody is known."""

    def decrypt(self, _ciphertext: bytes, /) -> Decrypted:
        """Refuse: there is no key."""
        raise DecryptionFailed("no_key")

    def verify(self, _signed: bytes, _signature: bytes, /) -> Signature:
        """Say that the key is not known."""
        return Signature("unknown_key")

    def verify_inline(self, _armored: bytes, /) -> tuple[Signature, bytes]:
        """Say that the key is not known; nothing is covered."""
        return Signature("unknown_key"), b""
