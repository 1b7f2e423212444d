"""What the page quotes is what the program says: log events in bold code, texts of errors in quotes."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "when-it-fails.md").read_text(encoding="utf-8")
LOGS = {"debug", "info", "warning", "error", "exception"}
EVENTS = sorted(set(re.findall(r"\*\*`([^`]+)`\*\*", PAGE)))
FIRST_CELLS = [
    row.split(" | ")[0] for row in PAGE.splitlines() if row.startswith("| ") and not row.startswith("| What")
]
QUOTES = sorted({quote for cell in FIRST_CELLS for quote in re.findall(r'"([^"]{12,})"', cell)})
# What the system says, not we.
NOT_OURS = {"too many open files"}


@cache
def trees() -> list[ast.AST]:
    return [node for path in (ROOT / "mailroom").rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]


def logged() -> set[str]:
    """Give every fixed phrase that is logged anywhere."""
    calls = (node for node in trees() if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    first = (
        call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in LOGS and call.args
    )
    return {one.value for one in first if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def said() -> list[str]:
    return [node.value for node in trees() if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_the_page_has_many_rows() -> None:
    assert len(FIRST_CELLS) >= 25
    assert len(EVENTS) >= 15


@pytest.mark.parametrize("event", EVENTS)
def test_event_of_the_page_is_logged(event: str) -> None:
    assert event in logged()


@pytest.mark.parametrize("quote", sorted(set(QUOTES) - NOT_OURS))
def test_quoted_text_is_said_by_the_program(quote: str) -> None:
    assert [text for text in said() if quote in text], quote


def test_every_warning_and_error_of_the_daemon_is_in_the_page() -> None:
    flow = [
        node for path in (ROOT / "mailroom" / "flow").glob("*.py") for node in ast.walk(ast.parse(path.read_text()))
    ]
    calls = [node for node in flow if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    bad = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in {"warning", "error"}]
    told = {call.args[0].value for call in bad if isinstance(call.args[0], ast.Constant)}
    assert told - set(EVENTS) == {"alarm"}  # the alarm mail itself, in the first row
