"""How the records stand, for `mailroom doctor`: their version, and what waits for somebody. Only looks."""

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select
from sqlalchemy.exc import DatabaseError

from mailroom.errors import RecordsUnavailable
from mailroom.records.database import connected, version
from mailroom.records.tables import messages, outbox


@dataclass(frozen=True, slots=True)
class Standing:
    """Counts: cases with a mail that nobody could read, letters that will never go, answers held for the keeper.

    `waiting_since`: the Unix time since which the server should have had the letter that waits longest, if any.
    """

    unread: int
    failed: int
    held: int
    waiting_since: int | None


def schema_version(url: str) -> str | None:
    """Give the version of the schema; None without one.

    Raises:
        RecordsUnavailable: the file is no database, is damaged, locked, or may not be opened.
    """
    try:
        return version(url)
    except DatabaseError as error:
        raise RecordsUnavailable(f"the database does not open: {error.orig}") from None


def standing(url: str) -> Standing:
    """Count what waits.

    Raises:
        RecordsUnavailable: as `schema_version`.
    """
    try:
        with connected(url) as connection:
            return _count(connection)
    except DatabaseError as error:
        raise RecordsUnavailable(f"the database does not open: {error.orig}") from None


def _count(connection: Connection) -> Standing:
    unread = (messages.c.kind == "parked") | (messages.c.protection == "undecrypted")
    cases = select(func.count(messages.c.case_id.distinct())).where(unread)
    awaited = case((outbox.c.attempts > 0, outbox.c.since), else_=outbox.c.due)
    oldest = select(func.min(awaited)).where(outbox.c.state == "waiting")
    return Standing(
        unread=connection.execute(cases).scalar_one(),
        failed=_letters(connection, "failed"),
        held=_letters(connection, "held"),
        waiting_since=connection.execute(oldest).scalar_one(),
    )


def _letters(connection: Connection, state: str) -> int:
    return connection.execute(select(func.count()).where(outbox.c.state == state)).scalar_one()
