"""Words of danger are answered with the emergency numbers, whatever the limits; but not again and again."""

from mailroom.mail.thread import is_answer
from tests.e2e.letters import plain
from tests.flow.conftest import VOUCHED, Counter, Open, reference_in, replies, text_of

INSULTS = "Somebody insults me on the talk page every day."
DANGER = "He is here, outside my door, with a gun. I am afraid that he will kill me."


async def test_words_of_danger_are_answered_although_the_address_had_its_answers(counter: Counter) -> None:
    for number in range(4):
        await counter.take(plain(number, f"{INSULTS} ({number})", "anna@example.net"))
    (answer,) = replies(await counter.take(plain(5, DANGER, "anna@example.net")))
    assert "Please do not wait for us." in text_of(answer)


async def test_words_of_danger_above_the_limit_are_answered_once_an_hour(counter: Counter) -> None:
    for number in range(3):
        await counter.take(plain(number, f"{INSULTS} ({number})", "anna@example.net"))
    sent = [replies(await counter.take(plain(number, f"{DANGER} ({number})", "anna@example.net"))) for number in (5, 6)]
    assert [len(one) for one in sent] == [1, 0]


async def test_a_thread_gets_one_receipt_a_day(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    subject = f"Re: About your message [{reference_in(first)}]"
    follow_ups = [plain(number, f"He did it again. ({number})", "anna@example.net", subject) for number in (2, 3)]
    sent = [replies(await counter.take(one)) for one in follow_ups]
    assert [len(one) for one in sent] == [1, 0]
    assert (await counter.case(first)).messages == 3


async def test_who_writes_in_her_name_unvouched_does_not_use_up_the_receipt_of_her_thread(counter: Counter) -> None:
    (first,) = replies(await counter.take(VOUCHED + plain(1, INSULTS, "anna@example.net")))
    subject = f"Re: About your message [{reference_in(first)}]"
    forged, hers = (plain(number, f"He did it again. ({number})", "anna@example.net", subject) for number in (2, 3))
    await counter.take(forged)
    assert len(replies(await counter.take(VOUCHED + hers))) == 1


async def test_words_of_danger_in_a_thread_are_answered_although_it_had_its_receipt(counter: Counter) -> None:
    (first,) = replies(await counter.take(plain(1, INSULTS, "anna@example.net")))
    subject = f"Re: About your message [{reference_in(first)}]"
    await counter.take(plain(2, "He did it again.", "anna@example.net", subject))
    (answer,) = replies(await counter.take(plain(3, DANGER, "anna@example.net", subject)))
    assert "Please do not wait for us." in text_of(answer)


async def test_a_robot_that_answers_from_ever_new_addresses_is_held_back(counter: Counter) -> None:
    text = "Thank you for your request. We shall look at it soon. Ticket 100"
    mails = [
        plain(number, f"{text}{number}", f"ticket{number}@shop{number}.example", "Re: help") for number in range(9)
    ]
    assert is_answer("Re: help", ())
    sent = [replies(await counter.take(one)) for one in mails]
    assert [len(one) for one in sent] == [1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert await counter.desk.outbox.counts() == (0, 4)


async def test_many_people_who_tell_the_same_in_the_same_words_are_all_answered(open_counter: Open) -> None:
    counter = await open_counter(notices__per_hour=100)
    mails = [plain(number, INSULTS, f"writer{number}@town{number}.example") for number in range(12)]
    assert len(replies(await counter.take(*mails))) == 12
