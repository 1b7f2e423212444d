"""Draining the inbox: batches bounded in bytes, suspects alone and last, removal only of what was read back.

A mail that breaks its worker becomes a suspect. Suspects run alone, after the others; only what fails while it is
alone counts, and after three such failures the mail is parked. The next mails are filed and answered meanwhile.
"""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from mailroom.errors import MailboxError, OpeningFailed
from mailroom.flow.desk import Desk
from mailroom.flow.filing import Sorted
from mailroom.flow.health import OURS, sentence
from mailroom.flow.intake import Outcome, park, take_in
from mailroom.log import get_logger
from mailroom.mail.message import Arrival, RawMail

TRIES_ALONE = 3
# A death of the desk while a mail was alone is weaker evidence than a death of its worker: machines lose power.
DESK_DEATHS = 10
BATCH_MAILS = 50
BATCH_BYTES = 4 * 1024 * 1024

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of the mails that were fetched; fetched is the sum of the others."""

    fetched: int = 0
    filed: int = 0
    follow_ups: int = 0
    commands: int = 0
    parked: int = 0
    duplicates: int = 0
    deferred: int = 0

    def __add__(self, other: "Drained") -> "Drained":
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Drained(*(one + two for one, two in pairs))

    def without_deferred(self) -> "Drained":
        """Leave out what will be fetched again."""
        return dataclasses.replace(self, fetched=self.fetched - self.deferred, deferred=0)


async def drain(desk: Desk, stop: asyncio.Event) -> AsyncIterator[Drained]:
    """Work through everything that lies in the inbox now; give what became of it, step by step.

    The first step is to list the inbox. Ends after the step at hand when `stop` is set.

    Raises:
        ServerUnreachable: the mailbox is out of reach; what was filed stays filed.
        MailboxError: a step failed; the same holds.
        RecordsUnavailable: the database failed; the same holds.
    """
    junk = await _junk(desk)
    # The inbox last: it is the folder that we then wait in, and what comes in meanwhile is seen.
    known = await desk.arrivals.sort([*await desk.mailbox.arrivals(), *(junk or ())], whole=junk is not None)
    await _clear(desk, known)
    yield Drained()
    tried = list(known.suspects)
    async for batch in _in_turn(desk, known.fresh):
        if stop.is_set():
            return
        tried += batch
        yield await _together(desk, batch, stop)
    if known.fresh:  # some of them may have become suspects
        known = await desk.arrivals.known(tried)
    for arrival in known.suspects:
        if stop.is_set():
            return
        yield await _alone(desk, arrival, stop)


async def _junk(desk: Desk) -> list[Arrival] | None:
    """List the folder of suspected spam; None when that fails, for it keeps no report in the inbox waiting."""
    try:
        found = await desk.mailbox.junk()
    except MailboxError as error:
        _log.warning("cannot read junk", why=type(error).__name__)
        desk.health.fault(f"the folder of suspected spam could not be read: {error}")
        return None
    policy = desk.office.policy
    if {one.mailbox for one in found} & {policy.filed, policy.quarantine}:
        _log.warning("cannot read junk", why="folder")
        desk.health.fault("the server marks the folder in [imap] filed or quarantine as junk; it is not read")
        return None
    return found


async def _in_turn(desk: Desk, fresh: Sequence[Arrival]) -> AsyncIterator[list[Arrival]]:
    """Give batches; before each one of suspected spam what came into the inbox meanwhile, for a flood may last long."""
    listed = set(fresh)
    for batch in batches(fresh):
        if batch[0].junk:
            known = await desk.arrivals.known(await desk.mailbox.arrivals())
            newer = [arrival for arrival in known.fresh if arrival not in listed]
            listed.update(newer)
            for some in batches(newer):
                yield some
        yield batch


def batches(arrivals: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """Cut the listing into batches of one folder, of bounded number and bytes; a large mail is a batch of its own."""
    batch: list[Arrival] = []
    size = 0
    for arrival in arrivals:
        full = len(batch) >= BATCH_MAILS or size + arrival.size > BATCH_BYTES
        if batch and (full or arrival.mailbox != batch[-1].mailbox):
            yield batch
            batch, size = [], 0
        batch.append(arrival)
        size += arrival.size
    if batch:
        yield batch


async def _together(desk: Desk, batch: Sequence[Arrival], stop: asyncio.Event) -> Drained:
    raws = await _fetch(desk, batch)
    if not raws:
        return Drained()
    await desk.arrivals.start([raw.arrival for raw in raws], alone=False)
    outcomes = await asyncio.gather(*(_attempt(desk, raw, stop) for raw in raws), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    for raw, outcome in zip(raws, outcomes, strict=True):
        if outcome is None:
            await desk.arrivals.suspect(raw.arrival, alone=False)
    await _clear(desk, await desk.arrivals.known(batch))
    return _counted([outcome for outcome in outcomes if not isinstance(outcome, BaseException)])


async def _alone(desk: Desk, arrival: Arrival, stop: asyncio.Event) -> Drained:
    """Try one suspect up to three times, alone; park it then."""
    raws = await _fetch(desk, [arrival])
    if not raws:
        return Drained()
    outcome: Outcome | None = None
    worn_out = await desk.arrivals.desk_deaths(arrival) >= DESK_DEATHS
    while outcome is None and not worn_out:
        await desk.arrivals.start([arrival], alone=True)
        outcome = await _attempt(desk, raws[0], stop)
        if outcome is None:
            worn_out = await desk.arrivals.suspect(arrival, alone=True) >= TRIES_ALONE
    if outcome is None:
        await desk.arrivals.start([arrival], alone=True)
        await park(desk, raws[0])
        outcome = "parked"
    await _clear(desk, await desk.arrivals.known([arrival]))
    return _counted([outcome])


async def _attempt(desk: Desk, raw: RawMail, stop: asyncio.Event) -> Outcome | None:
    """Take one mail in; None when the mail broke it. Here and nowhere else is everything caught."""
    try:
        return await take_in(desk, raw)
    except OURS as failure:
        _log.error("cannot work", why=type(failure).__name__)
        desk.health.fault(sentence(failure))
        await desk.arrivals.release([raw.arrival])
        return "deferred"
    except Exception as failure:  # noqa: BLE001 the one boundary: whatever a mail broke, it is tried alone, then parked
        if stop.is_set():  # the signal that ends us may have ended the worker too
            await desk.arrivals.release([raw.arrival])
            return "deferred"
        why = failure.why if isinstance(failure, OpeningFailed) else type(failure).__name__
        _log.warning("suspect", why=why)
        return None


async def _fetch(desk: Desk, batch: Sequence[Arrival]) -> list[RawMail]:
    """Fetch a batch; where the server fails over it, mail by mail, so that one of them keeps no other waiting."""
    limit = desk.office.policy.max_message_bytes
    try:
        raws = await desk.mailbox.fetch([one for one in batch if one.size <= limit])
        return raws + [await desk.mailbox.fetch_beginning(one) for one in batch if one.size > limit]
    except MailboxError:
        if len(batch) == 1:
            _log.error("cannot fetch", uid=batch[0].uid, uidvalidity=batch[0].uidvalidity)
            desk.health.fault("a mail in the inbox cannot be fetched")
            return []
        return [raw for one in batch for raw in await _fetch(desk, [one])]


async def _clear(desk: Desk, known: Sorted) -> None:
    """Let what is filed leave the inbox. A second copy is deleted: the first one lies where the records say."""
    moves = desk.office.policy.after_filing == "move"
    await _remove(desk, known.filed, desk.office.policy.filed if moves else None)
    await _remove(desk, known.parked, desk.office.policy.quarantine if moves else None)
    await _remove(desk, known.copies, None)


async def _remove(desk: Desk, arrivals: Sequence[Arrival], folder: str | None) -> None:
    for some in batches(arrivals):
        proven = await desk.cases.read_back(some)
        if len(proven) < len(some):
            _log.error("sealed copy unreadable", count=len(some) - len(proven))
            desk.health.fault("a sealed copy could not be read back; its mail stays in the inbox")
        try:
            places = await desk.mailbox.move(proven, folder) if folder and proven else {}
            if folder is None and proven:
                await desk.mailbox.delete(proven)
        except MailboxError as error:  # it is filed; the next round tries again, and new mail need not wait for it
            _log.warning("cannot remove", count=len(proven))
            desk.health.fault(f"filed mail could not be taken out of the inbox: {error}")
            return
        await desk.arrivals.removed({arrival: places.get(arrival) for arrival in proven})


def _counted(outcomes: Sequence[Outcome | None]) -> Drained:
    counts = Counter[str](outcome for outcome in outcomes if outcome is not None)
    return Drained(fetched=counts.total(), **counts)
