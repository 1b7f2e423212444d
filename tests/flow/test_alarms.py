"""Alarms: told once, told to be over once, whatever the SMTP server does; and signs of life in between."""

import dataclasses
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

import pytest

from mailroom import daemon
from mailroom.errors import PermanentFailure, ServerUnreachable, TemporaryFailure
from mailroom.flow.alarming import Watch, look
from mailroom.flow.desk import Desk, Person
from mailroom.flow.filing import Letter
from mailroom.keeper import alarms
from tests.e2e.house import KEEPER
from tests.e2e.letters import TEXTS, plain
from tests.fakes import Bag, Host
from tests.flow.conftest import Counter
from tests.gnupg_home import public
from tests.openpgp_mails import entity, pgp_mime_encrypted

HER = "anna@example.net"
ADMIN = "admin@example.net"
START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


class Moody(Bag):
    """Refuses letters to the addresses of `moods` with that."""

    def __init__(self) -> None:
        super().__init__()
        self.moods: dict[str, Exception] = {}

    async def send(self, letter: Letter) -> None:
        if mood := self.moods.get(letter.recipient, self.moods.get("")):
            raise mood
        await super().send(letter)


class Room:
    """A desk whose clock and machine a test moves; `admins` are told."""

    def __init__(self, desk: Desk, *admins: Person, alive_hours: tuple[int, ...] = (), polled: bool = True) -> None:
        self.host, self.bag, self.at = Host(), Moody(), datetime.now(UTC)
        people = (*(one for one in desk.office.people if one.role != "admin"), *admins)
        policy = dataclasses.replace(desk.office.policy, alive_hours=alive_hours)
        office = dataclasses.replace(desk.office, people=people, policy=policy, clock=lambda: self.at)
        self.desk = dataclasses.replace(desk, machine=self.host, courier=self.bag, office=office)
        if polled:
            self.poll()
        self.watch = Watch(self.host.recall())

    async def after(self, seconds: float, *, clock: float = 0, polls: bool = False) -> list[str]:
        """Let time pass, the clock by `clock` more, and look; give the texts of what was sent now."""
        self.host.now += seconds
        self.at += timedelta(seconds=seconds + clock)
        if polls:
            self.poll()
        before = len(self.bag.letters)
        await look(self.desk, self.watch)
        return [text_of(letter) for letter in self.bag.letters[before:]]

    def poll(self) -> None:
        self.desk.health.begin(self.host.now)
        self.desk.health.polled(0, self.host.now)


def text_of(letter: Letter) -> str:
    mail = message_from_bytes(letter.content)
    return f"{mail['Subject']}\n{mail.get_payload(decode=True).decode()}"  # type: ignore[union-attr]  # one part


@pytest.fixture
def room(counter: Counter) -> Room:
    return Room(counter.desk, Person(ADMIN, "admin"))


async def test_a_desk_that_does_well_tells_nobody_and_touches_the_heartbeat(room: Room) -> None:
    assert await room.after(60) == []
    assert room.host.beats == 1


async def test_an_inbox_that_stands_still_is_told_once_and_once_when_it_is_over(room: Room) -> None:
    room.desk.health.fault("the IMAP server imap.example.org:993: no answer in time")
    assert await room.after(15 * 60) == []
    [text] = await room.after(60)
    assert text.startswith("The mail desk needs a look\n")
    assert "for 16 minutes" in text
    assert "imap.example.org:993: no answer in time" in text
    assert "mailroom doctor" in text
    assert [await room.after(3600) for _ in range(3)] == [[], [], []]
    room.poll()
    [text] = await room.after(60)
    assert text.startswith("The mail desk works again\n")
    assert await room.after(60) == []


async def test_no_heartbeat_while_an_alarm_stands(room: Room) -> None:
    await room.after(3600)
    assert room.host.beats == 0


async def test_what_began_together_is_one_mail(room: Room) -> None:
    room.host.free = 0.04
    room.host.keys = [("the desk key", int(START.timestamp()) + 20 * 86400)]
    [text] = await room.after(3600)
    assert all(word in text for word in ("4% is free", "The desk key ends on", "could not be worked through"))


