"""Checks of the texts as people will read them: each text is written with sample values and looked at.

The rules are those of docs on complainant safety, T2 to T20; a problem names its rule. Each language has a list
of words (`words.yaml`) that a person who speaks it wrote.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from mailroom.errors import ConfigError, Problem
from mailroom.referral import prose
from mailroom.referral.offer import Offer
from mailroom.referral.service import SHORTENERS
from mailroom.referral.templates import Texts
from mailroom.yaml_lines import Document, Strict

PREVIEW = 100  # characters that a phone may show on its lock screen
MAX_WORDS = {"full": 300}
MAX_WORDS_SILENT = 80
MAX_MEAN_SENTENCE = 20
# The blocks of each text, in the order in which they stand.
BLOCKS = {
    "full": (
        *("emergency", "crisis", "care", "will", "will_not", "referrals"),
        *("confidentiality", "safe_contact", "rights", "key"),
    ),
    "minimal": ("emergency", "safe_contact"),
    "receipt": ("emergency", "safe_contact"),
    "ask_key": ("emergency", "key"),
    "cannot_open": ("emergency", "key"),
}
RULE_OF_BLOCK = {
    "emergency": "T6",
    "crisis": "T7",
    "will": "T8",
    "will_not": "T8",
    "care": "T10",
    "confidentiality": "T11",
    "rights": "T12",
    "safe_contact": "T13",
    "referrals": "T15",
    "key": "T19",
}
_MARKER = re.compile(r"^\[([a-z_]+)\]$", re.MULTILINE)
_ADDRESS = re.compile(r"\S*[A-Za-z0-9]\.[A-Za-z]{2,}\S*|\S+@\S+|\S+://\S+|\d{5,}")

_OFFER = Offer("sample", "Nnn", "Www", "Sss", "Hhh", "Lll", "Ccc", ("12345678",), "https://example.org/help")
_FULL: dict[str, object] = {
    "reference": "K7QD-3M9X-T",
    "emergency": "987",
    "country": None,
    "hours": "09:00-17:00",
    "retention_months": 37,
    "services": (),
    "fingerprint": "0123 4567 89AB CDEF",
    "urgent": False,
}
SAMPLES = (
    _FULL,
    {**_FULL, "services": (_OFFER,), "urgent": True},
    {**_FULL, "emergency": None, "hours": None, "fingerprint": ""},
)


def _lower(words: list[str]) -> list[str]:
    for word in words:
        if word != word.lower() or not word.strip("* "):
            raise ValueError(f"{word!r} must be in lower case")
    return words


Phrases = Annotated[list[str], Field(min_length=1), AfterValidator(_lower)]


class Words(Strict):
    """The words of one language; a star at the end of a phrase stands for any ending.

    `deny_preview` may not stand in a subject, in the first 100 characters, nor anywhere in a text that must stay
    silent (all but full); `deny_promise` and `deny_blame` in no text. One of `care` stands in full.
    """

    deny_preview: Phrases
    deny_promise: Phrases
    deny_blame: Phrases
    care: Phrases


@dataclass(frozen=True, slots=True)
class Sample:
    """One text as it would be read, with the values that it was written with."""

    name: str
    language: str
    subject: str
    marked: str
    body: str
    values: Mapping[str, object]

    @property
    def preview(self) -> str:
        """The beginning that a lock screen shows."""
        return self.body[:PREVIEW]


Finding = tuple[str, str]


def lint(texts: Texts, words: Mapping[str, str]) -> list[Problem]:
    """Check all texts; `words` are the word lists by names such as `es/words.yaml`.

    `Problem.where` is the rule. Gives nothing when all is well. That nobody reviewed a text is no problem here:
    see `Texts.unreviewed`.
    """
    problems: list[Problem] = []
    for language in texts.languages:
        try:
            known = _words(f"{language}/words.yaml", words)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        problems.extend(_language_problems(texts, language, known))
    return list(dict.fromkeys(problems))


def _words(file: str, files: Mapping[str, str]) -> Words:
    if file not in files:
        raise ConfigError(Problem(file, "", "the word list of this language is missing."))
    return Document(file, files[file]).check(Words)


def _language_problems(texts: Texts, language: str, words: Words) -> Iterator[Problem]:
    samples = [_sample(texts, name, language, values) for name in sorted(texts.names) for values in SAMPLES]
    for sample in samples:
        for rule, what in _sample_findings(sample, words):
            yield Problem(f"{language}/{sample.name}.txt", rule, what)
    fixed = next(sample.preview for sample in samples if sample.name == "full")
    for sample in samples:
        if sample.preview != fixed:
            what = f"the first {PREVIEW} characters differ from those of full.txt; all texts begin alike."
            yield Problem(f"{language}/{sample.name}.txt", "T6", what)


def _sample(texts: Texts, name: str, language: str, values: Mapping[str, object]) -> Sample:
    marked, body = texts.marked(name, language, values), texts.body(name, language, values)
    return Sample(name, language, texts.fronts[f"{language}/{name}"].subject, marked, body, values)


def _sample_findings(sample: Sample, words: Words) -> Iterator[Finding]:
    yield from _words_used(sample, words)
    yield from _blocks(sample)
    yield from _facts_told(sample)
    yield from _links(sample)
    yield from _length(sample)
    if prose.is_right_to_left(sample.body):
        yield from _direction(sample)


def _words_used(sample: Sample, words: Words) -> Iterator[Finding]:
    shown = f"{sample.subject}\n{sample.preview if sample.name == 'full' else sample.body}"
    for rule, phrases, text in (
        ("T2", words.deny_preview, shown),
        ("T9", words.deny_promise, sample.body),
        ("T10", words.deny_blame, sample.body),
    ):
        yield from ((rule, f"{phrase!r} must not be there.") for phrase in prose.found(phrases, text, sample.language))
    if "care" in BLOCKS.get(sample.name, ()) and not prose.found(words.care, sample.body, sample.language):
        yield "T10", "none of the sentences listed under `care` is there."


def _blocks(sample: Sample) -> Iterator[Finding]:
    markers = _MARKER.findall(sample.marked)
    wanted = BLOCKS.get(sample.name, ("emergency",))
    for block in wanted:
        if block not in markers:
            yield RULE_OF_BLOCK[block], f"the block [{block}] is missing."
    if set(wanted) <= set(markers) and markers != list(wanted):
        yield "T18", f"the blocks must stand in this order: {', '.join(wanted)}."
    above = sample.marked.partition("[emergency]")[0].strip()
    if "\n\n" in above or not above:
        yield "T6", "one neutral sentence, and nothing else, stands before [emergency]."


def _facts_told(sample: Sample) -> Iterator[Finding]:
    if str(sample.values["reference"]) not in sample.body:
        yield "T5", "{{ reference }} is missing."
    for rule, name in (("T6", "emergency"), ("T6", "hours")):
        if sample.values[name] and str(sample.values[name]) not in sample.body:
            yield rule, f"{{{{ {name} }}}} is missing."
    if sample.name != "full":
        return
    for rule, told in (("T12", "retention_months"), ("T19", "fingerprint")):
        if str(sample.values[told] or "") not in sample.body:
            yield rule, f"{{{{ {told} }}}} is missing."
    if not re.search(r"findahelpline\.com|befrienders\.org", sample.body):
        yield "T7", "findahelpline.com or befrienders.org is missing."
    if sample.values["services"]:
        parts = (_OFFER.name, _OFFER.what, _OFFER.serves, _OFFER.hours, _OFFER.languages, _OFFER.cost, *_OFFER.contacts)
        yield from (("T15", f"{part!r} of a service is not shown.") for part in parts if part not in sample.body)


def _links(sample: Sample) -> Iterator[Finding]:
    for link in re.findall(r"[a-z]+://\S+", sample.body):
        host = link.partition("://")[2].partition("/")[0]
        if not link.startswith("https://"):
            yield "T16", f"{link} does not begin with https://."
        if host in SHORTENERS or "utm_" in link:
            yield "T16", f"{link} is shortened or tracks its readers."


def _length(sample: Sample) -> Iterator[Finding]:
    if sample.values["services"]:
        return  # services are not counted
    count, most = prose.word_count(sample.body, sample.language), MAX_WORDS.get(sample.name, MAX_WORDS_SILENT)
    if count > most:
        yield "T17", f"{count} words; at most {most} are allowed."
    mean = prose.sentence_length(sample.body, sample.language)
    if mean > MAX_MEAN_SENTENCE:
        yield "T17", f"sentences have {mean:.0f} words on average; at most {MAX_MEAN_SENTENCE} are allowed."


def _direction(sample: Sample) -> Iterator[Finding]:
    for line in sample.body.splitlines():
        mixed = any(prose.first_strong(each) == "rtl" for each in line)
        if mixed and prose.first_strong(line) != "rtl":
            yield "T18", "a line begins left-to-right and goes on right-to-left; begin it with a letter or U+200F."
        if mixed and (_ADDRESS.search(line) or str(sample.values["reference"]) in line):
            yield "T18", "an address, a long number or the reference must stand on a line of its own."
