"""The audit log."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, delete, update

from mailroom.records import audit
from mailroom.records.tables import audit as table
from tests.records.conftest import Shelf

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def fill(connection: Connection) -> None:
    for number in range(5):
        audit.append(connection, NOW, "desk", "intake", f"K7QD-3M9X-{number}", "report")


def test_a_whole_chain_breaks_nowhere(shelf: Shelf) -> None:
    shelf.database.write_now(fill)
    assert shelf.database.read_now(audit.broken_at) is None


@pytest.mark.parametrize("column", ["at", "actor", "act", "object", "result", "previous", "hash"])
def test_a_change_of_any_field_breaks_the_chain(shelf: Shelf, column: str) -> None:
    shelf.database.write_now(fill)
    forged = update(table).where(table.c.seq == 3).values({column: "forged"})
    shelf.database.write_now(lambda connection: connection.execute(forged))
    assert shelf.database.read_now(audit.broken_at) == 3


def test_a_missing_entry_breaks_the_chain(shelf: Shelf) -> None:
    shelf.database.write_now(fill)
    shelf.database.write_now(lambda connection: connection.execute(delete(table).where(table.c.seq == 2)))
    assert shelf.database.read_now(audit.broken_at) == 2


def test_processes_that_append_at_the_same_time_wait_for_each_other(shelf: Shelf, reopen: Callable[[], Shelf]) -> None:
    shelves = [shelf, *(reopen() for _ in range(3))]
    with ThreadPoolExecutor(len(shelves)) as pool:
        list(pool.map(lambda one: [one.database.write_now(fill) for _ in range(5)], shelves))
    assert shelf.database.read_now(audit.length) == len(shelves) * 5 * 5
    assert shelf.database.read_now(audit.broken_at) is None
