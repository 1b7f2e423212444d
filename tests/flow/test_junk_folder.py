"""What happens to the inbox when the folder for junk cannot be read."""

import dataclasses

from mailroom.errors import MailboxError
from mailroom.mail.message import Arrival
from tests.e2e.letters import plain
from tests.fakes import Inbox
from tests.flow.conftest import Counter, Open, replies


class Missing(Inbox):
    """An account whose folder for junk is not there."""

    async def junk(self) -> list[Arrival]:
        raise MailboxError("the server refused SELECT: NO NONEXISTENT")


async def test_the_inbox_is_read_where_the_folder_for_junk_cannot_be(counter: Counter) -> None:
    counter.inbox = Missing()
    counter.desk = dataclasses.replace(counter.desk, mailbox=counter.inbox)
    assert len(replies(await counter.take(plain(1, "Somebody insults me on the talk page every day.")))) == 1
    assert counter.inbox.mails == {}
    assert counter.desk.health.trouble == (
        "the folder of suspected spam could not be read: the server refused SELECT: NO NONEXISTENT"
    )


async def test_filed_mail_is_not_taken_for_junk_where_the_server_marks_its_folder_so(open_counter: Open) -> None:
    counter = await open_counter(imap__filed="Junk", imap__after_filing="move")
    counter.inbox.receive(plain(1, "Somebody insults me on the talk page every day."), junk=True)
    assert await counter.take() == []
    assert len(counter.inbox.mails) == 1
    assert "marks the folder in [imap] filed or quarantine as junk" in str(counter.desk.health.trouble)
