"""The directory: which services are offered to whom, and why each of the others is not.

An entry is offered only if a person verified it, recently, and it fits the report. Nothing else counts: no
service is better than one that turns the writer away.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from mailroom.referral.facts import Facts, Known, base
from mailroom.referral.service import ANYTHING, ANYWHERE, INTERPRETER, Audience, Service, parse_services

ADULT = 18  # years


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry that was looked at: chosen or not, and why in plain words."""

    service: Service
    chosen: bool
    why: str


@dataclass(frozen=True, slots=True)
class Directory:
    """All entries, in the order of their files."""

    services: tuple[Service, ...]

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all entries."""
        return frozenset(service.id for service in self.services)

    def select(self, need: str, facts: Facts, today: date, limit: int = 3) -> tuple[Choice, ...]:
        """Choose at most `limit` services for a need (a category id): the chosen first and best first, then the rest.

        The most specific wins: made for minors if the writer is one, then exact category, country and language;
        then the higher `priority`, then the id.
        """
        return _choose(sorted(self.services, key=lambda each: _rank(each, need, facts)), need, facts, today, limit)

    def pick(self, ids: Iterable[str], facts: Facts, today: date, limit: int = 3) -> tuple[Choice, ...]:
        """Choose among named services, in the order named. They too must be usable and fit the report."""
        by_id = {service.id: service for service in self.services}
        return _choose([by_id[name] for name in ids], None, facts, today, limit)


def _choose(services: Iterable[Service], need: str | None, facts: Facts, today: date, limit: int) -> tuple[Choice, ...]:
    chosen: list[Choice] = []
    left_out: list[Choice] = []
    for service in services:
        why = next(_refusals(service, need, facts, today), None)
        if why is None and len(chosen) < limit:
            chosen.append(Choice(service, True, _fits(service, facts)))
        else:
            left_out.append(Choice(service, False, why or f"fits, but {limit} others fit better"))
    return (*chosen, *left_out)


def usable(service: Service, today: date) -> bool:
    """Whether the entry may be shown at all: active, and verified by a person not too long ago."""
    return _stale(service, today) is None


def _stale(service: Service, today: date) -> str | None:
    if service.status != "active":
        return f"its status is {service.status}"
    if service.verified is None:
        return "unverified"
    age = (today - service.verified).days
    if age < 0:
        return "verified on a day that is still to come"
    return f"verified {age} days ago, {service.max_age_days} are allowed" if age > service.max_age_days else None


def _refusals(service: Service, need: str | None, facts: Facts, today: date) -> Iterator[str]:
    stale = _stale(service, today)
    if stale:
        yield stale
    if need and not {need, ANYTHING} & set(service.categories):
        yield f"not for {need}"
    if not _covers(service.countries, facts):
        yield f"serves {', '.join(service.countries)}, country is {facts.country or 'not known'}"
    if _language_rank(service.languages, facts.language) > 2:
        yield f"speaks {', '.join(service.languages)}, language is {facts.language}"
    if service.run_by == "state" and (facts.category == "state_or_legal" or "state_actor" in facts.flags):
        yield "run by a state, and the report is about one"
    refusals = [_not_for(audience, facts) for audience in service.audiences]
    if refusals and all(refusals):
        yield str(refusals[0])


def _covers(places: tuple[str, ...], facts: Facts) -> bool:
    return not {ANYWHERE, facts.country, *facts.regions}.isdisjoint(places)


def _language_rank(languages: tuple[str, ...], wanted: str) -> int:
    """Rank how well a service speaks a language: 0 exactly, 1 another form of it, 2 by interpreter, 3 not."""
    if wanted in languages:
        return 0
    if base(wanted) in map(base, languages):
        return 1
    return 2 if INTERPRETER in languages else 3


def _place_rank(service: Service, facts: Facts) -> int:
    """Rank how near a service is: 0 its country is named, 1 its region, 2 it serves everywhere."""
    if facts.country in service.countries:
        return 0
    return 2 if set(facts.regions).isdisjoint(service.countries) else 1


def _rank(service: Service, need: str, facts: Facts) -> tuple[bool, bool, int, int, int, str]:
    for_minors = any(audience.max_age < 18 for audience in service.audiences)
    return (
        for_minors != ("minor" in facts.flags),
        need not in service.categories,
        _place_rank(service, facts),
        _language_rank(service.languages, facts.language),
        -service.priority,
        service.id,
    )


def _fits(service: Service, facts: Facts) -> str:
    place = (f"serves {facts.country}", f"serves {', '.join(facts.regions)}", "serves everywhere")
    speech = (f"speaks {facts.language}", f"speaks {base(facts.language)}", "has interpreters")
    return f"{place[_place_rank(service, facts)]}, {speech[_language_rank(service.languages, facts.language)]}"


def _not_for(audience: Audience, facts: Facts) -> str | None:
    """Say which limit this report certainly does not meet; what is not known is no refusal: `serves` states it."""
    if "minor" in facts.flags and audience.min_age >= ADULT:
        return f"for people over {audience.min_age - 1}"
    if audience.residency and facts.country and not _covers(audience.residency, facts):
        return f"for residents of {', '.join(audience.residency)}"
    return None


def parse_directory(files: Mapping[str, str], known: Known) -> Directory:
    """Read all directory files. Raises as `parse_services`."""
    return Directory(parse_services(files, known))
