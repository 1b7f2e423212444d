"""Alarms: one mail to the admins when something stands still, one when it is over, and signs of life in between.

They go to the SMTP server past the outbox: what they tell of may be the outbox itself, its database or its disk.
"""

import asyncio
from base64 import b32encode
from dataclasses import dataclass, field
from secrets import token_bytes

from mailroom.errors import DeliveryFailure, EncryptionFailed, RecordsUnavailable, ServerUnreachable
from mailroom.flow.delivery import LONGEST_WAIT
from mailroom.flow.desk import Desk, Office, Person
from mailroom.flow.filing import Letter
from mailroom.flow.ports import Courier, Encryptor
from mailroom.flow.waiting import pause
from mailroom.keeper import alarms as wording
from mailroom.keeper.alarms import Alarm, Condition, Limits
from mailroom.log import get_logger
from mailroom.mail import compose

TICK = 20.0
_JUMP = 300  # a clock that is set by the network moves by seconds
_HANGS = 3600.0  # every step has a deadline; an intake that shows no sign of life for so long hangs
_QUIET = 3600  # an alarm that comes and goes is told once an hour
_AGAIN = 300  # nobody could be told: the next try
_ALIVE = "alive"

_log = get_logger(__name__)


@dataclass(slots=True)
class Watch:
    """What is raised since when, what of it was told, and where the clock stood.

    `told` and `raised` are Unix seconds. `quiet_until` and `next_try` are seconds of `Machine.ticks`: a clock that is
    set back must not make them last for a year. `jumped`: seconds by which the clock jumped, until that was told.
    """

    told: dict[str, int]
    raised: dict[str, int] = field(default_factory=dict)
    quiet_until: dict[str, float] = field(default_factory=dict)
    next_try: float = 0.0
    clock_less_ticks: float | None = None
    jumped: float = 0.0


async def alarming(desk: Desk, stop: asyncio.Event, tick: float = TICK) -> None:
    """Look at the desk's condition again and again until `stop` is set; tell the admins what changed."""
    told = desk.machine.recall()
    watch = Watch(told, {name: at for name, at in told.items() if name != _ALIVE})
    while not stop.is_set():
        await look(desk, watch)
        await pause(stop, tick)


async def look(desk: Desk, watch: Watch) -> None:
    """Look once: tell what began and what is over, the daily line, and the watchers on this machine."""
    now = desk.now()
    await _clock(desk, watch, now)
    policy = desk.office.policy
    limits = Limits(policy.poll_minutes, policy.outbox_minutes)
    found = wording.due(await condition(desk, now), limits, watch.raised)
    over = watch.raised.keys() - {alarm.name for alarm in found} - _unseen(desk)
    _log_changes(watch, found, over, now)
    if not found:
        desk.machine.beat()
    if desk.machine.ticks() < watch.next_try:
        return
    try:
        await _tell_jump(desk, watch)
        await _tell(desk, watch, found, over)
        await _alive(desk, watch)
    except (ServerUnreachable, DeliveryFailure, RecordsUnavailable) as error:
        watch.next_try = desk.machine.ticks() + _AGAIN
        _log.warning("cannot tell the admins", why=type(error).__name__)


async def living(desk: Desk, stop: asyncio.Event, tick: float = TICK) -> None:
    """Tell the service manager that the desk lives, as long as the intake shows signs of life, until `stop` is set."""
    desk.machine.notify("READY=1")
    while not stop.is_set():
        if desk.machine.ticks() - desk.health.stirred_at < _HANGS:
            desk.machine.notify("WATCHDOG=1")
        await pause(stop, tick)
    desk.machine.notify("STOPPING=1")


async def condition(desk: Desk, now: int) -> Condition:
    """Ask everybody how they do."""
    health = desk.health
    return Condition(
        now=now,
        unpolled=desk.machine.ticks() - health.polled_at,
        trouble=health.trouble,
        overdue=await _overdue(desk, now),
        disk_free=desk.machine.disk_free(),
        keys=await desk.machine.key_expiries(),
        certificates=[(name, at) for name, at in _certificates(desk) if at is not None],
        unopened=health.unopened,
        unsaid=health.unsaid,
    )


def _certificates(desk: Desk) -> list[tuple[str, int | None]]:
    return [("IMAP", desk.mailbox.certificate_expires()), ("SMTP", desk.courier.certificate_expires())]


def _unseen(desk: Desk) -> set[str]:
    """Name the alarms of which a new start cannot say that they are over: nothing was seen to work yet."""
    health = desk.health
    seen = {"inbox": health.has_polled, "decryption": health.has_opened, "notices": health.has_said}
    unseen = {name for name, is_seen in seen.items() if not is_seen}
    return unseen | {f"certificate {name}" for name, at in _certificates(desk) if at is None}


async def _overdue(desk: Desk, now: int) -> int:
    try:
        since = await desk.outbox.overdue()
    except RecordsUnavailable:  # then the inbox is not worked through either, and that alarm says why
        return 0
    return 0 if since is None else now - since


