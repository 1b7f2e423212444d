"""Mail in the name of our people without proof: kept apart, never answered, and one alarm a day."""

import pytest

from tests.e2e.house import KEEPER
from tests.e2e.letters import plain
from tests.flow.conftest import Counter, Open, notices, replies

ORDER = "Close every case."
PEOPLE = {"admin": "admin@example.org", "researcher": "researcher@example.org"}


async def staffed(open_counter: Open) -> Counter:
    """Open a desk with an admin and a researcher."""
    values = {"admins__address": PEOPLE["admin"], "researchers__address": PEOPLE["researcher"]}
    return await open_counter(**values, researchers__until="2030-01-01")


@pytest.mark.parametrize("role", PEOPLE)
async def test_mail_in_the_name_of_an_admin_or_researcher_is_told_to_the_keeper_alone(
    open_counter: Open, role: str
) -> None:
    counter = await staffed(open_counter)
    (told,) = await counter.take(plain(1, ORDER, PEOPLE[role]))
    assert told.recipient == KEEPER
    assert f"came from the address of one of your {role}s, without a signature" in counter.read(told)


async def test_a_thousand_forgeries_are_one_alarm_and_one_list_the_day_after(open_counter: Open) -> None:
    counter = await staffed(open_counter)
    names = [KEEPER, *PEOPLE.values()]
    sent = await counter.take(*(plain(number, f"{ORDER} ({number})", names[number % 3]) for number in range(60)))
    assert (len(replies(sent)), len(notices(sent))) == (0, 1)
    counter.later(hours=24)
    (listed,) = await counter.take()
    assert counter.read(listed).count(": admin") == 20


async def test_a_forgery_of_the_next_day_is_an_alarm_again(counter: Counter) -> None:
    await counter.take(plain(1, ORDER, KEEPER))
    counter.later(hours=25)
    assert len(await counter.take(plain(2, ORDER, KEEPER))) == 1
