"""Reads the guide: rules, phrases, services and texts.

Apart from `assembly.py`, because who only reads the guide should not wait for records and transports to load.
"""

from pathlib import Path

from mailroom.errors import ConfigError, Problem, attempt
from mailroom.flow.desk import Guide
from mailroom.referral.choose import rulebook
from mailroom.transport.files import read_texts
from mailroom.triage.triage import lexicon, taxonomy_of


def guide_from(rules: Path, templates: Path) -> Guide:
    """Read rules, phrases and services from one folder, texts from another.

    Raises:
        ConfigError: with every problem of every file; when files cannot be read, with those alone.
    """
    problems: list[Problem] = []
    files = attempt(lambda: read_texts(rules, ["*.yaml", "**/*.yaml"]), problems)
    texts = attempt(lambda: read_texts(templates, ["*/*.txt"]), problems)
    if files is None or texts is None:
        raise ConfigError(*problems)
    words = attempt(lambda: lexicon(files), problems)
    taxonomy = words.taxonomy if words else attempt(lambda: taxonomy_of(files), [])  # its problems are told
    book = attempt(lambda: rulebook(files, texts, taxonomy), problems)
    if words is None or book is None:
        raise ConfigError(*problems)
    return Guide(words, book)
