import re

import pytest

from mailroom.errors import ConfigError
from mailroom.triage.phrases import Taxonomy, parse_phrases, parse_taxonomy
from mailroom.triage.triage import Lexicon, lexicon
from tests.triage.conftest import rule_files

LANGUAGES = {"en", "es", "fr", "hi", "ar", "pt"}

TAXONOMY = """\
version: 3
flags: [minor, imminent_danger]
categories:
  doxing: {group: privacy, severity: 4, definition: d, labels: {en: Private data published, es: Datos}}
  outing: {group: privacy, severity: 4, definition: d, labels: {en: Outing}, replaced_by: doxing}
  unclassified: {group: other, severity: 0, definition: d, labels: {en: Not yet read}}
"""


@pytest.fixture
def taxonomy() -> Taxonomy:
    return parse_taxonomy("categories.yaml", TAXONOMY)


def complaints(text: str, taxonomy: Taxonomy | None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_phrases("phrases/en.yaml", text, taxonomy)
    return [str(problem) for problem in caught.value.problems]


def test_shipped_files_are_valid_and_cover_the_six_languages(shipped: Lexicon) -> None:
    assert shipped.languages == LANGUAGES


def test_shipped_categories_have_a_label_in_every_language(shipped: Lexicon) -> None:
    missing = [(name, LANGUAGES - each.labels.keys()) for name, each in shipped.taxonomy.categories.items()]
    assert [each for each in missing if each[1]] == []


def test_shipped_taxonomy_has_the_24_categories_and_their_severity(shipped: Lexicon) -> None:
    assert len(shipped.taxonomy.current) == 24
    assert shipped.taxonomy.severity("child_safety") == 5
    assert shipped.taxonomy.group("doxing") == "privacy"


def test_every_shipped_language_speaks_of_every_danger_and_wish() -> None:
    for name, text in rule_files().items():
        if name.startswith("phrases/"):
            parsed = parse_phrases(name, text, None)
            assert {"imminent_danger", "minor"} <= parsed.danger.keys(), name
            assert {"none", "unsafe", "ok"} == parsed.contact.keys(), name
            assert parsed.country.phrases, name


def test_label_falls_back_to_english(taxonomy: Taxonomy) -> None:
    assert taxonomy.label("doxing", "es") == "Datos"
    assert taxonomy.label("doxing", "xx") == "Private data published"


def test_a_replaced_category_keeps_its_severity_but_takes_no_new_case(taxonomy: Taxonomy) -> None:
    assert taxonomy.severity("outing") == 4
    assert "outing" not in taxonomy.current


def test_unknown_ids_are_refused_with_line_and_nearest(taxonomy: Taxonomy) -> None:
    text = """\
category:
  doxxing:
    - {phrase: my address, weight: 3}
danger:
  minors: ["under age"]
country:
  unsure: [Kenya]
"""
    assert complaints(text, taxonomy) == [
        "phrases/en.yaml: line 2: unknown category 'doxxing'. Did you mean 'doxing'?",
        "phrases/en.yaml: line 5: unknown flag 'minors'. Did you mean 'minor'?",
        "phrases/en.yaml: line 7: unknown country 'Kenya'.",
    ]


def test_all_problems_of_a_file_come_at_once_each_with_its_line(taxonomy: Taxonomy) -> None:
    text = """\
category:
  doxing:
    - {phrase: "", weight: 3}
    - {phrase: my address, weight: 9}
    - {phrase: my address, wieght: 3}
contact:
  nonee: ["no"]
  ok: ["write"]
  ok: ["answer"]
"""
    lines = [re.findall(r"line (\d+)", each)[0] for each in complaints(text, taxonomy)]
    assert set(lines) == {"3", "4", "5", "7", "8"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("contact:\n  nonee: [no]\n", "Did you mean 'none'?"),
        ("dangr: {}\n", "Did you mean 'danger'?"),
        ("danger: {minor: ['live in {country}']}\n", "only for the phrases under country"),
        ("country: {phrases: [{phrase: i live here, weight: 5}]}\n", "names {country} once"),
        ("country: {names: {US: ['!']}}\n", "a name needs letters"),
        ("danger: [\n", "not valid YAML"),
    ],
)
def test_a_bad_phrase_file_is_refused_with_the_reason(text: str, expected: str, taxonomy: Taxonomy) -> None:
    assert expected in "\n".join(complaints(text, taxonomy))


def test_a_file_for_a_language_without_country_names_is_refused() -> None:
    with pytest.raises(ConfigError, match="no country names are known for the language 'xx'"):
        parse_phrases("phrases/xx.yaml", "danger: {}\n", None)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("unclassified:", "unknown:", "'unclassified' is missing"),
        ("severity: 4", "severity: 6", "less than or equal to 5"),
        ("severity: 4", "severity: 0", "0 only for unclassified"),
        ("en: Outing", "fr: Outing", "no English label"),
        ("replaced_by: doxing", "replaced_by: doxxing", "Did you mean 'doxing'?"),
        ("severity", "severty", "Did you mean 'severity'?"),
    ],
)
def test_a_bad_taxonomy_is_refused_with_the_reason(old: str, new: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(expected)):
        parse_taxonomy("categories.yaml", TAXONOMY.replace(old, new))


def test_problems_of_all_files_are_in_one_error() -> None:
    files = {
        "categories.yaml": TAXONOMY.replace("version: 3", "version: 0"),
        "phrases/en.yaml": "dangr: {}\n",
        "phrases/es.yaml": "danger: {minor: ['']}\n",
    }
    with pytest.raises(ConfigError) as caught:
        lexicon(files)
    assert {problem.file for problem in caught.value.problems} == files.keys()


def test_a_missing_taxonomy_is_named() -> None:
    with pytest.raises(ConfigError, match=r"categories.yaml: the file is missing"):
        lexicon({})


def test_other_files_are_passed_over() -> None:
    assert lexicon({"categories.yaml": TAXONOMY, "directory.yaml": "[["}).languages == frozenset()


def test_no_two_shipped_phrases_of_a_category_are_the_same() -> None:
    for name, text in rule_files().items():
        if name.startswith("phrases/"):
            for category, entries in parse_phrases(name, text, None).category.items():
                written = [entry.phrase for entry in entries]
                assert len(written) == len(set(written)), (name, category)


def test_shipped_phrases_have_no_stray_question_marks() -> None:
    strays = [line for text in rule_files().values() for line in re.findall(r'"[^"]*\?[^"]*"', text)]
    assert strays == []
