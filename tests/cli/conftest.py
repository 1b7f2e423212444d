"""The service of the end-to-end tests, to run commands over."""

from tests.e2e.conftest import dovecot, furnish, house, sink
from tests.gnupg_home import people_home

__all__ = ["dovecot", "furnish", "house", "people_home", "sink"]
