"""The options of the test suite, its order, and what holds for every property test."""

from pathlib import Path

import pytest
from hypothesis import settings

# A deadline is a timed assertion; speed is measured in benchmarks/.
settings.register_profile("mailroom", deadline=None)
settings.load_profile("mailroom")

# What waits for processes comes first, so that many quick tests are left to fill what remains of the time.
SLOW = ("e2e", "test_demo.py", "cli", "test_benchmarks.py", "flow")
TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden`: take what is made now as what is expected, then look at the difference in git."""
    parser.addoption("--soak", default="300", help="seconds that the soak lasts (default: 300)")
    parser.addoption("--update-golden", action="store_true", help="accept the present results of the golden corpus")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow rooms first."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    if item.path.name == "test_soak.py":  # it waits for minutes, while the other tests run beside it
        return -1
    room = item.path.relative_to(TESTS).parts[0]
    return SLOW.index(room) if room in SLOW else len(SLOW)
