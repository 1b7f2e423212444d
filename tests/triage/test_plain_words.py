"""STOP and MORE, the words that our texts ask for."""

import pytest

from mailroom.triage.contact import more_cautious, plain_word


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", "Stop.", "\u200eSTOP\u200e", "Hello\n\n  stop!\n\nAnna", "STOP K7QD-3M9X-T", "[K7QD-3M9X-T] stop"],
)
def test_stop_alone_on_a_line_asks_for_no_mail(text: str) -> None:
    assert plain_word(text) == ("none", "STOP")


@pytest.mark.parametrize("text", ["more", "MORE", "K7QD-3M9X-T MORE", "More\nMy number is K7QD-3M9X-T"])
def test_more_alone_on_a_line_says_that_the_address_is_safe(text: str) -> None:
    assert plain_word(text) == ("ok", "MORE")


@pytest.mark.parametrize(
    "text",
    [
        "Make him stop",
        "please stop",
        "stop it now",
        "more and more",
        "no more",
        "stopp",
        "",
        "he will not stop.",
        "Я сказала ему stop, но он ждёт",
        "قلت له stop",
        "2 more.",
        "MORE: 100 €",
        "s t o p p",
    ],
)
def test_the_words_inside_a_sentence_mean_nothing(text: str) -> None:
    assert plain_word(text) == (None, None)


def test_stop_wins_over_more_and_over_everything_said() -> None:
    assert plain_word("MORE\nSTOP") == ("none", "STOP")
    assert more_cautious("ok", "none", None) == "none"
    assert more_cautious("ok", "unsafe") == "unsafe"
    assert more_cautious(None, None) is None
