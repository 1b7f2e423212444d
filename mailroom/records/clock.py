"""The clock that records are given: aware UTC times, so that a test can turn it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc() -> datetime:
    """Give the time now, in UTC."""
    return datetime.now(UTC)
