import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.triage.folding import prose, words


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("HELP Me!!", "help me"),
        ("Él me AMENAZÓ", "el me amenazo"),
        ("ＫＩＬＬ ｍｅ", "kill me"),
        ("ki\u200bll me\u202e", "kill me"),
        ("İmdat", "imdat"),
        ("أُحِبُّ", "احب"),
        ("مســـاعدة", "مساعده"),
        ("وهددني", "هددني"),
        ("ज़िंदा", "जिंदा"),
        ("हूँ", "हूं"),
        ("१५ साल", "15 साल"),
        ("don't, don’t", "don t don t"),
    ],
)
def test_the_same_words_fold_alike_however_they_are_typed(typed: str, meant: str) -> None:
    assert words(typed) == words(meant)


def test_hindi_vowel_signs_stay_in_their_word() -> None:
    assert len(words("मुझे बचाओ")) == 2


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    once = words(text)
    assert words(" ".join(once)) == once


def test_web_and_mail_addresses_are_not_prose() -> None:
    assert prose("see https://example.org/kill-me or write to kill@example.org please").split() == [
        "see",
        "or",
        "write",
        "to",
        "please",
    ]
