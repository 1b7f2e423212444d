"""YAML that people edit: what is read, where each problem is told, and what is suggested instead."""

from collections.abc import Iterator
from datetime import date
from math import inf
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from mailroom.errors import ConfigError
from mailroom.nearest import nearest
from mailroom.yaml_lines import Document, Fault, OneOrMany, Strict

Colour = Literal["red", "green"]


class Room(Strict):
    name: str
    colour: Colour = "red"
    doors: int = Field(1, ge=1)
    share: float = 1.0
    open: bool = True
    since: date | None = None
    tags: OneOrMany[str] = ()
    colours: OneOrMany[Colour] = ()


class Number(Strict):
    number: Annotated[float, Field(strict=True)]


class House(Strict):
    rooms: list[Room] = Field(default_factory=list)
    by_floor: dict[Annotated[str, Field(max_length=10)], Room] = Field(default_factory=dict)
    notes: dict[Colour, str] = Field(default_factory=dict)
    name: str | None = None


def refusal(text: str) -> list[tuple[str, str, str | None]]:
    with pytest.raises(ConfigError) as caught:
        Document("house.yaml", text).check(House)
    assert {each.file for each in caught.value.problems} == {"house.yaml"}
    return [(each.where, each.what, each.nearest) for each in caught.value.problems]


def room(values: str) -> Room:
    return Document("house.yaml", f"rooms: [{{name: hall, {values}}}]").check(House).rooms[0]


def test_values_are_those_of_yaml_1_2() -> None:
    read = room("doors: 2, share: 0.5, open: false, since: 2026-01-31, tags: [yes, no, '3', 1:30]")
    assert (read.doors, read.share, read.open, read.since) == (2, 0.5, False, date(2026, 1, 31))
    assert read.tags == ("yes", "no", "3", "1:30")
    assert room("since: null").since is None
    assert room("since: ").since is None


@pytest.mark.parametrize(
    "word", ["NO", "on", "Off", "y", "1_000", "0b1", "190:20:30", "2026-01-31", "<<", "=", "1e", "'5'"]
)
def test_what_only_yaml_1_1_takes_for_more_is_text(word: str) -> None:
    assert room(f"tags: {word}").tags == (word.strip("'"),)


@pytest.mark.parametrize(
    ("word", "number"),
    [("12", 12), ("-1", -1), ("012", 12), ("0o17", 15), ("0x1F", 31), ("1e3", 1000), (".5", 0.5), ("-.inf", -inf)],
)
def test_numbers_are_those_of_the_core_schema(word: str, number: float) -> None:
    assert Document("numbers.yaml", f"number: {word}").check(Number).number == number


def test_values_never_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        room("doors: 2").doors = 3  # type: ignore[misc] # that is the point


def test_keys_are_text_as_it_is_written() -> None:
    house = Document("house.yaml", "by_floor: {1: {name: a}, no: {name: b}, 2026-01-31: {name: c}, '2': {name: d}}")
    assert list(house.check(House).by_floor) == ["1", "no", "2026-01-31", "2"]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_file_without_anything_has_no_keys(text: str) -> None:
    assert Document("house.yaml", text).check(House) == House()


def test_one_value_may_stand_for_a_list_but_none_may_not() -> None:
    assert room("tags: a").tags == room("tags: [a]").tags == ("a",)
    assert refusal("rooms: [{name: a, tags: []}]") == [("line 1", "tags: must not be empty.", None)]


def test_json_schema_lets_editors_accept_one_value_or_a_list() -> None:
    tags = Room.model_json_schema()["properties"]["tags"]["anyOf"]
    assert tags == [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]


def test_every_problem_comes_at_once_in_the_order_of_the_file() -> None:
    assert refusal(
        "rooms:\n"
        "  - name: a\n"
        "    name: b\n"
        "    colur: red\n"
        "    name: c\n"
        "  - colour: gren\n"
        "    since: 2026-13-01\n"
        "notes:\n"
        "  greeen: &x a\n"
        "  red: *x\n"
        "nmae: house\n"
    ) == [
        ("line 2", "the key 'name' is there twice (again in line 3).", None),
        ("line 2", "the key 'name' is there twice (again in line 5).", None),
        ("line 4", "unknown key 'colur'.", "colour"),
        ("line 6", "the key 'name' is missing.", None),
        ("line 6", "colour 'gren' is none of red, green.", "green"),
        ("line 7", "since must be a date, such as 2026-01-31.", None),
        ("line 9", "anchors and aliases (&name, *name) are not allowed; write the value out.", None),
        ("line 9", "the key 'greeen' is none of red, green.", "green"),
        ("line 10", "anchors and aliases (&name, *name) are not allowed; write the value out.", None),
        ("line 11", "unknown key 'nmae'.", "name"),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("- a\n", "the file must be keys with values."),
        ("rooms: 5\n", "rooms must be a list."),
        ("rooms: [a]\n", "rooms must be keys with values."),
        ("by_floor: [a]\n", "by_floor must be keys with values."),
        ("name: 5\n", "name must be text; put a number in quotes."),
        ("rooms: [{name: a, open: perhaps}]\n", "open must be true or false."),
        ("rooms: [{name: a, tags: {a: b}}]\n", "tags must be text; put a number in quotes."),
        ("rooms: [{name: a, since: soon}]\n", "since must be a date, such as 2026-01-31."),
        ("rooms: [{name: a, since: 2026-01-31 10:30:00}]\n", "since must be a date, such as 2026-01-31."),
        ("rooms: [{name: a, doors: many}]\n", "doors must be a whole number."),
        ("rooms: [{name: a, doors: 0}]\n", "doors: must be greater than or equal to 1."),
        ("rooms: [{name: a, colours: blue}]\n", "colours 'blue' is none of red, green."),
        ("by_floor: {roof terrace: {name: a}}\n", "roof terrace: String must have at most 10 characters."),
        ("{[a]: b}\n", "unknown key '[a]'."),
    ],
)
def test_wrong_value_is_refused_in_plain_words(text: str, what: str) -> None:
    assert [found[:2] for found in refusal(text)] == [("line 1", what)]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("rooms:\n  - name: [\n", "line 3", "not valid YAML: did not find expected node content."),
        ("name: a\n---\nname: b\n", "line 2", "not valid YAML: another document begins."),
        ("name: a\nnotes: \x07\n", "line 2", "not valid YAML: the character U+0007 is not allowed."),
        ("name: a\nrooms: " + "[" * 200_000, "line 2", "not valid YAML: more than 50 levels of nesting."),
        ("name: a\n" + "- " * 200_000, "line 2", "not valid YAML: did not find expected key."),
        ("- " * 200_000, "line 1", "not valid YAML: more than 50 levels of nesting."),
        ("? " + "[" * 200_000, "line 1", "not valid YAML: more than 50 levels of nesting."),
        ("name: a\nname: " + "{" * 200_000, "line 2", "not valid YAML: more than 50 levels of nesting."),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text: str, where: str, what: str) -> None:
    assert refusal(text) == [(where, what, None)]


