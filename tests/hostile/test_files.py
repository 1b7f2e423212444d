"""Attached archives are counted and never opened, and a size that the mail server makes up harms nobody."""

import dataclasses
import gzip
import tracemalloc

import pytest

from mailroom.mail.parse import parse
from mailroom.mail.uuencode import MAX_FILES, without_files
from tests.e2e.letters import plain
from tests.flow.conftest import Open, notices, replies
from tests.hostile.bodies import attached, zip_bomb

_MB = 1024 * 1024
ARCHIVES = {"application/zip": zip_bomb(), "application/gzip": gzip.compress(bytes(20 * _MB))}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_that_would_open_to_megabytes_is_counted_as_it_came(kind: str) -> None:
    mail = attached(ARCHIVES[kind], b"evidence", kind.encode())
    parse(mail)  # what is made once is made now
    tracemalloc.start()
    try:
        [file] = parse(mail).attachments
        assert tracemalloc.get_traced_memory()[1] < _MB
    finally:
        tracemalloc.stop()
    assert (file.name, file.type, file.size) == ("evidence", kind, len(ARCHIVES[kind]))


async def test_a_mail_larger_than_the_server_said_is_filed_whole(open_counter: Open) -> None:
    counter = await open_counter(imap__max_message_bytes=2000)
    long = plain(1, "He waits outside.\r\n" + "x" * 5000)
    counter.inbox.receive(long)
    counter.inbox.mails = {dataclasses.replace(one, size=10): mail for one, mail in counter.inbox.mails.items()}
    sent = await counter.take()
    assert len(replies(sent)) == 1
    assert not any("oversize" in counter.read(letter) for letter in notices(sent))
    assert counter.inbox.mails == {}


@pytest.mark.parametrize("size", [2001, 2**63 - 1, 0])
async def test_a_mail_smaller_than_the_server_said_is_answered_all_the_same(open_counter: Open, size: int) -> None:
    counter = await open_counter(imap__max_message_bytes=2000)
    counter.inbox.receive(plain(1, "He waits outside."))
    counter.inbox.mails = {dataclasses.replace(one, size=size): mail for one, mail in counter.inbox.mails.items()}
    assert len(replies(await counter.take())) == 1


def test_of_a_hundred_thousand_files_in_a_text_a_thousand_are_listed_and_the_rest_stays_text() -> None:
    file = b"begin 644 a\n#86)C\n`\nend\n"
    left, files = without_files(file * 100_000, None)
    assert len(files) == MAX_FILES
    assert left == file * (100_000 - MAX_FILES)
