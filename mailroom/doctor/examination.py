"""The whole examination, in the order in which a person would look."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mailroom.assembly import imap_settings, smtp_settings
from mailroom.config import Config
from mailroom.doctor import mailbox
from mailroom.doctor.finding import Finding, note, ok, skipped, wrong
from mailroom.doctor.guide import guide
from mailroom.doctor.keys import keys
from mailroom.doctor.machine import machine
from mailroom.doctor.probe import new_probe
from mailroom.doctor.records import records
from mailroom.doctor.round_trip import envelope_sender, round_trip
from mailroom.doctor.servers import SECONDS, sender_taken, way_in
from mailroom.errors import ConfigError, MailboxError, RecordsUnavailable, SealError, ServerUnreachable
from mailroom.records.clock import Clock, utc
from mailroom.transport.imap import ImapSettings
from mailroom.transport.imap_look import looking
from mailroom.transport.smtp import SmtpCourier, SmtpSettings

_LONGEST = 90.0  # seconds for all that is asked of one server
_NEED_IMAP = ("imap inbox", "imap abilities", "junk folder", "sent copies", "clock", "deletion")
_NEED_BOTH = ("suffix addresses", "authserv_id")


@dataclass(frozen=True, slots=True)
class Extent:
    """How far to look: nothing of the network when `offline`, no mail when not `send`.

    `patience`: seconds to wait for that mail; `seconds`: how long a server may keep us waiting at one step.
    """

    offline: bool = False
    send: bool = True
    patience: float = 30.0
    seconds: float = SECONDS


async def examine(config: Config, file: Path, extent: Extent, clock: Clock = utc) -> AsyncIterator[Finding]:
    """Look at everything and give what was found. Takes nothing from a daemon that runs, and starts none."""
    for finding in await asyncio.to_thread(at_home, config, file, clock()):
        yield finding
    if extent.offline:
        yield skipped("servers", "of --offline")
        if not config.imap.authserv_id:
            yield _unvouched()
        return
    imap = replace(imap_settings(config), timeout=extent.seconds)
    smtp = replace(smtp_settings(config), timeout=extent.seconds, data_timeout=2 * extent.seconds)
    receiving, sending = await asyncio.gather(_receiving(config, imap, clock()), _sending(config, smtp))
    for finding in (*receiving, *sending):
        yield finding
    for finding in await _both(config, imap, smtp, extent, [*receiving, *sending]):
        yield finding


def at_home(config: Config, file: Path, now: datetime) -> list[Finding]:
    """Look at what is on this machine."""
    return [
        ok("configuration", f"{file} is valid"),
        *machine(config, file),
        *_keys(config, now),
        *records(config, now),
        *guide(config, now.date()),
        _admins(config),
    ]


def _keys(config: Config, now: datetime) -> list[Finding]:
    try:
        return keys(config, now)
    except ConfigError as error:
        do = f"See that {config.openpgp.home} is there and belongs to this user; else put its backup there."
        return [wrong("desk key", str(error), do)]


def _admins(config: Config) -> Finding:
    if config.admins:
        return ok("admins", f"{len(config.admins)} told of faults")
    return note(
        "admins", "there is no [[admins]] table: the record keeper gets the alarms", "Name who runs the machine."
    )


def _unvouched() -> Finding:
    what = "[imap] authserv_id is empty: a forged sender cannot be told from a real one"
    return note("authserv_id", what, "Without --offline, doctor says what to write there.")


async def _receiving(config: Config, settings: ImapSettings, now: datetime) -> list[Finding]:
    found = await way_in("imap", settings)
    if found[-1].state == "wrong":
        return [*found, *_all_skipped(_NEED_IMAP, "there is no IMAP login")]
    try:
        async with asyncio.timeout(_LONGEST), looking(settings) as look:
            found += [await mailbox.inbox(look, config), mailbox.abilities(look, config)]
            found += await mailbox.folders(look, config)
            probe = new_probe(config, now, suffix=False)
            found += await mailbox.deletion(look, settings, probe, now)
    except (MailboxError, ServerUnreachable, TimeoutError) as error:
        what = str(error) or "the server took too long"
        found.append(wrong("imap session", what, "Try again later; if it stays so, ask the provider."))
        seen = {one.check for one in found}
        found += _all_skipped([one for one in _NEED_IMAP if one not in seen], "the IMAP session broke off")
    return found


async def _sending(config: Config, settings: SmtpSettings) -> list[Finding]:
    found = await way_in("smtp", settings)
    if found[-1].state == "wrong":
        return [*found, skipped("smtp sender", "there is no way into the SMTP server")]
    courier, verp = SmtpCourier(settings), config.replies.envelope == "verp"
    try:
        found.append(await sender_taken(courier, config.service.address, "[service] address"))
        meant = "a suffix of it (for bounces)" if verp else "the null sender"
        found.append(await sender_taken(courier, envelope_sender(config), meant))
    finally:
        await courier.close()
    return found


async def _both(
    config: Config, imap: ImapSettings, smtp: SmtpSettings, extent: Extent, before: Iterable[Finding]
) -> list[Finding]:
    """Look at what needs both servers."""
    if not extent.send:
        return _all_skipped(_NEED_BOTH, "of --no-send")
    if any(one.state == "wrong" and one.check.startswith(("imap ", "smtp ")) for one in before):
        return _all_skipped(_NEED_BOTH, "that needs both servers")
    courier = SmtpCourier(smtp)
    try:
        async with asyncio.timeout(extent.patience + _LONGEST), looking(imap) as look:
            return await round_trip(config, look, courier, extent.patience)
    except (MailboxError, ServerUnreachable, RecordsUnavailable, SealError, TimeoutError) as error:
        what = str(error) or "the servers took too long"
        return [wrong("suffix addresses", what, "Try again later; if it stays so, ask the provider.")]
    finally:
        await courier.close()


def _all_skipped(checks: Iterable[str], why: str) -> list[Finding]:
    return [skipped(check, why) for check in checks]
