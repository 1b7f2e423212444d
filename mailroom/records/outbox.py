"""The outbox: letters under the case key, until the SMTP server took them."""

import base64
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update

from mailroom.flow.filing import Case, Due, Letter, Outgoing
from mailroom.records import audit
from mailroom.records.clock import Clock
from mailroom.records.database import Database
from mailroom.records.seal import Sealer
from mailroom.records.tables import cases, outbox


def row(sealer: Sealer, case: Case, case_id: int, outgoing: Outgoing, now: datetime) -> dict[str, object]:
    """Make the outbox row of one letter."""
    due = int(now.timestamp())
    return {
        "case_id": case_id,
        "kind": outgoing.kind,
        "sequence": outgoing.sequence,
        "state": "held" if outgoing.held else "waiting",
        "automatic": outgoing.kind == "reply",
        "attempts": 0,
        "due": due,
        "since": due,
        "letter": sealer.close_json(_packed(outgoing.letter), case.key_id, _place(case.reference, outgoing)),
    }


class OutboxBook:
    """The table `outbox`; fits `flow.ports.Outbox`."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._database, self._sealer, self._clock = database, sealer, clock

    async def due(self, now: int, *, automatic: bool, limit: int) -> list[Due]:
        """Give letters that are due, oldest first."""
        query = (
            select(outbox, cases.c.reference)
            .join(cases, cases.c.id == outbox.c.case_id)
            .where(outbox.c.state == "waiting", outbox.c.due <= now)
            .order_by(outbox.c.due, outbox.c.id)
            .limit(limit)
        )
        if not automatic:
            query = query.where(outbox.c.automatic.is_(False))
        async with self._database.read() as connection:
            return [self._due(found) for found in await connection.execute(query)]

    async def sent(self, due: Due) -> None:
        """Forget the bytes and the time."""
        await self._set(due, {"state": "sent", "letter": None, "since": 0, "due": 0}, "sent")

    async def later(self, due: Due, at: int) -> None:
        """Count the attempt."""
        async with self._database.write() as connection:
            values = {"attempts": due.attempts + 1, "due": at}
            await connection.execute(update(outbox).where(outbox.c.id == due.id).values(**values))

    async def failed(self, due: Due, code: int) -> None:
        """Keep the bytes."""
        await self._set(due, {"state": "failed"}, f"failed {code}")

    async def waiting(self) -> int:
        """Count waiting letters."""
        query = select(func.count()).select_from(outbox).where(outbox.c.state == "waiting")
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def let_go(self, reference: str) -> int:
        """Let the held letters of a case go; give how many there were."""
        case_id = select(cases.c.id).where(cases.c.reference == reference).scalar_subquery()
        held = (outbox.c.case_id == case_id) & (outbox.c.state == "held")
        async with self._database.write() as connection:
            now = self._clock()
            done = await connection.execute(
                update(outbox).where(held).values(state="waiting", due=int(now.timestamp()), since=int(now.timestamp()))
            )
            if done.rowcount:
                await audit.append(connection, now, "operator", "answer", reference, "let go")
        return int(done.rowcount)

    async def _set(self, due: Due, values: dict[str, object], result: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(outbox).where(outbox.c.id == due.id).values(**values))
            await audit.append(connection, self._clock(), "desk", f"send {due.kind}", due.reference, result)

    def _due(self, found: Row[*tuple[Any, ...]]) -> Due:
        sealed = self._sealer.open_json(found.letter, f"{found.reference}/outbox/{found.kind}/{found.sequence}")
        letter = Letter(str(sealed["from"]), str(sealed["to"]), base64.b64decode(str(sealed["bytes"])))
        return Due(found.id, found.reference, found.kind, found.automatic, found.attempts, found.since, letter)


def _packed(letter: Letter) -> dict[str, str]:
    return {"from": letter.sender, "to": letter.recipient, "bytes": base64.b64encode(letter.content).decode()}


def _place(reference: str, outgoing: Outgoing) -> str:
    return f"{reference}/outbox/{outgoing.kind}/{outgoing.sequence}"
