"""Triage: language, country, category, danger and safe contact of one message. Pure.

Only the first 1,000 characters of the subject and 20,000 of the text are looked at, so that the time is bounded;
the danger screen of a longer text ends there too. Phrases of all shipped languages are looked for in every text:
people mix languages, most of all in fear.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mailroom.errors import ConfigError, Problem, attempt
from mailroom.mail.form import Shape
from mailroom.mail.message import Form, Message
from mailroom.triage import category, contact, country, danger, language, stated
from mailroom.triage.facts import Finding, Triage
from mailroom.triage.folding import prose, words
from mailroom.triage.forms import parse_forms
from mailroom.triage.matching import Meaning, Phrases
from mailroom.triage.phrases import PhraseFile, Taxonomy, language_of, parse_phrases, parse_taxonomy

LOOKED_AT = 20_000  # characters of the text
_SUBJECT_LOOKED_AT = 1000
_TAXONOMY = "categories.yaml"
_PHRASES = "phrases/"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All that triage knows: the taxonomy, the phrases of each language, and how forms look. Built by `lexicon`.

    `unsure` holds (language, country code) of country names that mean other places too.
    """

    taxonomy: Taxonomy
    languages: frozenset[str]
    phrases: Phrases = field(repr=False)
    unsure: frozenset[tuple[str, str]] = frozenset()
    forms: tuple[Shape, ...] = field(default=(), repr=False)


def lexicon(files: Mapping[str, str]) -> Lexicon:
    """Build a lexicon from texts named `categories.yaml`, `phrases/LANGUAGE.yaml` and `forms/NAME.yaml`.

    Other names are passed over.

    Raises:
        ConfigError: with all problems of all files.
    """
    problems: list[Problem] = []
    taxonomy = attempt(lambda: taxonomy_of(files), problems)
    parsed: dict[str, PhraseFile] = {}
    for name in sorted(name for name in files if name.startswith(_PHRASES)):
        try:
            parsed[language_of(name)] = parse_phrases(name, files[name], taxonomy)
        except ConfigError as error:
            problems += error.problems
    forms = attempt(lambda: parse_forms(files, taxonomy), problems)
    if problems or taxonomy is None or forms is None:
        raise ConfigError(*problems)
    phrases = Phrases()
    for code, file in parsed.items():
        _add_all(phrases, code, file)
    unsure = frozenset((code, place) for code, file in parsed.items() for place in file.country.unsure)
    return Lexicon(taxonomy, frozenset(parsed), phrases, unsure, forms)


def taxonomy_of(files: Mapping[str, str]) -> Taxonomy:
    """Read `categories.yaml`.

    Raises:
        ConfigError: with all its problems.
    """
    if _TAXONOMY not in files:
        raise ConfigError(Problem(_TAXONOMY, "", "the file is missing."))
    return parse_taxonomy(_TAXONOMY, files[_TAXONOMY])


def _add_all(phrases: Phrases, code: str, file: PhraseFile) -> None:
    for phrase, meaning in _meanings(code, file):
        phrases.add(phrase, meaning, code)
    for name, place in country.country_names(code):
        phrases.add_country(name, place, code)
    for place, more in file.country.names.items():
        for name in more:
            phrases.add_country(name, place, code)


def _meanings(code: str, file: PhraseFile) -> Iterator[tuple[str, Meaning]]:
    """Give each phrase of a file with what it means."""
    for target, entries in file.category.items():
        yield from ((entry.phrase, Meaning("category", target, entry.weight, entry.flag)) for entry in entries)
    for flag, texts in file.danger.items():
        yield from ((text, Meaning("danger", flag)) for text in texts)
    for wish, texts in file.contact.items():
        yield from ((text, Meaning("contact", wish)) for text in texts)
    yield from ((entry.phrase, Meaning("country", code, entry.weight)) for entry in file.country.phrases)
    yield from ((text, Meaning("harmless", code)) for text in file.harmless)


def triage(message: Message, lexicon: Lexicon, form: Form | None = None) -> Triage:
    """Say what a message is about, with the evidence for each decision. Never raises, whatever the text.

    What was picked on a `form` decides; its subject says nothing about the language, a program wrote it.
    """
    own = message.text[:LOOKED_AT]
    whole = f"{message.subject[:_SUBJECT_LOOKED_AT]}\n{stated.words_around(form)[:LOOKED_AT]}\n{own}"
    hits = lexicon.phrases.scan(words(prose(whole)))
    raised = danger.merged(danger.flags(hits), stated.flags(form))
    said, said_evidence = contact.preference(hits)
    plain, word = contact.plain_word(f"{message.subject}\n{own}")
    wish = contact.more_cautious(said, plain)
    writer = form.address if form and form.named_sender else message.sender
    return Triage(
        language=_language(own, whole, form),
        country=stated.country(form, lexicon.languages) or country.decide(hits, writer, lexicon.unsure),
        category=stated.category(form) or category.decide(hits),
        flags=tuple(flag for flag, _ in raised),
        flag_evidence=raised,
        contact=wish,
        contact_evidence=(word,) if word and wish == plain else said_evidence,
        severity=max(map(lexicon.taxonomy.severity, category.possible(hits)), default=0),
    )


def _language(own: str, whole: str, form: Form | None) -> Finding:
    spoken = language.detect(own)
    if spoken.value != "und" or form is not None:
        return spoken
    with_subject = language.detect(whole)
    return with_subject if with_subject.value != "und" else spoken
