"""The directory: who is offered to whom, and every reason for which somebody is not."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.errors import ConfigError
from mailroom.referral.directory import Directory, parse_directory, usable
from mailroom.referral.facts import REGIONS, Facts, base
from mailroom.referral.offer import country_name, language_name, offer
from mailroom.referral.service import Service
from tests.referral.samples import KNOWN, TODAY, facts, problems, service


def chosen(found: Facts, *services: Service, need: str = "doxing") -> list[str]:
    choices = Directory(services).select(need, found, TODAY)
    return [choice.service.id for choice in choices if choice.chosen]


def why_not(found: Facts, entry: Service) -> str:
    (choice,) = Directory((entry,)).select("doxing", found, TODAY)
    assert not choice.chosen
    return choice.why


@pytest.mark.parametrize(
    ("changes", "fresh"),
    [
        ({}, True),
        ({"verified": None}, False),
        ({"verified": TODAY}, True),
        ({"verified": TODAY + timedelta(days=1)}, False),
        ({"verified": TODAY - timedelta(days=180)}, True),
        ({"verified": TODAY - timedelta(days=181)}, False),
        ({"verified": TODAY - timedelta(days=31), "max_age_days": 30}, False),
        ({"status": "draft"}, False),
        ({"status": "paused"}, False),
        ({"status": "closed"}, False),
    ],
)
def test_only_active_and_freshly_verified_entries_are_usable(changes: dict[str, Any], fresh: bool) -> None:
    assert usable(service(**changes), TODAY) is fresh
    assert chosen(facts(), service(**changes)) == (["line"] if fresh else [])


@pytest.mark.parametrize(
    ("entry", "report", "why"),
    [
        ({"verified": None}, {}, "unverified"),
        ({"verified": date(2025, 1, 1)}, {}, "verified 516 days ago, 180 are allowed"),
        ({"categories": ["stalking"]}, {}, "not for doxing"),
        ({"countries": ["IN"]}, {}, "serves IN, country is KE"),
        ({"countries": ["KE"]}, {"country": None}, "serves KE, country is not known"),
        ({"countries": ["EU"]}, {}, "serves EU, country is KE"),
        ({"languages": ["en", "fr"]}, {"language": "sw"}, "speaks en, fr, language is sw"),
        ({"audiences": [{"min_age": 18}]}, {"flags": frozenset({"minor"})}, "for people over 17"),
        ({"countries": "*", "audiences": [{"residency": "IN"}]}, {}, "for residents of IN"),
        ({"run_by": "state"}, {"flags": frozenset({"state_actor"})}, "run by a state, and the report is about one"),
        ({"run_by": "state"}, {"category": "state_or_legal"}, "run by a state, and the report is about one"),
    ],
)
def test_every_entry_left_out_has_its_reason(entry: dict[str, Any], report: dict[str, Any], why: str) -> None:
    assert why_not(facts(**report), service(**entry)) == why


@pytest.mark.parametrize(
    ("entry", "report"),
    [
        ({"categories": ["*"]}, {}),
        ({"countries": ["EU"]}, {"country": "FR"}),
        ({"countries": ["*"]}, {"country": None}),
        ({"languages": ["pt"]}, {"language": "pt-BR"}),
        ({"languages": ["fr", "interp"]}, {"language": "sw"}),
        ({"audiences": [{"min_age": 18}]}, {}),
        ({"audiences": [{"min_age": 18}, {"min_age": 13}]}, {"flags": frozenset({"minor"})}),
        ({"audiences": [{"gender": "women", "roles": ["journalists"]}]}, {}),
        ({"countries": "*", "audiences": [{"residency": "EU"}]}, {"country": "FR"}),
        ({"run_by": "state"}, {}),
    ],
)
def test_entry_that_fits_or_states_what_is_not_known_is_chosen(entry: dict[str, Any], report: dict[str, Any]) -> None:
    assert chosen(facts(**report), service(**entry)) == ["line"]


def test_most_specific_entry_comes_first_then_priority() -> None:
    entries = [
        service(id="e-everywhere", countries=["*"], priority=9),
        service(id="d-any-category", categories=["*"]),
        service(id="c-interpreter", languages=["fr", "interp"]),
        service(id="b-exact"),
        service(id="a-preferred", priority=1),
    ]
    choices = Directory(tuple(entries)).select("doxing", facts(), TODAY, limit=5)
    assert [choice.service.id for choice in choices] == [
        *("a-preferred", "b-exact", "c-interpreter", "e-everywhere", "d-any-category"),
    ]


def test_services_for_minors_come_first_for_minors_and_last_for_others() -> None:
    entries = (service(id="a", priority=1), service(id="child", audiences=[{"max_age": 17}]))
    assert chosen(facts(flags=frozenset({"minor"})), *entries) == ["child", "a"]
    assert chosen(facts(), *entries) == ["a", "child"]


def test_at_most_three_are_chosen_and_the_rest_told_why() -> None:
    choices = Directory(tuple(service(id=f"s{number}") for number in range(5))).select("doxing", facts(), TODAY)
    assert [choice.why for choice in choices] == [
        *["serves KE, speaks en"] * 3,
        *["fits, but 3 others fit better"] * 2,
    ]


def test_named_services_keep_their_order_but_must_fit_too() -> None:
    entries = (service(id="a", categories=["stalking"]), service(id="b"), service(id="c", countries=["IN"]))
    choices = Directory(entries).pick(["c", "b", "a"], facts(), TODAY)
    assert [(choice.service.id, choice.chosen) for choice in choices] == [("b", True), ("a", True), ("c", False)]


SERVICES = st.lists(
    st.builds(
        service,
        categories=st.sampled_from([["doxing"], ["stalking"], ["*"]]),
        countries=st.sampled_from([["KE"], ["FR"], ["EU"], ["*"], ["IN", "EU"]]),
        languages=st.sampled_from([["en"], ["sw"], ["pt"], ["fr", "interp"]]),
        audiences=st.sampled_from([[], [{"min_age": 18}], [{"max_age": 17}], [{"min_age": 21}, {"residency": "KE"}]]),
        run_by=st.sampled_from(["state", "independent"]),
        verified=st.sampled_from([None, TODAY, TODAY - timedelta(days=181), TODAY + timedelta(days=1)]),
        status=st.sampled_from(["active", "paused"]),
    ),
    max_size=6,
)
REPORTS = st.builds(
    facts,
    language=st.sampled_from(["en", "sw", "pt-BR", "und"]),
    country=st.sampled_from([None, "KE", "FR", "IN"]),
    category=st.sampled_from(["doxing", "stalking", "state_or_legal"]),
    flags=st.frozensets(st.sampled_from(["minor", "state_actor"])),
)


@given(SERVICES, REPORTS, st.sampled_from([None, "doxing", "stalking"]))
def test_no_entry_is_ever_chosen_outside_its_eligibility(
    entries: list[Service], found: Facts, need: str | None
) -> None:
    named = [entry.model_copy(update={"id": f"s{number}"}) for number, entry in enumerate(entries)]
    directory = Directory(tuple(named))
    ids = [entry.id for entry in named]
    choices = directory.select(need, found, TODAY) if need else directory.pick(ids, found, TODAY)
    assert sorted(choice.service.id for choice in choices) == ids
    assert sum(choice.chosen for choice in choices) <= 3
    for entry in (choice.service for choice in choices if choice.chosen):
        assert entry.status == "active"
        assert entry.verified is not None
        assert timedelta(0) <= TODAY - entry.verified <= timedelta(days=entry.max_age_days)
        assert need is None or need in entry.categories or "*" in entry.categories
        places = {place for name in entry.countries for place in REGIONS.get(name, {name})}
        assert "*" in places or found.country in places
        assert "interp" in entry.languages or base(found.language) in {base(each) for each in entry.languages}
        if "minor" in found.flags:
            assert not entry.audiences or any(audience.min_age < 18 for audience in entry.audiences)
        if found.category == "state_or_legal" or "state_actor" in found.flags:
            assert entry.run_by != "state"


ENTRY = """
  - id: line
    name: Line
    what: {en: Talks.}
    url: https://line.example.org/
    countries: [KE]
    languages: [en]
    categories: [doxing]
