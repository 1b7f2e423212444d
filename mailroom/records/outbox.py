"""The outbox: letters under the case key, until the SMTP server took them."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, exists, func, select, update

from mailroom.errors import SealError
from mailroom.flow.filing import Case, Due, Letter, Outgoing
from mailroom.records import audit
from mailroom.records.clock import Clock
from mailroom.records.database import Database
from mailroom.records.digests import Digests, address_form
from mailroom.records.seal import Sealer
from mailroom.records.tables import cases, outbox
from mailroom.records.tables import digests as digests_table

_ANY = (
    select(outbox, cases.c.reference)
    .join(cases, cases.c.id == outbox.c.case_id)
    .where(outbox.c.due <= bindparam("now"))
    .order_by(outbox.c.due, outbox.c.id)
)
_DUE = _ANY.where(outbox.c.state == "waiting")
_LINES = _ANY.where(outbox.c.state == "line")
_SLACK = 60  # seconds that a clock may be set back without any harm
_CHANGE = update(outbox).where(outbox.c.id == bindparam("this"))
_SENDER = (digests_table.c.kind == "sender") & digests_table.c.digest.in_(bindparam("known", expanding=True))
_WROTE = select(exists().where(_SENDER, digests_table.c.case_id == bindparam("here")))


def row(sealer: Sealer, case: Case, case_id: int, outgoing: Outgoing, now: datetime) -> dict[str, object]:
    """Make the outbox row of one letter."""
    since = int(now.timestamp())
    return {
        "case_id": case_id,
        "kind": outgoing.kind,
        "sequence": outgoing.sequence,
        "state": "line" if outgoing.is_line else "held" if outgoing.held else "waiting",
        "automatic": outgoing.kind == "reply",
        "attempts": 0,
        "due": max(since, outgoing.not_before),
        "since": since,
        "letter": sealer.close_json(_packed(outgoing.letter), case.key_id, _place(case.reference, outgoing)),
    }


class OutboxBook:
    """The table `outbox`; fits `flow.ports.Outbox`."""

    def __init__(self, database: Database, sealer: Sealer, digests: Digests, clock: Clock) -> None:
        self._database, self._sealer, self._digests, self._clock = database, sealer, digests, clock

    async def due(self, now: int, *, automatic: bool, limit: int) -> list[Due]:
        """Give letters that are due, oldest first."""
        return await self._database.write(self._find_due, now, automatic, limit)

    async def sent(self, letters: Sequence[Due]) -> None:
        """Forget the bytes and the times."""
        await self._database.write(_note_sent, letters, self._clock())

    async def later(self, due: Due, at: int) -> None:
        """Count the attempt."""
        await self._database.write(_change, due, {"attempts": due.attempts + 1, "due": at})

    async def failed(self, due: Due, code: int) -> None:
        """Keep the bytes."""
        await self._database.write(finish, due, {"state": "failed"}, self._clock(), f"failed {code}")

    async def lines(self, now: int) -> list[Due]:
        """Give what is due of the lines of digests."""
        return await self._database.write(self._find, _LINES, now)

    async def drop(self, lines: Sequence[Due]) -> None:
        """Forget their text."""
        await self._database.write(drop_lines, lines)

    async def counts(self) -> tuple[int, int]:
        """Count waiting and held letters."""
        return await self._database.read(_counts)

    async def overdue(self) -> int | None:
        """Take the first try of what was tried, and the due time of what was not."""
        return await self._database.read(_overdue)

    async def mend_times(self, now: int, longest: int) -> int:
        """Find what was made later than now, or has to wait longer than any pause between tries."""
        return await self._database.write(_mend_times, now, longest)

    def let_go(self, connection: Connection, reference: str) -> int:
        """Let the held letters of a case go; give how many there were."""
        case_id = select(cases.c.id).where(cases.c.reference == reference).scalar_subquery()
        held = (outbox.c.case_id == case_id) & (outbox.c.state == "held")
        at = int(self._clock().timestamp())
        done = connection.execute(update(outbox).where(held).values(state="waiting", due=at, since=at))
        if done.rowcount:
            audit.append(connection, self._clock(), "operator", "answer", reference, "let go")
        return int(done.rowcount)

    def _find_due(self, connection: Connection, now: int, automatic: bool, limit: int) -> list[Due]:
        query = _DUE if automatic else _DUE.where(outbox.c.automatic.is_(False))
        return self._find(connection, query.limit(limit), now)

    def _find(self, connection: Connection, query: Select[*tuple[Any, ...]], now: int) -> list[Due]:
        found = connection.execute(query, {"now": now}).all()
        return [due for one in found if (due := self._opened(connection, one)) is not None]

    def _opened(self, connection: Connection, found: Row[*tuple[Any, ...]]) -> Due | None:
        try:
            return self._due(connection, found)
        except SealError:  # one letter that does not open must keep no other waiting
            connection.execute(update(outbox).where(outbox.c.id == found.id).values(state="failed"))
            audit.append(connection, self._clock(), "desk", f"send {found.kind}", found.reference, "unreadable")
            return None

    def _due(self, connection: Connection, found: Row[*tuple[Any, ...]]) -> Due:
        sealed = self._sealer.open_json(found.letter, f"{found.reference}/outbox/{found.kind}/{found.sequence}")
        letter = Letter(str(sealed["from"]), str(sealed["to"]), base64.b64decode(str(sealed["bytes"])))
        wrote = wrote_to(connection, self._digests, found.case_id, letter.recipient)
        return Due(
            id=found.id,
            reference=found.reference,
            kind=found.kind,
            automatic=found.automatic,
            attempts=found.attempts,
            since=found.since,
            letter=letter,
            wrote=wrote,
        )


def wrote_to(connection: Connection, digests: Digests, case_id: int, address: str) -> bool:
    """Whether this address wrote to this case: its keyed hash is among the case's senders."""
    known = digests.all("sender", address_form(address).encode())
    return bool(connection.execute(_WROTE, {"known": known, "here": case_id}).scalar_one())


