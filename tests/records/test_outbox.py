"""The outbox."""

from dataclasses import replace

from tests.records.conftest import Shelf


async def test_a_letter_comes_out_as_it_went_in_until_the_server_took_it(shelf: Shelf) -> None:
    filing = await shelf.report(b"hello")
    now = int(shelf.at.timestamp())
    due = await shelf.outbox.due(now, automatic=True, limit=10)
    assert [one.letter for one in due] == [one.letter for one in filing.outgoing]
    await shelf.outbox.sent(due[:1])
    assert [one.kind for one in await shelf.outbox.due(now, automatic=True, limit=10)] == ["notice"]


async def test_while_the_circuit_is_open_only_notices_go(shelf: Shelf) -> None:
    await shelf.report(b"hello")
    due = await shelf.outbox.due(int(shelf.at.timestamp()), automatic=False, limit=10)
    assert [one.kind for one in due] == ["notice"]


async def test_a_deferred_letter_waits_for_its_time(shelf: Shelf) -> None:
    await shelf.report(b"hello")
    now = int(shelf.at.timestamp())
    reply = (await shelf.outbox.due(now, automatic=True, limit=1))[0]
    await shelf.outbox.later(reply, now + 60)
    assert reply.id not in {one.id for one in await shelf.outbox.due(now + 59, automatic=True, limit=9)}
    [again] = [one for one in await shelf.outbox.due(now + 60, automatic=True, limit=9) if one.id == reply.id]
    assert again.attempts == 1


async def test_a_held_letter_goes_only_when_it_is_let_go(shelf: Shelf) -> None:
    filing = shelf.filing(b"hello", 1, shelf.cases.open())
    held = replace(filing, outgoing=(shelf.letter(filing.case, "reply", held="limit"),))
    await shelf.arrivals.start([held.raw.arrival], alone=False)
    await shelf.cases.file(held)
    now = int(shelf.at.timestamp())
    assert await shelf.outbox.due(now, automatic=True, limit=9) == []
    assert await shelf.outbox.counts() == (0, 1)
    assert shelf.database.write_now(shelf.outbox.let_go, filing.case.reference) == 1
    assert len(await shelf.outbox.due(now, automatic=True, limit=9)) == 1


async def test_a_letter_that_failed_is_not_tried_again(shelf: Shelf) -> None:
    await shelf.report(b"hello")
    now = int(shelf.at.timestamp())
    for one in await shelf.outbox.due(now, automatic=True, limit=9):
        await shelf.outbox.failed(one, 550)
    assert await shelf.outbox.due(now + 10**6, automatic=True, limit=9) == []


async def test_a_letter_tells_whether_its_recipient_ever_wrote(shelf: Shelf) -> None:
    filing = await shelf.report(b"hello")
    planted = replace(
        shelf.letter(filing.case, "reply", 2), letter=replace(filing.outgoing[0].letter, recipient="ben@example.org")
    )
    await shelf.cases.post(filing.case, [planted])
    due = await shelf.outbox.due(int(shelf.at.timestamp()), automatic=True, limit=9)
    assert {one.letter.recipient: one.wrote for one in due} == {"anna@example.net": True, "ben@example.org": False}
