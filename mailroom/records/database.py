"""The database behind one object: engine, one writer at a time, schema. All SQL that only SQLite knows is here."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from mailroom.errors import MailroomError, RecordsUnavailable

#: The schema version that this program works with: the newest file in migrations/versions.
HEAD = "0001"

_WRITES = {"writes": True}
P = ParamSpec("P")
T = TypeVar("T")

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
    """The records behind one connection and one thread: whoever asks, takes turns.

    One thread hop a transaction instead of one a statement: SQLAlchemy's asyncio extension cost 16 ms a filed mail
    here, this costs 4 (ARCHITECTURE.md, Decisions).
    """

    def __init__(self, url: str) -> None:
        self.engine = engine_for(url)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="records")

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction: committed whole when it returns, or not at all when it raises."""
        call = partial(self.write_now, work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` on a connection for reading."""
        call = partial(self.read_now, work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def write_now(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write`, in the caller's thread: for commands that need no event loop."""
        with _translated(), self.engine.connect().execution_options(**_WRITES) as connection, connection.begin():
            return work(connection, *args, **kwargs)

    def read_now(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `read`, in the caller's thread."""
        with _translated(), self.engine.connect() as connection:
            return work(connection, *args, **kwargs)

    def close(self) -> None:
        """Let the work at hand finish, then let go of the connection."""
        self._thread.shutdown()
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    """Tell the flow that the records are at fault, not the mail at hand: disk full, locked for too long, damaged."""
    try:
        yield
    except DatabaseError as error:
        if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
            raise  # a statement of ours is wrong
        raise RecordsUnavailable(f"the database failed: {type(error.orig).__name__}") from None


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # sqlite3: we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def version(url: str) -> str | None:
    """Give the schema version of the database; None when it has no schema yet."""
    with connected(url) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def require_current(url: str) -> None:
    """Refuse a database that this program does not fit.

    Raises:
        MailroomError: the schema is older or newer than this program.
    """
    current = version(url)
    if current != HEAD:
        raise MailroomError(f"the database has schema {current or 'none'}, this program needs {HEAD}")


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Give one connection, and let go of the database at the end."""
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def engine_for(url: str) -> Engine:
    """Make the engine for a database address."""
    # The address names an asyncio driver; this file has a thread instead.
    engine = create_engine(make_url(url).set(drivername=make_url(url).get_backend_name()))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # A writer takes the lock before it reads: two processes that append to the audit log must not both see its end.
    writes = connection.get_execution_options().keys() >= _WRITES.keys()
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