def _log_changes(watch: Watch, found: list[Alarm], over: set[str], now: int) -> None:
    names = {alarm.name for alarm in found}
    for name in names - watch.raised.keys():
        _log.error("alarm", kind=name.partition(" ")[0])
        watch.raised[name] = now
    for name in over:
        _log.info("alarm over", kind=name.partition(" ")[0])


async def _tell_jump(desk: Desk, watch: Watch) -> None:
    if watch.jumped:
        await _send(desk, wording.SUBJECT, wording.clock_text(watch.jumped))
        watch.jumped = 0.0


async def _tell(desk: Desk, watch: Watch, found: list[Alarm], gone: set[str]) -> None:
    """Send at most one mail of each kind; what could not be sent is tried again at the next look."""
    now = desk.machine.ticks()
    new = [one for one in found if one.name not in watch.told and watch.quiet_until.get(one.name, 0) <= now]
    if new:
        await _send(desk, wording.SUBJECT, wording.raised_text(new))
        watch.told |= {alarm.name: watch.raised[alarm.name] for alarm in new}
        desk.machine.note(watch.told)
    over = {name: at for name, at in watch.raised.items() if name in gone}
    loud = {name: at for name, at in over.items() if watch.quiet_until.get(name, 0) <= now or name in watch.told}
    if loud:
        await _send(desk, wording.SUBJECT_OVER, wording.over_text(loud))
    for name in over:
        watch.raised.pop(name)
        if watch.told.pop(name, None) is not None:
            watch.quiet_until[name] = now + _QUIET
    if over:
        desk.machine.note(watch.told)


async def _clock(desk: Desk, watch: Watch, now: int) -> None:
    """Notice a jump of the clock; letters that it would keep waiting go at once."""
    before, watch.clock_less_ticks = watch.clock_less_ticks, now - desk.machine.ticks()
    jump = 0.0 if before is None else watch.clock_less_ticks - before
    try:
        if before is None or jump < -_JUMP:
            await desk.outbox.mend_times(now, LONGEST_WAIT)
            desk.news.set()
    except RecordsUnavailable:
        watch.clock_less_ticks = before  # tried again at the next look
        return
    if abs(jump) > _JUMP:
        _log.error("clock jumped", seconds=int(jump))
        desk.pace.forget()
        watch.jumped = jump


async def _alive(desk: Desk, watch: Watch) -> None:
    """Send the daily line, once in each of its hours."""
    policy = desk.office.policy
    moment = desk.office.clock().astimezone(policy.zone)
    hour = int(f"{moment:%Y%m%d%H}")  # of the clock on her wall: zones begin their hours at the half too, or repeat one
    if moment.hour not in policy.alive_hours or watch.told.get(_ALIVE) == hour:
        return
    waiting, held = await desk.outbox.counts()
    await _send(desk, wording.SUBJECT_ALIVE, wording.alive_text(desk.health.filed, waiting, held))
    desk.health.filed = 0
    watch.told[_ALIVE] = hour
    desk.machine.note(watch.told)


async def _send(desk: Desk, subject: str, text: str) -> None:
    await send(desk.office, desk.courier, desk.encryptor, (subject, text))


async def send(office: Office, courier: Courier, encryptor: Encryptor, told: tuple[str, str]) -> None:
    """Write (subject, text) to every admin, or to the keepers where there are none.

    Raises:
        ServerUnreachable: the SMTP server is out of reach, and nobody was told.
        DeliveryFailure: nobody at all could be told.
    """
    people = office.role("admin") or office.role("keeper")
    failures = list[ServerUnreachable | DeliveryFailure]()
    for person in people:
        try:
            await courier.send(_letter(office, encryptor, person, told))
        except (ServerUnreachable, DeliveryFailure) as error:
            failures.append(error)
    if failures and len(failures) == len(people):
        raise failures[0]


def _letter(office: Office, encryptor: Encryptor, person: Person, told: tuple[str, str]) -> Letter:
    policy, moment, (subject, text) = office.policy, office.clock(), told
    header = compose.Header(
        sender_address=policy.address,
        sender_name=policy.name,
        to=person.address,
        subject=subject,
        message_id=f"{b32encode(token_bytes(15)).decode().lower()}@{policy.domain}",
        date=moment,
        automatic=True,
        autocrypt=office.certificate,
    )
    sender = policy.address if policy.envelope == "verp" else ""
    return Letter(sender, person.address, _content(header, encryptor, person, text))


def _content(header: compose.Header, encryptor: Encryptor, person: Person, text: str) -> bytes:
    if person.certificate is None:
        return compose.plain(header, text)
    entity = compose.text_part(text, protected_subject=header.subject)
    try:
        return compose.encrypted(header, encryptor.encrypt(entity, [person.certificate], armor=True))
    except EncryptionFailed:  # the key has expired, say: an alarm in clear is better than none
        return compose.plain(header, text)
