"""Telling the record keeper: at once, or in the next digest.

A flood must not bury what matters. Above the hourly allowance a notice becomes one line of a digest that goes when the
allowance has room again; suspected spam and mail that was forged in the name of our people are listed once a day.
What is urgent goes at once, always.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time, timedelta, tzinfo

from mailroom.errors import EncryptionFailed, SealError
from mailroom.flow.answering import header, outgoing
from mailroom.flow.desk import Desk, Person
from mailroom.flow.filing import Case, Due, Letter, Outgoing, OutgoingKind
from mailroom.keeper import notices as wording
from mailroom.keeper.notices import Notice
from mailroom.log import get_logger
from mailroom.mail import compose

_MOST_LINES = 200  # of one digest; the others are counted

_log = get_logger(__name__)


async def inform(
    desk: Desk, notice: Notice, case: Case, people: Sequence[Person], *, urgent: bool = False
) -> tuple[Outgoing, ...]:
    """Tell these people: a notice for each, or a line for the digest of those whose allowance is used up."""
    at = None if urgent else desk.pace.notice(desk.now())
    if at is None:
        return await tell(desk, notice, case, people)
    return await listed(desk, "excess", notice.subject, case, people, at)


async def tell(desk: Desk, notice: Notice, case: Case, people: Sequence[Person]) -> tuple[Outgoing, ...]:
    """Make one encrypted notice for each of these people."""
    first = await desk.cases.sequence(case, "notice")
    made = []
    for sequence, person in enumerate(_readers(people), first):
        head = header(desk, case, ("notice", sequence), (person.address, notice.outer_subject, None))
        content = _for_her_eyes(desk, head, notice, person, case.reference)
        made.append(outgoing(desk, case, ("notice", sequence), Letter("", person.address, content), None))
    return tuple(made)


async def listed(
    desk: Desk, kind: OutgoingKind, line: str, case: Case, people: Sequence[Person], at: int | None = None
) -> tuple[Outgoing, ...]:
    """Make a line for the next digest of each of these people: at Unix time `at`, or at the next hour for digests."""
    policy = desk.office.policy
    due = next_digest(desk.office.clock(), policy.digest_hours, policy.zone) if at is None else at
    first = await desk.cases.sequence(case, kind)
    return tuple(
        Outgoing(kind, sequence, Letter("", person.address, line.encode()), "", "", not_before=due)
        for sequence, person in enumerate(_readers(people), first)
    )


def _readers(people: Sequence[Person]) -> list[Person]:
    return [person for person in people if person.certificate]


def _for_her_eyes(desk: Desk, head: compose.Header, notice: Notice, person: Person, reference: str) -> bytes:
    """Encrypt a notice; with a key that cannot be used any more, say only that, and the reference."""
    entity = compose.text_part(notice.text, protected_subject=notice.subject)
    try:
        return compose.encrypted(head, desk.encryptor.encrypt(entity, [person.certificate or b""], armor=True))
    except EncryptionFailed:
        _log.error("keeper key unusable", case=reference)
        return compose.plain(head, wording.KEY_UNUSABLE)


def next_digest(now: datetime, hours: Sequence[int], zone: tzinfo) -> int:
    """Give the Unix time of the next of these hours of the day."""
    today = now.astimezone(zone).date()
    moments = (
        datetime.combine(today + timedelta(days=day), time(hour), tzinfo=zone) for day in (0, 1) for hour in hours
    )
    return int(min(moment for moment in moments if moment > now).timestamp())


async def digest(desk: Desk) -> None:
    """Make one notice of all lines of the lists that are due, for each of their readers."""
    lines = await desk.outbox.lines(desk.now())
    by_reader: dict[str, list[Due]] = {}
    for line in lines:
        by_reader.setdefault(line.letter.recipient, []).append(line)
    for address, theirs in by_reader.items():
        case = await _first_case(desk, theirs)
        if case is None:  # all of them were erased meanwhile, or none opens
            await desk.outbox.drop(theirs)
            continue
        desk.pace.notice(desk.now())
        notice = wording.digest(*_sections(theirs))
        told = await tell(desk, notice, case, _people_at(desk, address))
        await desk.cases.post(case, told, instead_of=theirs)
        _log.info("digest", count=len(theirs))


async def _first_case(desk: Desk, lines: Sequence[Due]) -> Case | None:
    """Find a case of these to send their digest under. One that does not open keeps no other letter waiting."""
    for reference in dict.fromkeys(line.reference for line in lines):
        try:
            case = await desk.cases.by_reference(reference)
        except SealError:
            _log.error("case does not open", case=reference)
            continue
        if case is not None:
            return case
    return None


def _people_at(desk: Desk, address: str) -> Sequence[Person]:
    """Find who reads mail there; the keepers of today where the address is none of ours any more."""
    there = [person for person in desk.office.people if person.address.casefold() == address.casefold()]
    return there[:1] or desk.office.role("keeper")


def _sections(lines: Sequence[Due]) -> tuple[dict[str, list[str]], Counter[str]]:
    """Give the lines of each kind, as many as a person reads, and how many more there are."""
    shown: dict[str, list[str]] = {}
    more = Counter[str]()
    for line in lines:
        if len(shown.setdefault(line.kind, [])) < _MOST_LINES:
            shown[line.kind].append(line.letter.content.decode())
        else:
            more[line.kind] += 1
    return shown, more
