"""A whole desk between hostile mails: each is filed, and what leaves can be sent."""

from base64 import b64encode

import pytest

from tests.flow.conftest import VOUCHED, Open, notices, replies
from tests.hostile.structures import HEADER, many_parts, with_field

_NAMED = b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=%s\r\n\r\nx" % (b"n" * 480)
_WORDS = b64encode("見出し\u202e".encode() * 4000)
MAILS = {
    "a subject of 60 KB": with_field(b"Subject", b"=?utf-8?b?" + _WORDS + b"?="),
    "a subject of one word": with_field(b"Subject", b"s" * 60_000),
    "a thousand files with long names": many_parts(1000, _NAMED),
    "a name of 5 KB": HEADER.replace(b"Writer", b'"' + b"n" * 5000 + b'"') + b"\r\nHe waits outside.\r\n",
    "references of 60 KB": with_field(b"References", b"<a@example.org> " * 4000),
    "an id of 990 characters": HEADER.replace(b"<1@", b"<" + b"i" * 980 + b"@") + b"\r\nHe waits outside.\r\n",
    "a line of a megabyte": HEADER + b"\r\n" + b"He waits outside. " * 60_000,
}


@pytest.mark.parametrize("name", MAILS)
async def test_a_hostile_mail_is_filed_and_answered_with_letters_that_can_be_sent(
    open_counter: Open, name: str
) -> None:
    counter = await open_counter()
    sent = await counter.take(VOUCHED + MAILS[name])
    assert [letter.recipient for letter in replies(sent)] == ["writer@example.net"]
    assert len(notices(sent)) == 1
    assert counter.inbox.mails == {}
    for letter in sent:
        # RFC 5321 section 4.5.3.1.6: a line has 1,000 bytes with its end.
        assert max(map(len, letter.content.split(b"\r\n"))) <= 998
        assert len(letter.content) < 200_000


async def test_of_a_thousand_files_the_notice_names_fifty_and_counts_the_rest(open_counter: Open) -> None:
    counter = await open_counter()
    [notice] = notices(await counter.take(many_parts(1000, _NAMED)))
    text = counter.read(notice)
    assert text.count("Attached, sealed") == 50
    assert "(and 950 more attachments; all are in the sealed record)" in text
