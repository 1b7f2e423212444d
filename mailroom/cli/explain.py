"""`mailroom explain`: what `run` would do with these mails, and why. Changes and sends nothing."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailroom.cli.options import ConfigOption, JsonOption, optional_config, print_json, shown
from mailroom.cli.starting import language_loading, lasting
from mailroom.errors import ConfigError, Problem

if TYPE_CHECKING:
    from mailroom.cli.bench import Bench


def explain(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Mails, folders of mails, or - for stdin.")],
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say what would be done with each mail, and why."""
    _require_all(paths)
    file = optional_config(context, config)
    with ExitStack() as stack:
        with language_loading(), lasting():
            found = _bench(file, stack)
        unread = asyncio.run(_explain_all(found, paths, json_lines=json_lines))
    raise typer.Exit(1 if unread else 0)


def _bench(file: Path | None, stack: ExitStack) -> "Bench":
    # Most of the program loads here, while the model does.
    from mailroom import log  # noqa: PLC0415
    from mailroom.cli.bench import bare_bench, bench  # noqa: PLC0415

    log.configure("warning")
    return stack.enter_context(bare_bench() if file is None else bench(file))


def _require_all(paths: list[str]) -> None:
    missing = [path for path in paths if path != "-" and not os.path.exists(path)]  # noqa: PTH110 "" is no folder here
    if missing:
        raise ConfigError(*(Problem(path, "", "there is no such file or folder.") for path in missing))


async def _explain_all(found: "Bench", paths: list[str], *, json_lines: bool) -> int:
    """Print every explanation as soon as it is there; give how many files could not be read."""
    unread = 0
    for path in _files(paths):
        try:
            content = _read(path, found.most_bytes)
        except OSError as error:
            typer.echo(f"{shown(path)}: cannot be read: {error.strerror}", err=True)
            unread += 1
            continue
        told = {"path": path} | await found.explain(content)
        if json_lines:
            print_json(told)
        else:
            typer.echo(_as_text(told))
    return unread


def _read(path: str, most: int) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read(most)
    with Path(path).open("rb") as file:
        return file.read(most)


def _files(paths: list[str]) -> Iterator[str]:
    """Give every file, by the path as it was given; of folders what lies in them at any depth, but hidden files."""
    for path in paths:
        if not Path(path).is_dir():
            yield path
            continue
        inside = (one.relative_to(path) for one in Path(path).rglob("*") if one.is_file() and one.name[:1] != ".")
        yield from (os.path.join(path, one) for one in sorted(inside))  # noqa: PTH118 Path would change what was given


def _as_text(told: dict[str, object]) -> str:
    lines = [f"{shown(told['path'])}: {told['kind']}"]
    triage, rule, reply = told["triage"], told["rule"], told["reply"]
    if isinstance(triage, dict):
        for name in ("language", "country", "category"):
            evidence = shown(triage[name]["evidence"])
            lines.append(f"  {name}: {triage[name]['value'] or 'not known'}" + (f" ({evidence})" if evidence else ""))
        lines.append(f"  flags: {shown(triage['flags']) or 'none'}; contact: {triage['contact'] or 'nothing said'}")
    if isinstance(rule, dict) and rule["id"]:
        lines.append(f"  rule: {rule['id']} ({rule['file']}, line {rule['line']})")
    if isinstance(reply, dict):
        lines.append(f"  answer: {'yes' if reply['will_send'] else 'no'}, {shown(reply['why'])}")
        lines += ["", *(f"  | {shown(line)}" for line in str(reply["body"] or "").splitlines()), ""]
    return "\n".join(lines)