"""


def refusal(**files: str) -> list[tuple[str, str, str, str | None]]:
    with pytest.raises(ConfigError) as caught:
        parse_directory({f"services/{name}.yaml": f"services:{text}" for name, text in files.items()}, KNOWN)
    return [(each.file, each.where, each.what, each.nearest) for each in problems(caught.value)]


def test_unknown_ids_of_all_files_are_refused_with_line_and_nearest_value() -> None:
    first = ENTRY.replace("[doxing]", "[doxng]").replace("[KE]", "[EU, Kenya]")
    second = ENTRY.replace("id: line", "id: other").replace("languages: [en]", "languages: [en, interp, xx]")
    assert refusal(a=first, b=second) == [
        ("services/a.yaml", "line 6", "unknown country 'Kenya'.", "KE"),
        ("services/a.yaml", "line 8", "unknown category 'doxng'.", "doxing"),
        ("services/b.yaml", "line 7", "unknown language 'xx'.", None),
    ]


def test_id_that_stands_in_two_files_is_refused() -> None:
    assert refusal(a=ENTRY, b=ENTRY) == [
        ("services/b.yaml", "line 2", "the id 'line' is in services/a.yaml too.", None)
    ]


@pytest.mark.parametrize(
    ("more", "what", "nearest"),
    [
        ("status: activ", "status 'activ' is none of draft, active, paused, closed.", "active"),
        ("verifed: 2026-01-01", "unknown key 'verifed'.", "verified"),
        ("run_by: independant", "run_by 'independant' is none of state, independent, unknown.", "independent"),
        ("contacts: [{kind: phone, value: 0800123}]", "value must be text; put a number in quotes.", None),
    ],
)
def test_misspelt_entry_is_refused_with_the_nearest_value(more: str, what: str, nearest: str | None) -> None:
    assert refusal(a=f"{ENTRY}    {more}\n") == [("services/a.yaml", "line 9", what, nearest)]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("verified: 2026-01-01", "line is verified, so say verified_by and verified_how"),
        ("audiences: [{min_age: 18}]", "line has audiences, so `serves` must tell the reader whom it serves"),
        ("serves: x\n    audiences: [{min_age: 18, max_age: 9}]", "line: min_age is above max_age"),
        (f"serves: {{en: {'word ' * 60}}}", "line is longer than 60 words in 'en'"),
    ],
)
def test_entry_that_would_mislead_is_refused(more: str, what: str) -> None:
    assert what in refusal(a=f"{ENTRY}    {more}\n")[0][2]


@pytest.mark.parametrize(
    "url",
    [
        "http://line.example.org/",
        "https://bit.ly/x",
        "https://line.example.org/?utm_source=x",
        "https://a:b@line.example.org/",
        "line.example.org",
        "https://[/",
    ],
)
def test_link_that_tracks_or_hides_is_refused(url: str) -> None:
    (found,) = refusal(a=ENTRY.replace("https://line.example.org/", f"'{url}'"))
    assert found[:2] == ("services/a.yaml", "line 5")


def test_offer_speaks_the_language_of_the_reader_where_the_entry_does() -> None:
    entry = service(
        what={"en": "Talks.", "es": "Habla."},
        serves={"en": "All."},
        hours={"tz": "Africa/Nairobi", "text": "24/7"},
        languages=["es", "interp"],
        contacts=[{"kind": "phone", "value": "0800", "note": {"es": "gratis"}}, {"kind": "sms", "value": "123"}],
    )
    told = offer(entry, "es-MX")
    assert (told.id, told.what, told.serves, told.hours) == ("line", "Habla.", "All.", "24/7 (Africa/Nairobi)")
    assert (told.languages, told.cost, told.contacts) == ("español", "", ("0800 (gratis)", "123"))


def test_names_of_countries_and_languages_fall_back_to_codes() -> None:
    assert (country_name("KE", "ar"), country_name("QQ", "ar")) == ("كينيا", "QQ")
    assert (language_name("pt-BR", "en"), language_name("qqq", "en")) == ("Brazilian Portuguese", "qqq")
    assert language_name("sw", "not a language") == "Swahili"
