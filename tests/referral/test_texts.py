"""The texts read as a stranger would: rendered by Jinja alone, with nothing of the product between."""

import itertools
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, StrictUndefined, Template

TEMPLATES = Path(__file__).parents[2] / "templates"
LANGUAGES = sorted(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir())
SILENT = ("minimal", "receipt", "ask_key", "cannot_open")
NAMES = ("full", *SILENT)
TEXTS = [(language, name) for language in LANGUAGES for name in NAMES]
LIMITS = {"full": 300} | dict.fromkeys(SILENT, 80)
COMMANDS = {"STOP", "MORE", "COPY", "WITHDRAW", "ERASE"}
BLOCKS = [
    "emergency",
    "crisis",
    "care",
    "will",
    "will_not",
    "referrals",
    "confidentiality",
    "safe_contact",
    "rights",
    "key",
]
KEYS = {"language", "version", "reviewed_by", "reviewed_on", "subject"}

REFERENCE = "7QKD-3M9X-T"  # begins with a digit: the harder case between right-to-left letters
EMERGENCY = "112"
FINGERPRINT = "0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567"
CONTACTS = ["+351 000 000 000", "desk@service.example"]
URL = "https://service.example/"
SERVICE = {
    "name": "Name",
    "what": "What it does",
    "serves": "Everybody",
    "hours": "09:00-17:00 (UTC)",
    "languages": "A, B",
    "cost": "0",
    "contacts": CONTACTS,
    "url": URL,
}
BARE_SERVICE = SERVICE | {"serves": "", "hours": "", "languages": "", "cost": "", "contacts": []}
CHOICES: dict[str, tuple[Any, ...]] = {
    "emergency": (None, EMERGENCY),
    "country": (None, "Portugal"),
    "hours": (None, "", "Mon-Fri, 09:00-17:00 UTC"),
    "services": ([], [SERVICE, BARE_SERVICE]),
    "fingerprint": (None, FINGERPRINT),
    "urgent": (False, True),
}
CASES = [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]


@cache
def source(language: str, name: str) -> tuple[dict[str, Any], str]:
    """Split a text into its front matter and its body."""
    _, matter, body = (TEMPLATES / language / f"{name}.txt").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(matter), body


@cache
def template(language: str, name: str, trimming: bool = False) -> Template:
    settings = {"trim_blocks": trimming, "lstrip_blocks": trimming, "keep_trailing_newline": True}
    environment = Environment(undefined=StrictUndefined, autoescape=False, **settings)  # type: ignore[arg-type]  # bools
    return environment.from_string(source(language, name)[1])


def render(language: str, name: str, case: dict[str, Any], *, trimming: bool = False) -> str:
    """Render, and take out the lines that only mark a block."""
    text = template(language, name, trimming).render(reference=REFERENCE, retention_months=24, **case)
    return re.sub(r"^\[\w+\]\n", "", text, flags=re.MULTILINE)


@cache
def readings(language: str, name: str) -> list[str]:
    return [render(language, name, case) for case in CASES]


@cache
def words_file(language: str) -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = yaml.safe_load((TEMPLATES / language / "words.yaml").read_text("utf-8"))
    return loaded


@cache
def plain(text: str) -> str:
    """Lower case, letters, digits and their marks only, one space between words, Arabic vowel signs dropped."""
    text = re.sub("[\u064b-\u0652]", "", unicodedata.normalize("NFC", text).lower())
    return " ".join("".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text).split())


def denied(text: str, entries: list[str]) -> list[str]:
    """Give what a text says of these entries; in Arabic also behind the small words that are written onto it."""
    ends = [re.escape(plain(entry)) + ("" if entry.endswith("*") else "(?= |$)") for entry in entries]
    return re.findall(rf"(?:^| )([وف]?[بكل]?(?:{'|'.join(ends)}))", plain(text))


def mean_sentence(text: str) -> float:
    sentences = [part.split() for part in re.split(r"[.!?।؟:](?:\s|$)|\n\n", text) if part.strip()]
    return sum(map(len, sentences)) / len(sentences)


