"""What became of each message of the inbox.

A row is made before work on a message begins and goes when the message has left the inbox, so that a crash leaves
a trace: a row still `started` or `alone` when the desk comes up again is a suspect. Only what happened while a
suspect was alone counts against it.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    case,
    delete,
    insert,
    select,
    tuple_,
    update,
)

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

    async def sort(self, listing: Sequence[Arrival], *, whole: bool = True) -> Sorted:
        """Hold the listing against the table. The first call of a process also counts what its last run left."""
        # Nothing is in work now: what still looks so is left from a death (the first time) or a failure of records.
        await self._database.write(_end if self._recovered else _recover)
        self._recovered = True
        return await self._database.write(_sort, listing, whole=whole)

    async def known(self, batch: Sequence[Arrival]) -> Sorted:
        """Look these up."""
        return await self._database.read(_known, batch)

    async def start(self, batch: Sequence[Arrival], *, alone: bool) -> None:
        """Commit that work on these begins."""
        await self._database.write(_start_alone if alone else _start, batch)

    async def suspect(self, arrival: Arrival, *, alone: bool) -> int:
        """Count a failure of the worker, when it was alone."""
        return await self._database.write(_suspect, arrival, alone=alone)

    async def desk_deaths(self, arrival: Arrival) -> int:
        """Give how often the desk died while this one was alone."""
        return await self._database.read(_desk_deaths, arrival)

    async def release(self, batch: Sequence[Arrival]) -> None:
        """Forget that work on these began; a suspect stays one."""
        await self._database.write(_release, batch)

    async def removed(self, locations: Mapping[Arrival, Location | None]) -> None:
        """Forget the rows, after noting in the messages where they lie now."""
        await self._database.write(_removed, locations)

    async def end(self) -> None:
        """Give back everything that is in work."""
        await self._database.write(_end)


def mark(connection: Connection, arrival: Arrival, state: str, message_id: int) -> None:
    """Mark an arrival as filed or parked, in the transaction that commits its message."""
    where = {"mailbox_": arrival.mailbox, "uidvalidity_": arrival.uidvalidity, "uid_": arrival.uid}
    connection.execute(_MARK, where | {"state": state, "message_id": message_id})


def is_(one: Arrival) -> ColumnElement[bool]:
    """Pick the row of one arrival."""
    return and_(arrivals.c.mailbox == one.mailbox, arrivals.c.uidvalidity == one.uidvalidity, arrivals.c.uid == one.uid)


_MARK = update(arrivals).where(
    *(arrivals.c[name] == bindparam(f"{name}_") for name in ("mailbox", "uidvalidity", "uid"))
)


def _recover(connection: Connection) -> None:
    in_work = arrivals.c.state.in_(("started", "alone"))
    deaths = arrivals.c.desk_deaths + case((arrivals.c.state == "alone", 1), else_=0)
    connection.execute(update(arrivals).where(in_work).values(state="suspect", desk_deaths=deaths))


def _sort(connection: Connection, listing: Sequence[Arrival], *, whole: bool) -> Sorted:
    rows = connection.execute(select(arrivals)).mappings().all()
    listed = {_key(one) for one in listing}
    if whole:
        _forget(connection, [row["id"] for row in rows if _named(row) not in listed])
    return _by_state(rows, listing)


def _known(connection: Connection, batch: Sequence[Arrival]) -> Sorted:
    rows = [
        row for some in _slices(batch) for row in connection.execute(select(arrivals).where(_among(some))).mappings()
    ]
    return _by_state(rows, batch)


def _by_state(rows: Sequence[RowMapping], listing: Sequence[Arrival]) -> Sorted:
    states = {_named(row): row["state"] for row in rows}
    by_state: dict[str | None, list[Arrival]] = {}
    for one in listing:
        by_state.setdefault(states.get(_key(one)), []).append(one)
    return Sorted(
        fresh=tuple(one for one in by_state.get(None, ()) if not one.is_deleted),
        suspects=tuple(by_state.get("suspect", ())),
        filed=tuple(by_state.get("filed", ())),
        parked=tuple(by_state.get("parked", ())),
        copies=tuple(by_state.get("copy", ())),
    )


def _start(connection: Connection, batch: Sequence[Arrival]) -> None:
    rows = [_columns(one) | {"state": "started", "failures": 0, "desk_deaths": 0} for one in batch]
    connection.execute(insert(arrivals), rows)


def _start_alone(connection: Connection, batch: Sequence[Arrival]) -> None:
    _set_state(connection, batch, "alone")


def _suspect(connection: Connection, arrival: Arrival, *, alone: bool) -> int:
    failures = arrivals.c.failures + int(alone)
    connection.execute(update(arrivals).where(is_(arrival)).values(state="suspect", failures=failures))
    found: int = connection.execute(select(arrivals.c.failures).where(is_(arrival))).scalar_one()
    return found


def _desk_deaths(connection: Connection, arrival: Arrival) -> int:
    found = connection.execute(select(arrivals.c.desk_deaths).where(is_(arrival)))
    return found.scalar_one_or_none() or 0


def _release(connection: Connection, batch: Sequence[Arrival]) -> None:
    for some in _slices(batch):
        connection.execute(delete(arrivals).where(_among(some), arrivals.c.state == "started"))
        alone = and_(_among(some), arrivals.c.state == "alone")
        connection.execute(update(arrivals).where(alone).values(state="suspect"))


def _end(connection: Connection) -> None:
    connection.execute(delete(arrivals).where(arrivals.c.state == "started"))
    connection.execute(update(arrivals).where(arrivals.c.state == "alone").values(state="suspect"))


def _removed(connection: Connection, locations: Mapping[Arrival, Location | None]) -> None:
    for arrival, location in locations.items():
        if location is not None:
            _note_location(connection, arrival, location)
    for some in _slices(list(locations)):
        connection.execute(delete(arrivals).where(_among(some)))


def _note_location(connection: Connection, arrival: Arrival, location: Location) -> None:
    message = select(arrivals.c.message_id).where(is_(arrival)).scalar_subquery()
    values = {"folder": location.mailbox, "folder_uidvalidity": location.uidvalidity, "folder_uid": location.uid}
    connection.execute(update(messages).where(messages.c.id == message).values(**values))


def _set_state(connection: Connection, batch: Sequence[Arrival], state: str) -> None:
    for some in _slices(batch):
        connection.execute(update(arrivals).where(_among(some)).values(state=state))


def _forget(connection: Connection, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        connection.execute(delete(arrivals).where(arrivals.c.id.in_(ids[start : start + _AT_ONCE])))


def _slices(batch: Sequence[Arrival]) -> list[Sequence[Arrival]]:
    return [batch[start : start + _AT_ONCE] for start in range(0, len(batch), _AT_ONCE)]


def _columns(one: Arrival) -> dict[str, str | int]:
    return {"mailbox": one.mailbox, "uidvalidity": one.uidvalidity, "uid": one.uid}


def _key(one: Arrival) -> tuple[str, int, int]:
    return one.mailbox, one.uidvalidity, one.uid


def _named(row: RowMapping) -> tuple[str, int, int]:
    return row["mailbox"], row["uidvalidity"], row["uid"]


def _among(batch: Sequence[Arrival]) -> ColumnElement[bool]:
    return tuple_(arrivals.c.mailbox, arrivals.c.uidvalidity, arrivals.c.uid).in_([_key(one) for one in batch])
