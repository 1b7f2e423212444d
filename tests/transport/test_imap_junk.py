"""The folder of suspected spam is read too: nobody else would look there."""

import pytest

from mailroom.errors import MailboxError
from tests.servers.dovecot import Dovecot
from tests.transport.conftest import OpenMailbox

MAIL = b"Subject: x\r\n\r\ntext\r\n"


async def test_mail_in_the_folder_that_the_server_marks_as_junk_is_listed(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    dovecot.client(user).create("Spam")
    dovecot.append(user, MAIL, folder="Spam")
    mailbox = open_mailbox(user)
    (found,) = await mailbox.junk()
    assert (found.mailbox, found.junk) == ("Spam", True)
    (raw,) = await mailbox.fetch([found])
    assert raw.content == MAIL
    await mailbox.delete([found])
    assert dovecot.messages(user, "Spam") == []


async def test_mail_in_the_inbox_is_not_listed_as_junk(dovecot: Dovecot, user: str, open_mailbox: OpenMailbox) -> None:
    dovecot.client(user).create("Spam")
    dovecot.append(user, MAIL)
    mailbox = open_mailbox(user)
    assert await mailbox.junk() == []
    assert [one.junk for one in await mailbox.arrivals()] == [False]


async def test_the_configured_folder_is_read_whatever_the_server_marks(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    dovecot.client(user).create("Spam")
    dovecot.client(user).create("Quarantine/Mine")
    dovecot.append(user, MAIL, folder="Spam")
    assert await open_mailbox(user, junk="Quarantine/Mine").junk() == []


async def test_with_a_dash_no_junk_is_read(dovecot: Dovecot, user: str, open_mailbox: OpenMailbox) -> None:
    dovecot.client(user).create("Spam")
    dovecot.append(user, MAIL, folder="Spam")
    assert await open_mailbox(user, junk="-").junk() == []


async def test_where_the_server_marks_no_folder_there_is_no_junk(prefixed: Dovecot, open_mailbox: OpenMailbox) -> None:
    assert await open_mailbox(prefixed.new_user(), port=prefixed.port).junk() == []


async def test_a_configured_folder_that_is_missing_is_told(user: str, open_mailbox: OpenMailbox) -> None:
    with pytest.raises(MailboxError, match="refused SELECT"):
        await open_mailbox(user, junk="Elsewhere").junk()
