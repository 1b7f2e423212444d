"""Builds the desk and its parts from the configuration. Nothing here decides anything about a mail."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from mailroom.config import Config
from mailroom.config_servers import Imap, Smtp
from mailroom.errors import ConfigError, LoginRefused
from mailroom.flow.desk import Desk
from mailroom.flow.health import Health
from mailroom.flow.pace import Pace
from mailroom.flow.ports import Opener
from mailroom.office import keyring, office, worker_settings
from mailroom.records.archives import archive_generation
from mailroom.records.arrivals import ArrivalBook
from mailroom.records.cases import CaseBook
from mailroom.records.clock import Clock, utc
from mailroom.records.database import Database
from mailroom.records.digests import Digests
from mailroom.records.filing import Archive, Filer
from mailroom.records.keystore import KeyStore
from mailroom.records.outbox import OutboxBook
from mailroom.records.seal import Sealer
from mailroom.transport.gnupg import GnuPGSigner
from mailroom.transport.gnupg_home import DeskHome
from mailroom.transport.imap import ImapSettings
from mailroom.transport.login import Password, Secret, Token
from mailroom.transport.machine import LocalMachine
from mailroom.transport.mailbox import ImapMailbox
from mailroom.transport.pool import WorkerPool
from mailroom.transport.sequoia import Sequoia
from mailroom.transport.smtp import SmtpCourier, SmtpSettings
from mailroom.worker import WorkerSettings, open_mail, start

_DAYS_A_MONTH = 30.44


@dataclass(frozen=True, slots=True)
class Books:
    """The records, opened: what the daemon and the commands of the shell work with."""

    database: Database
    keystore: KeyStore
    cases: CaseBook
    arrivals: ArrivalBook
    outbox: OutboxBook


def workers(settings: WorkerSettings, stack: AsyncExitStack) -> Opener:
    """Start the processes that open mails; their end is left to `stack`."""
    pool = WorkerPool(open_mail, start, settings)
    stack.callback(pool.close)
    return pool


async def desk(
    config: Config,
    stack: AsyncExitStack,
    opener: Callable[[WorkerSettings, AsyncExitStack], Opener] = workers,
    clock: Clock = utc,
) -> Desk:
    """Build the desk; whatever must be closed is left to `stack`. `opener` makes what opens its mails."""
    home = DeskHome(config.openpgp.home)
    books = records(config, home, clock)
    stack.callback(books.database.close)
    ours = office(config, home, clock)
    opening = opener(worker_settings(config, ours.guide.lexicon), stack)
    machine = LocalMachine(config.service.data_dir, config.openpgp.home, _keys(config), config.alarms.heartbeat_file)
    mailbox, courier = ImapMailbox(imap_settings(config)), SmtpCourier(smtp_settings(config))
    stack.push_async_callback(mailbox.close)
    stack.push_async_callback(courier.close)
    return Desk(
        office=ours,
        mailbox=mailbox,
        courier=courier,
        opener=opening,
        signer=GnuPGSigner(keyring(config)),
        encryptor=Sequoia(),
        arrivals=books.arrivals,
        cases=books.cases,
        outbox=books.outbox,
        machine=machine,
        health=Health(machine.ticks(), machine.ticks()),
        pace=Pace(config.replies.circuit_per_minute, config.notices.per_hour),
    )


def _keys(config: Config) -> dict[str, str]:
    """Say in words what each key is whose end somebody should know of."""
    people = [("keeper's", one.fingerprint) for one in config.keepers]
    people += [("admin's", one.fingerprint) for one in config.admins if one.fingerprint]
    ours = {one: f"the {whose} key {one[-16:]}" for whose, one in people}
    archive = {one: f"the archive key {one[-16:]}" for one in config.archive.recipients}
    return ours | archive | {config.openpgp.key: "the desk key"}


def records(config: Config, home: DeskHome, clock: Clock = utc) -> Books:
    """Open database and key store."""
    opened = Database(config.database_url)
    store = KeyStore(config.service.data_dir / "keystore", config.archive.key_file.read_key())
    sealer, digests = Sealer(store), Digests(store)
    filer = Filer(sealer, digests, Sequoia(), archive(config, home, opened), retention(config))
    return Books(
        database=opened,
        keystore=store,
        cases=CaseBook(opened, store, filer, clock),
        arrivals=ArrivalBook(opened),
        outbox=OutboxBook(opened, sealer, digests, clock),
    )


def retention(config: Config) -> timedelta:
    """Say how long a case is kept."""
    return timedelta(days=_DAYS_A_MONTH * config.service.retention_months)


def archive(config: Config, home: DeskHome, opened: Database) -> Archive:
    """Give the archive keys and the number of their generation; a new set of keys begins a new one."""
    if not config.archive.recipients:
        return Archive(0, ())
    generation = opened.write_now(archive_generation, " ".join(sorted(config.archive.recipients)))
    return Archive(generation, tuple(home.certificate(one) for one in config.archive.recipients))


def imap_settings(config: Config) -> ImapSettings:
    """Give the way into the mailbox."""
    imap = config.imap
    return ImapSettings(
        host=imap.host,
        port=imap.port,
        security=imap.security,
        username=imap.username,
        secret=_secret(imap),
        inbox=imap.inbox,
        junk=imap.junk,
        idle=imap.idle,
    )


def smtp_settings(config: Config) -> SmtpSettings:
    """Give the way to the SMTP server."""
    smtp = config.smtp
    return SmtpSettings(
        smtp.host, smtp.port, smtp.security, smtp.username or None, _secret(smtp) if smtp.username else None
    )


def _secret(server: Imap | Smtp) -> Secret:
    if server.token_command:
        return Token(server.token_command)

    async def password() -> str:
        try:
            return server.password_file.read() if server.password_file else ""
        except ConfigError as error:  # it was there when the configuration was loaded, and may be there again
            raise LoginRefused(str(error)) from None

    return Password(password)
