"""A small world to decide in: a taxonomy, texts in two languages, services, rules."""

from datetime import date
from typing import Any

from mailroom.errors import ConfigError, Problem
from mailroom.referral.facts import Facts, Known
from mailroom.referral.service import Service

TODAY = date(2026, 6, 1)

KNOWN = Known(
    categories=frozenset({"doxing", "stalking", "insults", "state_or_legal", "unclassified"}),
    groups=frozenset({"privacy", "pursuit"}),
    flags=frozenset({"imminent_danger", "minor", "state_actor", "suspected_spam"}),
    countries=frozenset({"KE", "IN", "FR", "DE"}),
    languages=frozenset({"en", "es", "sw", "fr", "pt", "und"}),
    templates=frozenset({"full", "minimal", "receipt", "ask_key", "cannot_open"}),
    services=frozenset({"line"}),
)

VALUES: dict[str, object] = {
    "reference": "K7QD-3M9X-T",
    "emergency": None,
    "country": None,
    "hours": None,
    "retention_months": 24,
    "services": (),
    "fingerprint": "0123 4567",
    "urgent": False,
}


def facts(**changes: Any) -> Facts:
    """A report about doxing from Kenya in English, but for the changes."""
    given: dict[str, Any] = {"language": "en", "country": "KE", "category": "doxing", "group": "privacy", "severity": 2}
    return Facts(**{**given, **changes})


def service(**changes: Any) -> Service:
    """A service that fits `facts()` and was verified a month ago, but for the changes."""
    given: dict[str, Any] = {
        "id": "line",
        "name": "Line",
        "what": "Talks.",
        "serves": "Everybody.",
        "url": "https://line.example.org/",
        "countries": ["KE"],
        "languages": ["en"],
        "categories": ["doxing"],
        "verified": date(2026, 5, 1),
        "verified_by": "record keeper",
        "verified_how": "called",
        "status": "active",
    }
    return Service.model_validate({**given, **changes})


def text(language: str = "en", body: str = "Hello.\n{{ reference }}\n", **front: object) -> str:
    """One text file."""
    head = {"language": language, "version": 1, "reviewed_by": "null", "reviewed_on": "null", "subject": "A message"}
    lines = "".join(f"{key}: {value}\n" for key, value in {**head, **front}.items())
    return f"---\n{lines}---\n{body}"


def texts(**changes: str) -> dict[str, str]:
    """A whole set of texts in English and Spanish; a change is named like `es_full`."""
    names = ("full", "minimal", "receipt", "ask_key", "cannot_open")
    files = {
        f"{code}_{name}": text(code, f"{code} {name}\n{{{{ reference }}}}\n") for code in ("en", "es") for name in names
    }
    return {key.replace("_", "/", 1) + ".txt": value for key, value in {**files, **changes}.items()}


def problems(error: ConfigError) -> list[Problem]:
    """The problems of an error, as a list."""
    return list(error.problems)