def _note_sent(connection: Connection, letters: Sequence[Due], now: datetime) -> None:
    for due in letters:
        finish(connection, due, {"state": "sent", "letter": None, "since": 0, "due": 0}, now, "sent")


def finish(connection: Connection, due: Due, values: Mapping[str, object], now: datetime, result: str) -> None:
    """Bring a letter to its end, and log it."""
    _change(connection, due, values)
    audit.append(connection, now, "desk", f"send {due.kind}", due.reference, result)


def _change(connection: Connection, due: Due, values: Mapping[str, object]) -> None:
    connection.execute(_CHANGE, {"this": due.id, **values})


def drop_lines(connection: Connection, lines: Sequence[Due]) -> None:
    """Forget the text of lines: they went with a digest, or nobody reads them."""
    for line in lines:
        _change(connection, line, {"state": "sent", "letter": None, "since": 0, "due": 0})


def _counts(connection: Connection) -> tuple[int, int]:
    query = select(outbox.c.state, func.count()).where(outbox.c.state.in_(("waiting", "held"))).group_by(outbox.c.state)
    counts = {state: int(count) for state, count in connection.execute(query)}
    return counts.get("waiting", 0), counts.get("held", 0)


def _overdue(connection: Connection) -> int | None:
    awaited = case((outbox.c.attempts > 0, outbox.c.since), else_=outbox.c.due)
    found = connection.execute(select(func.min(awaited)).where(outbox.c.state == "waiting")).scalar_one()
    return None if found is None else int(found)


def _mend_times(connection: Connection, now: int, longest: int) -> int:
    tried_and_far = (outbox.c.attempts > 0) & (outbox.c.due > now + longest)
    wrong = outbox.c.state.in_(("waiting", "line")) & (tried_and_far | (outbox.c.since > now + _SLACK))
    since = case((outbox.c.since > now, now), else_=outbox.c.since)
    return connection.execute(update(outbox).where(wrong).values(due=now, since=since)).rowcount


def _packed(letter: Letter) -> dict[str, str]:
    return {"from": letter.sender, "to": letter.recipient, "bytes": base64.b64encode(letter.content).decode()}


def _place(reference: str, outgoing: Outgoing) -> str:
    return f"{reference}/outbox/{outgoing.kind}/{outgoing.sequence}"
