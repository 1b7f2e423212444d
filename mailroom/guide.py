"""Reads the guide: rules, phrases, services and texts.

Apart from `assembly.py`, because who only reads the guide should not wait for records and transports to load.
"""

from pathlib import Path

from mailroom.flow.desk import Guide
from mailroom.referral.choose import rulebook
from mailroom.transport.files import read_texts
from mailroom.triage.triage import lexicon


def guide_from(rules: Path, templates: Path) -> Guide:
    """Read rules, phrases and services from one folder, texts from another.

    Raises:
        ConfigError: with every problem of every file.
    """
    files = read_texts(rules, ["*.yaml", "**/*.yaml"])
    words = lexicon(files)
    return Guide(words, rulebook(files, read_texts(templates, ["*/*.txt"]), words.taxonomy))
