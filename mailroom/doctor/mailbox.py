"""The mailbox: what its server can do, its folders, and whether what we delete is gone."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from mailroom.config import Config
from mailroom.doctor.finding import Finding, note, ok, wrong
from mailroom.doctor.probe import Probe
from mailroom.errors import MailboxError, ServerUnreachable
from mailroom.mail.thread import is_id_of_ours
from mailroom.transport.imap import ImapSettings
from mailroom.transport.imap_folders import Folder
from mailroom.transport.imap_look import ImapLook, Sighting, looking
from mailroom.transport.mailbox import ImapMailbox

PROBE_FOLDER = "Mailroom-probe"
_CLOCK = 120  # seconds
_ABILITIES = {
    "IDLE": "without it new mail is seen every {seconds} seconds, not at once",
    "MOVE": "without it mail is copied and then deleted",
    "UIDPLUS": "without it what somebody else marked as deleted can keep ours waiting",
}


async def inbox(look: ImapLook, config: Config) -> Finding:
    """See whether the inbox opens."""
    try:
        await look.open(config.imap.inbox)
    except MailboxError as error:
        return wrong("imap inbox", f"{config.imap.inbox} does not open: {error}", "Look at inbox in [imap].")
    return ok("imap inbox", f"{config.imap.inbox} opens")


def abilities(look: ImapLook, config: Config) -> Finding:
    """Name what the server cannot do."""
    missing = [name for name in _ABILITIES if name not in look.capabilities]
    if not missing:
        return ok("imap abilities", "the server has " + ", ".join(_ABILITIES))
    told = (f"{name}: {_ABILITIES[name].format(seconds=config.imap.poll_seconds)}" for name in missing)
    return note("imap abilities", "the server does not have " + "; ".join(told))


async def folders(look: ImapLook, config: Config) -> list[Finding]:
    """See whether the folders of the configuration are there, and whether the provider has others for their use."""
    there = await look.folders()
    return [*_ours(look, config, there), _junk(look, config, there), await _sent(look, config, there)]


def _ours(look: ImapLook, config: Config, there: Sequence[Folder]) -> Iterator[Finding]:
    """Folders that the daemon fills; it makes them when they are missing."""
    if config.imap.after_filing == "delete":
        return
    for key in ("filed", "quarantine"):
        name = getattr(config.imap, key)
        found = _named(look, name, there)
        if found and not found.opens:
            yield wrong("folders", f"{name} cannot hold mail", f"Name another folder in [imap] {key}.")
        else:
            yield ok("folders", f"{name} is there" if found else f"{name} is made when it is needed")


def _junk(look: ImapLook, config: Config, there: Sequence[Folder]) -> Finding:
    name, marked = config.imap.junk, _marked("\\junk", there)
    if name == "-":
        return note("junk folder", "none is read: what the provider takes for junk is not seen")
    if name and _named(look, name, there) is None:
        hint = f"the server marks {marked.name} as junk" if marked else "no folder is marked as junk"
        return wrong("junk folder", f"there is no folder {name}; {hint}", 'Name it in [imap] junk, or leave junk = "".')
    if name or marked:
        return ok("junk folder", name or (marked.name if marked else ""))
    return note("junk folder", "the server marks none", 'Name it in [imap] junk, or set junk = "-".')


async def _sent(look: ImapLook, config: Config, there: Sequence[Folder]) -> Finding:
    name, marked = config.imap.sent, _marked("\\sent", there)
    if name:
        if _named(look, name, there):
            return ok("sent copies", f"copies of our letters are deleted from {name}")
        hint = f"the server marks {marked.name} for it" if marked else "no folder is marked for it"
        return wrong("sent copies", f"there is no folder {name}; {hint}", "Name the right one in [imap] sent.")
    if marked is None:
        return ok("sent copies", "the server marks no folder for them")
    ids = await look.latest_ids(marked)
    if any(is_id_of_ours(one, config.desk_domain) for one in ids):
        return kept_in(marked)
    return ok("sent copies", f"none of our letters lies in {marked.name}")


def kept_in(folder: Folder) -> Finding:
    """Say that the provider keeps copies of our letters in this folder."""
    return wrong(
        "sent copies",
        f"the provider keeps copies of our letters in {folder.name}, where anybody with the password can read them",
        f'Write sent = "{folder.name}" in [imap]: then they are deleted.',
    )


def _named(look: ImapLook, name: str, there: Sequence[Folder]) -> Folder | None:
    wire = look.wire(name)
    return next((folder for folder in there if folder.wire == wire), None)


def _marked(use: str, there: Sequence[Folder]) -> Folder | None:
    return next((folder for folder in there if use in folder.attributes), None)


async def deletion(look: ImapLook, settings: ImapSettings, probe: Probe, now: datetime) -> list[Finding]:
    """Delete a mail of our own as the daemon does, and look for it in every folder. Compares the clocks by the way."""
    try:
        await look.make(PROBE_FOLDER)
        return await _deleted(look, settings, probe, now)
    except MailboxError as error:
        do = "Mailroom must be able to make folders, to put mail there and to delete it. Ask the provider."
        return [wrong("deletion", f"a probe mail could not be put and deleted: {error}", do)]
    finally:
        with suppress(MailboxError, ServerUnreachable):  # on a connection of its own: the other may be lost
            async with looking(settings) as anew:
                await anew.unmake(PROBE_FOLDER)


async def _deleted(look: ImapLook, settings: ImapSettings, probe: Probe, now: datetime) -> list[Finding]:
    await look.put(PROBE_FOLDER, probe.content)
    put = await look.find(probe.message_id)
    if not put:
        do = "Ask the provider whether the search of Message-ID works (IMAP SEARCH HEADER)."
        return [wrong("deletion", "the probe mail cannot be found by its Message-ID", do)]
    found = [_clock(await look.received_at(put[0]), now)]
    mailbox = ImapMailbox(replace(settings, inbox=PROBE_FOLDER))
    try:
        await mailbox.delete(await mailbox.arrivals())
    finally:
        await mailbox.close()
    left = await look.find(probe.message_id)
    with suppress(MailboxError):
        for sighting in left:
            await look.remove(sighting)
    return [*found, _gone(left)]


def _gone(left: Sequence[Sighting]) -> Finding:
    if not left:
        return ok("deletion", "a deleted mail is gone from every folder")
    places = ", ".join(sorted({sighting.folder.name for sighting in left}))
    return wrong(
        "deletion",
        f"a deleted mail is still in {places}",
        "At the provider, let mail that IMAP deletes be gone for good, not kept in the trash or in an archive. "
        "Until then reports lie there in clear.",
    )


def _clock(theirs: datetime | None, ours: datetime) -> Finding:
    if theirs is None:
        return note("clock", "the server does not tell its time")
    apart = round((ours - theirs).total_seconds())
    if abs(apart) <= _CLOCK:
        return ok("clock", "this machine and the mail server agree")
    way = "ahead of" if apart > 0 else "behind"
    what = f"this machine is {abs(apart)} seconds {way} the mail server"
    return wrong("clock", what, "See that the clock is set by the network: timedatectl set-ntp true")
