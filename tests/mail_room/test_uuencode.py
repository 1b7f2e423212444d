"""A file inside a text becomes an attachment; words stay words."""

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.mail.message import Attachment
from mailroom.mail.parse import parse
from mailroom.mail.uuencode import without_files

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def coded(content: bytes) -> bytes:
    return b"".join(binascii.b2a_uu(content[n : n + 45]) for n in range(0, len(content), 45))


@given(st.binary(max_size=500), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_a_file_comes_out_with_its_size_and_the_words_stay(content: bytes, end: bytes, stripped: bool) -> None:
    lines = (b"begin 644 a b.png\n" + coded(content) + b"`\nend\n").split(b"\n")
    file = end.join(line.rstrip() if stripped else line for line in lines)
    left, files = without_files(b"one" + end + file + b"two", None)
    assert left == b"one" + end + b"two"
    assert [(each.name, each.size) for each in files] == [("a b.png", len(content))]


def test_other_ways_to_write_a_file_into_a_text() -> None:
    other = b"begin-base64 644 x.png\n" + base64.encodebytes(PNG) + b"====\n"
    assert without_files(other, None) == (b"", (Attachment("x.png", "image/png", len(PNG)),))
    news = b"=ybegin line=128 size=3 name=x y.bin\n\xff\xfe\xfd\n=yend size=3\nwords"
    assert without_files(news, None) == (b"words", (Attachment("x y.bin", "application/octet-stream", 3),))
    lie = b"=ybegin line=128 size=99999 name=x\nabc\n=yend size=3\n"
    assert without_files(lie, None)[1][0].size == 4


@pytest.mark.parametrize(
    "text",
    [
        "begin 644 words that only look like it\nI begin again.\n",
        "begin 644\nend\n",
        "I begin 644 x\nend\n",
        "=ybegin he wrote\n",
        "begin the end\n" * 3,
    ],
)
def test_words_are_no_file(text: str) -> None:
    assert without_files(text.encode(), None) == (text.encode(), ())


def test_a_file_whose_end_is_lost_is_one_all_the_same() -> None:
    assert [each.size for each in without_files(b"begin 644 x\n" + coded(bytes(450)), None)[1]] == [450]


def test_a_million_beginnings_are_read_once() -> None:
    text = b"begin 644 x\nM\n" * 100_000
    assert without_files(text, None)[0] == text


def test_the_mail_tells_of_a_file_in_its_text() -> None:
    message = parse(b"From: a@example.org\r\n\r\nSee:\r\nbegin 644 x.txt\r\n" + coded(PNG) + b"end\r\nHelp.\r\n")
    assert (message.text, message.attachments) == ("See:\nHelp.", (Attachment("x.txt", "image/png", len(PNG)),))
