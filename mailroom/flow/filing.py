"""The frozen values between *opened* and *answered*: a case, what is filed of a mail, what goes out because of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mailroom.mail.message import Arrival, Opened, RawMail, Signature
from mailroom.triage.facts import Triage

Kind = Literal["own", "bounce", "command", "list", "automatic", "follow_up", "unreadable", "report", "parked"]
Contact = Literal["ok", "unsafe", "none"]
OutgoingKind = Literal["reply", "notice", "answer", "alarm", "excess", "spam", "forgery"]
DIGESTED = frozenset[OutgoingKind]({"excess", "spam", "forgery"})
Source = Literal["stated", "keeper", "inferred", "unknown"]


@dataclass(frozen=True, slots=True)
class Understood:
    """A mail as the worker gives it back: what it is and who sent it, and what it says."""

    opened: Opened
    triage: Triage


@dataclass(frozen=True, slots=True)
class Letter:
    """One outgoing mail: envelope and rendered bytes. `sender` is the envelope sender ("" for null)."""

    sender: str
    recipient: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a filed mail was moved to (COPYUID, RFC 4315 section 3)."""

    mailbox: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Case:
    """What the flow knows of a case; `id` is None until it is committed.

    `address` is where answers go, `reply_key` the OpenPGP certificate that they are encrypted to,
    `key_dated` the date of the mail that brought it. `unreachable`: a
    letter to that address came back for good, and nothing came from there since.
    """

    reference: str
    key_id: bytes = field(repr=False)
    id: int | None = None
    status: str = "open"
    address: str | None = field(default=None, repr=False)
    reply_key: bytes | None = field(default=None, repr=False)
    key_dated: datetime | None = None
    contact: Contact | None = None
    language: str | None = None
    country: str | None = None
    category: str = "unclassified"
    flags: tuple[str, ...] = ()
    messages: int = 0
    opened: datetime | None = None
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """The case facts that stand in clear, and the flags and contact wish that are sealed."""

    category: str = "unclassified"
    taxonomy: int = 1
    country: str | None = None
    country_source: Source = "unknown"
    language: str = "und"
    language_source: Source = "unknown"
    channel: str = "email"
    flags: tuple[str, ...] = ()
    contact: Contact | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One letter for the outbox. `held` says why it waits for the keeper; `not_before` is a Unix time.

    `message_id` (bare) and `token` (of the bounce address) are remembered as keyed hashes, so that an answer to
    this letter or a bounce of it finds its case. A letter of kind `excess`, `spam` or `forgery` is one line of text
    for the next digest of notices, which goes at `not_before`.
    """

    kind: OutgoingKind
    sequence: int
    letter: Letter
    message_id: str
    token: str
    held: str | None = None
    not_before: int = 0

    @property
    def is_line(self) -> bool:
        """Whether this is a line of a digest, not a mail of its own."""
        return self.kind in DIGESTED


@dataclass(frozen=True, slots=True)
class Spending:
    """What one mail uses of the budgets of automatic replies, or would use.

    `address` is the one that is answered, or None. Mail that nobody vouches for (`vouched`) has a budget of its own.
    `urgent`: the answer begins with the emergency numbers. `receipt` is the reference of the case that a receipt is
    for. `wording` is what the mail says, as `mail.same` gives it.
    """

    address: str | None
    vouched: bool = False
    urgent: bool = False
    receipt: str | None = None
    wording: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Filing:
    """Everything that is committed for one mail, in one transaction.

    `opened` is None for a parked mail. `sealed_to_archive` is False for what nobody could read yet. `explanation`
    is the decision with its evidence; it is sealed. `spends` tells which budgets of automatic replies are used.
    """

    case: Case
    kind: Kind
    raw: RawMail
    opened: Opened | None
    facts: Facts
    explanation: Mapping[str, object]
    outgoing: tuple[Outgoing, ...] = ()
    sealed_to_archive: bool = True
    spends: Spending | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """A committed message: its case, and its number in the case."""

    case: Case
    number: int


@dataclass(frozen=True, slots=True)
class Due:
    """A letter in the outbox whose time has come. `wrote`: its recipient wrote to this case."""

    id: int
    reference: str
    kind: OutgoingKind
    automatic: bool
    attempts: int
    since: int
    letter: Letter
    wrote: bool


@dataclass(frozen=True, slots=True)
class Sorted:
    """The listing of the inbox, held against what the records know.

    `fresh` were never tried, and nobody has marked them as deleted; `suspects` were in work when something broke, and
    run alone; `filed` are committed and only wait to be removed, `parked` likewise; `copies` are the same bytes as a
    filed one. Mails that stay in place (oversize) are in none of them.
    """

    fresh: tuple[Arrival, ...]
    suspects: tuple[Arrival, ...]
    filed: tuple[Arrival, ...]
    parked: tuple[Arrival, ...] = ()
    copies: tuple[Arrival, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """Automatic replies already given: to this address today, to its domain this hour.

    `urgent`: those to this address this hour that began with the emergency numbers. `receipts`: those in this case
    today. `alike`: answers of this hour that say the same, from whatever address.
    """

    to_sender: int = 0
    to_domain: int = 0
    urgent: int = 0
    receipts: int = 0
    alike: int = 0


@dataclass(frozen=True, slots=True)
class Decrypted:
    """An OpenPGP message that was opened whole, with exit status 0 and the expected status lines.

    `encrypted` is False for one that was only signed. `name` is the file name inside, if any.
    """

    content: bytes = field(repr=False)
    weak: bool
    signature: Signature
    encrypted: bool = True
    name: str | None = None
