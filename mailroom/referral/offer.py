"""A directory entry put into the reader's language, as the texts show it."""

from dataclasses import dataclass

from babel import Locale, UnknownLocaleError

from mailroom.referral.service import INTERPRETER, Service, line_in


@dataclass(frozen=True, slots=True)
class Offer:
    """What a text may say about a service, and its `id`. Where the directory says nothing, it is empty."""

    id: str
    name: str
    what: str
    serves: str
    hours: str
    languages: str
    cost: str
    contacts: tuple[str, ...]
    url: str


def offer(service: Service, language: str) -> Offer:
    """Put one entry into a language. A line missing there is given in the next best language that the entry has."""

    def line(lines: dict[str, str] | None) -> str:
        return line_in(lines, language) if lines else ""

    contacts = tuple(f"{each.value} ({line(each.note)})" if each.note else each.value for each in service.contacts)
    hours = f"{line(service.hours.text)} ({service.hours.tz})" if service.hours else ""
    spoken = ", ".join(language_name(each, language) for each in service.languages if each != INTERPRETER)
    what, serves, cost = line(service.what), line(service.serves), line(service.cost)
    return Offer(service.id, service.name, what, serves, hours, spoken, cost, contacts, service.url)


def language_name(language: str, reader: str) -> str:
    """Name a language in the language of the reader, or give its code where nobody has named it."""
    return str(_locale(reader).languages.get(language.replace("-", "_"), language))


def country_name(country: str, reader: str) -> str:
    """Name a country (ISO 3166-1 alpha-2) in the language of the reader, or give its code."""
    return str(_locale(reader).territories.get(country, country))


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
