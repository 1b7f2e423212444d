"""One entry of the directory of services, and the files in rules/services that hold them."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mailroom.errors import ConfigError, Problem
from mailroom.referral.facts import REGIONS, Known, base
from mailroom.yaml_lines import Document, Fault, OneOrMany, Place, Strict

ANYWHERE = "*"
ANYTHING = "*"
INTERPRETER = "interp"
MAX_WORDS = 60
SHORTENERS = frozenset({"bit.ly", "t.co", "tinyurl.com", "goo.gl", "is.gd", "ow.ly", "buff.ly", "rebrand.ly"})
Text = Annotated[str, Field(min_length=1)]


def _in_all_languages(value: object) -> object:
    return {ANYTHING: value} if isinstance(value, str) else value


def line_in(lines: Mapping[str, str], language: str) -> str:
    """Give the line in a language: in that very one, its base, the line for all others, English, or the first."""
    wanted = (language, base(language), ANYTHING, "en", *lines)
    return next(lines[each] for each in wanted if each in lines)


def _clean_url(url: str) -> str:
    """Refuse links that are not https, go through a shortener, or track (PRACTICE T16)."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{url!r} must be a plain https:// address")
    if parts.hostname in SHORTENERS:
        raise ValueError(f"{url!r} is a link shortener; give the real address")
    if any(word in parts.query.casefold() for word in ("utm_", "fbclid", "gclid", "mc_eid")):
        raise ValueError(f"{url!r} tracks its readers; leave out what follows the question mark")
    return url


# One line in each language, or one for all of them; `*` is the line for every other language.
Lines = Annotated[dict[str, Text], BeforeValidator(_in_all_languages), Field(min_length=1)]
Url = Annotated[str, AfterValidator(_clean_url)]


class Contact(Strict):
    """One way to reach a service."""

    kind: Literal["phone", "email", "sms", "chat", "form", "signal", "whatsapp"]
    value: Text
    note: Lines | None = None


class Audience(Strict):
    """Whom a service serves; every limit given must be met. Ages are whole years, both ends included."""

    gender: Text | None = None
    min_age: int = Field(0, ge=0, le=120)
    max_age: int = Field(120, ge=0, le=120)
    roles: OneOrMany[str] = ()
    communities: OneOrMany[str] = ()
    residency: OneOrMany[str] = ()


class Hours(Strict):
    """When a service answers: `tz` is an IANA time zone, `text` says it in words."""

    tz: Text
    text: Lines


class Service(Strict):
    """One entry of the directory. rules/services/README.md explains every key."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
    name: Text
    what: Lines
    serves: Lines | None = None
    url: Url
    contacts: tuple[Contact, ...] = ()
    countries: OneOrMany[str]
    languages: OneOrMany[str]
    audiences: tuple[Audience, ...] = ()
    categories: OneOrMany[str]
    hours: Hours | None = None
    cost: Lines | None = None
    anonymous: Literal["yes", "no", "unknown"] = "unknown"
    run_by: Literal["state", "independent", "unknown"] = "unknown"
    safe_notes: str | None = None
    source_seen: str | None = None
    priority: int = 0
    verified: date | None = None
    verified_by: Text | None = None
    verified_how: Text | None = None
    max_age_days: int = Field(180, ge=1, le=730)
    status: Literal["draft", "active", "paused", "closed"] = "draft"

    @model_validator(mode="after")
    def _honest(self) -> Self:
        if self.verified and not (self.verified_by and self.verified_how):
            raise ValueError(f"{self.id} is verified, so say verified_by and verified_how")
        if self.audiences and not self.serves:
            raise ValueError(f"{self.id} has audiences, so `serves` must tell the reader whom it serves")
        if any(audience.min_age > audience.max_age for audience in self.audiences):
            raise ValueError(f"{self.id}: min_age is above max_age")
        return self

    @model_validator(mode="after")
    def _short(self) -> Self:
        for language in self.what:
            lines = (self.serves, self.hours and self.hours.text, self.cost)
            text = " ".join([self.name, self.what[language], *(line_in(each, language) for each in lines if each)])
            if len(text.split()) > MAX_WORDS:
                raise ValueError(f"{self.id} is longer than {MAX_WORDS} words in {language!r}")
        return self


class ServicesFile(Strict):
    """The shape of a file in rules/services; its JSON Schema helps editors."""

    services: tuple[Service, ...]


def parse_services(files: Mapping[str, str], known: Known) -> tuple[Service, ...]:
    """Read all directory files; the keys are their names.

    Raises:
        ConfigError: with every problem of every file at once: file, line, what is wrong, the nearest valid value.
    """
    found: list[Service] = []
    problems: list[Problem] = []
    homes: dict[str, str] = {}
    for name, text in sorted(files.items()):
        try:
            found.extend(_parse_file(name, text, known, homes))
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(*problems)
    return tuple(found)


def _parse_file(name: str, text: str, known: Known, homes: dict[str, str]) -> tuple[Service, ...]:
    def further(file: ServicesFile) -> Iterator[Fault]:
        yield from _unknown_ids(file.services, known)
        yield from _taken_ids(file.services, name, homes)

    return Document(name, text).check(ServicesFile, further).services


def _taken_ids(services: tuple[Service, ...], name: str, homes: dict[str, str]) -> Iterator[Fault]:
    """Find ids that stood before; `homes` holds the file of each, and takes in those of this one."""
    for index, service in enumerate(services):
        if service.id in homes:
            yield Fault(("services", index, "id"), f"the id {service.id!r} is in {homes[service.id]} too.")
        homes.setdefault(service.id, name)


def _unknown_ids(services: tuple[Service, ...], known: Known) -> Iterator[Fault]:
    for index, service in enumerate(services):
        for place, kind, value in _ids_in(service):
            fault = None if value in {ANYWHERE, INTERPRETER} else known.fault(kind, value)
            if fault:
                yield Fault(("services", index, *place), *fault)


def _ids_in(service: Service) -> Iterator[tuple[Place, str, str]]:
    for name, kind in (("categories", "category"), ("countries", "country"), ("languages", "language")):
        for position, value in enumerate(getattr(service, name)):
            yield (name, position), "region" if name == "countries" and value in REGIONS else kind, value
    for name in ("what", "serves", "cost"):
        for language in getattr(service, name) or ():
            yield (name, language), "language", language
    for number, audience in enumerate(service.audiences):
        for position, value in enumerate(audience.residency):
            yield ("audiences", number, "residency", position), "region" if value in REGIONS else "country", value
