"""What is known about one report (`Facts`), and which ids the files may name (`Known`)."""

from dataclasses import dataclass

from mailroom.nearest import nearest
from mailroom.triage.country import country_names
from mailroom.triage.facts import Contact

# Groups of countries that rules and directory entries may name instead of a list of countries.
REGIONS = {
    "EU": frozenset(
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 a table
    ),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that may decide an answer. The caller builds it from triage; nothing here identifies a person.

    `language` is BCP 47 or `und`; `country` ISO 3166-1 alpha-2 or None; `severity` 1 to 5, 0 when not known;
    `confidence` (0 to 1) is that of the category; `contact` what the writer said about her address, None when
    nothing; `reply_key_known`: an answer can be encrypted to her.
    """

    language: str
    country: str | None
    category: str
    group: str
    severity: int = 0
    confidence: float = 1.0
    flags: frozenset[str] = frozenset()
    contact: Contact | None = None
    channel: str = "email"
    encrypted: bool = False
    reply_key_known: bool = False

    @property
    def regions(self) -> tuple[str, ...]:
        """Name the regions that the country lies in."""
        return tuple(name for name, countries in REGIONS.items() if self.country in countries)


@dataclass(frozen=True, slots=True)
class Known:
    """The ids that exist. `unchecked` are kinds of ids whose own file is broken: nothing is said about these."""

    categories: frozenset[str]
    groups: frozenset[str]
    flags: frozenset[str]
    countries: frozenset[str]
    languages: frozenset[str]
    channels: frozenset[str] = frozenset({"email", "form"})
    templates: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    unchecked: frozenset[str] = frozenset()

    def fault(self, kind: str, value: str) -> tuple[str, str | None] | None:
        """Say what is wrong with one id of a kind, and the nearest valid one; None when it exists.

        `kind` is category, group, flag, country, region, language, channel, template or service.
        """
        valid = self._valid(kind)
        if kind in self.unchecked or value in valid or (kind == "language" and base(value) in valid):
            return None
        named = {name.casefold(): code for name, code in country_names("en")} if kind == "country" else {}
        return f"unknown {kind} {value!r}.", named.get(value.casefold()) or nearest(value, valid)

    def _valid(self, kind: str) -> frozenset[str]:
        return {
            "category": self.categories,
            "group": self.groups,
            "flag": self.flags,
            "country": self.countries,
            "region": frozenset(REGIONS),
            "language": self.languages,
            "channel": self.channels,
            "template": self.templates,
            "service": self.services,
        }[kind]


def base(language: str) -> str:
    """Give the primary subtag of a language tag: `pt-BR` is `pt` (RFC 5646 section 2.2.1).

    See Also:
        https://www.rfc-editor.org/rfc/rfc5646#section-2.2.1
    """
    return language.split("-", 1)[0]
