import dataclasses
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailroom.triage.folding import words
from mailroom.triage.triage import LOOKED_AT, Lexicon, triage
from tests.triage.conftest import RULES, Read, message

PIECES = st.sampled_from(
    [
        "he will kill me", "I live in", "Kenya", "Georgia", "no me respondan", "j'ai 15 ans", "मुझे बचाओ", "صوري الخاصة",
        "do not reply", "shoot me an email", "\n> ", "-----BEGIN PGP MESSAGE-----", "\u200f", "...", "ele tem uma faca",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=12).map(" ".join))


def is_in(said: str, text: str) -> bool:
    folded, needle = words(text), words(said)
    return any(folded[at : at + len(needle)] == needle for at in range(len(folded)))


@settings(deadline=None)
@given(text=TEXTS, subject=TEXTS)
@example(text="\ud800 kill me", subject="")
def test_any_text_gets_a_triage_whose_evidence_is_in_the_text(text: str, subject: str, shipped: Lexicon) -> None:
    decided = triage(message(text, subject), shipped)
    said = [*decided.category.evidence, *decided.country.evidence, *decided.contact_evidence]
    said += [each for _, found in decided.flag_evidence for each in found]
    assert all(is_in(each, f"{subject}\n{text}") for each in said)
    assert decided.flags == tuple(sorted(decided.flags)) == tuple(flag for flag, _ in decided.flag_evidence)
    assert decided.category.value in shipped.taxonomy.current


def test_the_subject_is_read_too(read: Read) -> None:
    assert read("", subject="He has a gun").flags == ("imminent_danger",)


def test_the_language_of_a_short_text_comes_with_its_subject(read: Read) -> None:
    assert read("ayuda por favor", subject="Un hombre me sigue por todas partes y no se detiene").language.value == "es"


def test_the_subject_does_not_change_the_language_of_the_text(read: Read) -> None:
    assert (
        read("Je reçois des menaces tous les jours sur ma page.", subject="Re: your message of today").language.value
        == "fr"
    )


def test_dangers_are_seen_in_mixed_text(read: Read) -> None:
    decided = read("Please answer. Mi hermano tiene un arma. उसने मुझे जान से मारने की धमकी दी।")
    assert "imminent_danger" in decided.flags
    assert decided.category.value == "threat_violence"


def test_only_the_beginning_of_a_very_long_text_is_looked_at(read: Read) -> None:
    padding = "la " * LOOKED_AT
    assert read("he has a gun " + padding).flags == ("imminent_danger",)
    assert read(padding + "he has a gun").flags == ()
    assert read("", subject=padding + "he has a gun").flags == ()


@pytest.mark.parametrize(
    "unit",
    [
        "i ",
        "he ",
        "kill ",
        "a",
        "@",
        "я",
        "و",
        "\u0301",
        "-----BEGIN PGP ",
        "> \n",
        "s\n",
        "my email ",
        "in guinea new ",
    ],
)
def test_hostile_repetition_is_survived(unit: str, read: Read) -> None:
    assert read(unit * 100_000).category.value == "unclassified"


def test_evidence_is_not_in_the_repr(read: Read) -> None:
    decided = read("He has a gun. I live in Kenya. he reads my mail. Someone doxed me.")
    assert decided.flags
    assert decided.country.evidence
    assert "gun" not in repr(decided)
    assert "live" not in repr(decided)


def test_a_triage_cannot_be_changed(read: Read) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read("").flags = ("minor",)  # type: ignore[misc]


def test_evidence_is_the_same_in_every_process() -> None:
    code = (
        "from tests.triage.conftest import message, rule_files\n"
        "from mailroom.triage.triage import lexicon, triage\n"
        "decided = triage(message('He is outside my house with a gun and will kill me. Please do not reply to this,"
        " he reads my mail. My husband hits me and posted naked photos of me.'), lexicon(rule_files()))\n"
        "print(decided.category.evidence, decided.flag_evidence, decided.contact_evidence, decided.category.value)\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(RULES.parent), "PYTHONIOENCODING": "utf-8"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1
    assert "outside my house" in printed.pop()
