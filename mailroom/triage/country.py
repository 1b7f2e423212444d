"""Which country the writer is in, from what she says.

Nothing but her words and the ending of her address is looked at: never IP addresses, relays, client headers or
the offset of the date.
"""

import functools
import math
import re
from collections.abc import Iterable, Iterator

from babel import Locale, UnknownLocaleError

from mailroom.triage.facts import Finding
from mailroom.triage.matching import Hit

ENOUGH = 0.80
# How far a country phrase of each weight can be believed. 4 and 5 decide alone; two signs of 3 do together.
_BELIEF = {1: 0.15, 2: 0.35, 3: 0.56, 4: 0.85, 5: 0.95}
_STATED_FROM = 4
_ADDRESS_BELIEF = 0.56

# Country domains that everybody registers, and mail services with users everywhere: they say nothing.
_GENERIC_DOMAINS = frozenset(
    "ac ai am bz cc cd cf co eu fm ga gd gg gq io is la li ly me ml ms nu pw sh st su tk to tv vc ws".split()  # noqa: SIM905 a table reads better
)
_MAIL_SERVICES = frozenset({"gmx.ch", "gmx.de", "mail.ru", "posteo.de", "protonmail.ch", "tutanota.de", "yandex.ru"})

# CLDR has groupings and historic codes besides the countries of ISO 3166-1.
_NOT_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ".split())  # noqa: SIM905 a table reads better


@functools.cache
def country_codes() -> frozenset[str]:
    """All codes of ISO 3166-1 alpha-2."""
    return frozenset(code for code in map(str, Locale.parse("en").territories) if _is_country(code))


def country_names(language: str) -> Iterator[tuple[str, str]]:
    """Give (name, code) of every country in a language, from the CLDR; several names for some.

    Raises:
        ValueError: the CLDR does not know the language.
    """
    try:
        territories = Locale.parse(language).territories
    except UnknownLocaleError:
        raise ValueError(f"no country names are known for the language {language!r}") from None
    for code, name in territories.items():
        if _is_country(code):
            yield from ((part.strip(), code) for part in re.split(r"[()]", name) if part.strip())
            if "&" in name:
                yield name.replace("&", "and"), code


def country_name(code: str, language: str) -> str:
    """Name a country in a language, in English where the CLDR does not know the language; the code as last resort."""
    try:
        names = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        names = Locale.parse("en").territories
    return str(names.get(code, code))


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES


def decide(hits: Iterable[Hit], sender: str | None, unsure: frozenset[tuple[str, str]]) -> Finding:
    """Give the country (ISO 3166-1 alpha-2), or None unless the evidence is at least 0.8 sure.

    What is said outright ("I live in Kenya") decides; residence before origin, then the last statement.
    Otherwise two different signs of one country (the police of a country, the ending of the address) decide
    together, if nothing speaks for another. `unsure` holds (language, code) of names that mean other places too.
    """
    said = [(hit, _belief(hit, unsure)) for hit in hits if hit.meaning.kind == "country" and hit.country]
    stated = [(hit, belief) for hit, belief in said if hit.meaning.weight >= _STATED_FROM and belief >= ENOUGH]
    if stated:
        strongest = max(belief for _, belief in stated)
        last = max((hit for hit, belief in stated if belief == strongest), key=lambda hit: hit.start)
        return Finding(last.country, strongest, _words(hit for hit, _ in stated), "stated")
    return _inferred(said, _address_country(sender))


def _belief(hit: Hit, unsure: frozenset[tuple[str, str]]) -> float:
    believed = _BELIEF[hit.meaning.weight]
    return min(believed, _BELIEF[3]) if (hit.meaning.target, hit.country) in unsure else believed


def _inferred(said: list[tuple[Hit, float]], address: str | None) -> Finding:
    signs: dict[str, dict[str, float]] = {}
    for hit, belief in said:
        signs.setdefault(hit.country or "", {})[hit.words] = belief
    if address is not None:
        signs.setdefault(address, {})["the ending of the address"] = _ADDRESS_BELIEF
    if not signs:
        return Finding(None)
    scores = {code: 1 - math.prod(1 - belief for belief in each.values()) for code, each in signs.items()}
    best = max(sorted(scores), key=lambda code: scores[code])
    evidence = tuple(words for code in sorted(signs) for words in signs[code])
    if scores[best] < ENOUGH or len(signs) > 1:
        return Finding(None, round(scores[best], 2), evidence)
    return Finding(best, round(scores[best], 2), evidence, "inferred")


def _address_country(sender: str | None) -> str | None:
    """Give the country of the country-code domain of an address, if that domain is for its own country only."""
    domain = (sender or "").rpartition("@")[2].casefold()
    ending = domain.rpartition(".")[2]
    if domain in _MAIL_SERVICES or ending in _GENERIC_DOMAINS or "." not in domain:
        return None
    code = "GB" if ending == "uk" else ending.upper()
    return code if code in country_codes() else None


def _words(hits: Iterable[Hit]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hit.words for hit in hits))
