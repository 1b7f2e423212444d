from pathlib import Path

import pytest

from mailroom.transport.gnupg import GnuPG
from tests.gnupg_home import desk_home, fingerprint, own_desk_home, people_home

__all__ = ["desk_home", "own_desk_home", "people_home"]

MAX_OUTPUT = 2_000_000


@pytest.fixture(scope="session")
def desk(desk_home: Path) -> GnuPG:
    return GnuPG(desk_home, fingerprint("desk"), None, MAX_OUTPUT)
