"""What admins and translators edit: rules, phrases, services and texts; `mailroom rules check` asks here too."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from mailroom.doctor.finding import Finding, note, ok, wrong
from mailroom.errors import Problem, attempt
from mailroom.flow.desk import Guide
from mailroom.guide import guide_from
from mailroom.referral.directory import usable
from mailroom.referral.lint import lint
from mailroom.referral.templates import parse_texts
from mailroom.transport.files import read_texts

if TYPE_CHECKING:
    from mailroom.config import Config  # translators run `rules check` without it, and it takes long to load

_SHOWN = 3


def problems_of(rules: Path, templates: Path) -> list[Problem]:
    """Give everything that is wrong in these two folders."""
    return _read(rules, templates)[1]


def _read(rules: Path, templates: Path) -> tuple[Guide | None, list[Problem]]:
    problems: list[Problem] = []
    found = attempt(lambda: guide_from(rules, templates), problems)
    texts = attempt(lambda: parse_texts(read_texts(templates, ["*/*.txt"])), [])  # its problems are told
    if texts is not None:
        problems += attempt(lambda: lint(texts, read_texts(templates, ["*/words.yaml"])), problems) or ()
    return found, problems


def guide(config: "Config", today: date) -> list[Finding]:
    """Check rules and texts, and count what no real person has vouched for yet."""
    found, problems = _read(config.paths.rules, config.paths.templates)
    if problems:
        more = f" (and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
        what = "; ".join(str(problem) for problem in problems[:_SHOWN]) + more
        return [wrong("rules and texts", what, "Mend these lines, then run: mailroom rules check")]
    return [ok("rules and texts", "nothing is wrong"), *(_vouched_for(config, found, today) if found else ())]


def _vouched_for(config: "Config", found: Guide, today: date) -> Iterator[Finding]:
    services = found.book.directory.services
    unverified = sum(not usable(service, today) for service in services)
    do = "rules/services/README.md tells how to check one."
    if not services:
        yield note("services", "there is no service yet: none is offered to anybody", do)
    elif unverified:
        what = f"{unverified} of {len(services)} are not offered, because no real person checked them lately"
        yield note("services", what, do)
    else:
        yield ok("services", f"{len(services)}, all of them checked")
    yield _texts(config, found)


def _texts(config: "Config", found: Guide) -> Finding:
    count, unreviewed = len(found.book.texts.fronts), len(found.book.texts.unreviewed)
    what = f"{unreviewed} of {count} were not reviewed by a native speaker"
    do = "templates/README.md tells how to review one."
    if not unreviewed:
        return ok("texts", f"{count}, all of them reviewed")
    if config.replies.unreviewed == "never" and unreviewed == count:
        do = f'{do} Until then, set unreviewed = "bilingual" in [replies], or let each answer go by hand.'
        return wrong("texts", 'none was reviewed and [replies] unreviewed is "never": every reply is held', do)
    return note("texts", what, do)
