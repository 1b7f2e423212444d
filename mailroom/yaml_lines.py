"""YAML that people edit: read with line numbers, checked against a pydantic model, every problem at once.

libyaml, through PyYAML, cuts the text into events; what they mean is decided here. PyYAML's own loaders read YAML 1.1,
where the country code NO is false and 012 is ten, and its composer calls itself for every level of nesting: a line of
brackets ends the process.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails
from yaml import CSafeLoader, MarkedYAMLError, YAMLError
from yaml import events as yaml_events
from yaml.reader import ReaderError

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
_TAG = "tags (!name) are not allowed; put a text in quotes, and write anything else as it is."
_REFUSED = object()  # stands for a value that was refused already
# The core schema, https://yaml.org/spec/1.2.2/#1032-tag-resolution
_PLAIN = re.compile(
    r"(?P<null>~|null|Null|NULL|)|(?P<true>true|True|TRUE)|(?P<false>false|False|FALSE)"
    r"|(?P<int>[-+]?[0-9]+)|(?P<based>0o[0-7]+|0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<special>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_READ: dict[str | None, Callable[[str], object]] = {
    "null": lambda _: None,
    "true": lambda _: True,
    "false": lambda _: False,
    "int": int,
    "based": lambda word: int(word, 0),
    "float": float,
    "special": lambda word: float(word.replace(".", "")),
}


class Document:
    """One YAML 1.2 file: plain values, and the line of each.

    Anchors and aliases are refused: nobody needs them here, and a short file can grow without end by them. So are
    tags. Keys are text as it is written, and so are dates: the model reads them.

    Raises:
        ConfigError: the text is not YAML.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._lines: dict[Place, int] = {(): 1}
        self._faults: list[Fault] = []
        self._events = _events(text)
        try:
            tree = self._only_document()
        except YAMLError as error:
            raise ConfigError(_syntax_problem(file, text, error)) from None
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

    def _only_document(self) -> object:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml_events.StreamEndEvent):
            return None
        tree = self._value(next(self._events), ())
        next(self._events)  # the end of the document
        after = next(self._events)
        if not isinstance(after, yaml_events.StreamEndEvent):
            raise MarkedYAMLError(problem="another document begins", problem_mark=after.start_mark)
        return tree

    def _value(self, event: Any, place: Place) -> object:  # noqa: ANN401 PyYAML is not annotated
        self._lines.setdefault(place, event.start_mark.line + 1)
        value: object = _REFUSED
        if isinstance(event, yaml_events.ScalarEvent):
            value = _scalar(event)
        elif isinstance(event, yaml_events.MappingStartEvent):
            value = dict(self._pairs(place))
        elif isinstance(event, yaml_events.SequenceStartEvent):
            items = self._until(yaml_events.SequenceEndEvent)
            value = [self._value(item, (*place, index)) for index, item in enumerate(items)]
        return _REFUSED if self._refused(event, place) else value

    def _pairs(self, place: Place) -> Iterator[tuple[str, object]]:
        for event in self._until(yaml_events.MappingEndEvent):
            key, line = self._key(event), event.start_mark.line + 1
            here = (*place, key)
            if here in self._lines:
                self._faults.append(Fault(here, f"the key {key!r} is there twice (again in line {line})."))
                self._last(next(self._events))
                continue
            self._lines[here] = line
            self._refused(event, here)
            yield key, self._value(next(self._events), here)

    def _key(self, event: Any) -> str:  # noqa: ANN401 likewise
        if isinstance(event, yaml_events.ScalarEvent):
            return str(event.value)
        return self._text[event.start_mark.index : self._last(event).end_mark.index]

    def _refused(self, event: Any, place: Place) -> bool:  # noqa: ANN401 likewise
        """Tell whether a value or key has an anchor, an alias or a tag; then that is a fault."""
        what = _ALIAS if event.anchor else _TAG if getattr(event, "tag", None) else None
        if what:
            self._faults.append(Fault(place, what))
        return what is not None

    def _until(self, end: type) -> Iterator[Any]:
        """Give the first event of each node of a list or mapping; whoever takes it takes the others of that node."""
        while not isinstance(event := next(self._events), end):
            yield event

    def _last(self, event: Any) -> Any:  # noqa: ANN401 likewise
        """Pass over a whole node; give its last event."""
        depth = _step(event)
        while depth:
            event = next(self._events)
            depth += _step(event)
        return event


def _events(text: str) -> Iterator[Any]:
    """Give the events of a text one by one; refuse what is nested too deep before libyaml has read on."""
    parser, depth = CSafeLoader(text), 0
    while event := parser.get_event():
        depth += _step(event)
        if depth > _MAX_DEPTH:
            raise MarkedYAMLError(problem=f"more than {_MAX_DEPTH} levels of nesting", problem_mark=event.start_mark)
        yield event


def _step(event: Any) -> int:  # noqa: ANN401 likewise
    """Tell how many levels an event leads down (1) or up (-1)."""
    opens = isinstance(event, yaml_events.CollectionStartEvent)
    return opens - isinstance(event, yaml_events.CollectionEndEvent)


def _scalar(event: Any) -> object:  # noqa: ANN401 likewise
    """Give the value of a word, as YAML 1.2 has it; what stands in quotes is text."""
    written: str = event.value
    found = _PLAIN.fullmatch(written) if event.implicit[0] else None
    try:
        return _READ[found.lastgroup](written) if found else written
    except ValueError:  # a number of more digits than Python reads: the model says what it wanted
        return written


def _syntax_problem(file: str, text: str, error: YAMLError) -> Problem:
    line, what = 1, ""
    if isinstance(error, ReaderError):  # its position is one of the text as UTF-8
        line = text.encode()[: error.position].count(b"\n") + 1
        what = f": the character U+{error.character:04X} is not allowed"
    elif isinstance(error, MarkedYAMLError) and error.problem_mark:
        line, what = error.problem_mark.line + 1, f": {error.problem}"
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
