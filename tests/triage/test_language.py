import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.triage.language import detect

ENGLISH = "A man follows me on every page that I edit and he does not stop."
SPANISH = "Un hombre me sigue por todas las páginas que edito y no se detiene."


def test_a_clear_text_has_its_language_with_confidence_and_evidence() -> None:
    finding = detect(SPANISH)
    assert (finding.value, finding.source) == ("es", "inferred")
    assert finding.confidence >= 0.8
    assert finding.evidence[0].startswith("py3langid es ")


@pytest.mark.parametrize("text", ["", "help", "please help me", "12345 67890 12345 67890 1234", "😀" * 40])
def test_too_few_letters_are_und(text: str) -> None:
    finding = detect(text)
    assert (finding.value, finding.source) == ("und", "unknown")


def test_a_short_text_in_ideographs_is_enough() -> None:
    assert detect("他每天都威胁我，我很害怕").value == "zh"


def test_a_doubtful_text_is_und_and_names_the_two_best_guesses() -> None:
    finding = detect("Mujhe bahut dar lag raha hai, woh roz mujhe message bhejta hai")
    assert finding.value == "und"
    assert finding.confidence < 0.8
    assert len(finding.evidence) == 2


@pytest.mark.parametrize(
    "around",
    [
        "{}\n> " + "This line is quoted from somebody else. " * 5,
        "{} https://example.org/wiki/" + "Some_long_english_title_of_a_page_" * 5,
        "{}\n-----BEGIN PGP MESSAGE-----\n\n" + "hQEMAthequickbrownfoxjumps\n" * 9 + "-----END PGP MESSAGE-----\n",
        "{}\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n" + "the key that was cut off in the middle " * 9,
    ],
)
def test_quotes_addresses_and_armour_do_not_count(around: str) -> None:
    assert detect(around.format(SPANISH)) == detect(SPANISH)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("أنا خائفة جدا، هو يراقبني كل يوم", "ar"),
        ("I dey fear, the man dey find me for house every day", "en"),
        ("Natatakot ako dahil sinusundan niya ako araw-araw sa trabaho", "fil"),
    ],
)
def test_varieties_count_for_the_standard_that_their_writers_read(text: str, language: str) -> None:
    assert detect(text).value == language


def test_text_without_language_is_und() -> None:
    assert detect("asdf qwer zxcv hjkl uiop bnm tyui").value == "und"


@settings(deadline=None)
@given(st.text())
def test_detection_never_raises(text: str) -> None:
    assert 0.0 <= detect(text).confidence <= 1.0
    assert detect(ENGLISH + text[:3]).value in {"en", "und"}
