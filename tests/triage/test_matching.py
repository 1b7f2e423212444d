import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.triage.folding import words
from mailroom.triage.matching import Hit, Kind, Meaning, Phrases, outermost
from mailroom.triage.triage import Lexicon
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


NEEDED = st.sampled_from(["he|she", "kill*", "don't|do", "me", "don'te*|no", "ki*|me"])
WORDS = st.one_of(NEEDED, st.sampled_from(["(she)", "(he|has|do'not)", "(don't|he)"]))
STEPS = st.one_of(WORDS, st.just("..."))
BEFORE = st.one_of(st.just([]), st.builds(lambda word, rest: [word, *rest], WORDS, st.lists(STEPS, max_size=1)))
AFTER = st.one_of(st.just([]), st.builds(lambda rest, word: [*rest, word], st.lists(STEPS, max_size=1), WORDS))
PHRASES = st.builds(lambda before, word, after: " ".join([*before, word, *after]), BEFORE, NEEDED, AFTER)
SAID = st.lists(st.sampled_from(["he", "she", "has", "kill", "kilometre", "don", "t", "tea", "do", "not", "me", "x"]))


def as_regular_expression(phrase: str) -> str:
    """Write a phrase so that it matches words with a blank after each."""
    patterns = []
    for token in phrase.split():
        words_of = token.strip("()").replace("'", " ").replace("*", r"\S*").split("|")
        pattern = "(?:" + "|".join(f"{each} " for each in words_of) + ")"
        patterns.append(r"(?:\S+ ){0,3}" if token == "..." else f"{pattern}?" if token.startswith("(") else pattern)
    return "".join(patterns)


@given(PHRASES, SAID)
def test_a_phrase_is_found_wherever_it_fits_and_as_far_as_it_fits(phrase: str, text: list[str]) -> None:
    phrases = Phrases()
    phrases.add(phrase, Meaning("danger", "x"), "en")
    pattern = re.compile(as_regular_expression(phrase))
    fits = {
        start: end
        for start in range(len(text))
        for end in range(start + 1, len(text) + 1)
        if pattern.fullmatch("".join(f"{word} " for word in text[start:end]))
    }
    assert {hit.start: hit.end for hit in phrases.scan(text)} == fits


def test_a_lexicon_reaches_another_process_whole(shipped: Lexicon) -> None:
    sent = pickle.loads(pickle.dumps(shipped))
    text = words("I live in Papua New Guinea. He said he doesn't want me to live, and I'm 15.")
    assert sent.phrases.scan(text) == shipped.phrases.scan(text) != []


def test_the_longest_country_name_counts() -> None:
    phrases = Phrases()
    phrases.add("i live in {country}", Meaning("country", "en", 5), "en")
    for name, code in [("Guinea", "GN"), ("Guinea-Bissau", "GW"), ("Niger", "NE")]:
        phrases.add_country(name, code, "en")
    assert [hit.country for hit in phrases.scan(words("I live in Guinea-Bissau"))] == ["GW"]
    assert [hit.country for hit in phrases.scan(words("I live in Guinea. Bissau"))] == ["GW"]
    assert [hit.country for hit in phrases.scan(words("I live in Nigeria"))] == []


def test_words_go_on_after_the_name_of_a_country() -> None:
    phrases = Phrases()
    phrases.add("in {country} (now) i live", Meaning("country", "en", 5), "en")
    for name, code in [("Guinea", "GN"), ("Papua New Guinea", "PG")]:
        phrases.add_country(name, code, "en")
    assert [(hit.country, hit.words) for hit in phrases.scan(words("in Papua New Guinea now I live"))] == [
        ("PG", "in papua new guinea now i live")
    ]
    assert phrases.scan(words("in Papua New now I live")) == []


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
