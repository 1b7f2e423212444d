"""Writes a config.toml for `mailroom init`: the example, with its comments, and the given values filled in."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date

from mailroom.share import share_path

Value = str | int | bool | date | Sequence[str] | Sequence[int]
#: Values by dotted key, as in {"imap.host": "imap.example.org"}; "keepers.address" is that of the first keeper.
InitValues = Mapping[str, Value]

_HEADER = re.compile(r"(?:# )?(\[\[?(\w+)\]\]?)")
_KEY = re.compile(r"(?:# )?(\w+) = ")


def render(values: InitValues) -> str:
    """Fill `values` into config.example.toml; keys that are not given stay as the example has them.

    Raises:
        ValueError: the example has no such key.
    """
    example = share_path("config.example.toml").read_text(encoding="utf-8")
    unused, lines, table = dict(values), list[str](), ""
    wanted = {key.partition(".")[0] for key in values}
    for line in example.splitlines():
        if header := _HEADER.fullmatch(line):
            table = header[2]
            lines.append(header[1] if table in wanted else line)
        elif (key := _KEY.match(line)) and f"{table}.{key[1]}" in unused:
            lines.append(f"{key[1]} = {toml_value(unused.pop(f'{table}.{key[1]}'))}")
        else:
            lines.append(line)
    if unused:
        raise ValueError(f"config.example.toml has no key {', '.join(sorted(unused))}")
    return "\n".join(lines) + "\n"


def toml_value(value: Value) -> str:
    """Write one value as TOML (https://toml.io/en/v1.0.0)."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # the escapes of JSON are escapes of TOML; TOML wants DEL escaped too
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Sequence):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return value.isoformat() if isinstance(value, date) else str(value)
