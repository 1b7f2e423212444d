"""Filing one mail: one transaction, found again, read back, sealed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from mailroom.errors import NoSuchCase
from mailroom.flow.filing import Location, Spending
from mailroom.records import audit
from mailroom.records.tables import blobs, messages
from tests.records.conftest import Shelf

CANARY = b"canary-7f3a"


async def test_a_filed_mail_is_one_case_one_message_and_two_letters(shelf: Shelf) -> None:
    filing = await shelf.report(b"hello")
    [line] = shelf.casework.page()
    assert (line["case"], line["messages"], line["flags"]) == (filing.case.reference, 1, ["minor"])
    assert line["opened"] == "2026-11-23T12:00:00Z"
    assert await shelf.outbox.counts() == (2, 0)


async def test_the_same_bytes_are_filed_once_whatever_uid_they_come_under(shelf: Shelf) -> None:
    await shelf.report(b"hello", uid=1)
    again = shelf.filing(b"hello", 2, shelf.cases.open())
    await shelf.arrivals.start([again.raw.arrival], alone=False)
    assert await shelf.cases.seen(again.raw)
    assert len(shelf.casework.page()) == 1
    assert await shelf.cases.read_back([again.raw.arrival]) == [again.raw.arrival]


async def test_a_filing_that_breaks_half_way_leaves_nothing_behind(shelf: Shelf) -> None:
    await shelf.report(b"hello", uid=1)
    twice = shelf.filing(b"hello", 2, shelf.cases.open())
    with pytest.raises(IntegrityError):
        await shelf.cases.file(twice)
    assert len(shelf.casework.page()) == 1
    assert await shelf.outbox.counts() == (2, 0)


async def test_a_mail_may_leave_the_inbox_only_when_its_sealed_copy_is_whole(shelf: Shelf) -> None:
    arrival = (await shelf.report(b"hello")).raw.arrival
    assert await shelf.cases.read_back([arrival]) == [arrival]
    shelf.database.write_now(lambda connection: connection.execute(update(blobs).values(sealed=b"damaged")))
    assert await shelf.cases.read_back([arrival]) == []


async def test_a_mail_that_is_not_filed_is_never_proven(shelf: Shelf) -> None:
    filing = shelf.filing(b"hello", 1, shelf.cases.open())
    await shelf.arrivals.start([filing.raw.arrival], alone=False)
    assert await shelf.cases.read_back([filing.raw.arrival]) == []


async def test_content_stands_in_clear_nowhere(shelf: Shelf) -> None:
    content = b"Subject: " + CANARY + b"\r\nFrom: anna@example.net\r\n\r\n" + CANARY
    await shelf.report(content, address="anna@example.net")
    everything = shelf.everything()
    assert CANARY not in everything
    assert b"anna" not in everything


async def test_a_case_is_found_by_reference_message_id_and_bounce_token(
    shelf: Shelf, reopen: Callable[[], Shelf]
) -> None:
    filing = await shelf.report(b"hello")
    after = reopen()
    found = [
        await after.cases.by_reference(filing.case.reference.lower().replace("-", "")),
        await after.cases.by_message_ids([filing.outgoing[0].message_id]),
        await after.cases.by_message_ids(["1@example.net"]),
        await after.cases.by_bounce_token(filing.outgoing[0].token),
    ]
    assert [one and one.reference for one in found] == [filing.case.reference] * 4
    assert found[0] is not None
    assert (found[0].address, found[0].flags, found[0].messages) == ("anna@example.net", ("minor",), 1)


async def test_a_case_is_found_across_the_turn_of_a_quarter(shelf: Shelf) -> None:
    filing = await shelf.report(b"hello")
    shelf.at = shelf.at.replace(year=2027, month=1)
    assert await shelf.cases.by_bounce_token(filing.outgoing[0].token) is not None
    assert await shelf.cases.seen(filing.raw)


async def test_only_who_wrote_to_a_case_wrote_to_it(shelf: Shelf) -> None:
    case = await shelf.cases.by_reference((await shelf.report(b"hello")).case.reference)
    assert case is not None
    assert await shelf.cases.wrote(case, "Anna+phone@Example.net")
    assert not await shelf.cases.wrote(case, "ben@example.net")


async def test_letters_have_the_same_message_id_at_every_try(shelf: Shelf, reopen: Callable[[], Shelf]) -> None:
    case = (await shelf.report(b"hello")).case
    again = reopen().cases
    assert again.message_id(case, "reply", 1, "desk.example") == shelf.cases.message_id(
        case, "reply", 1, "desk.example"
    )
    assert again.token(case, "reply", 1) != again.token(case, "reply", 2)


async def test_a_follow_up_is_the_next_message_of_its_case(shelf: Shelf) -> None:
    await shelf.report(b"hello")
    case = await shelf.cases.by_message_ids(["1@example.net"])
    assert case is not None
    letters = (shelf.letter(case, "reply", await shelf.cases.sequence(case, "reply")),)
    filing = replace(shelf.filing(b"more", 2, case, "follow_up"), outgoing=letters)
    await shelf.arrivals.start([filing.raw.arrival], alone=False)
    assert (await shelf.cases.file(filing)).number == 2
    assert shelf.casework.page()[0]["messages"] == 2
    assert {one.number for one in shelf.casework.contents(case.reference)} == {1, 2}


async def test_where_a_moved_mail_lies_is_recorded(shelf: Shelf) -> None:
    arrival = (await shelf.report(b"hello")).raw.arrival
    await shelf.arrivals.removed({arrival: Location("Filed", 7, 42)})
    row = shelf.database.read_now(lambda connection: connection.execute(select(messages)).one())
    assert (row.folder, row.folder_uidvalidity, row.folder_uid) == ("Filed", 7, 42)


async def test_every_look_at_a_case_is_logged_before_it_is_shown(shelf: Shelf) -> None:
    reference = (await shelf.report(b"hello")).case.reference
    before = shelf.database.read_now(audit.length)
    shelf.casework.page()
    shelf.casework.show(reference)
    shelf.casework.contents(reference)
    assert shelf.database.read_now(audit.length) == before + 3


async def test_a_stranger_reference_is_no_case(shelf: Shelf) -> None:
    for wrong in ("K7QD-3M9X-T", "nonsense"):
        with pytest.raises(NoSuchCase):
            shelf.casework.show(wrong)


async def test_limits_count_what_an_address_and_its_domain_were_given(shelf: Shelf) -> None:
    filing = replace(shelf.filing(b"hello", 1, shelf.cases.open()), spends=Spending("anna@example.net"))
    await shelf.arrivals.start([filing.raw.arrival], alone=False)
    await shelf.cases.file(filing)
    assert await shelf.cases.budget(Spending("ANNA+x@example.net", vouched=False)) == replace(
        await shelf.cases.budget(Spending("x@example.org", vouched=False)), to_sender=1, to_domain=1
    )
    assert (await shelf.cases.budget(Spending("ben@example.net", vouched=False))).to_domain == 1
    shelf.at = shelf.at.replace(day=24)
    assert (await shelf.cases.budget(Spending("anna@example.net", vouched=False))).to_sender == 0


async def test_mail_that_nobody_vouches_for_does_not_use_up_the_budget_of_the_real_sender(shelf: Shelf) -> None:
    filing = replace(shelf.filing(b"forged", 1, shelf.cases.open()), spends=Spending("anna@example.net"))
    await shelf.arrivals.start([filing.raw.arrival], alone=False)
    await shelf.cases.file(filing)
    assert (await shelf.cases.budget(Spending("anna@example.net", vouched=True))).to_sender == 0
    assert (await shelf.cases.budget(Spending("anna@example.net", vouched=False))).to_sender == 1
