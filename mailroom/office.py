"""Builds from the configuration what mails are opened and decided with.

Apart from `assembly.py`, because `explain` needs this alone, and should not wait for records and transports to load.
"""

from mailroom.config import Config
from mailroom.config_schema import Admin, Keeper, Researcher
from mailroom.flow.desk import Office, Person, Policy, Role
from mailroom.guide import guide_from
from mailroom.records.clock import Clock, utc
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.gnupg_home import DeskHome
from mailroom.triage.triage import Lexicon
from mailroom.worker import WorkerSettings

_DAILY_LIST = (8,)  # the hour of the list of suspected spam where [notices] digest names none
_WORKER_BASE = 1024 * 1024 * 1024  # bytes of address space for the interpreter and its libraries


def keyring(config: Config) -> GnuPG:
    """Open the desk's own GnuPG home."""
    passphrase = config.openpgp.passphrase_file.read() if config.openpgp.passphrase_file else None
    return GnuPG(config.openpgp.home, config.openpgp.key, passphrase, max_output(config))


def max_output(config: Config) -> int:
    """Bound what one encrypted mail may open to, in bytes: a bomb of some hundred bytes opens to gigabytes."""
    return 4 * config.imap.max_message_bytes


def office(config: Config, home: DeskHome, clock: Clock = utc) -> Office:
    """Give what decisions rest on."""
    people = [
        *(_person(home, one, one.role, one.also_known_as) for one in config.keepers),
        *(_person(home, one, "admin") for one in config.admins),
        *(_person(home, one, "researcher") for one in config.researchers),
    ]
    guide = guide_from(config.paths.rules, config.paths.templates)
    return Office(policy(config), tuple(people), guide, clock, home.certificate(config.openpgp.key, minimal=True))


def _person(
    home: DeskHome, person: Keeper | Admin | Researcher, role: Role, also_known_as: tuple[str, ...] = ()
) -> Person:
    certificate = home.certificate(person.fingerprint) if person.fingerprint else None
    return Person(person.address, role, person.fingerprint, also_known_as, certificate)


def policy(config: Config) -> Policy:
    """Pick what intake and answers need."""
    return Policy(
        name=config.service.name,
        address=config.service.address,
        own_addresses=config.own_addresses,
        fingerprint=config.openpgp.key,
        default_language=config.service.default_language,
        hours=config.service.hours,
        retention_months=config.service.retention_months,
        after_filing=config.imap.after_filing,
        filed=config.imap.filed,
        quarantine=config.imap.quarantine,
        max_message_bytes=config.imap.max_message_bytes,
        per_sender_per_day=config.replies.per_sender_per_day,
        per_domain_per_hour=config.replies.per_domain_per_hour,
        hold_unauthenticated=config.replies.hold_unauthenticated,
        unreviewed=config.replies.unreviewed,
        envelope=config.replies.envelope,
        sent=config.imap.sent,
        poll_minutes=config.alarms.poll_minutes,
        outbox_minutes=config.alarms.outbox_minutes,
        alive_hours=config.alarms.alive_hours,
        digest_hours=config.notices.digest or _DAILY_LIST,
        zone=config.service.zone,
    )


def worker_settings(config: Config, lexicon: Lexicon) -> WorkerSettings:
    """Give what a worker process needs to know."""
    people: list[Keeper | Admin | Researcher] = [*config.keepers, *config.admins, *config.researchers]
    return WorkerSettings(
        home=config.openpgp.home,
        key=config.openpgp.key,
        passphrase=config.openpgp.passphrase_file.read() if config.openpgp.passphrase_file else None,
        own_addresses=config.own_addresses,
        configured=frozenset(one.fingerprint for one in people if one.fingerprint),
        authserv_id=config.imap.authserv_id,
        max_output=max_output(config),
        memory=_WORKER_BASE + 12 * config.imap.max_message_bytes,
        lexicon=lexicon,
    )
