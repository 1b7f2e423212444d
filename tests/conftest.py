"""The one option of the test suite, and what holds for every property test."""

import pytest
from hypothesis import settings

# A deadline is a timed assertion; speed is measured in benchmarks/.
settings.register_profile("mailroom", deadline=None)
settings.load_profile("mailroom")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden`: take what is made now as what is expected, then look at the difference in git."""
    parser.addoption("--update-golden", action="store_true", help="accept the present results of the golden corpus")
