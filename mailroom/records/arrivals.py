"""What became of each message of the inbox.

A row is made before work on a message begins and goes when the message has left the inbox, so that a crash leaves
a trace: a row still `started` or `alone` when the desk comes up again is a suspect. Only what happened while a
suspect was alone counts against it.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, RowMapping, and_, case, delete, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mailroom.flow.filing import Location, Sorted
from mailroom.mail.message import Arrival
from mailroom.records.database import Database
from mailroom.records.tables import arrivals, messages

_AT_ONCE = 300  # below every database's limit of bound values


class ArrivalBook:
    """The table `arrivals`; fits `flow.ports.Arrivals`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recovered = False

    async def sort(self, listing: Sequence[Arrival]) -> Sorted:
        """Hold the listing against the table. The first call of a process also counts what its last run left."""
        if not self._recovered:
            await self._recover()
        async with self._database.read() as connection:
            rows = (await connection.execute(select(arrivals))).mappings().all()
        states = {_named(row): row["state"] for row in rows}
        listed = {_key(one) for one in listing}
        await self._forget([row["id"] for row in rows if _named(row) not in listed])
        by_state: dict[str | None, list[Arrival]] = {}
        for one in listing:
            by_state.setdefault(states.get(_key(one)), []).append(one)
        return Sorted(
            fresh=tuple(by_state.get(None, ())),
            suspects=tuple(by_state.get("suspect", ())),
            filed=tuple(by_state.get("filed", ())),
            parked=tuple(by_state.get("parked", ())),
        )

    async def start(self, batch: Sequence[Arrival], *, alone: bool) -> None:
        """Commit that work on these begins."""
        async with self._database.write() as connection:
            if alone:
                await connection.execute(update(arrivals).where(among(batch)).values(state="alone"))
            else:
                rows = [_columns(one) | {"state": "started", "failures": 0, "desk_deaths": 0} for one in batch]
                await connection.execute(insert(arrivals), rows)

    async def suspect(self, arrival: Arrival, *, alone: bool) -> int:
        """Count a failure of the worker, when it was alone."""
        failures = arrivals.c.failures + int(alone)
        async with self._database.write() as connection:
            await connection.execute(update(arrivals).where(is_(arrival)).values(state="suspect", failures=failures))
            found: int = (await connection.execute(select(arrivals.c.failures).where(is_(arrival)))).scalar_one()
        return found

    async def desk_deaths(self, arrival: Arrival) -> int:
        """Give how often the desk died while this one was alone."""
        async with self._database.read() as connection:
            found = await connection.execute(select(arrivals.c.desk_deaths).where(is_(arrival)))
            return found.scalar_one_or_none() or 0

    async def release(self, batch: Sequence[Arrival]) -> None:
        """Forget that work on these began; a suspect stays one."""
        for some in _slices(batch):
            async with self._database.write() as connection:
                started = and_(among(some), arrivals.c.state == "started")
                await connection.execute(delete(arrivals).where(started))
                alone = and_(among(some), arrivals.c.state == "alone")
                await connection.execute(update(arrivals).where(alone).values(state="suspect"))

    async def removed(self, locations: Mapping[Arrival, Location | None]) -> None:
        """Forget the rows, after noting in the messages where they lie now."""
        async with self._database.write() as connection:
            for arrival, location in locations.items():
                if location is not None:
                    await _note_location(connection, arrival, location)
            for some in _slices(list(locations)):
                await connection.execute(delete(arrivals).where(among(some)))

    async def left(self, arrival: Arrival) -> None:
        """Mark it as filed and staying."""
        async with self._database.write() as connection:
            await connection.execute(update(arrivals).where(is_(arrival)).values(state="left"))

    async def _recover(self) -> None:
        in_work = arrivals.c.state.in_(("started", "alone"))
        deaths = arrivals.c.desk_deaths + case((arrivals.c.state == "alone", 1), else_=0)
        async with self._database.write() as connection:
            await connection.execute(update(arrivals).where(in_work).values(state="suspect", desk_deaths=deaths))
        self._recovered = True

    async def _forget(self, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), _AT_ONCE):
            async with self._database.write() as connection:
                await connection.execute(delete(arrivals).where(arrivals.c.id.in_(ids[start : start + _AT_ONCE])))


async def mark(connection: AsyncConnection, arrival: Arrival, state: str, message_id: int) -> None:
    """Mark an arrival as filed or parked, in the transaction that commits its message."""
    await connection.execute(update(arrivals).where(is_(arrival)).values(state=state, message_id=message_id))


async def _note_location(connection: AsyncConnection, arrival: Arrival, location: Location) -> None:
    message = select(arrivals.c.message_id).where(is_(arrival)).scalar_subquery()
    await connection.execute(
        update(messages)
        .where(messages.c.id == message)
        .values(folder=location.mailbox, folder_uidvalidity=location.uidvalidity, folder_uid=location.uid)
    )


def _slices(batch: Sequence[Arrival]) -> list[Sequence[Arrival]]:
    return [batch[start : start + _AT_ONCE] for start in range(0, len(batch), _AT_ONCE)]


def _columns(one: Arrival) -> dict[str, str | int]:
    return {"mailbox": one.mailbox, "uidvalidity": one.uidvalidity, "uid": one.uid}


def _key(one: Arrival) -> tuple[str, int, int]:
    return one.mailbox, one.uidvalidity, one.uid


def _named(row: RowMapping) -> tuple[str, int, int]:
    return row["mailbox"], row["uidvalidity"], row["uid"]


def is_(one: Arrival) -> ColumnElement[bool]:
    """Pick the row of one arrival."""
    return and_(arrivals.c.mailbox == one.mailbox, arrivals.c.uidvalidity == one.uidvalidity, arrivals.c.uid == one.uid)


def among(batch: Sequence[Arrival]) -> ColumnElement[bool]:
    """Pick the rows of these arrivals."""
    return tuple_(arrivals.c.mailbox, arrivals.c.uidvalidity, arrivals.c.uid).in_([_key(one) for one in batch])
