"""A database that fails is told as such, and no mail is blamed for it."""

from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from mailroom.errors import RecordsUnavailable
from mailroom.records import schema
from mailroom.records.database import Database
from mailroom.records.tables import cases


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite+aiosqlite:///{tmp_path}/mailroom.db"
    schema.upgrade(made)
    return made


async def test_a_damaged_database_is_told_as_unavailable(url: str, tmp_path: Path) -> None:
    path = tmp_path / "mailroom.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))
    database = Database(url)
    with pytest.raises(RecordsUnavailable, match="the database failed"):
        await database.read(lambda connection: connection.execute(select(cases)).all())
    database.close()


async def test_a_wrong_statement_of_ours_is_not_taken_for_it(url: str) -> None:
    database = Database(url)
    insert = text("INSERT INTO cases (id) VALUES (1)")  # what must not be empty is missing
    with pytest.raises(DatabaseError):
        await database.write(lambda connection: connection.execute(insert))
    database.close()
