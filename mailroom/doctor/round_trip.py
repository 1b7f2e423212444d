"""A mail from the desk to itself: whether suffixes of its address lead to it, and what our server says of senders."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from mailroom.config import Config
from mailroom.doctor.finding import Finding, note, ok, skipped, wrong
from mailroom.doctor.machine import is_running
from mailroom.doctor.mailbox import kept_in
from mailroom.doctor.probe import Probe, new_probe, word
from mailroom.errors import DeliveryFailure, MailboxError, RecordsUnavailable, SealError, ServerUnreachable
from mailroom.flow.filing import Letter
from mailroom.mail.authentication import MICROSOFT_365
from mailroom.mail.compose import bounce_address
from mailroom.mail.parse import parse
from mailroom.records.cases import CaseBook
from mailroom.records.clock import utc
from mailroom.records.database import HEAD, Database
from mailroom.records.digests import Digests
from mailroom.records.filing import Archive, Filer
from mailroom.records.keystore import KeyStore
from mailroom.records.seal import Sealer
from mailroom.records.standing import schema_version
from mailroom.transport.imap_folders import Folder
from mailroom.transport.imap_look import ImapLook, Sighting
from mailroom.transport.sequoia import Sequoia
from mailroom.transport.smtp import SmtpCourier

_PAUSE = 0.5
_AUTHSERV = "authserv_id"


@dataclass(frozen=True, slots=True)
class _Arrived:
    """Where the probe was seen: in a folder, or (None) in the records of the daemon that was quicker."""

    sighting: Sighting | None
    in_junk: bool = False


def envelope_sender(config: Config) -> str:
    """Give an envelope sender as our answers have it; "" for the null sender."""
    return bounce_address(config.service.address, word()) if config.replies.envelope == "verp" else ""


async def round_trip(config: Config, look: ImapLook, courier: SmtpCourier, patience: float) -> list[Finding]:
    """Send the desk a mail and wait for it, at most `patience` seconds; leave nothing of it behind."""
    suffix = config.replies.envelope == "verp"
    check = "suffix addresses" if suffix else "own mail"
    probe = new_probe(config, utc(), suffix=suffix)
    try:
        await courier.send(Letter(envelope_sender(config), probe.recipient, probe.content))
    except (DeliveryFailure, ServerUnreachable) as error:
        return [wrong(check, f"a mail to {_meant(config)} is not taken: {error}", _advice(config))]
    with _records(config) as book:
        arrived = await _wait(config, look, probe, patience, book)
    if arrived is None:
        what = f"a mail to {_meant(config)} did not arrive within {patience:g} seconds"
        return [wrong(check, what, f"{_advice(config)} If mail is only slow, try again with a longer --wait.")]
    try:
        return [_place(check, config, arrived), *await _seen(config, look, probe, arrived)]
    finally:
        with suppress(MailboxError):
            await _clear(config, look, probe)


def _meant(config: Config) -> str:
    return "a suffix of [service] address" if config.replies.envelope == "verp" else "[service] address"


def _advice(config: Config) -> str:
    if config.replies.envelope == "null":
        return "See whether [service] address leads to the inbox of [imap]."
    return (
        "See whether [service] address leads to the inbox of [imap], and switch on addresses with + (subaddresses) "
        'at the provider. If it has none, set envelope = "null" in [replies].'
    )


async def _wait(
    config: Config, look: ImapLook, probe: Probe, patience: float, book: CaseBook | None
) -> _Arrived | None:
    inbox, junk = _places(look, config, await look.folders())
    end = asyncio.get_running_loop().time() + patience
    while True:
        for sighting in await look.find(probe.message_id, [*inbox, *junk]):
            return _Arrived(sighting, in_junk=sighting.folder in junk)
        if book is not None and await book.by_message_ids([probe.message_id]):
            return _Arrived(None)
        if asyncio.get_running_loop().time() > end:
            return None
        await asyncio.sleep(_PAUSE)


def _places(look: ImapLook, config: Config, there: Sequence[Folder]) -> tuple[list[Folder], list[Folder]]:
    """Pick the inbox and the folders for junk."""
    inbox, junk = look.wire(config.imap.inbox), look.wire(config.imap.junk or "-")
    arrives = [folder for folder in there if folder.wire.upper() == inbox.upper()]
    return arrives, [folder for folder in there if folder.wire == junk or "\\junk" in folder.attributes]


def _place(check: str, config: Config, arrived: _Arrived) -> Finding:
    if arrived.in_junk:
        do = "At the provider, add a rule that mail from and to [service] address is never junk."
        return wrong(check, f"a mail to {_meant(config)} ends up in the junk folder", do)
    by = ", and the daemon filed it" if arrived.sighting is None else ""
    return ok(check, f"a mail to {_meant(config)} arrives{by}")


async def _seen(config: Config, look: ImapLook, probe: Probe, arrived: _Arrived) -> list[Finding]:
    """Read what our own server wrote into the probe, and see whether a copy of it was kept."""
    header = b""
    with suppress(MailboxError):  # the daemon was quicker
        header = await look.header(arrived.sighting) if arrived.sighting else b""
    if header:
        found = [authserv(config.imap.authserv_id, header)]
    else:
        found = [skipped(_AUTHSERV, "the daemon filed the mail first. Stop it for a moment to have this looked at")]
    copies = [one.folder for one in await look.find(probe.message_id) if "\\sent" in one.folder.attributes]
    return [*found, *(kept_in(folder) for folder in copies if not config.imap.sent)]


def authserv(configured: str, header: bytes) -> Finding:
    """Hold `[imap] authserv_id` against the topmost Authentication-Results of a mail that our own server took."""
    fields = parse(header).all("authentication-results")
    if not fields:
        what = "our server writes no Authentication-Results into a mail that we send to ourselves"
        do = "Look at the header of a mail from elsewhere, and set authserv_id in [imap] to the name behind that field."
        return note(_AUTHSERV, what, "" if configured else do)
    name = next(iter(fields[0].partition(";")[0].split()), "")
    name = MICROSOFT_365 if "=" in name else name
    do = f'Set authserv_id = "{name}" in [imap].'
    if not configured:
        return note(_AUTHSERV, "it is empty: a forged sender cannot be told from a real one", do)
    if configured.lower() != name.lower():
        return wrong(_AUTHSERV, f"our server writes another name than {configured}: no sender is believed", do)
    return ok(_AUTHSERV, f"our server writes {name}")


async def _clear(config: Config, look: ImapLook, probe: Probe) -> None:
    """Delete the probe wherever it lies; a running daemon files the one in the inbox, and should not miss it."""
    kept = look.wire(config.imap.inbox).upper() if is_running(config) else None
    for sighting in await look.find(probe.message_id):
        if sighting.folder.wire.upper() != kept:
            await look.remove(sighting)


@contextmanager
def _records(config: Config) -> Iterator[CaseBook | None]:
    """Open what tells which mails were filed; None where there is nothing to ask."""
    book, close = _book(config)
    try:
        yield book
    finally:
        close()


def _book(config: Config) -> tuple[CaseBook | None, Callable[[], None]]:
    try:
        if not config.has_database or schema_version(config.database_url) != HEAD:
            return None, lambda: None
        store = KeyStore(config.service.data_dir / "keystore", config.archive.key_file.read_key())
    except (OSError, SealError, RecordsUnavailable):  # told by the checks of the records
        return None, lambda: None
    database = Database(config.database_url)
    filer = Filer(Sealer(store), Digests(store), Sequoia(), Archive(0, ()), timedelta())
    return CaseBook(database, store, filer, utc), database.close
