"""Waiting for new mail: the server tells of it by IDLE, and nothing that it does makes us wait for ever."""

import asyncio

import pytest

from mailroom.errors import MailboxError
from mailroom.transport.mailbox import ImapMailbox
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import CLOSE, HANG, ScriptedImap
from tests.transport.conftest import OpenMailbox

IDLE = {"CAPABILITY": "* CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE\r\n{tag} OK done"}
LONG = 500.0  # far longer than any test takes: only news ends such a wait
MAIL = b"Subject: x\r\n\r\ntext\r\n"


async def listed(mailbox: ImapMailbox) -> list[int]:
    return [arrival.uid for arrival in await mailbox.arrivals()]


async def test_a_mail_that_arrives_ends_the_wait(dovecot: Dovecot, user: str, open_mailbox: OpenMailbox) -> None:
    mailbox = open_mailbox(user)
    assert await listed(mailbox) == []
    waiting = asyncio.create_task(mailbox.news(LONG))
    dovecot.append(user, MAIL)
    await waiting
    assert await listed(mailbox) == [1]


async def test_a_mail_that_came_since_the_listing_ends_the_wait_at_once(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    mailbox = open_mailbox(user)
    await mailbox.arrivals()
    dovecot.append(user, MAIL)
    await mailbox.news(LONG)
    assert await listed(mailbox) == [1]


async def test_a_wait_without_news_ends_in_order_and_the_connection_goes_on(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap(IDLE) as server:
        mailbox = open_mailbox("desk", port=server.port)
        await mailbox.arrivals()
        await mailbox.news(0.05)
        await mailbox.arrivals()
        assert server.received.count("IDLE") == server.received.count("DONE") == 1
        assert sum(command.startswith("LOGIN") for command in server.received) == 1


async def test_news_that_came_with_another_answer_is_not_waited_for(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap(IDLE | {"UID SEARCH": "* SEARCH 1\r\n* 4 EXISTS\r\n{tag} OK"}) as server:
        mailbox = open_mailbox("desk", port=server.port)
        await mailbox.arrivals()
        await mailbox.news(LONG)
        assert "IDLE" not in server.received


@pytest.mark.parametrize(
    "reply", [CLOSE, "* BYE idle for too long", "+ idling\r\n* BYE bye" + CLOSE, "+ idling" + CLOSE]
)
async def test_a_connection_lost_while_idle_is_told_and_replaced(open_mailbox: OpenMailbox, reply: str) -> None:
    async with ScriptedImap(IDLE | {"IDLE": reply}) as server:
        mailbox = open_mailbox("desk", port=server.port)
        await mailbox.arrivals()
        with pytest.raises(MailboxError, match="lost"):
            await mailbox.news(LONG)
        assert await listed(mailbox) == [1]


@pytest.mark.parametrize("script", [{"IDLE": HANG}, {"IDLE": "+ idling", "DONE": HANG}])
async def test_a_server_that_falls_silent_while_idle_is_given_up(
    open_mailbox: OpenMailbox, script: dict[str, str]
) -> None:
    async with ScriptedImap(IDLE | script) as server:
        mailbox = open_mailbox("desk", port=server.port, timeout=0.2)
        await mailbox.arrivals()
        with pytest.raises(MailboxError, match=r"no answer in time|lost"):
            await mailbox.news(0.05)


@pytest.mark.parametrize("answer", ["{tag} NO not now", "{tag} BAD what"])
async def test_a_server_that_refuses_what_it_offers_is_polled(open_mailbox: OpenMailbox, answer: str) -> None:
    async with ScriptedImap(IDLE | {"IDLE": answer}) as server:
        mailbox = open_mailbox("desk", port=server.port)
        await mailbox.arrivals()
        for _ in range(3):
            await mailbox.news(0.01)
        assert server.received.count("IDLE") == 1


@pytest.mark.parametrize(("offered", "wanted"), [(False, True), (True, False)])
async def test_without_idle_the_wait_says_nothing_to_the_server(
    open_mailbox: OpenMailbox, offered: bool, wanted: bool
) -> None:
    async with ScriptedImap(IDLE if offered else {}) as server:
        mailbox = open_mailbox("desk", port=server.port, idle=wanted)
        await mailbox.arrivals()
        before = list(server.received)
        await mailbox.news(0.01)
        assert server.received == before


async def test_a_wait_that_is_given_up_leaves_no_half_answer_behind(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap(IDLE) as server:
        mailbox = open_mailbox("desk", port=server.port)
        await mailbox.arrivals()
        waiting = asyncio.create_task(mailbox.news(LONG))
        await server.told("IDLE")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await listed(mailbox) == [1]


async def test_a_server_that_refused_to_idle_once_is_asked_again_over_the_next_connection(
    open_mailbox: OpenMailbox,
) -> None:
    async with ScriptedImap(IDLE | {"IDLE": "{tag} NO [UNAVAILABLE] not now"}) as server:
        mailbox = open_mailbox("desk", port=server.port)
        for _ in range(2):
            await mailbox.arrivals()
            await mailbox.news(0.01)
            await mailbox.close()
        assert server.received.count("IDLE") == 2
