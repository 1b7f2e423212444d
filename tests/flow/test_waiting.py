"""How the loops wait: longer after each failure, never the same for everybody, and never past a stop."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.flow.waiting import LONGEST_PAUSE, backoff, pause, until


@given(st.integers(1, 10_000), st.floats(1, 1000))
def test_a_pause_doubles_with_each_failure_up_to_the_longest(failures: int, longest: float) -> None:
    full = min(2.0 ** min(failures - 1, 20), longest)
    assert full / 2 <= backoff(failures, longest) <= full


def test_two_desks_that_lost_their_server_together_do_not_come_back_together() -> None:
    assert len({backoff(5, LONGEST_PAUSE) for _ in range(20)}) > 1


async def test_a_stop_ends_a_pause() -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(pause(stop, 10_000))
    stop.set()
    await waiting


async def test_what_is_waited_for_is_given_up_at_a_stop_and_its_error_is_told_otherwise() -> None:
    async def fails() -> None:
        raise ConnectionError

    stop, never = asyncio.Event(), asyncio.Event()
    with pytest.raises(ConnectionError):
        await until(stop, fails())
    stop.set()
    await until(stop, never.wait())
    assert len(asyncio.all_tasks()) == 1
