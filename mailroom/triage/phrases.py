"""The taxonomy and the phrase files: YAML text in, checked values out. Nothing is read from disk here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from mailroom.errors import ConfigError, Problem
from mailroom.nearest import nearest
from mailroom.triage.country import country_codes, country_names
from mailroom.triage.facts import Contact
from mailroom.triage.folding import words
from mailroom.triage.wording import COUNTRY, steps
from mailroom.yaml_lines import Document, Fault, Place, Strict


class Category(Strict):
    """One category of the taxonomy. `severity` is 1 to 5, and 0 only for `unclassified`."""

    group: str = Field(min_length=1)
    severity: int = Field(ge=0, le=5)
    definition: str = Field(min_length=1)
    labels: dict[str, Annotated[str, Field(min_length=1)]]
    replaced_by: str | None = None


class _TaxonomyFile(Strict):
    version: int = Field(ge=1)
    flags: list[str]
    categories: dict[str, Category]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The categories and flags that a case can have. Ids are never renamed or used again; a case keeps its version."""

    version: int
    categories: dict[str, Category]
    flags: frozenset[str]

    def severity(self, category: str) -> int:
        """Give the severity, 1 to 5; 0 for `unclassified`. Raises KeyError for an unknown id."""
        return self.categories[category].severity

    def group(self, category: str) -> str:
        """Give the group that the category is counted in. Raises KeyError for an unknown id."""
        return self.categories[category].group

    def label(self, category: str, language: str) -> str:
        """Give the name of the category for people, in English where `language` has none."""
        labels = self.categories[category].labels
        return labels.get(language, labels["en"])

    @property
    def current(self) -> frozenset[str]:
        """The ids that a new case can get: all that were not replaced by another."""
        return frozenset(name for name, category in self.categories.items() if category.replaced_by is None)


def _phrase(text: str) -> str:
    steps(text)
    if COUNTRY in text:
        raise ValueError("{country} is only for the phrases under country and harmless")
    return text


def _harmless(text: str) -> str:
    steps(text)
    return text


def _country_phrase(text: str) -> str:
    steps(text)
    if text.split().count(COUNTRY) != 1:
        raise ValueError("a country phrase names {country} once")
    return text


def _name(text: str) -> str:
    if not words(text):
        raise ValueError("a name needs letters")
    return text


Phrase = Annotated[str, AfterValidator(_phrase)]
Weight = Annotated[int, Field(ge=1, le=5)]


class CategoryPhrase(Strict):
    """`weight`: 3 is enough alone, 5 is as good as certain, 1 and 2 only support. `flag` is raised as well."""

    phrase: Phrase
    weight: Weight
    flag: str | None = None


class CountryPhrase(Strict):
    """`weight`: 4 and 5 state where the writer lives, less only suggests it."""

    phrase: Annotated[str, AfterValidator(_country_phrase)]
    weight: Weight


class CountryPhrases(Strict):
    """How a language names a country.

    `names`: country code to more names than the CLDR has; `unsure`: codes whose name is also that of another place.
    """

    phrases: list[CountryPhrase] = Field(default_factory=list)
    names: dict[str, list[Annotated[str, AfterValidator(_name)]]] = Field(default_factory=dict)
    unsure: list[str] = Field(default_factory=list)


class PhraseFile(Strict):
    """The phrases of one language: which categories, flags, wishes and countries they speak for."""

    category: dict[str, list[CategoryPhrase]] = Field(default_factory=dict)
    danger: dict[str, list[Phrase]] = Field(default_factory=dict)
    contact: dict[Contact, list[Phrase]] = Field(default_factory=dict)
    country: CountryPhrases = CountryPhrases()
    harmless: list[Annotated[str, AfterValidator(_harmless)]] = Field(default_factory=list)


def parse_taxonomy(name: str, text: str) -> Taxonomy:
    """Read rules/categories.yaml, given as text; `name` is the file in error messages.

    Raises:
        ConfigError: with every problem and its line.
    """
    parsed = Document(name, text).check(_TaxonomyFile, _taxonomy_faults)
    return Taxonomy(parsed.version, parsed.categories, frozenset(parsed.flags))


def _taxonomy_faults(parsed: _TaxonomyFile) -> Iterator[Fault]:
    if "unclassified" not in parsed.categories:
        yield Fault(("categories",), "the category 'unclassified' is missing; it stands for what is not known.")
    for category, entry in parsed.categories.items():
        place = ("categories", category)
        if "en" not in entry.labels:
            yield Fault((*place, "labels"), f"{category} has no English label (en).")
        if (entry.severity == 0) != (category == "unclassified"):
            yield Fault((*place, "severity"), "severity is 1 to 5, and 0 only for unclassified.")
        if entry.replaced_by is not None and entry.replaced_by not in parsed.categories:
            yield _unknown((*place, "replaced_by"), "category", entry.replaced_by, parsed.categories)


def parse_phrases(name: str, text: str, taxonomy: Taxonomy | None) -> PhraseFile:
    """Read one file of rules/phrases, given as text; its name says the language ("phrases/en.yaml").

    Without a taxonomy (it is broken) the ids of categories and flags go unchecked.

    Raises:
        ConfigError: with every problem, its line and the nearest valid id.
    """
    try:
        next(country_names(language_of(name)))
    except ValueError as error:
        raise ConfigError(Problem(name, "", f"{error}.")) from None
    return Document(name, text).check(PhraseFile, lambda parsed: _unknown_ids(parsed, taxonomy))


def language_of(name: str) -> str:
    """Give the language of a phrase file: "phrases/en.yaml" is for "en"."""
    return name.rpartition("/")[2].removesuffix(".yaml")


def _valid(kind: str, taxonomy: Taxonomy | None) -> frozenset[str] | None:
    if kind == "country":
        return country_codes()
    if taxonomy is None:
        return None
    return taxonomy.current if kind == "category" else taxonomy.flags


def _unknown_ids(parsed: PhraseFile, taxonomy: Taxonomy | None) -> Iterator[Fault]:
    for place, kind, identifier in _ids(parsed):
        valid = _valid(kind, taxonomy)
        if valid is not None and identifier not in valid:
            yield _unknown(place, kind, identifier, valid)


def _ids(parsed: PhraseFile) -> Iterator[tuple[Place, str, str]]:
    """Give every category, flag and country that a phrase file names: its place, its kind, its id."""
    for category, entries in parsed.category.items():
        yield ("category", category), "category", category
        for index, entry in enumerate(entries):
            if entry.flag is not None:
                yield ("category", category, index, "flag"), "flag", entry.flag
    for flag in parsed.danger:
        yield ("danger", flag), "flag", flag
    for code in parsed.country.names:
        yield ("country", "names", code), "country", code
    for index, code in enumerate(parsed.country.unsure):
        yield ("country", "unsure", index), "country", code


def _unknown(place: Place, kind: str, identifier: str, valid: Iterable[str]) -> Fault:
    return Fault(place, f"unknown {kind} {identifier!r}.", nearest(identifier, valid))
