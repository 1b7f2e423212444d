"""Delivery: the outbox to the SMTP server. Sent at least once, under one Message-ID, with the same bytes."""

import asyncio
from collections.abc import Sequence

from mailroom.errors import LoginRefused, PermanentFailure, SealError, ServerUnreachable, TemporaryFailure
from mailroom.flow import informing
from mailroom.flow.desk import Desk
from mailroom.flow.filing import Case, Due
from mailroom.flow.health import OURS
from mailroom.flow.waiting import LONGEST_PAUSE, LONGEST_PAUSE_REFUSED, backoff, pause, until
from mailroom.keeper import notices
from mailroom.log import get_logger

# Seconds until the next try, by the number of tries so far; the last goes on until the letter is too old.
BACKOFF = (60, 300, 900, 3600, 4 * 3600, 8 * 3600)
LONGEST_WAIT = BACKOFF[-1]
GIVE_UP_SECONDS = 5 * 24 * 3600  # RFC 5321 section 4.5.4.1: at least 4-5 days
LEAST_TRIES = 10  # a server of ours that was away for days must not cost a letter
_AT_ONCE = 50

_log = get_logger(__name__)


async def deliver(desk: Desk, stop: asyncio.Event) -> int:
    """Send everything that is due, digests too; give how many automatic replies the server took.

    Raises:
        ServerUnreachable: nothing can be sent now; nothing is lost.
    """
    replies = 0
    await informing.digest(desk)
    while not stop.is_set():
        now = desk.now()
        found = await desk.outbox.due(now, automatic=not desk.pace.circuit_open(now), limit=_AT_ONCE)
        if not found:
            return replies
        replies += await _send_all(desk, found, stop)
    return replies


async def _send_all(desk: Desk, found: Sequence[Due], stop: asyncio.Event) -> int:
    """Send letters one after the other; those that went are noted in one commit while the next is on its way."""
    replies, gone, noting = 0, list[Due](), asyncio.create_task(_note(desk, []))
    try:
        for due in found:
            if stop.is_set():
                break
            if await _send(desk, due):
                gone.append(due)
                replies += due.kind == "reply"
            if noting.done():
                noting.result()
                gone, noting = [], asyncio.create_task(_note(desk, gone))
    finally:
        try:
            await noting
        finally:  # what one commit could not note must not leave the next unnoted
            await _note(desk, gone)
    return replies


async def _note(desk: Desk, gone: Sequence[Due]) -> None:
    if not gone:
        return
    await desk.outbox.sent(gone)
    for due in gone:
        _log.info("sent", case=due.reference, kind=due.kind)


async def _send(desk: Desk, due: Due) -> bool:
    try:
        _allow(desk, due)
        await desk.courier.send(due.letter)
    except TemporaryFailure as failure:
        await _later(desk, due, failure.code)
    except PermanentFailure as failure:
        await _give_up(desk, due, failure.code)
    else:
        if due.kind == "notice":
            desk.health.said()
        return True
    return False


def _allow(desk: Desk, due: Due) -> None:
    """Refuse a letter to anybody who neither wrote to this case nor is one of our people (law 3)."""
    known = {person.address.casefold() for person in desk.office.people}
    if not due.wrote and due.letter.recipient.casefold() not in known:
        raise PermanentFailure("the recipient neither wrote to this case nor is configured")


async def _later(desk: Desk, due: Due, code: int) -> None:
    now = desk.now()
    if due.attempts >= LEAST_TRIES and now - due.since > GIVE_UP_SECONDS:
        await _give_up(desk, due, code)
        return
    await desk.outbox.later(due, now + BACKOFF[min(due.attempts, len(BACKOFF) - 1)])
    _log.info("deferred", case=due.reference, kind=due.kind, code=code)


async def _give_up(desk: Desk, due: Due, code: int) -> None:
    _log.warning("not delivered", case=due.reference, kind=due.kind, code=code)
    case = await _case_of(desk, due)
    if case is None or due.kind in ("notice", "alarm"):
        desk.health.unsaid = desk.health.unsaid or due.kind == "notice"
        await desk.outbox.failed(due, code)
        return
    notice = notices.undelivered(due.reference, code)
    told = await informing.tell(desk, notice, case, desk.office.role("keeper"))
    await desk.cases.give_up(due, code, case, told)


async def _case_of(desk: Desk, due: Due) -> Case | None:
    """Find the case of a letter; None where its record does not open, for that must keep no other letter waiting."""
    try:
        return await desk.cases.by_reference(due.reference)
    except SealError:
        _log.error("case does not open", case=due.reference)
        return None


async def delivering(desk: Desk, stop: asyncio.Event) -> None:
    """Deliver until `stop` is set: at once when there is news, and every few seconds what became due."""
    failures = 0
    while not stop.is_set():
        desk.news.clear()
        try:
            await deliver(desk, stop)
            failures = 0
            await until(stop, desk.news.wait(), _PAUSE)
        except (ServerUnreachable, *OURS) as error:
            failures += 1
            longest = LONGEST_PAUSE_REFUSED if isinstance(error, LoginRefused) else LONGEST_PAUSE
            _log.warning("cannot deliver", why=type(error).__name__, count=failures)
            await pause(stop, backoff(failures, longest))


_PAUSE = 5.0
