"""The lint: each rule finds the text that breaks it, and leaves a good one alone."""

import pytest

from mailroom.referral import prose
from mailroom.referral.lint import BLOCKS, lint
from mailroom.referral.templates import parse_texts
from tests.referral.samples import text

HELLO = (
    "This is an answer from a machine, and the number of your message stands a little further down in this very mail.\n"
)
EMERGENCY = (
    "\n[emergency]\n"
    "Call {{ emergency if emergency else 'your number' }}. We read: {{ hours if hours else 'at times' }}\n"
)
REFERENCE = "Your number is:\n{{ reference }}\n"
KEY = "\n[key]\nSend your key. Ours:\n{{ fingerprint }}\n"
FULL = (
    f"{HELLO}{EMERGENCY}\n"
    "[crisis]\nTalk to somebody: findahelpline.com\n\n"
    "[care]\nIt is not your fault.\n\n"
    f"[will]\nWe keep it.\n{REFERENCE}\n"
    "[will_not]\nWe do not search.\n\n"
    "[referrals]\n{% for s in services %}\n"
    "{{ s.name }} {{ s.what }} {{ s.serves }} {{ s.hours }} {{ s.languages }} {{ s.cost }} {{ s.url }}\n"
    "{% for c in s.contacts %}\n{{ c }}\n{% endfor %}\n{% endfor %}\n\n"
    "[confidentiality]\nOne person reads it.\n\n"
    "[safe_contact]\nIs it safe?\n\n"
    "[rights]\nWe keep it {{ retention_months }} months.\n" + KEY
)
SILENT = f"{HELLO}{EMERGENCY}{REFERENCE}\n[safe_contact]\nIs it safe?\n"
ASK_KEY = f"{HELLO}{EMERGENCY}{REFERENCE}{KEY}"
BODIES = {"full": FULL, "minimal": SILENT, "receipt": SILENT, "ask_key": ASK_KEY, "cannot_open": ASK_KEY}
WORDS = (
    "deny_preview: [abus*, your report]\n"
    "deny_promise: [we will stop]\n"
    "deny_blame: [you must]\n"
    "care: [it is not your fault]\n"
)


def findings(
    words: str = WORDS, language: str = "en", subject: str = "A message", **bodies: str
) -> list[tuple[str, str]]:
    files = {
        f"{language}/{name}.txt": text(language, body, subject=subject) for name, body in {**BODIES, **bodies}.items()
    }
    found = lint(parse_texts(files), {f"{language}/words.yaml": words})
    return [(each.file.partition("/")[2].removesuffix(".txt"), each.where) for each in found]


def test_good_texts_give_no_findings() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("name", "old", "new", "rule"),
    [
        ("full", "We keep it.", "We will  Stop\nit.", "T9"),
        ("full", "We keep it.", "You must wait.", "T10"),
        ("full", "It is not your fault.", "Hello.", "T10"),
        ("full", "{{ reference }}", "", "T5"),
        ("minimal", "{{ reference }}", "", "T5"),
        ("minimal", "Is it safe?", "Is your report safe?", "T2"),
        ("receipt", "Is it safe?", "Were you abused?", "T2"),
        ("full", "{{ hours if hours else 'at times' }}", "at times", "T6"),
        ("minimal", "{{ emergency if emergency else 'your number' }}", "112", "T6"),
        ("minimal", "\n[emergency]", "One more.\n\nAnd more.\n\n[emergency]", "T6"),
        ("minimal", HELLO, "", "T6"),
        ("minimal", "[emergency]\n", "", "T6"),
        ("full", "findahelpline.com", "us", "T7"),
        ("full", "[crisis]\n", "", "T7"),
        ("full", "[will]\n", "", "T8"),
        ("full", "[will_not]\n", "", "T8"),
        ("full", "[care]\n", "", "T10"),
        ("full", "[confidentiality]\n", "", "T11"),
        ("full", "[rights]\n", "", "T12"),
        ("full", "{{ retention_months }}", "some", "T12"),
        ("full", "[safe_contact]\n", "", "T13"),
        ("minimal", "[safe_contact]\n", "", "T13"),
        ("full", "[referrals]\n", "", "T15"),
        ("full", "{{ s.cost }}", "", "T15"),
        ("full", "We keep it.", "See http://example.org/", "T16"),
        ("full", "We keep it.", "See https://bit.ly/x", "T16"),
        ("full", "We keep it.", "See https://example.org/?utm_source=x", "T16"),
        ("full", "We keep it.", "Word. " * 300, "T17"),
        ("minimal", "Is it safe?", "Word. " * 80, "T17"),
        ("ask_key", "[key]\n", "", "T19"),
        ("full", "{{ fingerprint }}", "", "T19"),
    ],
)  # fmt: skip
def test_text_that_breaks_a_rule_is_named_with_the_rule(name: str, old: str, new: str, rule: str) -> None:
    assert old in BODIES[name]
    assert (name, rule) in findings(**{name: BODIES[name].replace(old, new, 1)})


