"""Decisions: the shipped rules as a golden table, and what holds whatever the rules say."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mailroom.errors import ConfigError
from mailroom.referral.choose import Decision, Rulebook, decide, rulebook
from mailroom.triage.phrases import parse_taxonomy
from tests.referral.samples import TODAY, facts, problems, texts

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "rules"
TAXONOMY = parse_taxonomy("categories.yaml", (SHIPPED / "categories.yaml").read_text(encoding="utf-8"))
FILES = {
    "rules.yaml": (SHIPPED / "rules.yaml").read_text(encoding="utf-8"),
    "services/sample.yaml": (HERE / "services.yaml").read_text(encoding="utf-8"),
    "phrases/en.yaml": "not ours: [",
}
BOOK = rulebook(FILES, texts(), TAXONOMY)
TABLE = yaml.safe_load((HERE / "decisions.yaml").read_text(encoding="utf-8"))


def book(*rows: str) -> Rulebook:
    rules = "rules:\n" + "".join(f"  - {row}\n" for row in rows)
    return rulebook({**FILES, "rules.yaml": rules}, texts(), TAXONOMY)


def decided(report: dict[str, Any], by: Rulebook = BOOK) -> Decision:
    report = {**report, "flags": frozenset(report.get("flags", ()))}
    return decide(facts(**report), by, TODAY)


@pytest.mark.parametrize("row", TABLE, ids=[row["promise"] for row in TABLE])
def test_shipped_rules_decide(row: dict[str, Any]) -> None:
    found = decided(row["report"])
    told = {
        "rule": found.rule,
        "template": found.template,
        "services": [service.id for service in found.services],
        "urgent": found.urgent,
        "will_send": found.will_send,
        "hold": found.hold,
    }
    wanted = {"services": [], "urgent": False, "will_send": True, "hold": None} | row
    assert told == {key: wanted[key] for key in told}
    assert found.detail == ("full" if row["template"] == "full" else "minimal")
    assert found.why == row.get("why", found.why)


def test_every_shipped_rule_is_decided_by_some_row_of_the_table() -> None:
    assert {row["rule"] for row in TABLE} == {rule.row.id for rule in BOOK.rules.table}


def test_decision_tells_its_rule_its_line_and_every_entry_looked_at() -> None:
    found = decided({})
    assert (found.rule, found.file) == ("everybody-else", "rules.yaml")
    assert "everybody-else" in FILES["rules.yaml"].splitlines()[found.line - 1]
    assert [(each.service.id, each.why) for each in found.looked_at] == [
        ("ke-doxing", "serves KE, speaks en"),
        ("everywhere", "serves everywhere, speaks en"),
        ("unverified", "unverified"),
    ]
    assert found.why == "rule everybody-else: this rule always hits"


REPORTS = st.fixed_dictionaries(
    {
        "category": st.sampled_from(sorted(TAXONOMY.current)),
        "severity": st.integers(0, 5),
        "flags": st.sets(st.sampled_from(sorted(TAXONOMY.flags))),
        "country": st.sampled_from([None, "KE", "IN"]),
        "language": st.sampled_from(["en", "sw", "und"]),
        "contact": st.sampled_from([None, "ok", "unsafe", "none"]),
        "encrypted": st.booleans(),
        "reply_key_known": st.booleans(),
    }
)
CARELESS = book("{id: all, refer: {template: full, services: {ids: [everywhere]}, urgent: true}}")


@given(REPORTS, st.sampled_from([BOOK, CARELESS]))
def test_no_rule_can_make_an_answer_betray_the_writer(report: dict[str, Any], rules: Rulebook) -> None:
    found = decided(report, rules)
    assert found.will_send == (found.template != "none" and found.hold is None)
    if report["contact"] == "none":
        assert (found.template, found.will_send) == ("none", False)
    if report["contact"] == "unsafe":
        assert found.detail == "minimal"
    if report["encrypted"] and not report["reply_key_known"]:
        assert found.template in {"none", "ask_key"}
    if found.detail == "minimal":
        assert not found.services
    assert found.why


def test_named_and_needed_services_come_as_the_rule_says() -> None:
    named = book("{id: a, refer: {template: full, services: {ids: [unverified, everywhere]}}}")
    assert [service.id for service in decided({}, named).services] == ["everywhere"]
    needed = book("{id: a, refer: {template: full, services: {need: doxing}}}")
    assert decided({"category": "defamation"}, needed).services[0].id == "ke-doxing"


def test_rule_that_answers_nothing_stays_silent_to_encrypted_mail_too() -> None:
    silent = book("{id: a, refer: {template: none, why: enough was said}}")
    found = decided({"encrypted": True}, silent)
    assert (found.template, found.will_send, found.why) == ("none", False, "enough was said")


def test_language_of_a_decision_is_that_of_the_text_or_else_of_the_writer() -> None:
    assert [decided({"language": each}).language for each in ("es", "es-MX", "sw")] == ["es", "es", "sw"]


def test_bad_edit_anywhere_refuses_the_whole_rulebook_with_every_problem() -> None:
    files = {
        "rules.yaml": "rules:\n  - {id: a, refer: {template: ful, services: {ids: [anywhere]}}}\n",
        "services/bad.yaml": "services: [{id: x}]\n",
    }
    with pytest.raises(ConfigError) as caught:
        rulebook(files, texts(es_full="Hola"), TAXONOMY)
    # The broken directory has no ids, so the name of a service is no further problem.
    assert {each.file for each in problems(caught.value)} == {"es/full.txt", "services/bad.yaml", "rules.yaml"}
    assert [each.nearest for each in problems(caught.value) if each.file == "rules.yaml"] == ["full"]


def test_missing_rules_file_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"rules\.yaml"):
        rulebook({}, texts(), TAXONOMY)
