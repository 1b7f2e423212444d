from pathlib import Path
from typing import Any

import pytest
import yaml

from mailroom.triage.facts import Triage
from mailroom.triage.triage import Lexicon, triage
from tests.triage.conftest import message

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("corpus.yaml").read_text(encoding="utf-8"))


def found(decided: Triage) -> dict[str, object]:
    return {
        "language": decided.language.value,
        "country": decided.country.value,
        "category": decided.category.value,
        "flags": list(decided.flags),
        "contact": decided.contact,
    }


@pytest.mark.parametrize("case", CASES, ids=[str(case["text"])[:40] for case in CASES])
def test_message_is_read_as_a_person_reads_it(case: dict[str, Any], shipped: Lexicon) -> None:
    got = found(triage(message(case["text"], case.get("subject", ""), case.get("sender")), shipped))
    wrong = {key: got[key] for key in got if key in case and got[key] != case[key]}
    assert sorted(wrong) == case.get("missed", []), wrong


def test_no_danger_in_the_corpus_is_missed() -> None:
    assert not [case["text"] for case in CASES if case.get("flags") and "flags" in case.get("missed", [])]
