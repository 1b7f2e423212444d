"""The choice of an answer: rules, directory and texts together. Pure: the day is passed in.

Whatever the rules say, three things hold (DESIGN law 3): nobody who asked for silence is written to; nothing that
tells what it is about goes to an address that is not safe; an answer is never weaker protected than the question.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from babel import Locale

from mailroom.errors import ConfigError, Problem, attempt
from mailroom.referral.directory import Choice, Directory, parse_directory
from mailroom.referral.facts import Facts, Known
from mailroom.referral.offer import Offer, offer
from mailroom.referral.rules import NO_TEMPLATE, OWN_CATEGORY, Refer, Rules, Tried, parse_rules
from mailroom.referral.templates import Texts, parse_texts
from mailroom.triage.country import country_codes
from mailroom.triage.phrases import Taxonomy

RULES = "rules.yaml"
SERVICES = "services/"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All that decides an answer. Built whole or not at all, so that a bad edit leaves the last good one working."""

    rules: Rules
    directory: Directory
    texts: Texts


@dataclass(frozen=True, slots=True)
class Decision:
    """What is answered and why: the rule that hit, every rule tried, the text, and the services named in it.

    `template` is `none` when there is no answer. `language` is that of the writer, or of the text that serves her.
    `hold` is the reason to keep the answer back; then `will_send` is False. `looked_at` is every entry of the
    directory, chosen or not, with its reason; empty when no services were wanted.
    """

    rule: str
    file: str
    line: int
    trace: tuple[Tried, ...]
    template: str
    detail: Literal["full", "minimal"]
    language: str
    services: tuple[Offer, ...]
    looked_at: tuple[Choice, ...]
    urgent: bool
    will_send: bool
    why: str
    hold: str | None


def decide(facts: Facts, book: Rulebook, today: date) -> Decision:
    """Choose the answer to one report. `today` decides which entries of the directory are still fresh."""
    rule, trace = book.rules.walk(facts)
    refer, why = _guarded(rule.row.refer, facts)
    looked_at = _services(refer, facts, book.directory, today)
    language = book.texts.serving(facts.language) or facts.language
    return Decision(
        rule=rule.row.id,
        file=rule.file,
        line=rule.line,
        trace=trace,
        template=refer.template,
        detail=refer.detail,
        language=language,
        services=tuple(offer(choice.service, language) for choice in looked_at if choice.chosen),
        looked_at=looked_at,
        urgent=refer.urgent,
        will_send=refer.template != NO_TEMPLATE and refer.hold is None,
        why=why or refer.why or refer.hold or f"rule {rule.row.id}: {trace[-1].why}",
        hold=refer.hold,
    )


def _guarded(refer: Refer, facts: Facts) -> tuple[Refer, str | None]:
    """Keep what holds whatever the rules say; give the answer that is left, and why it changed."""
    if facts.contact == "none":
        why = "the writer asked for no answer"
        return Refer(template=NO_TEMPLATE, why=why), why
    if refer.template == NO_TEMPLATE:
        return refer, None
    silent = {"detail": "minimal", "services": None}
    if facts.encrypted and not facts.reply_key_known:
        why = "the mail was encrypted, and there is no key to answer to"
        # It goes out in clear, so it says nothing of what the mail is about.
        return refer.model_copy(update={**silent, "template": "ask_key", "urgent": False}), why
    if facts.contact == "unsafe" and refer.detail == "full":
        why = "somebody else may read this address"
        return refer.model_copy(update={**silent, "template": "minimal"}), why
    return refer, None


def _services(refer: Refer, facts: Facts, directory: Directory, today: date) -> tuple[Choice, ...]:
    wanted = refer.services
    if wanted is None:
        return ()
    if wanted.ids:
        return directory.pick(wanted.ids, facts, today)
    need = facts.category if wanted.need == OWN_CATEGORY else str(wanted.need)
    return directory.select(need, facts, today)


def rulebook(files: Mapping[str, str], texts: Mapping[str, str], taxonomy: Taxonomy | None) -> Rulebook:
    """Build the rulebook from `rules.yaml` and `services/*.yaml` in `files`, and from all `texts`.

    Other names in `files` are passed over. Without a taxonomy (it is broken) the ids that it gives go unchecked.

    Raises:
        ConfigError: with every problem of every file at once.
    """
    problems: list[Problem] = []
    known = known_ids(taxonomy)
    names = {name.rpartition("/")[2].removesuffix(".txt") for name in texts if name.endswith(".txt")}
    known = replace(known, templates=frozenset(names))
    services = {name: text for name, text in files.items() if name.startswith(SERVICES) and name.endswith(".yaml")}
    written = attempt(lambda: parse_texts(texts), problems)
    directory = attempt(lambda: parse_directory(services, known), problems)
    known = replace(known, services=directory.ids if directory else frozenset())
    known = replace(known, unchecked=known.unchecked if directory else known.unchecked | {"service"})
    rules = attempt(lambda: parse_rules(RULES, files.get(RULES, ""), known), problems)
    if written is None or directory is None or rules is None:
        raise ConfigError(*problems)
    return Rulebook(rules, directory, written)


def known_ids(taxonomy: Taxonomy | None) -> Known:
    """Give the ids that rules and entries may name, but for texts and services."""
    languages = frozenset(str(code).replace("_", "-") for code in Locale("en").languages)
    found = taxonomy or Taxonomy(0, {}, frozenset())
    return Known(
        categories=found.current,
        groups=frozenset(category.group for category in found.categories.values()),
        flags=found.flags,
        countries=country_codes(),
        languages=languages | {"und"},
        unchecked=frozenset() if taxonomy else frozenset({"category", "group", "flag"}),
    )
