"""The files of rules/forms: how a structured mail looks. YAML text in, checked shapes out. Nothing is read from disk.

docs/forms.md tells how to describe a form.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, Field

from mailroom.errors import ConfigError, Problem
from mailroom.mail.form import DETAILS, Shape, fold
from mailroom.nearest import nearest
from mailroom.triage.phrases import Taxonomy
from mailroom.yaml_lines import Document, Fault, OneOrMany, Place, Strict

FORMS = "forms/"

FieldName = Literal["name", "reported", "email", "category", "country", "link", "subject", "details"]


def _sender(address: str) -> str:
    """Refuse what can be no From address, nor the domain of one."""
    _, at, domain = address.rpartition("@")
    if not at or not domain or address.count("@") > 1 or any(letter.isspace() for letter in address):
        raise ValueError(f"{address!r} must be an address, or a domain such as '@wiki.example'")
    return address


Sender = Annotated[str, AfterValidator(_sender)]
Label = Annotated[str, Field(min_length=1, max_length=120)]
# One list of names, not two: a name that is none of them gets one error, with the nearest of all.
LabelName = Literal[FieldName, "end"]
Labels = dict[LabelName, OneOrMany[Label]]
Choices = dict[str, dict[str, OneOrMany[Label]]]


class FormFile(Strict):
    """One form. `labels` are by language, `categories` and `flags` by id of the taxonomy and then by language."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
    senders: tuple[Sender, ...] = ()
    person: Literal["reply-to", "email"]
    order: tuple[FieldName, ...] = ()
    needs: tuple[FieldName, ...] = ()
    mark: str = ""
    labels: dict[str, Labels] = Field(min_length=1)
    categories: Choices = Field(default_factory=dict)
    flags: Choices = Field(default_factory=dict)


def parse_forms(files: Mapping[str, str], taxonomy: Taxonomy | None) -> tuple[Shape, ...]:
    """Read all texts named `forms/NAME.yaml`, in the order of their names; other names are passed over.

    Without a taxonomy (it is broken) the ids of categories and flags go unchecked.

    Raises:
        ConfigError: with every problem of every file, its line and the nearest valid value.
    """
    shapes: list[Shape] = []
    problems: list[Problem] = []
    homes: dict[str, str] = {}
    for name in sorted(name for name in files if name.startswith(FORMS)):
        try:
            form = Document(name, files[name]).check(FormFile, lambda parsed: _faults(parsed, taxonomy, homes))
        except ConfigError as error:
            problems += error.problems
        else:
            homes[form.id] = name
            shapes.append(_shape(form))
    if problems:
        raise ConfigError(*problems)
    return tuple(shapes)


def _shape(form: FormFile) -> Shape:
    choices: dict[str, tuple[str | None, tuple[str, ...]]] = {}
    for _, category, choice in _choices(form.categories):
        choices[choice] = (category, ())
    for _, flag, choice in _choices(form.flags):
        named, flags = choices.get(choice, (None, ()))
        choices[choice] = (named, tuple(sorted({*flags, flag})))
    labels: dict[str, tuple[str, str]] = {}
    for (_, language, *_), name, label in _labels(form):
        labels.setdefault(label, (name, str(language)))
    return Shape(
        id=form.id,
        senders=frozenset(sender.casefold() for sender in form.senders),
        person=form.person,
        order=form.order,
        needs=frozenset(form.needs),
        mark=form.mark,
        labels=labels,
        choices=choices,
    )


def _labels(form: FormFile) -> Iterator[tuple[Place, str, str]]:
    """Give (place, field, folded label) of every label."""
    for language, fields in form.labels.items():
        for name, labels in fields.items():
            for number, label in enumerate(labels):
                yield ("labels", language, name, number), name, fold(label)


def _choices(table: Choices) -> Iterator[tuple[Place, str, str]]:
    """Give (place, id, folded choice) of every choice."""
    for identifier, languages in table.items():
        for language, labels in languages.items():
            for number, label in enumerate(labels):
                yield (identifier, language, number), identifier, fold(label)


def _faults(form: FormFile, taxonomy: Taxonomy | None, homes: Mapping[str, str]) -> Iterator[Fault]:
    if form.id in homes:
        yield Fault(("id",), f"the id {form.id!r} is in {homes[form.id]} too.")
    yield from _field_faults(form)
    for found, under, said_once in (
        (_labels(form), (), True),
        (_choices(form.categories), ("categories",), True),
        (_choices(form.flags), ("flags",), False),
    ):
        yield from _label_faults(found, under, said_once=said_once)
    yield from _languages(form)
    if taxonomy is not None:
        yield from _unknown_ids("categories", "category", form.categories, taxonomy.current)
        yield from _unknown_ids("flags", "flag", form.flags, taxonomy.flags)


def _field_faults(form: FormFile) -> Iterator[Fault]:
    """Check that the fields which reading rests on are there."""
    labelled = {name for _, name, _ in _labels(form)}
    if form.order and (form.order[-1] != DETAILS or len(set(form.order)) < len(form.order)):
        yield Fault(("order",), f"order names each field once, and ends with {DETAILS}, the free text.")
    if form.mark and "link" not in form.order:
        yield Fault(("mark",), "a mark needs an order with a link: by these the form is known in any language.")
    if form.person == "email" and "email" not in labelled:
        yield Fault(("person",), "person is email, so labels must name that field.")
    for key, names in (("order", form.order), ("needs", (*form.needs, DETAILS))):
        for number, name in enumerate(names):
            if name not in labelled:
                yield Fault((key, number), f"{key} wants the field {name!r}, but no language has a label for it.")


def _label_faults(found: Iterator[tuple[Place, str, str]], under: Place, *, said_once: bool) -> Iterator[Fault]:
    """Find labels of nothing, and those that stand for two things where only one can be meant."""
    meant: dict[str, str] = {}
    for place, meaning, written in found:
        if not written:
            yield Fault((*under, *place), "a label needs letters.")
        elif said_once and meant.setdefault(written, meaning) != meaning:
            yield Fault((*under, *place), f"{written!r} stands for {meant[written]!r} too.")


def _languages(form: FormFile) -> Iterator[Fault]:
    places: list[tuple[Place, str]] = [(("labels", language), language) for language in form.labels]
    for key, table in (("categories", form.categories), ("flags", form.flags)):
        places += [((key, identifier, language), language) for identifier in table for language in table[identifier]]
    for place, language in places:
        try:
            Locale.parse(language, sep="-")
        except (UnknownLocaleError, ValueError):
            yield Fault(place, f"unknown language {language!r}.", nearest(language, Locale("en").languages))


def _unknown_ids(key: str, kind: str, table: Choices, valid: frozenset[str]) -> Iterator[Fault]:
    for identifier in table:
        if identifier not in valid:
            yield Fault((key, identifier), f"unknown {kind} {identifier!r}.", nearest(identifier, valid))
