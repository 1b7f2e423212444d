"""The desk: everything that the verbs of the flow work with, in one frozen value that `daemon.py` builds."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal

from mailroom.flow.health import Health
from mailroom.flow.pace import Pace, Turns
from mailroom.flow.ports import Arrivals, Cases, Courier, Encryptor, Machine, Mailbox, Opener, Outbox, Signer
from mailroom.referral.choose import Rulebook
from mailroom.triage.triage import Lexicon

Role = Literal["keeper", "deputy", "admin", "researcher"]


@dataclass(frozen=True, slots=True)
class Person:
    """One of our people. `certificate` is None for an admin or a researcher without a key."""

    address: str
    role: Role
    fingerprint: str | None = None
    also_known_as: tuple[str, ...] = ()
    certificate: bytes | None = field(default=None, repr=False)

    def writes_from(self, address: str | None) -> bool:
        """Whether this is one of the person's addresses."""
        known = (self.address, *self.also_known_as)
        return (address or "").casefold() in {one.casefold() for one in known}


@dataclass(frozen=True, slots=True)
class Policy:
    """What the configuration decides about intake and answers; the names are those of DESIGN section 7."""

    name: str
    address: str
    own_addresses: frozenset[str]
    fingerprint: str
    default_language: str = "en"
    hours: str = ""
    retention_months: int = 24
    after_filing: Literal["delete", "move"] = "delete"
    filed: str = "Filed"
    quarantine: str = "Quarantine"
    max_message_bytes: int = 26214400
    per_sender_per_day: int = 3
    per_domain_per_hour: int = 60
    hold_unauthenticated: bool = False
    unreviewed: Literal["bilingual", "send", "never"] = "bilingual"
    envelope: Literal["verp", "null"] = "verp"
    sent: str = ""
    poll_minutes: int = 15
    outbox_minutes: int = 60
    alive_hours: tuple[int, ...] = ()
    digest_hours: tuple[int, ...] = (8,)
    zone: tzinfo = UTC

    @property
    def domain(self) -> str:
        """The domain of the service's address."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Guide:
    """What admins edit: phrases and categories, rules, services and texts."""

    lexicon: Lexicon
    book: Rulebook


@dataclass(frozen=True, slots=True)
class Office:
    """What decisions rest on: policy, people, guide and the day. No port, so that `explain` needs no server.

    `certificate` is the desk's own public key, binary; every letter carries it.
    """

    policy: Policy
    people: tuple[Person, ...]
    guide: Guide
    clock: Callable[[], datetime]
    certificate: bytes | None = field(default=None, repr=False)

    def role(self, role: str) -> list[Person]:
        """Pick the people with this role."""
        return [person for person in self.people if person.role == role]


@dataclass(frozen=True, slots=True)
class Desk:
    """The office and its ports. `pace` and `health` hold what a restart may forget; `news` wakes the delivery."""

    office: Office
    mailbox: Mailbox
    courier: Courier
    opener: Opener
    signer: Signer
    encryptor: Encryptor
    arrivals: Arrivals
    cases: Cases
    outbox: Outbox
    machine: Machine
    pace: Pace
    health: Health
    turns: Turns = field(default_factory=Turns)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> int:
        """The time as Unix seconds."""
        return int(self.office.clock().timestamp())