def test_every_language_has_the_same_files() -> None:
    assert len(LANGUAGES) >= 6
    wanted = {f"{name}.txt" for name in NAMES} | {"words.yaml"}
    assert {
        language: {path.name for path in (TEMPLATES / language).iterdir()} for language in LANGUAGES
    } == dict.fromkeys(LANGUAGES, wanted)


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_front_matter_is_whole_and_calls_nothing_reviewed_by_halves(language: str, name: str) -> None:
    matter, _ = source(language, name)
    assert set(matter) == KEYS
    assert matter["language"] == language
    assert (matter["reviewed_by"] is None) == (matter["reviewed_on"] is None)


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_every_case_renders_clean(language: str, name: str) -> None:
    for text in readings(language, name):
        assert not re.search(r"[\[\]{}]|\bNone\b", text)
        assert "\n\n\n" not in text
        assert not re.search(r"[ \t\u00a0]$", text, flags=re.MULTILINE)
        assert text == text.strip() + "\n"
        assert max(map(len, text.splitlines())) <= 76


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_sources_are_composed_unicode_in_short_lines(language: str, name: str) -> None:
    text = (TEMPLATES / language / f"{name}.txt").read_text("utf-8")
    assert unicodedata.is_normalized("NFC", text)
    assert max(map(len, text.splitlines())) <= 72


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_a_text_does_not_depend_on_how_jinja_treats_white_space(language: str, name: str) -> None:
    assert readings(language, name) == [render(language, name, case, trimming=True) for case in CASES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_texts_of_a_language_begin_with_one_long_neutral_sentence(language: str) -> None:
    beginnings = {text.split("\n\n")[0] for name in NAMES for text in readings(language, name)}
    assert len(beginnings) == 1
    assert len(beginnings.pop()) >= 100


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_the_lock_screen_shows_no_telling_word(language: str, name: str) -> None:
    shown = f"{source(language, name)[0]['subject']}\n{readings(language, name)[0][:100]}"
    assert denied(shown, words_file(language)["deny_preview"]) == []


@pytest.mark.parametrize("name", SILENT)
@pytest.mark.parametrize("language", LANGUAGES)
def test_short_texts_hold_no_telling_word_and_no_directory_anywhere(language: str, name: str) -> None:
    for text in readings(language, name):
        assert denied(text, words_file(language)["deny_preview"]) == []
        assert not re.search("findahelpline|befrienders|service|COPY|WITHDRAW|ERASE", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_word_lists_find_what_a_full_text_says_openly(language: str) -> None:
    """The full text names help lines and police: a list that finds neither finds nothing."""
    assert denied(readings(language, "full")[0], words_file(language)["deny_preview"])


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_no_text_promises_or_blames(language: str, name: str) -> None:
    words = words_file(language)
    for text in readings(language, name):
        assert denied(text, words["deny_promise"] + words["deny_blame"]) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_text_says_that_it_is_not_her_fault(language: str) -> None:
    for text in readings(language, "full"):
        assert any(plain(sentence) in plain(text) for sentence in words_file(language)["care"])


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_texts_are_short_and_so_are_their_sentences(language: str, name: str) -> None:
    for case, text in zip(CASES, readings(language, name), strict=True):
        words = text.replace(FINGERPRINT, "fingerprint").split()  # one thing to compare, not ten words to read
        assert case["services"] or len(words) <= LIMITS[name]
        assert mean_sentence(text) <= 20


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_the_emergency_block_follows_the_first_sentence(language: str, name: str) -> None:
    _, body = source(language, name)
    assert body.split("\n\n")[1].startswith("[emergency]\n")
    for case, text in zip(CASES, readings(language, name), strict=True):
        emergency = text.split("\n\n")[1]
        assert EMERGENCY in emergency
        assert ("911" in emergency) == (case["emergency"] is None)
        assert not case["hours"] or f"\n{case['hours']}\n" in f"{emergency}\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_text_has_every_block_in_order(language: str) -> None:
    assert re.findall(r"^\[(\w+)\]$", source(language, "full")[1], flags=re.MULTILINE) == BLOCKS


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_the_reference_stands_once_and_on_its_own_line(language: str, name: str) -> None:
    for text in readings(language, name):
        assert [line.strip("\u200e") for line in text.splitlines() if REFERENCE in line] == [REFERENCE]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_offers_the_same_ways_on(language: str) -> None:
    for case, text in zip(CASES, readings(language, "full"), strict=True):
        lines = [line.strip("\u200e").split(" (")[0] for line in text.splitlines()]
        ways = ["findahelpline.com", "befrienders.org", "COPY", "WITHDRAW", "ERASE"]
        given = [FINGERPRINT] if case["fingerprint"] else []
        said = set(lines) | {line.split()[-1] for line in lines if line}
        assert set(ways + given + ([*CONTACTS, URL] if case["services"] else [])) <= said
        assert "STOP" in text
        assert "24" in text
    assert all("MORE" in text and "STOP" in text for text in readings(language, "minimal"))
    assert all("STOP" in text for text in readings(language, "receipt"))
    assert all("Autocrypt" in text and "OpenPGP" in text for text in readings(language, "ask_key"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_wrote_what_we_cannot_open_learns_to_which_key_to_write(language: str) -> None:
    for case, text in zip(CASES, readings(language, "cannot_open"), strict=True):
        assert "OpenPGP" in text
        lines = [line.strip("\u200e") for line in text.splitlines()]
        assert lines.count(FINGERPRINT) == (case["fingerprint"] is not None)


@pytest.mark.parametrize(("language", "name"), TEXTS)
def test_our_own_text_quoted_back_commands_nothing(language: str, name: str) -> None:
    """A word alone on a line is obeyed, also in a quotation that its mail program does not mark as one."""
    for line in "\n".join(readings(language, name)).splitlines():
        assert plain(line).upper() not in COMMANDS


@pytest.mark.parametrize("name", NAMES)
def test_every_arabic_paragraph_reads_from_the_right(name: str) -> None:
    for text in readings("ar", name):
        assert all(unicodedata.bidirectional(each[0]) in {"AL", "R"} for each in text.split("\n\n"))


@pytest.mark.parametrize("name", NAMES)
def test_in_arabic_what_is_dialled_or_copied_stands_alone_and_reads_from_the_left(name: str) -> None:
    numbers = {REFERENCE, EMERGENCY, "911", FINGERPRINT, *CONTACTS}
    addresses = {URL, "findahelpline.com", "befrienders.org"}
    for line in "\n".join(readings("ar", name)).splitlines():
        assert not any(number in line for number in numbers) or line.strip("\u200e") in numbers
        assert line[1:] not in numbers or line[0] == "\u200e"
        assert line not in numbers
        assert not any(address in line for address in addresses) or line in addresses


@pytest.mark.parametrize("name", NAMES)
def test_in_arabic_a_command_ends_its_line(name: str) -> None:
    """With Arabic letters on both sides a Latin word is easily read in the wrong place."""
    for line in "\n".join(readings("ar", name)).splitlines():
        assert not COMMANDS & set(plain(line).upper().split()[:-1])
