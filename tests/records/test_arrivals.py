"""What became of each message of the inbox."""

from collections.abc import Callable
from dataclasses import replace

from mailroom.flow.filing import Sorted
from mailroom.mail.message import Arrival
from tests.records.conftest import Shelf

A, B, C = (Arrival("INBOX", 1, uid, 10) for uid in (1, 2, 3))


async def test_what_was_in_work_when_the_desk_died_is_a_suspect(shelf: Shelf, reopen: Callable[[], Shelf]) -> None:
    await shelf.arrivals.sort([A, B, C])
    await shelf.arrivals.start([A, B], alone=False)
    found = await reopen().arrivals.sort([A, B, C])
    assert (found.fresh, found.suspects, found.filed) == ((C,), (A, B), ())


async def test_what_was_in_work_at_a_clean_end_is_no_suspect(shelf: Shelf, reopen: Callable[[], Shelf]) -> None:
    await shelf.arrivals.start([A], alone=False)
    await shelf.arrivals.end()
    assert (await reopen().arrivals.sort([A])).fresh == (A,)


async def test_only_what_fails_alone_counts(shelf: Shelf) -> None:
    await shelf.arrivals.start([A], alone=False)
    assert await shelf.arrivals.suspect(A, alone=False) == 0
    await shelf.arrivals.start([A], alone=True)
    assert await shelf.arrivals.suspect(A, alone=True) == 1
    assert await shelf.arrivals.suspect(A, alone=True) == 2


async def test_a_death_of_the_desk_counts_only_against_what_was_alone(
    shelf: Shelf, reopen: Callable[[], Shelf]
) -> None:
    await shelf.arrivals.start([A, B], alone=False)
    second = reopen().arrivals
    await second.sort([A, B])
    await second.start([A], alone=True)
    third = reopen().arrivals
    await third.sort([A, B])
    assert [await third.desk_deaths(one) for one in (A, B)] == [1, 0]


async def test_what_is_gone_from_the_inbox_is_forgotten(shelf: Shelf) -> None:
    await shelf.arrivals.start([A], alone=False)
    await shelf.arrivals.suspect(A, alone=False)
    assert (await shelf.arrivals.sort([])).suspects == ()
    assert (await shelf.arrivals.sort([A])).fresh == (A,)


async def test_what_lies_in_a_folder_that_could_not_be_listed_is_not_forgotten(shelf: Shelf) -> None:
    await shelf.arrivals.start([A], alone=False)
    await shelf.arrivals.suspect(A, alone=False)
    assert (await shelf.arrivals.sort([B], whole=False)).suspects == ()
    assert (await shelf.arrivals.sort([A, B])).suspects == (A,)


async def test_another_uidvalidity_is_another_message(shelf: Shelf) -> None:
    filing = await shelf.report(b"hello", uid=1)
    renumbered = Arrival("INBOX", 2, 1, filing.raw.arrival.size)
    assert (await shelf.arrivals.sort([renumbered])).fresh == (renumbered,)


async def test_filed_mail_only_waits_to_be_removed(shelf: Shelf) -> None:
    arrival = (await shelf.report(b"hello")).raw.arrival
    assert (await shelf.arrivals.sort([arrival])).filed == (arrival,)
    await shelf.arrivals.removed({arrival: None})
    assert (await shelf.arrivals.sort([])).filed == ()


async def test_oversize_mail_stays_and_is_not_taken_again(shelf: Shelf) -> None:
    filing = shelf.filing(b"hello", 1, shelf.cases.open())
    arrival = filing.raw.arrival
    await shelf.arrivals.start([arrival], alone=False)
    await shelf.cases.file(replace(filing, raw=replace(filing.raw, complete=False)))
    assert await shelf.arrivals.sort([arrival]) == Sorted((), (), ())


async def test_thousands_of_messages_are_sorted_and_removed(shelf: Shelf) -> None:
    many = [Arrival("INBOX", 1, uid, 10) for uid in range(1, 2501)]
    await shelf.arrivals.start(many, alone=False)
    await shelf.arrivals.release(many[:2000])
    assert len((await shelf.arrivals.sort(many)).fresh) == 2000
    await shelf.arrivals.removed(dict.fromkeys(many))
    assert len((await shelf.arrivals.sort(many)).fresh) == 2500
