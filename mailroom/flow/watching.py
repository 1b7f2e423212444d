"""Watching the inbox: drain it when the server tells of news, and every `poll_seconds` in any case."""

import asyncio

from mailroom.errors import LoginRefused, MailboxError, ServerUnreachable
from mailroom.flow.desk import Desk
from mailroom.flow.draining import Drained, drain
from mailroom.flow.health import OURS, sentence
from mailroom.flow.waiting import LONGEST_PAUSE, LONGEST_PAUSE_REFUSED, backoff, pause, until
from mailroom.log import get_logger
from mailroom.mail.thread import is_id_of_ours

# Some servers tell of news that is none, and end IDLE as soon as it began. A few such rounds cost nothing: our own
# deletions cause them too.
_EMPTY_ROUNDS = 5
_AT_ONCE = 1.0

_log = get_logger(__name__)


async def watching(desk: Desk, poll_seconds: float, stop: asyncio.Event) -> None:
    """Work through the inbox again and again until `stop` is set. What fails is tried again, for ever."""
    failures = empty = 0
    while not stop.is_set():
        try:
            whole, found = await _round(desk, stop)
            again = poll_seconds if whole else min(poll_seconds, backoff(failures + 1, LONGEST_PAUSE))
            asked_at = desk.machine.ticks()
            await until(stop, desk.mailbox.news(again))
            empty = 0 if found or desk.machine.ticks() - asked_at > _AT_ONCE else empty + 1
            if empty > _EMPTY_ROUNDS:
                _log.warning("woken for nothing", count=empty)
                await pause(stop, backoff(empty - _EMPTY_ROUNDS, min(poll_seconds, LONGEST_PAUSE)))
            failures = 0 if whole else failures + 1
        except (ServerUnreachable, MailboxError, *OURS) as error:
            failures += 1
            desk.health.fault(sentence(error))
            _log.warning("cannot drain", why=type(error).__name__, count=failures)
            longest = LONGEST_PAUSE_REFUSED if isinstance(error, LoginRefused) else min(poll_seconds, LONGEST_PAUSE)
            await pause(stop, backoff(failures, longest))


async def _round(desk: Desk, stop: asyncio.Event) -> tuple[bool, bool]:
    """Let the provider's copies of our letters go, then work through the inbox.

    Gives whether nothing failed, and whether there was anything to do.
    """
    drained = Drained()
    desk.health.begin(desk.machine.ticks())
    await _delete_copies(desk)
    async for step in drain(desk, stop):
        if desk.health.stir(desk.machine.ticks()):  # the first step has listed the inbox
            _log.info("ready")
        drained += step
    if drained.fetched:
        _log.info("drained", count=drained.fetched)
    whole = desk.health.polled(drained.filed + drained.follow_ups, desk.machine.ticks())
    return whole, drained.fetched > drained.deferred


async def _delete_copies(desk: Desk) -> None:
    """Let the provider's copies of our letters go. What fails here keeps no report waiting."""
    policy = desk.office.policy
    if not policy.sent:
        return
    try:
        await desk.mailbox.delete_copies(policy.sent, lambda one: is_id_of_ours(one, policy.domain))
    except MailboxError as error:
        _log.warning("cannot delete copies", why=type(error).__name__)
        desk.health.fault(f"copies of our letters could not be deleted from the folder of sent mail: {error}")
