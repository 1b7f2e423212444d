"""Draining the inbox: batches bounded in bytes, suspects alone and last, removal only of what was read back.

A mail that breaks its worker becomes a suspect. Suspects run alone, after the others; only what fails while it is
alone counts, and after three such failures the mail is parked. The next mails are filed and answered meanwhile.
"""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailroom.errors import EncryptionFailed, OpeningFailed, RecordsUnavailable, SealError, WorkersBroken
from mailroom.flow.desk import Desk
from mailroom.flow.intake import Outcome, park, take_in
from mailroom.log import get_logger
from mailroom.mail.message import Arrival, RawMail

TRIES_ALONE = 3
# A death of the desk while a mail was alone is weaker evidence than a death of its worker: machines lose power.
DESK_DEATHS = 10
BATCH_MAILS = 50
BATCH_BYTES = 8 * 1024 * 1024

# Our fault, not the mail's: it waits.
_OURS = (SealError, EncryptionFailed, WorkersBroken, RecordsUnavailable)

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


async def drain(desk: Desk, stop: asyncio.Event) -> Drained:
    """Work through everything that lies in the inbox now. Ends after the step at hand when `stop` is set.

    Raises:
        ServerUnreachable: the mailbox is out of reach; what was filed stays filed.
        MailboxError: a step failed; the same holds.
    """
    known = await desk.arrivals.sort(await desk.mailbox.arrivals())
    await _remove(desk, known.filed, desk.office.policy.filed)
    await _remove(desk, known.parked, desk.office.policy.quarantine)
    done = Drained()
    for batch in batches(known.fresh):
        if stop.is_set():
            return done
        done += await _together(desk, batch)
    if known.fresh:  # some of them may have become suspects
        known = await desk.arrivals.sort(await desk.mailbox.arrivals())
    for arrival in known.suspects:
        if stop.is_set():
            return done
        done += await _alone(desk, arrival)
    return done


def batches(arrivals: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """Cut the listing into batches of bounded number and bytes; a large mail is a batch of its own."""
    batch: list[Arrival] = []
    size = 0
    for arrival in arrivals:
        if batch and (len(batch) >= BATCH_MAILS or size + arrival.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(arrival)
        size += arrival.size
    if batch:
        yield batch


async def _together(desk: Desk, batch: Sequence[Arrival]) -> Drained:
    raws = await _fetch(desk, batch)
    await desk.arrivals.start([raw.arrival for raw in raws], alone=False)
    outcomes = await asyncio.gather(*(_attempt(desk, raw) for raw in raws))
    for raw, outcome in zip(raws, outcomes, strict=True):
        if outcome is None:
            await desk.arrivals.suspect(raw.arrival, alone=False)
    await _clear(desk, [raw for raw, outcome in zip(raws, outcomes, strict=True) if outcome not in (None, "deferred")])
    return _counted(outcomes)


async def _alone(desk: Desk, arrival: Arrival) -> Drained:
    """Try one suspect up to three times, alone; park it then."""
    raws = await _fetch(desk, [arrival])
    if not raws:
        return Drained()
    worn_out = await desk.arrivals.desk_deaths(arrival) >= DESK_DEATHS
    while not worn_out:
        await desk.arrivals.start([arrival], alone=True)
        outcome = await _attempt(desk, raws[0])
        if outcome is not None:
            await _clear(desk, raws if outcome != "deferred" else [])
            return _counted([outcome])
        worn_out = await desk.arrivals.suspect(arrival, alone=True) >= TRIES_ALONE
    await desk.arrivals.start([arrival], alone=True)
    await park(desk, raws[0])
    await _remove(desk, [arrival], desk.office.policy.quarantine)
    return _counted(["parked"])


async def _attempt(desk: Desk, raw: RawMail) -> Outcome | None:
    """Take one mail in; None when the mail broke it. Here and nowhere else is everything caught."""
    try:
        return await take_in(desk, raw)
    except _OURS as failure:
        _log.error("cannot work", why=type(failure).__name__)
        await desk.arrivals.release([raw.arrival])
        return "deferred"
    except Exception as failure:  # noqa: BLE001 the one boundary: whatever a mail broke, it is tried alone, then parked
        why = failure.why if isinstance(failure, OpeningFailed) else type(failure).__name__
        _log.warning("suspect", why=why)
        return None


async def _fetch(desk: Desk, batch: Sequence[Arrival]) -> list[RawMail]:
    limit = desk.office.policy.max_message_bytes
    raws = await desk.mailbox.fetch([one for one in batch if one.size <= limit])
    return raws + [await desk.mailbox.fetch_beginning(one) for one in batch if one.size > limit]


async def _clear(desk: Desk, raws: Sequence[RawMail]) -> None:
    """Let filed mails leave the inbox; oversize ones stay in place."""
    await _remove(desk, [raw.arrival for raw in raws if raw.complete], desk.office.policy.filed)
    for raw in raws:
        if not raw.complete:
            await desk.arrivals.left(raw.arrival)


async def _remove(desk: Desk, arrivals: Sequence[Arrival], folder: str) -> None:
    proven = await desk.cases.read_back(arrivals) if arrivals else []
    if len(proven) < len(arrivals):
        _log.error("sealed copy unreadable", count=len(arrivals) - len(proven))
    if not proven:
        return
    if desk.office.policy.after_filing == "delete":
        await desk.mailbox.delete(proven)
        await desk.arrivals.removed(dict.fromkeys(proven))
    else:
        places = await desk.mailbox.move(proven, folder)
        await desk.arrivals.removed({arrival: places.get(arrival) for arrival in proven})


def _counted(outcomes: Sequence[Outcome | None]) -> Drained:
    counts = Counter[str](outcome for outcome in outcomes if outcome is not None)
    return Drained(fetched=counts.total(), **counts)
