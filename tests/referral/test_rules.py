"""The rules file: what it accepts, how it is walked, and how it refuses."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.errors import ConfigError
from mailroom.referral.facts import Facts
from mailroom.referral.rules import Rules, RulesFile, parse_rules
from tests.referral.samples import KNOWN, facts, problems

LAST = "  - id: rest\n    refer: {template: full}\n"


def rules(*rows: str) -> Rules:
    return parse_rules("rules.yaml", "rules:\n" + "".join(rows) + LAST, KNOWN)


def row(name: str, when: str, refer: str = "{template: minimal}") -> str:
    return f"  - id: {name}\n    when: {when}\n    refer: {refer}\n"


def refusal(text: str) -> list[tuple[str, str, str | None]]:
    with pytest.raises(ConfigError) as caught:
        parse_rules("rules.yaml", text, KNOWN)
    assert {each.file for each in problems(caught.value)} == {"rules.yaml"}
    return [(each.where, each.what, each.nearest) for each in problems(caught.value)]


def test_first_rule_that_fits_decides() -> None:
    table = rules(row("a", "{country: IN}"), row("b", "{country: KE}"), row("c", "{category: doxing}"))
    rule, _ = table.walk(facts())
    assert (rule.row.id, rule.file, rule.line) == ("b", "rules.yaml", 5)


def test_trace_tells_of_every_rule_tried_and_why() -> None:
    table = rules(
        row("a", "{country: IN}"), row("b", "{severity_min: 4}"), row("c", "{flags: [minor, imminent_danger]}")
    )
    _, trace = table.walk(facts())
    assert [(tried.rule, tried.hit, tried.why) for tried in trace] == [
        ("a", False, "country is KE, rule wants IN"),
        ("b", False, "severity is 2, rule wants 4 or more"),
        ("c", False, "flags are none, rule wants minor or imminent_danger"),
        ("rest", True, "this rule always hits"),
    ]


@pytest.mark.parametrize(
    ("when", "fitting", "other"),
    [
        ("{category: [stalking, doxing]}", {"category": "doxing"}, {"category": "insults"}),
        ("{group: privacy}", {"group": "privacy"}, {"group": "pursuit"}),
        ("{severity_min: 4}", {"severity": 4}, {"severity": 3}),
        ("{confidence_min: 0.7}", {"confidence": 0.7}, {"confidence": 0.6}),
        ("{country: KE}", {"country": "KE"}, {"country": None}),
        ("{country: unknown}", {"country": None}, {"country": "KE"}),
        ("{region: EU}", {"country": "FR"}, {"country": "KE"}),
        ("{language: pt}", {"language": "pt-BR"}, {"language": "es"}),
        ("{language: pt-BR}", {"language": "pt-BR"}, {"language": "pt-PT"}),
        ("{flags: minor}", {"flags": frozenset({"minor", "state_actor"})}, {"flags": frozenset({"state_actor"})}),
        ("{contact: unsafe}", {"contact": "unsafe"}, {"contact": None}),
        ("{contact: [ok, unknown]}", {"contact": None}, {"contact": "none"}),
        ("{channel: form}", {"channel": "form"}, {"channel": "email"}),
        ("{encrypted: false}", {"encrypted": False}, {"encrypted": True}),
        ("{country: KE, severity_min: 2}", {"severity": 2}, {"severity": 1}),
    ],
)
def test_condition_tells_fitting_reports_from_others(when: str, fitting: dict[str, Any], other: dict[str, Any]) -> None:
    table = rules(row("a", when))
    assert table.walk(facts(**fitting))[0].row.id == "a"
    assert table.walk(facts(**other))[0].row.id == "rest"


CONDITIONS = st.sampled_from(
    ["{country: KE}", "{country: unknown}", "{severity_min: 3}", "{flags: minor}", "{contact: ok}", "{encrypted: true}"]
)
FACTS = st.builds(
    Facts,
    language=st.sampled_from(["en", "pt-BR", "und"]),
    country=st.sampled_from([None, "KE", "FR"]),
    category=st.sampled_from(sorted(KNOWN.categories)),
    group=st.sampled_from(sorted(KNOWN.groups)),
    severity=st.integers(0, 5),
    flags=st.frozensets(st.sampled_from(sorted(KNOWN.flags))),
    contact=st.sampled_from([None, "ok", "unsafe", "none"]),
    encrypted=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(CONDITIONS, max_size=6), FACTS)
def test_walk_always_ends_with_the_one_rule_that_hit(conditions: list[str], found: Facts) -> None:
    table = rules(*(row(f"r{index}", when) for index, when in enumerate(conditions)))
    rule, trace = table.walk(found)
    assert [tried.rule for tried in trace if tried.hit] == [rule.row.id] == [trace[-1].rule]
    assert all(tried.why for tried in trace)


def test_unknown_ids_are_refused_all_at_once_with_line_and_nearest_value() -> None:
    assert refusal(
        "rules:\n"
        "  - id: a\n"
        "    when:\n"
        "      category: [doxing, doxxing]\n"
        "      country: kenia\n"
        "      region: eu\n"
        "      flags: minr\n"
        "      language: zz\n"
        "    refer:\n"
        "      template: ful\n"
        "      services: {ids: [lime]}\n" + LAST
    ) == [
        ("line 4", "unknown category 'doxxing'.", "doxing"),
        ("line 5", "unknown country 'kenia'.", None),
        ("line 6", "unknown region 'eu'.", "EU"),
        ("line 7", "unknown flag 'minr'.", "minor"),
        ("line 8", "unknown language 'zz'.", None),
        ("line 10", "unknown template 'ful'.", "full"),
        ("line 11", "unknown service 'lime'.", "line"),
    ]


def test_misspelt_keys_and_wrong_values_are_refused_all_at_once() -> None:
    assert refusal(
        "rules:\n"
        "  - id: A b\n"
        "    wen: {country: KE}\n"
        "    refer: {template: full, detial: full, services: {need: doxing, idz: [line]}}\n"
        "  - id: b\n"
        "    when: {severty_min: 4, severity_min: 9, contact: unsave, flags: []}\n"
        "    refer: {template: full, urgent: perhaps}\n"
        "  - id: c\n"
    ) == [
        ("line 2", "id: String must match pattern '^[a-z0-9][a-z0-9_-]*$'.", None),
        ("line 3", "unknown key 'wen'.", "when"),
        ("line 4", "unknown key 'idz'.", "ids"),
        ("line 4", "unknown key 'detial'.", "detail"),
        ("line 6", "severity_min: must be less than or equal to 5.", None),
        ("line 6", "flags: must not be empty.", None),
        ("line 6", "contact 'unsave' is none of ok, unsafe, none, unknown.", "unsafe"),
        ("line 6", "unknown key 'severty_min'.", "severity_min"),
        ("line 7", "urgent must be true or false.", None),
        ("line 8", "the key 'refer' is missing.", None),
    ]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        (
            "rules:\n" + row("a", "{country: KE}"),
            "line 2",
            "the last rule must have no `when`: it answers what no other rule does.",
        ),
        (
            "rules:\n" + LAST + row("a", "{country: KE}"),
            "line 2",
            "rule 'rest' always hits, so no rule after it ever does.",
        ),
        ("rules:\n" + row("rest", "{country: KE}") + LAST, "line 5", "the id 'rest' is there twice."),
        ("rules:\n  - {id: a, refer: 5}\n", "line 2", "refer must be keys with values."),
        ("rules: []\n", "line 1", "rules: must not be empty."),
        ("", "line 1", "the key 'rules' is missing."),
        ("rules:\n  - id: [\n", "line 3", "not valid YAML: did not find expected node content."),
        ("rules:\n  - id: a\n    id: b\n", "line 2", "the key 'id' is there twice (again in line 3)."),
    ],
)
def test_table_that_could_leave_a_report_unanswered_is_refused(text: str, where: str, what: str) -> None:
    assert (where, what) in [found[:2] for found in refusal(text)]


@pytest.mark.parametrize(
    ("refer", "what"),
    [
        ("{template: none}", "refer: template none needs a why."),
        (
            "{template: none, why: x, hold: y}",
            "refer: template none sends nothing, so it can neither hold nor name services.",
        ),
        ("{template: minimal, detail: full}", "refer: template minimal cannot have detail full."),
        ("{template: full, detail: minimal}", "refer: template full cannot have detail minimal."),
        (
            "{template: minimal, services: {ids: [line]}}",
            "refer: a minimal answer names no services: they would tell what it is about.",
        ),
        ("{template: full, services: {need: doxing, ids: [line]}}", "services: give either need or ids."),
        ("{template: full, services: {}}", "services: give either need or ids."),
    ],
)
def test_answer_that_contradicts_itself_is_refused(refer: str, what: str) -> None:
    assert refusal("rules:\n" + row("a", "{country: KE}", refer) + LAST) == [("line 4", what, None)]


def test_services_may_be_none_in_words() -> None:
    assert rules(row("a", "{country: KE}", "{template: full, services: none}")).table[0].row.refer.services is None


def test_json_schema_lets_editors_accept_one_value_or_a_list() -> None:
    schema = RulesFile.model_json_schema()
    kinds = [kind.get("type") for kind in schema["$defs"]["When"]["properties"]["category"]["anyOf"]]
    assert kinds == ["string", "array"]