async def test_an_alarm_that_was_told_before_a_restart_is_not_told_again(room: Room) -> None:
    assert len(await room.after(3600)) == 1
    again = Room(room.desk, Person(ADMIN, "admin"))
    again.host.notes = room.host.notes
    again.watch = Watch(again.host.recall(), again.host.recall())
    assert await again.after(3600) == []
    again.poll()
    [text] = await again.after(60)
    assert "now over" in text


async def test_an_alarm_waits_for_the_smtp_server_and_is_told_once(room: Room) -> None:
    room.bag.moods[""] = ServerUnreachable("no answer")
    assert await room.after(3600) == []
    room.bag.moods.clear()
    assert len(await room.after(600)) == 1
    assert await room.after(600) == []


async def test_what_was_over_before_anybody_could_be_told_is_told_as_over(room: Room) -> None:
    room.bag.moods[""] = TemporaryFailure("busy", 451)
    await room.after(3600)
    room.bag.moods.clear()
    room.poll()
    [text] = await room.after(600)
    assert text.startswith("The mail desk works again")


async def test_an_alarm_that_comes_and_goes_is_told_once_an_hour(room: Room) -> None:
    told = list[str]()
    for _ in range(6):
        room.host.free = 0.01
        room.poll()
        told += await room.after(60)
        room.host.free = 0.5
        room.poll()
        told += await room.after(60)
    assert [text.partition("\n")[0] for text in told] == [alarms.SUBJECT, alarms.SUBJECT_OVER]


async def test_one_admin_who_cannot_be_told_does_not_make_another_hear_it_twice(counter: Counter) -> None:
    room = Room(counter.desk, Person("gone@example.net", "admin"), Person(ADMIN, "admin"))
    room.bag.moods["gone@example.net"] = PermanentFailure("no such mailbox", 550)
    assert len(await room.after(3600)) == 1
    assert await room.after(3600) == []


async def test_without_admins_the_keeper_is_told_encrypted(counter: Counter) -> None:
    room = Room(counter.desk)
    room.host.now += 3600
    await look(room.desk, room.watch)
    [letter] = room.bag.letters
    assert letter.recipient == KEEPER
    assert "could not be worked through" in counter.read(letter)


async def test_an_admin_with_a_key_is_told_encrypted(counter: Counter) -> None:
    room = Room(counter.desk, Person(ADMIN, "admin", certificate=public("keeper")))
    room.host.now += 3600
    await look(room.desk, room.watch)
    [letter] = room.bag.letters
    assert b"could not" not in letter.content
    assert "could not be worked through" in counter.read(letter)


@pytest.mark.parametrize("jump", [-86400, 86400])
async def test_a_jump_of_the_clock_is_told_once(room: Room, jump: float) -> None:
    await room.after(60)
    room.poll()
    [text] = await room.after(60, clock=jump)
    assert f"jumped {'back' if jump < 0 else 'forward'} by 24 hours" in text
    room.poll()
    assert await room.after(60) == []


@pytest.mark.parametrize(
    "wrong", ["since = since + 31536000, due = due + 31536000", "attempts = 1, due = due + 31536000"]
)
async def test_letters_planned_by_a_wrong_clock_go_once_it_is_right(counter: Counter, wrong: str) -> None:
    room = Room(counter.desk, Person(ADMIN, "admin"))
    room.bag.moods[""] = ServerUnreachable("no answer")
    counter.inbox.receive(plain(1, TEXTS["en"]))
    await room.after(60)
    assert (await daemon.run_once(room.desk)).outbox_left == 2
    with closing(sqlite3.connect(counter.folder / "data" / "mailroom.db")) as records, records:
        records.execute(f"UPDATE outbox SET {wrong}")
    room.bag.moods.clear()
    room.watch.clock_less_ticks = None  # the daemon starts anew
    await room.after(1, polls=True)
    assert (await daemon.run_once(room.desk)).outbox_left == 0


