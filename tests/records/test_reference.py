"""Case references."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.records.reference import ALPHABET, check_letter, new, normalise

BODIES = st.text(alphabet=ALPHABET, min_size=8, max_size=8)


def whole(body: str) -> str:
    return f"{body[:4]}-{body[4:]}-{check_letter(body)}"


def test_a_reference_has_the_form_that_people_read_on_the_phone() -> None:
    assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}-[{ALPHABET}]", new())


def test_a_thousand_references_are_all_different_and_use_the_whole_alphabet() -> None:
    drawn = {new() for _ in range(1000)}
    assert len(drawn) == 1000
    assert {letter for one in drawn for letter in one[:9]} == {*ALPHABET, "-"}


@given(BODIES)
def test_what_a_person_types_sloppily_is_the_same_reference(body: str) -> None:
    reference = whole(body)
    sloppy = " " + reference.lower().replace("-", " ").replace("0", "o").replace("1", "l") + " "
    assert normalise(sloppy) == reference


@given(BODIES, st.integers(0, 8), st.sampled_from(ALPHABET))
def test_every_single_wrong_letter_is_caught(body: str, place: int, letter: str) -> None:
    letters = whole(body).replace("-", "")
    wrong = letters[:place] + letter + letters[place + 1 :]
    assert (normalise(wrong) is not None) == (wrong == letters)


@pytest.mark.parametrize("text", ["", "K7QD", "K7QD-3M9X-", "U7QD-3M9X-T", "K7QD-3M9X-TT", "§§§§-§§§§-§"])
def test_what_is_no_reference_is_none(text: str) -> None:
    assert normalise(text) is None
