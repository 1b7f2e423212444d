"""The shape of the code: sizes, and each library behind one file."""

import ast
import statistics
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for path in (ROOT / "mailroom").rglob("*.py") if "migrations" not in path.parts)
FILE_LINES = 300
FUNCTION_LINES = 50
FUNCTION_LINES_P90 = 25
FUNCTION_LINES_MEDIAN = 8

# Each library and the one place that may import it (ARCHITECTURE.md, Libraries).
LIBRARIES: dict[str, str | tuple[str, ...]] = {
    "aioimaplib": "transport/imap.py",
    "aiosmtplib": "transport/smtp.py",
    "gnupg": "transport/gnupg.py",
    "pysequoia": "transport/sequoia.py",
    "pebble": "transport/pool.py",
    "mailparser": "mail/parse.py",
    "authres": "mail/authentication.py",
    "flufl": "mail/bounce.py",
    "inscriptis": "mail/html.py",
    "charset_normalizer": "mail/charset.py",
    "py3langid": "triage/language.py",
    "jinja2": "referral/templates.py",
    "yaml": "yaml_lines.py",
    "structlog": "log.py",
    "sqlalchemy": "records/",
    "alembic": "records/",
    "cryptography": "records/",
    "typer": "cli/",
    "rich": ("cli/", "demo/"),
    "aiosmtpd": "demo/",
    "pymap": "demo/",
}


@cache
def functions(path: Path) -> list[tuple[str, int]]:
    """Give every function of a file with its number of lines."""
    return [
        (f"{path.name}:{node.name}", node.end_lineno - node.lineno + 1)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]


@cache
def imported(path: Path) -> set[str]:
    """Give the top names of everything that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_a_person_reads_in_one_go(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LINES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_passes_the_hard_stop(path: Path) -> None:
    assert [(name, lines) for name, lines in functions(path) if lines > FUNCTION_LINES] == []


def test_functions_are_short_on_the_whole() -> None:
    lines = sorted(lines for path in SOURCES for _, lines in functions(path))
    assert statistics.median(lines) <= FUNCTION_LINES_MEDIAN
    assert lines[int(len(lines) * 0.9)] <= FUNCTION_LINES_P90


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_library_stays_behind_its_file(library: str) -> None:
    allowed = LIBRARIES[library]
    places = (allowed,) if isinstance(allowed, str) else allowed
    users = [str(path.relative_to(ROOT / "mailroom")) for path in SOURCES if library in imported(path)]
    assert [user for user in users if not user.startswith(places)] == []


def test_no_file_of_the_package_is_missing_from_the_rooms() -> None:
    rooms = {"cli", "oauth2", "demo", "doctor", "flow", "keeper", "mail", "records", "referral", "transport", "triage"}
    assert {
        path.relative_to(ROOT / "mailroom").parts[0] for path in SOURCES if path.parent != ROOT / "mailroom"
    } <= rooms
