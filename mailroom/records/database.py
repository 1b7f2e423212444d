"""The database behind one object: engine, one writer at a time, schema. All SQL that only SQLite knows is here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from mailroom.errors import MailroomError

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=16777216",
)


class Database:
    """Connections to the records. Writers take turns; readers do not wait for them."""

    def __init__(self, url: str) -> None:
        self.engine: AsyncEngine = create_async_engine(url, pool_size=4)
        self._writing = asyncio.Lock()
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _prepare)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed whole at the end, or not at all."""
        async with self._writing, self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading."""
        async with self.engine.connect() as connection:
            yield connection

    async def close(self) -> None:
        """Let go of all connections."""
        await self.engine.dispose()


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def exists(url: str) -> bool:
    """Whether there is a database at all; a server's is taken to be there."""
    file = make_url(url).database
    return make_url(url).get_backend_name() != "sqlite" or (file is not None and Path(file).exists())


def upgrade(url: str) -> None:
    """Bring the schema to the version of this program; makes the database when there is none. Synchronous."""
    with _connected(url) as connection:
        config = _alembic(url)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def versions(url: str) -> tuple[str | None, str | None]:
    """Give the schema version of the database and the one that this program needs."""
    with _connected(url) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(_alembic(url)).get_current_head()


def require_current(url: str) -> None:
    """Refuse a database that this program does not fit.

    Raises:
        MailroomError: the schema is older or newer than this program.
    """
    current, head = versions(url)
    if current != head:
        raise MailroomError(f"the database has schema {current or 'none'}, this program needs {head}")


def _connected(url: str) -> Connection:
    sync_url = make_url(url).set(drivername=make_url(url).get_backend_name())
    engine = create_engine(sync_url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
    return engine.connect()


def _alembic(url: str) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config
