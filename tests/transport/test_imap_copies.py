"""Deletion that deletes: Gmail's labels, and the copies that a provider keeps of what we send."""

import pytest

from mailroom.errors import MailboxError
from mailroom.mail.message import Arrival
from mailroom.mail.thread import is_id_of_ours
from tests.servers.dovecot import Dovecot
from tests.servers.gmail import Gmail
from tests.servers.scripted import ScriptedImap
from tests.transport.conftest import OpenMailbox

OURS = "abcdefghijklmnopqrstuvwx@example.org"


def arrival(uid: int) -> Arrival:
    return Arrival("INBOX", 7, uid, 10)


def mail(message_id: str) -> bytes:
    return f"Message-ID: <{message_id}>\r\nSubject: x\r\n\r\ntext\r\n".encode()


def is_ours(message_id: str) -> bool:
    return is_id_of_ours(message_id, "example.org")


async def test_on_gmail_a_deleted_mail_is_under_all_mail_no_more(open_mailbox: OpenMailbox) -> None:
    async with Gmail(1, 2, 3) as server:
        await open_mailbox("desk", port=server.port).delete([arrival(1), arrival(3)])
        assert server.folders == {"INBOX": {2}, "[Gmail]/All Mail": {2}, "[Gmail]/Trash": set()}


async def test_on_gmail_what_lay_in_the_trash_before_stays_there(open_mailbox: OpenMailbox) -> None:
    async with Gmail(1) as server:
        server.folders["[Gmail]/Trash"] = {55}
        await open_mailbox("desk", port=server.port).delete([arrival(1)])
        assert server.folders["[Gmail]/Trash"] == {55}


async def test_on_gmail_the_inbox_is_opened_again_after_a_deletion(open_mailbox: OpenMailbox) -> None:
    async with Gmail(1, 2) as server:
        mailbox = open_mailbox("desk", port=server.port)
        await mailbox.delete([arrival(1)])
        await mailbox.delete([arrival(2)])
        assert server.folders == {"INBOX": set(), "[Gmail]/All Mail": set(), "[Gmail]/Trash": set()}


async def test_on_gmail_with_a_hidden_trash_nothing_is_touched_and_it_is_told(open_mailbox: OpenMailbox) -> None:
    async with Gmail(1, hidden=True) as server:
        with pytest.raises(MailboxError, match="let Trash show in IMAP"):
            await open_mailbox("desk", port=server.port).delete([arrival(1)])
        assert server.folders["INBOX"] == {1}


async def test_only_copies_of_our_own_letters_are_deleted(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    mailbox = open_mailbox(user)
    dovecot.client(user).create("Sent")
    for one in (OURS, "1234@example.org", OURS.replace("example.org", "example.net"), OURS.replace("abc", "zyx")):
        dovecot.append(user, mail(one), folder="Sent")
    dovecot.append(user, b"Subject: without an id\r\n\r\ntext\r\n", folder="Sent")
    dovecot.append(user, mail(OURS))
    assert await mailbox.delete_copies("Sent", is_ours) == 2
    left = [content for _, content in dovecot.messages(user, "Sent")]
    assert len(left) == 3
    assert not any(f"<{OURS}>".encode() in content for content in left)
    assert len(await mailbox.arrivals()) == 1


async def test_without_copies_nothing_is_deleted(dovecot: Dovecot, user: str, open_mailbox: OpenMailbox) -> None:
    dovecot.client(user).create("Sent")
    assert await open_mailbox(user).delete_copies("Sent", is_ours) == 0


async def test_a_folder_for_copies_that_is_not_there_is_told(user: str, open_mailbox: OpenMailbox) -> None:
    with pytest.raises(MailboxError, match="refused SELECT"):
        await open_mailbox(user).delete_copies("Sent", is_ours)


async def test_what_was_looked_at_once_is_not_fetched_again_in_every_round(open_mailbox: OpenMailbox) -> None:
    script = {"UID SEARCH": "* SEARCH 1 2\r\n{tag} OK", "UID FETCH": "{tag} OK"}
    async with ScriptedImap(script) as server:
        mailbox = open_mailbox("desk", port=server.port)
        for _ in range(3):
            await mailbox.delete_copies("Sent", is_ours)
        assert sum("ENVELOPE" in command for command in server.received) == 1


async def test_a_copy_that_comes_after_others_were_looked_at_is_deleted(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    mailbox = open_mailbox(user)
    dovecot.client(user).create("Sent")
    dovecot.append(user, mail("1234@example.org"), folder="Sent")
    assert await mailbox.delete_copies("Sent", is_ours) == 0
    dovecot.append(user, mail(OURS), folder="Sent")
    assert await mailbox.delete_copies("Sent", is_ours) == 1
    assert len(dovecot.messages(user, "Sent")) == 1


async def test_a_copy_whose_deletion_broke_off_is_deleted_at_last(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    dovecot.client(user).create("Sent")
    dovecot.append(user, mail(OURS), folder="Sent", flags="(\\Deleted)")
    assert await open_mailbox(user).delete_copies("Sent", is_ours) == 1
    assert dovecot.messages(user, "Sent") == []
