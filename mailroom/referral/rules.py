"""The rules: an ordered table that says, for every report, which answer goes out. The first hit wins."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from mailroom.referral.facts import Facts, Known, base
from mailroom.yaml_lines import Document, Fault, OneOrMany, Place, Strict, not_empty

NO_TEMPLATE = "none"
# Texts that tell nothing about what the mail was about.
SILENT = frozenset({NO_TEMPLATE, "minimal", "receipt", "ask_key", "cannot_open"})
UNKNOWN = "unknown"
OWN_CATEGORY = "category"
Text = Annotated[str, Field(min_length=1)]
Wish = Literal["ok", "unsafe", "none", "unknown"]


class Services(Strict):
    """Which services an answer names: those for a `need`, or those with these `ids`.

    `need` is a category id, or the word `category` for the category of the report itself.
    """

    need: str | None = None
    ids: OneOrMany[str] = ()

    @model_validator(mode="after")
    def _either(self) -> "Services":
        if bool(self.need) == bool(self.ids):
            raise ValueError("give either need or ids")
        return self


class Refer(Strict):
    """What a rule answers.

    `template` is a text, or `none` for no answer at all (then `why` says why). `detail` follows from the
    template when left out. `urgent` puts the emergency and crisis lines first. `hold` is the reason to keep
    the answer back until the record keeper lets it go.
    """

    template: Text
    detail: Literal["full", "minimal"] = "full"
    services: Services | None = None
    urgent: bool = False
    hold: Text | None = None
    why: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_words(cls, row: object) -> object:
        if not isinstance(row, dict):
            return row
        row = dict(row)
        if row.get("services") == "none":
            row["services"] = None
        row.setdefault("detail", "minimal" if str(row.get("template")) in SILENT else "full")
        return row

    @model_validator(mode="after")
    def _consistent(self) -> "Refer":
        if self.template == NO_TEMPLATE and not self.why:
            raise ValueError("template none needs a why")
        if self.template == NO_TEMPLATE and (self.hold or self.services):
            raise ValueError("template none sends nothing, so it can neither hold nor name services")
        if (self.detail == "full" and self.template in SILENT) or (self.detail, self.template) == ("minimal", "full"):
            raise ValueError(f"template {self.template} cannot have detail {self.detail}")
        if self.services and self.detail == "minimal":
            raise ValueError("a minimal answer names no services: they would tell what it is about")
        return self


class When(Strict):
    """Conditions of a rule; all must hold. A list means any of its values.

    `country` and `contact` may be `unknown`. `language: pt` means every Portuguese, `pt-BR` only that one.
    """

    category: OneOrMany[str] = ()
    group: OneOrMany[str] = ()
    severity_min: int | None = Field(None, ge=1, le=5)
    confidence_min: float | None = Field(None, ge=0, le=1)
    country: OneOrMany[str] = ()
    region: OneOrMany[str] = ()
    language: OneOrMany[str] = ()
    flags: OneOrMany[str] = ()
    contact: OneOrMany[Wish] = ()
    channel: OneOrMany[str] = ()
    encrypted: bool | None = None

    def outcomes(self, facts: Facts) -> Iterator[tuple[bool, str]]:
        """Tell for every condition whether it holds, and why in plain words."""
        for name, has in _readings(facts).items():
            wanted: tuple[str, ...] = getattr(self, name)
            if wanted:
                shown = has[0] if name == "language" else ", ".join(has) or "none"
                verb = "are" if name == "flags" else "is"
                yield not set(has).isdisjoint(wanted), f"{name} {verb} {shown}, rule wants {' or '.join(wanted)}"
        if self.severity_min is not None:
            yield facts.severity >= self.severity_min, _at_least("severity", facts.severity, self.severity_min)
        if self.confidence_min is not None:
            enough = facts.confidence >= self.confidence_min
            yield enough, _at_least("confidence", facts.confidence, self.confidence_min)
        if self.encrypted is not None:
            word = "encrypted" if facts.encrypted else "not encrypted"
            yield facts.encrypted == self.encrypted, f"the mail is {word}"


def _at_least(name: str, has: float, wanted: float) -> str:
    return f"{name} is {has}, rule wants {wanted} or more"


def _readings(facts: Facts) -> dict[str, tuple[str, ...]]:
    return {
        "category": (facts.category,),
        "group": (facts.group,),
        "country": (facts.country or UNKNOWN,),
        "region": facts.regions,
        "language": (facts.language, base(facts.language)),
        "flags": tuple(sorted(facts.flags)),
        "contact": (facts.contact or UNKNOWN,),
        "channel": (facts.channel,),
    }


class Row(Strict):
    """One rule as it stands in the file. Without `when` it always hits."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
    when: When = When()
    refer: Refer

    @property
    def always(self) -> bool:
        """Whether no condition is set."""
        return not self.when.model_fields_set


