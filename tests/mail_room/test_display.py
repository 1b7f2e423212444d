"""What is shown to a person has the order that its letters have, and the original is left alone."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.cli.options import shown
from mailroom.keeper.notices import Account, write
from mailroom.mail.display import display_line, display_text, isolated
from mailroom.mail.message import Attachment, Message, OpenPGP

FORMATTING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
BIDI = st.text(st.sampled_from("ab .\u0645\u05d0\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f\n\x1b"))


@given(st.one_of(st.text(), BIDI))
def test_nothing_turns_the_order_or_moves_the_cursor(text: str) -> None:
    for seen in (display_line(text), display_text(text)):
        assert not {unicodedata.bidirectional(letter) for letter in seen} & FORMATTING
        assert not {letter for letter in seen if unicodedata.category(letter) == "Cc"} - {"\n", "\t"}
    assert len(display_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("foto\u202egpj.exe", "foto\ufffdgpj.exe"),
        ("\u2067foto\u2069.jpg", "foto.jpg"),
        ("\u202a\u202b\u202c\u2066\u2067\u2068\u2069x\u200e\u200f\u061c", "x"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ("👩\u200d💻\ufe0f", "👩\u200d💻\ufe0f"),
        ("Bonjour\xa0!", "Bonjour !"),
        ("co\xadop\u200b", "coop"),
        ("a\nb\x1b[2J", "a\ufffdb\ufffd[2J"),
    ],
)
def test_a_name_is_shown_as_it_is_spelled(name: str, seen: str) -> None:
    assert display_line(name) == seen
    assert shown(name) == seen


def test_lines_and_tabs_of_a_text_stay() -> None:
    assert display_text("one\n\ttwo\u2028three\u202e!\u200f") == "one\n\ttwo\nthree\ufffd!\u200f"


def test_a_name_from_right_to_left_keeps_what_stands_around_it_in_place() -> None:
    assert isolated("photo.jpg") == "photo.jpg"
    assert isolated("صورة.jpg") == "\u2068صورة.jpg\u2069"


def test_a_notice_shows_what_the_keeper_can_trust_to_read() -> None:
    attachments = (Attachment("x\u202egpj.exe", "image/jpeg", 3), Attachment("صورة", "image/png", 4))
    message = Message("a@example.org", "", None, "one\u202etwo", None, None, (), "he\u202dsaid\nmore", attachments)
    text = write(Account("K7QD-3M9X-T", "report", (), ("why: \u202eword",), "r", "none"), message, OpenPGP()).text
    assert "Subject: one\ufffdtwo" in text
    assert "he\ufffdsaid\nmore" in text
    assert "not opened: x\ufffdgpj.exe (image/jpeg, 3 bytes)" in text
    assert "\u2068صورة\u2069 (image/png" in text
    assert "why: \ufffdword" in text
    assert message.subject == "one\u202etwo"