async def test_the_daily_line_comes_once_in_its_hour(counter: Counter) -> None:
    room = Room(counter.desk, Person(ADMIN, "admin"), alive_hours=(8,))
    room.at = START.replace(hour=7, minute=0)
    room.desk.health.filed = 7
    told = [text for _ in range(12) for text in await room.after(600, polls=True)]
    assert told == [
        "The mail desk is alive\nAlive: 7 filed since the last line, 0 letters waiting, 0 answers held.\r\n"
    ]


async def test_encrypted_mail_that_cannot_be_opened_again_and_again_is_told(counter: Counter) -> None:
    room = Room(counter.desk, Person(ADMIN, "admin"))
    for number in range(3):
        assert await room.after(60) == []
        await counter.take(pgp_mime_encrypted(HER, entity(f"{number} {TEXTS['en']}"), ["deputy"]))
        room.poll()
    assert ["could not be opened with the desk key" in text for text in await room.after(60)] == [True]
    await counter.take(pgp_mime_encrypted(HER, entity(TEXTS["en"])))
    room.poll()
    assert ["Encrypted mail could not be opened: since" in text for text in await room.after(60)] == [True]


async def test_a_letter_that_waits_too_long_is_told(counter: Counter) -> None:
    room = Room(counter.desk, Person(ADMIN, "admin"))
    room.bag.moods[KEEPER] = TemporaryFailure("full", 452)
    counter.inbox.receive(plain(1, TEXTS["en"]))
    await daemon.run_once(room.desk)
    assert await room.after(3000, polls=True) == []
    [text] = await room.after(700, polls=True)
    assert "A letter has been waiting for 61 minutes" in text


async def test_a_notice_that_is_refused_for_good_is_told(counter: Counter) -> None:
    room = Room(counter.desk, Person(ADMIN, "admin"))
    room.bag.moods[KEEPER] = PermanentFailure("no such mailbox", 550)
    counter.inbox.receive(plain(1, TEXTS["en"]))
    await room.after(60)  # past the time at which the notice was planned
    await daemon.run_once(room.desk)
    assert ["refused a notice for good" in text for text in await room.after(1)] == [True]


def test_a_disk_that_hovers_at_the_limit_raises_one_alarm() -> None:
    def at(free: float, *raised: str) -> list[str]:
        calm = alarms.Condition(0, 0.0, None, 0, free, (), (), 0, False)
        return [one.name for one in alarms.due(calm, alarms.Limits(15, 60), raised)]

    assert (at(0.049), at(0.055), at(0.055, "disk"), at(0.061, "disk")) == (["disk"], [], ["disk"], [])


def test_a_certificate_near_its_end_is_told_with_its_day() -> None:
    now = int(START.timestamp())
    ends = [("IMAP", now + 13 * 86400), ("SMTP", now + 15 * 86400)]
    condition = alarms.Condition(now, 0.0, None, 0, 0.5, (), ends, 0, False)
    [alarm] = alarms.due(condition, alarms.Limits(15, 60))
    day = datetime.fromtimestamp(ends[0][1], UTC).date()
    assert alarm.what == f"The certificate of the IMAP server ends on {day}."


@pytest.mark.parametrize("name", ["decryption", "notices", "inbox"])
async def test_a_restart_calls_nothing_over_that_was_not_seen_to_work_again(counter: Counter, name: str) -> None:
    room = Room(counter.desk, Person(ADMIN, "admin"), polled=False)
    room.watch = Watch({name: 1}, {name: 1})
    assert await room.after(60) == []
    await counter.take(pgp_mime_encrypted(HER, entity(TEXTS["en"])))  # its notice is taken too
    room.poll()
    assert ["now over" in text for text in await room.after(60)] == [True]


def test_what_is_over_is_told_in_words_whatever_it_was() -> None:
    text = alarms.over_text({"key the desk key": 0, "certificate IMAP": 0, "disk": 0})
    assert "The desk key was near its end: since 1970-01-01 00:00 UTC, now over." in text
    assert "The certificate of the IMAP server was near its end: since" in text
    assert "The disk was almost full: since" in text
