"""One Dovecot a session, one sink and one service a test."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mailroom.config_writer import Value
from tests.e2e.house import House, build
from tests.e2e.warm import warm
from tests.gnupg_home import desk_home, people_home
from tests.servers.dovecot import Dovecot
from tests.servers.sink import Sink

__all__ = ["desk_home", "people_home", "warm"]

Build = Callable[..., House]


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    with Dovecot() as server:
        yield server


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as server:
        yield server


@pytest.fixture
async def furnish(dovecot: Dovecot, sink: Sink, desk_home: Path) -> AsyncIterator[Build]:
    """Build services; a test may ask for several."""
    with ExitStack() as stack:

        def one(**values: Value) -> House:
            return stack.enter_context(build(dovecot, sink.port, desk_home, **values))

        yield one


@pytest.fixture
def house(furnish: Build) -> House:
    return furnish()
