"""What the admins are told about the machine. An alarm says nothing about any mail, so it may go in clear."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

SUBJECT = "The mail desk needs a look"
SUBJECT_OVER = "The mail desk works again"
SUBJECT_ALIVE = "The mail desk is alive"
UNOPENED = 3  # one stray key is the writer's mistake; three mails in a row are ours
DISK_FREE = 0.05
DISK_FREE_AGAIN = 0.06
KEY_DAYS = 30
CERTIFICATE_DAYS = 14
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that needs a look: a fixed name, what is wrong, and what to do."""

    name: str
    what: str
    do: str


@dataclass(frozen=True, slots=True)
class Condition:
    """How the desk and its machine do. Times are Unix seconds, ages are seconds.

    `unpolled`: how long ago the inbox was last worked through; `trouble`: why, in a sentence. `overdue`: how long the
    oldest letter has been waiting for the SMTP server. `keys` and `certificates`: what ends, in words, and when.
    """

    now: int
    unpolled: float
    trouble: str | None
    overdue: int
    disk_free: float
    keys: Sequence[tuple[str, int]]
    certificates: Sequence[tuple[str, int]]
    unopened: int
    unsaid: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """When a standstill is worth an alarm, in minutes."""

    poll_minutes: int
    outbox_minutes: int


def due(condition: Condition, limits: Limits, raised: Iterable[str] = ()) -> list[Alarm]:
    """Give every alarm that this condition calls for; `raised` are the names of those that were called for before."""
    return [
        *_standstill(condition, limits),
        *_disk(condition, "disk" in set(raised)),
        *_endings(condition),
        *_crypto(condition),
    ]


def _standstill(condition: Condition, limits: Limits) -> Iterable[Alarm]:
    if condition.unpolled > limits.poll_minutes * 60:
        yield Alarm(
            "inbox",
            f"The inbox could not be worked through for {_span(condition.unpolled)}. People who write wait.\n"
            f"Last trouble: {condition.trouble or 'a step takes very long'}",
            "On the server, run: mailroom doctor",
        )
    if condition.overdue > limits.outbox_minutes * 60:
        yield Alarm(
            "outbox",
            f"A letter has been waiting for {_span(condition.overdue)}: the server that sends mail does not take it.",
            "On the server, run: mailroom doctor. Letters are tried again for five days.",
        )


def _disk(condition: Condition, was_raised: bool) -> Iterable[Alarm]:
    if condition.disk_free < (DISK_FREE_AGAIN if was_raised else DISK_FREE):
        yield Alarm(
            "disk",
            f"The disk of the records is almost full: {condition.disk_free:.0%} is free.",
            "Make room. While the disk is full, mail stays in the inbox and nobody is answered.",
        )


def _endings(condition: Condition) -> Iterable[Alarm]:
    for what, at in condition.keys:
        if at < condition.now + KEY_DAYS * _DAY:
            yield Alarm(
                f"key {what}",
                f"{what[:1].upper()}{what[1:]} {_ends(at, condition.now)}.",
                "Its owner makes it last longer and gives you the public key. Then run: mailroom keys import FILE",
            )
    for what, at in condition.certificates:
        if at < condition.now + CERTIFICATE_DAYS * _DAY:
            yield Alarm(
                f"certificate {what}",
                f"The certificate of the {what} server {_ends(at, condition.now)}.",
                "Whoever runs that server renews it. After that day Mailroom does not talk to it.",
            )


def _crypto(condition: Condition) -> Iterable[Alarm]:
    if condition.unopened >= UNOPENED:
        yield Alarm(
            "decryption",
            f"The last {UNOPENED} or more encrypted mails could not be opened with the desk key. They are kept.",
            "On the server, run: mailroom doctor. Then: mailroom case retry --parked",
        )
    if condition.unsaid:
        yield Alarm(
            "notices",
            "The record keeper's mail server refused a notice for good. She does not know of that case.",
            "Ask her whether her mailbox works and is not full. She finds all cases with: mailroom case list",
        )


def _ends(at: int, now: int) -> str:
    day = datetime.fromtimestamp(at, UTC).date().isoformat()
    return f"ends on {day}" if at > now else f"has ended on {day}"


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    hours, days = minutes // 60, minutes // (60 * 24)
    return f"{days} days" if days > 2 else f"{hours} hours" if hours > 2 else f"{minutes} minutes"


def raised_text(alarms: Sequence[Alarm]) -> str:
    """Write the mail that tells of new alarms."""
    told = "\n\n".join(f"{alarm.what}\n{alarm.do}" for alarm in alarms)
    return f"{told}\n\nThis is told once. Another mail comes when it is over.\n"


def over_text(since: dict[str, int]) -> str:
    """Write the mail that tells what is over; `since` is when each of them began, as Unix seconds."""
    lines = (f"{_was(name)}: since {_minute(at)}, now over." for name, at in sorted(since.items()))
    return "\n".join(lines) + "\n\nYou need not do anything.\n"


def _was(name: str) -> str:
    kind, _, what = name.partition(" ")
    if kind == "key":
        return f"{what[:1].upper()}{what[1:]} was near its end"
    if kind == "certificate":
        return f"The certificate of the {what} server was near its end"
    return _WORDS.get(name, name)


def clock_text(seconds: float) -> str:
    """Write the mail that tells of a jump of the clock."""
    way = "forward" if seconds > 0 else "back"
    return (
        f"The clock of the machine jumped {way} by {_span(abs(seconds))}.\n"
        "See that it is set by the network (timedatectl). Mailroom goes on; letters that waited were planned anew.\n"
    )


def stopped_text(unit: str) -> str:
    """Write the mail that tells that the service has stopped."""
    return (
        f"The service {unit} has stopped and does not come up again by itself.\n"
        "Mail stays in the inbox and nobody is answered.\n"
        f"On the server, run: journalctl -u {unit} -n 50, then: mailroom doctor\n"
    )


def alive_text(filed: int, waiting: int, held: int) -> str:
    """Write the daily line."""
    return f"Alive: {filed} filed since the last line, {waiting} letters waiting, {held} answers held.\n"


_WORDS = {
    "inbox": "The inbox could not be worked through",
    "outbox": "Letters waited for the server that sends mail",
    "disk": "The disk was almost full",
    "decryption": "Encrypted mail could not be opened",
    "notices": "The record keeper's mail server refused a notice",
}


def _minute(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