@pytest.mark.parametrize(
    "text",
    [
        "&x name: a\n",
        "&x {name: a}\n",
        "rooms: &x [*x]\n",
        "notes: {red: &x a, green: &x b}\n",
        "notes: {red: a, &x green: b}\nby_floor: {*x : {}}\n",
    ],
)
def test_anchors_and_aliases_are_refused_wherever_they_stand(text: str) -> None:
    assert "anchors and aliases" in refusal(text)[0][1]


@pytest.mark.parametrize("text", ["name: !!str 5\n", "!x {name: a}\n", "rooms: ! []\n", "!!str name: a\n"])
def test_tags_are_refused_wherever_they_stand(text: str) -> None:
    assert (
        "line 1",
        "tags (!name) are not allowed; put a text in quotes, and write anything else as it is.",
        None,
    ) in (refusal(text))


def test_what_a_second_value_of_a_key_holds_is_passed_over() -> None:
    assert refusal("rooms: []\nrooms: [{name: a, name: b}, &x c, {shaer: 1}]\nnmae: a\n") == [
        ("line 1", "the key 'rooms' is there twice (again in line 2).", None),
        ("line 3", "unknown key 'nmae'.", "name"),
    ]


def test_the_same_problem_is_told_once_for_a_line() -> None:
    assert len(refusal("notes: {red: &x a, green: *x}\n")) == 1


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("rooms: [{name: a, shaer: 1}]", "share"),
        ("rooms: [{name: a, note: b}]", None),
        ("by_floor: {ground: {name: a, shaer: 1}}", "share"),
        ("shaer: 1", None),
        ("Rooms: []", "rooms"),
    ],
)
def test_nearest_key_is_one_that_is_valid_there(text: str, suggested: str | None) -> None:
    assert [found[2] for found in refusal(text)] == [suggested]


def only_one_room(house: House) -> Iterator[Fault]:
    for index, each in reversed(list(enumerate(house.rooms))):
        if index > 0:
            yield Fault(("rooms", index, "name"), f"the room {each.name!r} is one too many.", house.rooms[0].name)


def test_further_faults_are_told_with_all_others_by_line() -> None:
    text = "name: x\nname: y\nrooms:\n  - name: a\n  - name: b\n  - open: true\n    name: c\n"
    with pytest.raises(ConfigError) as caught:
        Document("house.yaml", text).check(House, only_one_room)
    assert [(each.where, each.what, each.nearest) for each in caught.value.problems] == [
        ("line 1", "the key 'name' is there twice (again in line 2).", None),
        ("line 5", "the room 'b' is one too many.", "a"),
        ("line 7", "the room 'c' is one too many.", "a"),
    ]


def test_line_is_that_of_the_deepest_part_that_is_there() -> None:
    document = Document("house.yaml", "# rooms\n\nrooms:\n  - name: a\n    tags:\n      - x\n      - y\n")
    places = [(), ("name",), ("rooms",), ("rooms", 0, "doors"), ("rooms", 0, "tags"), ("rooms", 0, "tags", 1, "z")]
    assert [document.line(place) for place in places] == [1, 1, 3, 4, 5, 7]


class Anything(BaseModel):
    values: list[str]


def lines_of_problems(text: str) -> set[int]:
    try:
        Document("any.yaml", text).check(Anything)
    except ConfigError as error:
        return {int(each.where.removeprefix("line ")) for each in error.problems}
    return set()


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_line_that_it_has(text: str) -> None:
    assert lines_of_problems(text) <= set(range(1, len(text) + 2))


NODES = st.recursive(
    st.sampled_from(["a", "1", "2026-02-30", "!!int x", "!y z", "&b c", "*b", "~", ".nan", "!!binary x", "'"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]"),
        st.lists(st.tuples(inner, inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key} : {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(NODES)
def test_any_structure_is_read_or_refused_with_its_line(text: str) -> None:
    assert lines_of_problems(f"\nvalues: {text}") <= {2, 3}  # 3: the end, where a bracket was left open


@pytest.mark.parametrize(
    ("value", "cutoff", "found"),
    [("gren", 0.6, "Green"), ("GREEN", 0.6, "Green"), ("blue", 0.6, None), ("blue", 0, "red"), ("", 0.6, None)],
)
def test_nearest_looks_past_capitals_and_small_slips(value: str, cutoff: float, found: str | None) -> None:
    assert nearest(value, ["Green", "red"], cutoff) == found
