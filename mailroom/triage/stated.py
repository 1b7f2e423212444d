"""What a person picked or filled in on a form, as findings: nothing that words could say is surer."""

import functools

from mailroom.mail.message import Form
from mailroom.triage.country import country_codes, country_names
from mailroom.triage.facts import Finding
from mailroom.triage.folding import words


def category(form: Form | None) -> Finding | None:
    """Give the category that was picked; None when there is none, or it is no choice that the form's file knows."""
    if form is None or form.category is None:
        return None
    return Finding(form.category, 1.0, (form.choice or "",), "stated")


def country(form: Form | None, languages: frozenset[str]) -> Finding | None:
    """Give the country that was filled in, as a code of ISO 3166-1 or as a name in English or one of `languages`."""
    written = (form.country or "").strip() if form is not None else ""
    if not written:
        return None
    code = written.upper() if written.upper() in country_codes() else _codes(languages).get(" ".join(words(written)))
    return Finding(code, 1.0, (written,), "stated") if code else None


def flags(form: Form | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give each flag that the choice raises, with the choice."""
    return tuple((flag, (form.choice or "",)) for flag in form.flags) if form is not None else ()


def words_around(form: Form | None) -> str:
    """Give what stands around the free text and may be her words: an unknown choice, and lines that are no field."""
    if form is None:
        return ""
    return f"{form.choice or ''}\n{form.rest}" if form.category is None else form.rest


@functools.cache
def _codes(languages: frozenset[str]) -> dict[str, str]:
    known = ("en", *sorted(languages - {"en"}))
    return {" ".join(words(name)): code for language in reversed(known) for name, code in country_names(language)}
