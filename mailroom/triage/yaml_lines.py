"""YAML that people edit: read with line numbers, checked against a pydantic model, every problem at once."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from mailroom.errors import ConfigError, Problem

Place = Sequence[int | str]
M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """A mapping in a file that people edit: unknown keys are refused, values are taken as written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def near(value: str, valid: Iterable[str]) -> str | None:
    """Give the valid value that looks most like `value`, or None when none does."""
    return next(iter(difflib.get_close_matches(value, sorted(valid), n=1)), None)


class Document:
    """One YAML 1.2 file: plain values, the line of each, and the problems found so far.

    Anchors and aliases are refused: nobody needs them here, and a short file can grow without end by them.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._lines: dict[tuple[int | str, ...], int] = {}
        self._seen: set[int] = set()
        try:
            node = YAML(typ="safe", pure=True).compose(text)
        except YAMLError as error:
            raise ConfigError(_syntax_problem(file, error)) from None
        self.tree = self._plain(node, ()) if node is not None else {}

    def complain(self, place: Place, what: str, nearest: str | None = None) -> None:
        """Note one problem at the deepest part of `place` that is in the file."""
        known = next((place[:end] for end in range(len(place), 0, -1) if tuple(place[:end]) in self._lines), ())
        self.problems.append(Problem(self.file, f"line {self._lines.get(tuple(known), 1)}", what, nearest))

    def check(self, model: type[M], keys: Iterable[str] = ()) -> M:
        """Turn the file into its model; `keys` are the valid keys to suggest for an unknown one.

        Raises:
            ConfigError: with every problem of the file.
        """
        try:
            checked = model.model_validate(self.tree)
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                self._complain_of(fault, keys)
            self.refuse_if_wrong()
            raise
        return checked

    def _complain_of(self, fault: ErrorDetails, keys: Iterable[str]) -> None:
        key = next((part for part in reversed(fault["loc"]) if isinstance(part, str) and part != "[key]"), "the file")
        nearest = None
        if fault["type"] == "extra_forbidden":
            nearest = near(key, keys)
        elif fault["type"] == "literal_error":
            nearest = near(str(fault["input"]), re.findall("'([^']*)'", fault["ctx"]["expected"]))
        self.complain(fault["loc"], _said(fault["type"], key, fault["msg"]), nearest)

    def refuse_if_wrong(self) -> None:
        """Raise one ConfigError with all problems, in the order of the file, if there are any."""
        if self.problems:
            raise ConfigError(*sorted(set(self.problems), key=lambda each: (int(each.where[5:]), each.what)))

    def _plain(self, node: Node, place: tuple[int | str, ...]) -> object:
        self._lines.setdefault(place, node.start_mark.line + 1)
        if id(node) in self._seen:
            self.complain(place, "aliases (*name) are not allowed; write the value out.")
            return None
        self._seen.add(id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self._plain(item, (*place, index)) for index, item in enumerate(node.value)]
        return _scalar(str(node.tag), str(node.value))

    def _mapping(self, node: MappingNode, place: tuple[int | str, ...]) -> dict[object, object]:
        plain: dict[object, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            here = (*place, key)
            if key in plain:
                self.complain(place, f"the key {key!r} is there twice (again in line {key_node.start_mark.line + 1}).")
                continue
            self._lines[here] = key_node.start_mark.line + 1
            plain[key] = self._plain(value_node, here)
        return plain


def _scalar(tag: str, value: str) -> object:
    if tag.endswith(":int") and value.isdecimal():
        return int(value)
    return None if tag.endswith(":null") else value


def _syntax_problem(file: str, error: YAMLError) -> Problem:
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        what = str(error.problem or error.context).splitlines()[0]
        return Problem(file, f"line {error.problem_mark.line + 1}", f"not valid YAML: {what}.")
    return Problem(file, "line 1", "not valid YAML.")


def _said(kind: str, key: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"unknown key {key!r}."
    if kind == "missing":
        return f"the key {key!r} is missing."
    said = message.removeprefix("Value error, ").replace("Input should", "must")
    return f"{key}: {said.rstrip('.')}."
