"""`mailroom rules`: checks what admins and translators edit, and shows the rules in their order."""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from mailroom.cli.bench import guide_folders
from mailroom.cli.options import ConfigOption, JsonOption, group, optional_config, print_columns, print_json
from mailroom.doctor.guide import problems_of
from mailroom.errors import Problem
from mailroom.guide import guide_from
from mailroom.referral.rules import Rule, RulesFile
from mailroom.referral.service import ServicesFile
from mailroom.triage.forms import FormFile
from mailroom.triage.phrases import PhraseFile

app = group("Check and show rules, phrases, services and texts; needs no configuration.")
_MODELS: dict[str, type[BaseModel]] = {
    "forms": FormFile,
    "phrases": PhraseFile,
    "rules": RulesFile,
    "services": ServicesFile,
}
_COLUMNS = ("id", "place", "when", "answer")


@app.command()
def check(context: typer.Context, json_lines: JsonOption = False, config: ConfigOption = None) -> None:
    """Check all files of rules and texts; tell file, line, what is wrong and the nearest valid value."""
    folders = _folders(context, config)
    problems = [_placed(problem, folders) for problem in problems_of(*folders)]
    for problem in problems:
        print_json(_as_json(problem)) if json_lines else typer.echo(str(problem))
    if not problems:
        typer.echo(f"nothing is wrong in {folders[0]} and {folders[1]}", err=True)
    raise typer.Exit(1 if problems else 0)


def _folders(context: typer.Context, config: Path | None) -> tuple[Path, Path]:
    file = optional_config(context, config)
    if file is None:
        return guide_folders()
    from mailroom.config import load  # noqa: PLC0415 its schema takes long to load, and translators do without

    paths = load(file).paths
    return paths.rules, paths.templates


def _placed(problem: Problem, folders: tuple[Path, Path]) -> Problem:
    """Name the file so that an editor opens it from here."""
    found = next((folder / problem.file for folder in folders if (folder / problem.file).exists()), problem.file)
    return Problem(str(found), problem.where, problem.what, problem.nearest)


def _as_json(problem: Problem) -> dict[str, object]:
    line = re.match(r"line (\d+)", problem.where)
    return {
        "file": problem.file,
        "line": int(line[1]) if line else None,
        "where": problem.where,
        "what": problem.what,
        "nearest": problem.nearest,
    }


@app.command(name="list")
def list_rules(context: typer.Context, json_lines: JsonOption = False, config: ConfigOption = None) -> None:
    """Show the rules in the order in which they are tried."""
    folders = _folders(context, config)
    table = guide_from(*folders).book.rules.table
    if json_lines:
        for rule in table:
            print_json(_described(rule))
    else:
        print_columns(_COLUMNS, [_row(rule) for rule in table])


def _described(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.row.id,
        "file": rule.file,
        "line": rule.line,
        "when": rule.row.when.model_dump(exclude_defaults=True, mode="json"),
        "refer": rule.row.refer.model_dump(exclude_defaults=True, mode="json"),
    }


def _row(rule: Rule) -> list[object]:
    when = rule.row.when.model_dump(exclude_defaults=True, mode="json")
    words = [f"{name}: {' or '.join(value) if isinstance(value, list) else value}" for name, value in when.items()]
    refer = rule.row.refer
    answer = refer.template + (" (held)" if refer.hold else "")
    return [rule.row.id, f"{rule.file}:{rule.line}", "; ".join(words) or "always", answer]


class Kind(StrEnum):
    """What the files are about."""

    forms = "forms"
    phrases = "phrases"
    rules = "rules"
    services = "services"


@app.command()
def schema(kind: Annotated[Kind, typer.Argument(help="Which files the schema is for.", show_default=False)]) -> None:
    """Print the JSON Schema of one kind of file, for editors that complete and check keys."""
    typer.echo(json.dumps(_MODELS[kind].model_json_schema(), indent=2))
