import pickle

import pytest

from mailroom.errors import ConfigError, Problem
from mailroom.mail.message import Form
from mailroom.triage.forms import parse_forms
from mailroom.triage.triage import Lexicon, taxonomy_of, triage
from tests.triage.conftest import message, rule_files

GOOD = """\
id: our-form
senders: [form@site.example]
person: email
needs: [email]
labels:
  en:
    email: Email
    details: [Message, Story]
categories:
  stalking: {en: Followed}
flags:
  minor: {en: Followed}
"""


def problems(old: str, new: str, name: str = "forms/ours.yaml") -> list[Problem]:
    assert old in GOOD
    with pytest.raises(ConfigError) as told:
        parse_forms({name: GOOD.replace(old, new)}, taxonomy_of(rule_files()))
    return list(told.value.problems)


def test_a_form_is_read_from_yaml() -> None:
    [shape] = parse_forms({"forms/ours.yaml": GOOD, "rules.yaml": "[["}, taxonomy_of(rule_files()))
    assert (shape.id, shape.person, shape.needs) == ("our-form", "email", frozenset({"email"}))
    assert shape.senders == {"form@site.example"}
    assert shape.labels == {"email": ("email", "en"), "message": ("details", "en"), "story": ("details", "en")}
    assert shape.choices == {"followed": ("stalking", ("minor",))}


@pytest.mark.parametrize(
    ("old", "new", "line", "nearest"),
    [
        ("person: email", "persn: email", 3, "person"),
        ("person: email", "person: emial", 3, "email"),
        ("    email: Email", "    emial: Email", 7, "email"),
        ("  stalking:", "  stalkign:", 10, "stalking"),
        ("  minor:", "  minro:", 12, "minor"),
        ("  en:\n    email", "  enn:\n    email", 6, "nn"),
    ],
)
def test_a_misspelt_word_is_told_with_its_line_and_the_nearest(old: str, new: str, line: int, nearest: str) -> None:
    assert (f"line {line}", nearest) in [(each.where, each.nearest) for each in problems(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("form@site.example", "site.example", 2, "must be an address"),
        ("needs: [email]", "needs: [country]", 4, "no language has a label for it"),
        ("needs: [email]", "order: [details, email]", 4, "ends with details"),
        ("needs: [email]", "mark: x", 4, "a mark needs an order with a link"),
        ("    email: Email", "    name: Email", 3, "labels must name that field"),
        ("[Message, Story]", "[Message, EMAIL]", 8, "'email' stands for 'email' too"),
        ("minor: {en: Followed}", "minor: {en: '*'}", 12, "a label needs letters"),
    ],
)
def test_what_cannot_work_is_told(old: str, new: str, line: int, said: str) -> None:
    assert any(each.where == f"line {line}" and said in each.what for each in problems(old, new))


def test_an_id_is_there_once() -> None:
    with pytest.raises(ConfigError, match=r"forms/b\.yaml: line 1: the id 'our-form' is in forms/a\.yaml too"):
        parse_forms({"forms/a.yaml": GOOD, "forms/b.yaml": GOOD}, None)


def test_without_a_taxonomy_ids_go_unchecked() -> None:
    assert parse_forms({"forms/ours.yaml": GOOD.replace("stalking", "no_such")}, None)


def test_forms_reach_another_process_whole(shipped: Lexicon) -> None:
    assert len(shipped.forms) >= 3
    assert pickle.loads(pickle.dumps(shipped)).forms == shipped.forms


def test_what_was_picked_decides_over_words(shipped: Lexicon) -> None:
    form = Form("web-form", "", choice="Stalking", category="stalking", country="kenya", flags=("minor",))
    found = triage(message("I live in France. He called me a stupid bitch and a whore."), shipped, form)
    assert (found.category.value, found.category.source, found.category.evidence) == (
        "stalking",
        "stated",
        ("Stalking",),
    )
    assert (found.country.value, found.country.source) == ("KE", "stated")
    assert found.flags == ("minor",)


def test_danger_in_the_words_counts_beside_a_mild_choice(shipped: Lexicon) -> None:
    form = Form("reportincident", "", choice="Vandalism", category="not_harassment")
    found = triage(message("He said he will kill me tonight"), shipped, form)
    assert found.category.value == "not_harassment"
    assert found.severity == 5
    assert "imminent_danger" in found.flags


def test_words_decide_where_the_choice_is_unknown(shipped: Lexicon) -> None:
    picked = triage(message("C'est arrivé hier."), shipped, Form("reportincident", "", choice="Harcèlement sexuel"))
    assert (picked.category.value, picked.category.source) == ("sexual_harassment", "inferred")


@pytest.mark.parametrize(("written", "code"), [("FR", "FR"), ("fr", "FR"), ("Francia", "FR"), ("Atlantis", None)])
def test_a_country_is_a_code_or_a_name_in_a_language_of_ours(shipped: Lexicon, written: str, code: str | None) -> None:
    assert triage(message("Hello"), shipped, Form("web-form", "", country=written)).country.value == code


def test_the_ending_of_the_forms_own_address_says_nothing_about_her(shipped: Lexicon) -> None:
    text = message("The police in Germany did not help me.", sender="form@wiki.de")
    assert triage(text, shipped).country.value == "DE"
    form = Form("reportincident", "", named_sender=True, address="pine@example.net")
    assert triage(text, shipped, form).country.value is None


def test_a_subject_that_a_program_wrote_is_no_language(shipped: Lexicon) -> None:
    short = message("Ja.", "IRS report from Pine on 2026-03-03 about something that happened to me yesterday")
    assert triage(short, shipped).language.value == "en"
    assert triage(short, shipped, Form("reportincident", "")).language.value == "und"


def test_danger_in_a_line_that_is_no_field_is_found(shipped: Lexicon) -> None:
    form = Form(
        "web-form", "", choice="Vandalism", category="not_harassment", rest="Anything else: I want to kill myself"
    )
    assert "imminent_danger" in triage(message("Please write to me soon."), shipped, form).flags


def test_a_misspelt_name_of_a_field_is_told_once_in_plain_words() -> None:
    [told] = [one for one in problems("    email: Email", "    emial: Email") if one.where == "line 7"]
    assert told.what.startswith("the key 'emial' is none of name, reported, email,")