def test_sentences_that_are_too_long_on_average_are_found() -> None:
    long = f"{HELLO}\n[emergency]\n{{{{ emergency }}}} {{{{ hours }}}} {{{{ reference }}}} {'word ' * 40}\n"
    assert set(findings(minimal=f"{long}\n[safe_contact]\nSafe?\n")) == {("minimal", "T17")}


def test_blocks_in_another_order_are_found() -> None:
    swapped = FULL.replace("[will]", "[x]").replace("[will_not]", "[will]").replace("[x]", "[will_not]")
    assert findings(full=swapped) == [("full", "T18")]


def test_subject_that_tells_what_it_is_about_is_found() -> None:
    assert set(findings(subject="About the abuse")) == {(name, "T2") for name in BODIES}


def test_beginning_that_differs_from_full_is_found() -> None:
    assert findings(minimal=SILENT.replace("This is", "That is")) == [("minimal", "T6")]


def test_beginning_that_depends_on_the_case_is_found() -> None:
    begun = FULL.replace("This is", "{{ 'Now' if urgent else 'This is' }}")
    assert ("full", "T6") in findings(full=begun)


def test_service_beyond_the_full_answer_is_not_counted_in_words() -> None:
    assert "T17" not in {
        rule for _, rule in findings(full=FULL.replace("{{ s.name }}", "{{ s.name }}" + " word" * 300))
    }


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("deny_preview: [Abuse]\ndeny_promise: [x]\ndeny_blame: [x]\ncare: [x]\n", "line 1"),
        ("deny_previews: [x]\ndeny_promise: [x]\ndeny_blame: [x]\ncare: [x]\n", "line 1"),
        ("deny_preview: [x]\ndeny_promise: []\ndeny_blame: [x]\ncare: [x]\n", "line 2"),
    ],
)
def test_word_list_that_would_find_nothing_is_refused(words: str, what: str) -> None:
    assert ("words.yaml", what) in findings(words)


def test_language_without_a_word_list_is_found() -> None:
    found = lint(parse_texts({f"en/{name}.txt": text("en", body) for name, body in BODIES.items()}), {})
    assert [(each.file, each.what) for each in found] == [
        ("en/words.yaml", "the word list of this language is missing.")
    ]


@pytest.mark.parametrize("line", ["123456 مرحبا", "Hello مرحبا", "مرحبا example.org", "مرحبا {{ reference }}"])
def test_line_that_would_be_shown_scrambled_is_found_in_right_to_left_texts(line: str) -> None:
    arabic = (
        "مرحبا بكم في هذا البريد. " * 4
        + "\n"
        + "\n[emergency]\nمرحبا:\n{{ emergency }}\n{{ hours }}\n{{ reference }}\n"
    )
    bodies = {name: arabic + "".join(f"[{block}]\nمرحبا\n" for block in BLOCKS[name][1:]) for name in BODIES}
    assert ("minimal", "T18") not in findings(language="ar", **bodies)
    assert ("minimal", "T18") in findings(language="ar", **{**bodies, "minimal": bodies["minimal"] + line + "\n"})


@pytest.mark.parametrize(
    ("phrase", "sentence", "language", "there"),
    [
        ("abus*", "He abused her", "en", True),
        ("abus", "He abused her", "en", False),
        ("abus*", "an Abus", "en", True),
        ("cases", "in any case", "en", False),
        ("d'abus*", "pas d’abuseur", "fr", True),
        ("हिंसा", "यह हिंसा है", "hi", True),
        ("हिंस", "यह हिंसा है", "hi", False),
        ("受害", "我们是受害者", "zh-Hans", True),
        ("ısı", "ISI", "tr", True),
    ],
)
def test_phrases_are_found_as_whole_words_in_every_script(
    phrase: str, sentence: str, language: str, there: bool
) -> None:
    assert bool(prose.found([phrase], sentence, language)) is there


def test_words_and_sentences_are_counted_in_every_script() -> None:
    assert prose.word_count("Don't go, K7QD-3M9X-T!", "en") == 6
    assert prose.word_count("यह हिंसा है", "hi") == 3
    assert prose.word_count("我们不是受害者", "zh-Hans") == 3
    assert prose.sentence_length("One two three four. Five six seven eight! example.org", "en") == 4
    assert prose.sentence_length("我们不是受害者的人们。我们不是受害者的人们。", "zh-Hans") == 5
    assert prose.sentence_length("คุณไม่ได้อยู่คนเดียว คุณไม่ได้อยู่คนเดียว", "th") == 5
    assert prose.sentence_length("", "en") == 0
