import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.triage.folding import words
from mailroom.triage.matching import Hit, Kind, Meaning, Phrases, outermost
from mailroom.triage.wording import steps


def found(phrase: str, text: str) -> list[str]:
    phrases = Phrases()
    phrases.add(phrase, Meaning("danger", "x"), "en")
    return [hit.words for hit in phrases.scan(words(text))]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("kill me", "He will KILL me.", ["kill me"]),
        ("kill me", "skill mean", []),
        ("he|she hits me", "she hits me, he hits me", ["she hits me", "he hits me"]),
        ("(please) help", "please help", ["please help", "help"]),
        ("is (still) here", "he is here and is still here", ["is here", "is still here"]),
        ("harass*", "harassing me", ["harassing"]),
        ("harass*", "haras", []),
        ("don't|dont reply", "dont reply. don't reply", ["dont reply", "don t reply"]),
        ("he ... gun", "he has a gun", ["he has a gun"]),
        ("he ... gun", "he gun", ["he gun"]),
        ("he ... gun", "he has a very big gun", []),
        ("i'm {age}", "I'm 15", ["i m 15"]),
        ("i'm {age}", "I'm 18", []),
        ("self-harm*", "self harming", ["self harming"]),
    ],
)
def test_a_phrase_finds_exactly_what_it_says(phrase: str, text: str, expected: list[str]) -> None:
    assert sorted(found(phrase, text)) == sorted(expected)


@pytest.mark.parametrize(
    ("phrase", "complaint"),
    [
        ("", "empty"),
        ("...", "empty"),
        ("(maybe)", "may be missing"),
        ("!!!", "not a word"),
        ("a* b", "too short"),
        ("ha*rass", "not a word"),
        ("... kill", "between two words"),
        ("kill ...", "between two words"),
        ("in {city}", "not known"),
        ("(he is", "around one word"),
    ],
)
def test_a_phrase_that_finds_nothing_or_everything_is_refused(phrase: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        steps(phrase)


def test_the_longest_country_name_counts() -> None:
    phrases = Phrases()
    phrases.add("i live in {country}", Meaning("country", "en", 5), "en")
    for name, code in [("Guinea", "GN"), ("Guinea-Bissau", "GW"), ("Niger", "NE")]:
        phrases.add_country(name, code, "en")
    assert [hit.country for hit in phrases.scan(words("I live in Guinea-Bissau"))] == ["GW"]
    assert [hit.country for hit in phrases.scan(words("I live in Guinea. Bissau"))] == ["GW"]
    assert [hit.country for hit in phrases.scan(words("I live in Nigeria"))] == []


def test_country_names_of_one_language_do_not_count_in_another() -> None:
    phrases = Phrases()
    phrases.add("i live in {country}", Meaning("country", "en", 5), "en")
    phrases.add_country("Kenia", "KE", "es")
    assert phrases.scan(words("i live in kenia")) == []


def test_what_lies_inside_a_harmless_phrase_does_not_count() -> None:
    phrases = Phrases()
    phrases.add("shoot me", Meaning("danger", "imminent_danger"), "en")
    phrases.add("shoot me an email", Meaning("harmless", "en"), "en")
    assert phrases.scan(words("shoot me an email")) == []
    assert [hit.words for hit in phrases.scan(words("shoot me an email. they shoot me"))] == ["shoot me"]


def hit(kind: Kind, start: int, end: int) -> Hit:
    return Hit(Meaning(kind, "x"), start, end, "words")


def test_only_the_longer_of_two_nested_hits_counts() -> None:
    nested = [hit("category", 0, 4), hit("category", 2, 4), hit("category", 3, 6), hit("danger", 0, 9)]
    assert outermost(nested, "category") == [nested[0], nested[2]]


def test_hits_at_the_same_place_all_count() -> None:
    same = [hit("category", 1, 2), hit("category", 1, 2)]
    assert outermost(same, "category") == same


ALPHABET = st.sampled_from(["he", "has", "a", "gun", "kill", "me", "now"])


@given(st.lists(ALPHABET, max_size=30), st.lists(ALPHABET, min_size=1, max_size=3))
def test_a_plain_phrase_is_found_everywhere_that_it_is(text: list[str], phrase: list[str]) -> None:
    expected = [at for at in range(len(text)) if text[at : at + len(phrase)] == phrase]
    phrases = Phrases()
    phrases.add(" ".join(phrase), Meaning("danger", "x"), "en")
    assert [each.start for each in phrases.scan(text)] == expected
