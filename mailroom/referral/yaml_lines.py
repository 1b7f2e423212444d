"""YAML that people edit: loaded with line numbers, checked against a pydantic model, every problem at once."""

import difflib
import re
import types
from collections.abc import Iterable, Sequence, Sized
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mailroom.errors import ConfigError, Problem

Path = Sequence[int | str]
M = TypeVar("M", bound=BaseModel)
V = TypeVar("V", bound=Sized)


class Strict(BaseModel):
    """A mapping in a file that people edit: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def one_or_many(value: object) -> object:
    """Let a person write one value where a list is meant."""
    return value if isinstance(value, list | tuple) else (value,)


def not_empty(value: V) -> V:
    """Refuse an empty list or text."""
    if not value:
        raise ValueError("must not be empty")
    return value


OneOrMany = Annotated[
    tuple[str, ...],
    BeforeValidator(one_or_many),
    AfterValidator(not_empty),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


def near(value: str, valid: Iterable[str]) -> str | None:
    """Give the valid value that looks most like `value`, or None when none does."""
    by_folded = {name.casefold(): name for name in sorted(valid)}
    found = difflib.get_close_matches(value.casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None


def load(file: str, text: str) -> object:
    """Read one YAML 1.2 document; mappings and lists remember their lines (`line_of`).

    Raises:
        ConfigError: not YAML, or a key is there twice.
    """
    try:
        return YAML(typ="rt", pure=True).load(text)
    except YAMLError as error:
        raise ConfigError(_syntax_problem(file, error)) from None


def _syntax_problem(file: str, error: YAMLError) -> Problem:
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        # Only the first line: ruamel goes on with advice for programmers.
        what = str(error.problem or error.context).splitlines()[0]
        return Problem(file, f"line {error.problem_mark.line + 1}", f"not valid YAML: {what}.")
    return Problem(file, "", "not valid YAML.")


def line_of(tree: object, path: Path) -> int:
    """Give the line (from 1) of the deepest part of `path` that is in the file."""
    line = 0
    for step in path:
        if isinstance(tree, CommentedMap) and step in tree:
            line, tree = tree.lc.key(step)[0], tree[step]
        elif isinstance(tree, CommentedSeq) and isinstance(step, int) and step < len(tree):
            line, tree = tree.lc.item(step)[0], tree[step]
        else:
            break
    return line + 1


def problem(file: str, tree: object, path: Path, fault: tuple[str, str | None]) -> Problem:
    """Make the problem for one place of a loaded file; `fault` is what is wrong and the nearest valid value."""
    what, nearest = fault
    return Problem(file, f"line {line_of(tree, path)}", f"{what}.", nearest)


def check(file: str, tree: object, model: type[M]) -> M:
    """Turn a loaded file into its model.

    Raises:
        ConfigError: with every problem, each with its line and the nearest valid key or value.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        faults = [(each["loc"], _fault(each, model)) for each in error.errors(include_url=False)]
        faults.sort(key=lambda each: line_of(tree, each[0]))
        raise ConfigError(*(problem(file, tree, place, fault) for place, fault in faults)) from None


_SAID = {
    "missing": "the key {key!r} is missing",
    "model_type": "{key} must be keys with values",
    "string_type": "{key} must be text; put a number in quotes",
}


def _fault(error: ErrorDetails, model: type[BaseModel]) -> tuple[str, str | None]:
    key = next((step for step in reversed(error["loc"]) if isinstance(step, str)), "the file")
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        return f"unknown key {key!r}", near(key, _keys_at(model, error["loc"][:-1]))
    if kind == "literal_error":
        valid = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        return f"{key} {value!r} is none of {', '.join(valid)}", near(str(value), valid)
    said = error["msg"].removeprefix("Value error, ").removeprefix("Input ").replace("should", "must", 1)
    return _SAID.get(kind, "{key}: {said}").format(key=key, said=said), None


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    here: type[BaseModel] | None = model
    for step in path:
        if here is not None and isinstance(step, str) and step in here.model_fields:
            here = _model_in(here.model_fields[step].annotation)
    return list(here.model_fields) if here else []


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 an annotation can be anything
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
