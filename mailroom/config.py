"""Reads and checks the configuration: all that is wrong with it is told at once."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mailroom.config_schema import ARRAYS, TABLES, Config
from mailroom.config_types import Place
from mailroom.errors import ConfigError, Problem
from mailroom.nearest import nearest

__all__ = ["Config", "key_lines", "load"]

_HEADER = re.compile(r"\s*\[(?P<array>\[)?\s*(?P<name>[\w-]+)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*(?P<name>[\w.-]+)\s*=")
_MEANING = {
    "missing": "is required",
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "date_type": "must be a date, such as 2030-12-31",
    "date_from_datetime_inexact": "must be a date, such as 2030-12-31",
    "tuple_type": "must be a list, in square brackets",
    "path_type": "must be a path in quotes",
    "is_instance_of": "must be a path in quotes",
    "dataclass_type": "must be a path in quotes, or credential:NAME",
    "dataclass_exact_type": "must be a path in quotes, or credential:NAME",
    "model_type": "must be a table",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}

Location = tuple[int | str, ...]


def load(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read and check the configuration, and make its data folder (for this user only). Connects nowhere.

    `environ` is the environment in which systemd tells its credentials' folder; os.environ by default.

    Raises:
        ConfigError: with every problem of the file.
    """
    text, tables = _read(path)
    place = Place(path, (os.environ if environ is None else environ).get("CREDENTIALS_DIRECTORY", ""))
    try:
        config = Config.model_validate(_with_every_table(tables), context=place)
    except ValidationError as error:
        raise ConfigError(*_problems(error, path, text)) from None
    _make_data_dir(config.service.data_dir, path)
    return config


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        raise ConfigError(Problem(str(path), "", f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError:
        raise ConfigError(Problem(str(path), "", "must be UTF-8 text")) from None
    except tomllib.TOMLDecodeError as error:
        # tomllib tells the place only in its text, which ends so: (at line 3, column 5)
        what, _, place = str(error).rstrip(")").rpartition(" (at ")
        raise ConfigError(Problem(str(path), place.partition(",")[0], f"is not TOML: {what}")) from None


def _with_every_table(tables: dict[str, Any]) -> dict[str, Any]:
    """Add what is missing as empty tables, so that each required key is missed by its own name."""
    empty: dict[str, Any] = {name: [] if name in ARRAYS else {} for name in Config.model_fields}
    return empty | tables


def _make_data_dir(folder: Path, path: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        what = f"the folder {folder} cannot be made: {error.strerror}"
        raise ConfigError(Problem(str(path), "service.data_dir", what)) from None


def _problems(error: ValidationError, path: Path, text: str) -> Iterator[Problem]:
    lines = key_lines(text)
    for details in error.errors(include_url=False):
        # a default that depends on a key which has a problem of its own
        if details["type"] != "default_factory_not_called":
            what, hint = _meaning(details)
            yield Problem(str(path), _where(details["loc"], lines), f"{what}.", hint)


def _meaning(details: ErrorDetails) -> tuple[str, str | None]:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "refused":
        return context["what"], context["nearest"]
    if kind == "extra_forbidden":
        return "is not a key of this table" if len(details["loc"]) > 1 else "is not a known table", _nearest_key(
            details["loc"]
        )
    if kind == "literal_error":
        options = re.findall(r"'([^']+)'", context["expected"])
        return f"must be one of {', '.join(options)}", nearest(str(details["input"]), options, cutoff=0)
    if kind == "tuple_type" and details["loc"][-1] in ARRAYS:
        return f"must be written [[{details['loc'][-1]}]]", None
    what = _MEANING.get(kind, "has a value that does not fit")
    bound = context.get("ge", context.get("le"))
    return what.format(**context), None if bound is None else str(bound)


def _nearest_key(location: Location) -> str | None:
    valid = TABLES[str(location[0])].model_fields if len(location) > 1 else TABLES
    return nearest(str(location[-1]), valid, cutoff=0.5)


def _where(location: Location, lines: Mapping[Location, int]) -> str:
    """Name the key, array entries counted from one, with the line of it or of its table where that is known."""
    key = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")
    known = (location[:length] for length in range(len(location), 0, -1))
    line = next((lines[prefix] for prefix in known if prefix in lines), None)
    return key if line is None else f"line {line} ({key})"


def key_lines(text: str) -> dict[Location, int]:
    """Find the line of each table and key; nothing when a string over several lines could be taken for a key.

    A location is ("imap", "port"), or ("keepers", 0, "address") in an array of tables.
    """
    if '"""' in text or "'''" in text:
        return {}
    lines: dict[Location, int] = {}
    table: Location = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header["name"]
            table = (name, sum(known[0] == name and len(known) == 2 for known in lines)) if header["array"] else (name,)
            lines[table] = number
        elif key := _KEY.match(line):
            lines[*table, *key["name"].split(".")] = number
    return lines
