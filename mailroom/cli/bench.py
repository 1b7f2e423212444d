"""What mails are explained with: everything that `run` decides with, and nothing that changes anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mailroom.errors import DecryptionFailed
from mailroom.flow import answering
from mailroom.flow.desk import Office, Policy
from mailroom.flow.explanation import explanation
from mailroom.flow.filing import Budget, Decrypted
from mailroom.flow.linking import Link
from mailroom.flow.opening import Reader
from mailroom.flow.routing import route
from mailroom.guide import guide_from
from mailroom.mail.beginning import BEGINNING_BYTES, beginning_of
from mailroom.mail.message import Arrival, RawMail, Signature
from mailroom.mail.openpgp import written_inside
from mailroom.records.clock import utc
from mailroom.share import share_path
from mailroom.transport.sequoia import Sequoia

if TYPE_CHECKING:
    from mailroom.cli.lookup import Records

# Stands where a case would have its reference; its check letter is right, so it can be read as one.
NO_REFERENCE = "0000-0000-0"
_ADDRESS = "desk@desk.example"  # the desk's own where there is no configuration


@dataclass(frozen=True, slots=True)
class Bench:
    """What mails are explained with; `records` only where there are any."""

    office: Office
    reader: Reader
    records: "Records | None" = None

    @property
    def most_bytes(self) -> int:
        """How much of a mail is worth reading. Behind that no text is looked for, though a server would find it."""
        return 4 * self.office.policy.max_message_bytes + BEGINNING_BYTES

    async def explain(self, content: bytes) -> dict[str, object]:
        """Say what `run` would do with this mail, in the form of the contract, `path` left out."""
        whole = len(content) <= self.office.policy.max_message_bytes
        shown = content if whole else beginning_of(content)
        understood = self.reader.understand(RawMail(Arrival("", 0, 0, len(content)), shown, complete=whole))
        opened = understood.opened
        link, spent = Link(), Budget()
        if self.records is not None:
            link = await self.records.link(self.office.policy, opened)
            spent = await self.records.spent(understood, link)
        routed = route(self.office, understood, link, spent)
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
    # The schema of the configuration and GnuPG take a tenth of a second to load, SQLAlchemy two; not all need them.
    from mailroom import office  # noqa: PLC0415
    from mailroom.cli import ready  # noqa: PLC0415
    from mailroom.config import load  # noqa: PLC0415
    from mailroom.transport.gnupg_home import DeskHome  # noqa: PLC0415
    from mailroom.worker import reader  # noqa: PLC0415

    config = load(file)
    ready.require_keys(config, file)
    ours = office.office(config, DeskHome(config.openpgp.home))
    opener = reader(office.worker_settings(config, ours.guide.lexicon))
    if not config.has_database:
        yield Bench(ours, opener)
        return
    from mailroom.cli import lookup  # noqa: PLC0415

    with lookup.records(config) as records:
        yield Bench(ours, opener, records)


@contextmanager
def bare_bench() -> Iterator[Bench]:
    """Build the bench without a configuration: ./rules and ./templates, or those that come with Mailroom."""
    own = frozenset({_ADDRESS})
    policy = Policy("The mail desk", _ADDRESS, own, "")
    guide = guide_from(*guide_folders())
    reader = Reader(NoKeyring(), Sequoia().certificate_for, own, frozenset(), "", guide.lexicon)
    yield Bench(Office(policy, (), guide, utc), reader)


def guide_folders() -> tuple[Path, Path]:
    """Give the folders of rules and texts where there is no configuration."""
    rules = Path("rules") if Path("rules").is_dir() else share_path("rules")
    return rules, Path("templates") if Path("templates").is_dir() else share_path("templates")


class NoKeyring:
    """Stands for GnuPG where there is no configuration: nothing opens, nobody is known."""

    def decrypt(self, _ciphertext: bytes, /) -> Decrypted:
        """Refuse: there is no key."""
        raise DecryptionFailed("no_key")

    def signed_inside(self, _ciphertext: bytes, /) -> bytes:
        """Open nothing."""
        return b""

    def verify(self, _signed: bytes, _signature: bytes, /) -> Signature:
        """Say that the key is not known."""
        return Signature("unknown_key")

    def verify_inline(self, armored: bytes, /) -> tuple[Signature, bytes]:
        """Say that the key is not known; give the text without its armor."""
        return Signature("unknown_key"), written_inside(armored)
