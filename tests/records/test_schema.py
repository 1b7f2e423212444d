"""The schema and its versions."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mailroom.errors import MailroomError
from mailroom.records import database, schema
from mailroom.records.tables import metadata


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'mailroom.db'}"


def test_the_migrations_make_exactly_the_tables_of_the_program(url: str) -> None:
    schema.upgrade(url)
    with database.connected(url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_migration_is_the_version_that_the_program_asks_for(url: str) -> None:
    assert ScriptDirectory.from_config(schema.alembic_config(url)).get_current_head() == database.HEAD
    schema.upgrade(url)
    database.require_current(url)


def test_a_database_of_another_version_is_refused_with_both_numbers(url: str) -> None:
    with pytest.raises(MailroomError, match="has schema none, this program needs"):
        database.require_current(url)


def test_upgrading_twice_changes_nothing(url: str) -> None:
    schema.upgrade(url)
    schema.upgrade(url)
    assert database.version(url) == database.HEAD