class RulesFile(Strict):
    """The shape of rules.yaml; its JSON Schema helps editors."""

    rules: Annotated[tuple[Row, ...], AfterValidator(not_empty)]


@dataclass(frozen=True, slots=True)
class Rule:
    """A row and where it stands."""

    row: Row
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Tried:
    """One rule that was tried on a report: whether it hit, and why, in plain words."""

    rule: str
    hit: bool
    why: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole table; its last rule always hits."""

    table: tuple[Rule, ...]

    def walk(self, facts: Facts) -> tuple[Rule, tuple[Tried, ...]]:
        """Find the first rule that hits, and tell of every rule tried on the way."""
        tried: list[Tried] = []
        for rule in self.table:
            tried.append(_try(rule.row, facts))
            if tried[-1].hit:
                return rule, tuple(tried)
        raise AssertionError("parse_rules lets no table pass whose last rule can miss")


def _try(row: Row, facts: Facts) -> Tried:
    outcomes = list(row.when.outcomes(facts))
    miss = next((why for holds, why in outcomes if not holds), None)
    hit = "; ".join(why for _, why in outcomes) or "this rule always hits"
    return Tried(row.id, miss is None, miss or hit)


def parse_rules(name: str, text: str, known: Known) -> Rules:
    """Read the rules file called `name`.

    Raises:
        ConfigError: with every problem at once: file, line, what is wrong, and the nearest valid value.
    """
    document = Document(name, text)
    rows = document.check(RulesFile, lambda file: (*_unknown_ids(file.rules, known), *_order(file.rules))).rules
    return Rules(tuple(Rule(row, name, document.line(("rules", index))) for index, row in enumerate(rows)))


def _unknown_ids(rows: tuple[Row, ...], known: Known) -> Iterator[Fault]:
    for index, row in enumerate(rows):
        for place, kind, value in _ids_in(row):
            fault = known.fault(kind, value)
            if fault:
                yield Fault(("rules", index, *place), *fault)


def _ids_in(row: Row) -> Iterator[tuple[Place, str, str]]:
    kinds = {"flags": "flag"}
    for name in ("category", "group", "country", "region", "language", "flags", "channel"):
        for position, value in enumerate(getattr(row.when, name)):
            if (name, value) != ("country", UNKNOWN):
                yield ("when", name, position), kinds.get(name, name), value
    if row.refer.template != NO_TEMPLATE:
        yield ("refer", "template"), "template", row.refer.template
    services = row.refer.services
    if services and services.need not in {None, OWN_CATEGORY}:
        yield ("refer", "services", "need"), "category", str(services.need)
    for position, value in enumerate(services.ids if services else ()):
        yield ("refer", "services", "ids", position), "service", value


def _order(rows: tuple[Row, ...]) -> Iterator[Fault]:
    first = {row.id: index for index, row in reversed(list(enumerate(rows)))}
    for index, row in enumerate(rows):
        if first[row.id] != index:
            yield Fault(("rules", index, "id"), f"the id {row.id!r} is there twice.")
        if row.always and index < len(rows) - 1:
            yield Fault(("rules", index), f"rule {row.id!r} always hits, so no rule after it ever does.")
    if not rows[-1].always:
        yield Fault(("rules", len(rows) - 1), "the last rule must have no `when`: it answers what no other rule does.")
