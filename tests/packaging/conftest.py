"""The service of the end-to-end tests, to look at its system calls."""

from tests.e2e.conftest import dovecot, furnish, house, sink
from tests.e2e.warm import warm
from tests.gnupg_home import desk_home, people_home

__all__ = ["desk_home", "dovecot", "furnish", "house", "people_home", "sink", "warm"]
