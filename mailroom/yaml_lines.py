"""YAML that people edit: read with line numbers, checked against a pydantic model, every problem at once."""

import re
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.reader import ReaderError

from mailroom.errors import ConfigError, Problem
from mailroom.nearest import nearest

Place = tuple[int | str, ...]
M = TypeVar("M", bound=BaseModel)
S = TypeVar("S", bound=Sized)
T = TypeVar("T")


class Strict(BaseModel):
    """A mapping in a file that people edit: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def not_empty(value: S) -> S:
    """Refuse an empty list or text."""
    if not value:
        raise ValueError("must not be empty")
    return value


class _OneOrMany:
    """Tells editors, in the JSON Schema, that one value may stand for a list of one."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        many = handler(core)
        return {"anyOf": [many["items"], {**many, "minItems": 1}]}


# A list with something in it; a person may write one value where a list is meant.
OneOrMany = Annotated[
    tuple[T, ...],
    BeforeValidator(lambda value: value if isinstance(value, list | tuple) else (value,)),
    AfterValidator(not_empty),
    _OneOrMany(),
]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of a file (keys, and numbers of entries from 0), in a sentence."""

    place: Place
    what: str
    nearest: str | None = None


_MAX_DEPTH = 50  # far more than any model has, far less than Python's stack
_ALIAS = "anchors and aliases (&name, *name) are not allowed; write the value out."
_REFUSED = object()  # stands for a value that was refused already


class Document:
    """One YAML 1.2 file: plain values, and the line of each.

    Anchors and aliases are refused: nobody needs them here, and a short file can grow without end by them.
    Keys are text as it is written.

    Raises:
        ConfigError: the text is not YAML.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._lines: dict[Place, int] = {(): 1}
        self._faults: list[Fault] = []
        self._yaml = YAML(typ="safe", pure=True)
        self._yaml.max_depth = _MAX_DEPTH
        self._yaml.composer.warn_double_anchors = False  # any anchor is refused, with its line
        try:
            node = self._yaml.compose(text)
        except YAMLError as error:
            raise ConfigError(_syntax_problem(file, text, error)) from None
        tree = node and self._plain(node, ())
        self._tree = {} if tree is None else tree

    def line(self, place: Place) -> int:
        """Give the line (from 1) of the deepest part of `place` that is in the file."""
        return next(self._lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in self._lines)

    def check(self, model: type[M], further: Callable[[M], Iterable[Fault]] = lambda _: ()) -> M:
        """Turn the file into its model; `further` tells what is wrong in one whose parts are all sound.

        Raises:
            ConfigError: with every problem in the order of the file, each with the nearest valid key or value.
        """
        faults = list(self._faults)
        try:
            checked = model.model_validate(self._tree)
        except ValidationError as error:
            found = error.errors(include_url=False)
            faults.extend(_fault(each, model) for each in found if each["input"] is not _REFUSED)
        else:
            faults.extend(further(checked))
            if not faults:
                return checked
        faults.sort(key=lambda each: self.line(each.place))
        raise ConfigError(*dict.fromkeys(map(self._problem, faults)))

    def _problem(self, fault: Fault) -> Problem:
        return Problem(self.file, f"line {self.line(fault.place)}", fault.what, fault.nearest)

    def _plain(self, node: Node, place: Place) -> object:
        self._lines.setdefault(place, node.start_mark.line + 1)
        if node.anchor:
            self._faults.append(Fault(place, _ALIAS))
            return _REFUSED
        if isinstance(node, MappingNode):
            return dict(self._pairs(node, place))
        if isinstance(node, SequenceNode):
            return [self._plain(item, (*place, index)) for index, item in enumerate(node.value)]
        try:
            return self._yaml.constructor.construct_object(node)
        except (YAMLError, ValueError):
            return node.value  # 2026-13-01 looks like a date and is none: the model says what it wanted

    def _pairs(self, node: MappingNode, place: Place) -> Iterator[tuple[str, object]]:
        for key_node, value_node in node.value:
            key, line = self._key(key_node), key_node.start_mark.line + 1
            here = (*place, key)
            if here in self._lines:
                self._faults.append(Fault(here, f"the key {key!r} is there twice (again in line {line})."))
                continue
            self._lines[here] = line
            if key_node.anchor:
                self._faults.append(Fault(here, _ALIAS))
            yield key, self._plain(value_node, here)

    def _key(self, node: Node) -> str:
        written = self._text[node.start_mark.index : node.end_mark.index]
        return node.value if isinstance(node.value, str) else written


def _syntax_problem(file: str, text: str, error: YAMLError) -> Problem:
    line, what = 1, ""
    if isinstance(error, ReaderError):
        line, what = text.count("\n", 0, error.position) + 1, f": the character U+{error.character:04X} is not allowed"
    elif isinstance(error, MarkedYAMLError) and error.problem_mark:
        # ruamel goes on with advice for programmers
        said = re.split(r"\n|, if necessary", str(error.problem or error.context))[0]
        line, what = error.problem_mark.line + 1, f": {said}"
    return Problem(file, f"line {line}", f"not valid YAML{what}.")


_DATE = "{key} must be a date, such as 2026-01-31."
_SAID = {
    "missing": "the key {key!r} is missing.",
    "model_type": "{key} must be keys with values.",
    "dict_type": "{key} must be keys with values.",
    "list_type": "{key} must be a list.",
    "tuple_type": "{key} must be a list.",
    "string_type": "{key} must be text; put a number in quotes.",
    "bool_type": "{key} must be true or false.",
    "bool_parsing": "{key} must be true or false.",
    "int_type": "{key} must be a whole number.",
    "int_parsing": "{key} must be a whole number.",
    "int_from_float": "{key} must be a whole number.",
    "date_type": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
}


def _fault(error: ErrorDetails, model: type[BaseModel]) -> Fault:
    kind, value, place = error["type"], error["input"], error["loc"]
    key = next((step for step in reversed(place) if isinstance(step, str) and step != "[key]"), "the file")
    if kind == "extra_forbidden":
        return Fault(place, f"unknown key {key!r}.", nearest(key, _keys_at(model, place[:-1])))
    if kind == "literal_error":
        valid = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        named = "the key" if place[-1] == "[key]" else key
        return Fault(place, f"{named} {value!r} is none of {', '.join(valid)}.", nearest(str(value), valid))
    said = error["msg"].removeprefix("Value error, ").removeprefix("Input ").replace("should", "must", 1).rstrip(".")
    return Fault(place, _SAID.get(kind, "{key}: {said}.").format(key=key, said=said))


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    here: type[BaseModel] | None = model
    for step in place:
        if here is not None and isinstance(step, str) and step in here.model_fields:
            here = _model_in(here.model_fields[step].annotation)
    return list(here.model_fields) if here else []


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 an annotation can be anything
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
