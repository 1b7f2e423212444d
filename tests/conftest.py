"""The one option of the test suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden`: take what is made now as what is expected, then look at the difference in git."""
    parser.addoption("--update-golden", action="store_true", help="accept the present results of the golden corpus")
