import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from mailroom.log import FIELDS, configure, describe, get_logger, only_ids

CANARY = "canary"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers, root.level, logging.getLoggerClass(), logging.raiseExceptions
    configured = structlog.get_config()
    written = io.StringIO()
    configure("info", written)
    yield written
    root.handlers, root.level, logger_class, logging.raiseExceptions = before
    logging.setLoggerClass(logger_class)
    structlog.configure(**configured)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def one(stream: io.StringIO) -> dict[str, Any]:
    (line,) = lines(stream)
    return line


def test_line_has_time_in_utc_level_module_and_ids(stream: io.StringIO) -> None:
    get_logger("mailroom.flow").info("filed", case="K7QD-3M9X-T", message=7, seconds=0.5, kind="report")
    line = one(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "filed",
        "module": "mailroom.flow",
        "case": "K7QD-3M9X-T",
        "message": 7,
        "seconds": 0.5,
        "kind": "report",
    }


def test_terminal_gets_key_and_value(stream: io.StringIO) -> None:
    terminal = Terminal()
    configure("info", terminal)
    get_logger("mailroom.flow").info("mail was filed", count=3)
    assert ' level=info event="mail was filed" ' in terminal.getvalue()
    assert not stream.getvalue()


def test_other_fields_are_dropped_and_counted(stream: io.StringIO) -> None:
    get_logger("mailroom").info("filed", case="K7QD", subject=CANARY, sender=f"{CANARY}@example.org")
    assert CANARY not in stream.getvalue()
    assert (one(stream)["dropped"], one(stream)["case"]) == (2, "K7QD")


@pytest.mark.parametrize(
    "value",
    [
        f"{CANARY}@example.org",
        f"{CANARY}=40example.org@",
        f"she wrote {CANARY}",
        f"{CANARY}\nnext",
        CANARY * 20,
        f"é{CANARY}",
        {"text": CANARY},
        [CANARY],
        (CANARY,),
        CANARY.encode(),
        ValueError(CANARY),
    ],
)
def test_field_that_could_be_content_becomes_a_question_mark(stream: io.StringIO, value: object) -> None:
    get_logger("mailroom").info("filed", why=value)
    assert one(stream)["why"] == "?"
    assert CANARY not in stream.getvalue()


@pytest.mark.parametrize("event", [f"{CANARY}@example.org", CANARY * 20, f"{CANARY}\n", f"شكرا {CANARY}", ""])
def test_event_that_could_be_content_becomes_a_question_mark(stream: io.StringIO, event: str) -> None:
    get_logger("mailroom").info(event)
    assert one(stream)["event"] == "?"


def test_bound_fields_are_checked_like_any_other(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(case="K7QD", step=f"{CANARY}@x"):
        get_logger("mailroom").bind(count=2, body=CANARY).info("filed")
    line = one(stream)
    assert (line["case"], line["step"], line["count"], line["dropped"]) == ("K7QD", "?", 2, 1)


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    log = get_logger("mailroom")
    log.debug("a")
    configure("warning", stream)
    log.info("b")
    log.warning("c")
    assert one(stream)["event"] == "c"


def fail() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        raise KeyError(f"{CANARY}: 'quoted text'") from error


def test_exception_is_told_by_type_and_place_without_its_text(stream: io.StringIO) -> None:
    try:
        fail()
    except KeyError:
        get_logger("mailroom").exception("parked")
    error = one(stream)["error"]
    assert error.startswith("KeyError at tests/test_log.py:")
    assert "; after ValueError at tests/test_log.py:" in error
    assert CANARY not in stream.getvalue()
    assert one(stream)["level"] == "error"


def test_every_exception_of_a_group_is_told() -> None:
    group = ExceptionGroup(CANARY, [ValueError(CANARY), OSError(CANARY)])
    assert describe(group) == "ExceptionGroup at no frame; after ValueError at no frame; after OSError at no frame"


def test_endless_chain_and_deep_recursion_are_told_in_short() -> None:
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert describe(first) == "ValueError at no frame; after KeyError at no frame"

    def deeper(depth: int) -> None:
        if depth == 0:
            raise ZeroDivisionError
        deeper(depth - 1)

    with pytest.raises(ZeroDivisionError) as caught:
        deeper(100)
    assert describe(caught.value).count("test_log.py") == 12


def test_library_tells_only_that_it_spoke(stream: io.StringIO) -> None:
    library = logging.getLogger("aioimaplib.aioimaplib")
    library.warning("Received : %s", CANARY)
    library.info("not heard")
    try:
        fail()
    except KeyError:
        library.exception(CANARY, extra={"subject": CANARY}, stack_info=True)
    first, second = lines(stream)
    assert (first["event"], first["module"], first["level"]) == ("a library spoke", "aioimaplib.aioimaplib", "warning")
    assert second["error"].startswith("KeyError at ")
    assert CANARY not in stream.getvalue()


def test_phrase_of_ours_comes_through_the_standard_library_without_its_values(stream: io.StringIO) -> None:
    logging.getLogger("mailroom.worker").warning("worker %s is slow", CANARY)
    assert one(stream)["event"] == "worker %s is slow"


def test_message_that_cannot_be_formatted_does_no_harm(stream: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("some-library").warning("%d", CANARY)
    assert one(stream)["event"] == "a library spoke"
    assert not capsys.readouterr().err


def test_library_cannot_print_by_a_handler_of_its_own(stream: io.StringIO) -> None:
    own = io.StringIO()
    early = logging.getLogger("mailroom-test-early")
    early.handlers, early.propagate = [logging.StreamHandler(own)], False
    configure("info", stream)
    late = logging.getLogger("mailroom-test-late")
    late.addHandler(logging.StreamHandler(own))
    for logger in (early, late):
        logger.warning(CANARY)
    assert not own.getvalue()
    assert [line["event"] for line in lines(stream)] == ["a library spoke"] * 2


@given(st.dictionaries(st.sampled_from([*sorted(FIELDS), "event", "body"]), st.text() | st.binary() | st.integers()))
def test_no_text_with_an_address_or_a_line_break_is_ever_kept(fields: dict[str, object]) -> None:
    kept = only_ids(None, "info", dict(fields))
    assert set(kept) <= FIELDS | {"event", "level", "dropped"}
    texts = [value for value in kept.values() if isinstance(value, str)]
    assert all(len(text) <= 80 and text.isprintable() and text.isascii() and "@" not in text for text in texts)


PRELUDE = """
import asyncio, gc, sys, threading, warnings
from mailroom.log import configure, get_logger, install_hooks
def fail(secret="canary"):
    raise ValueError("canary " + secret)
"""
STARTED = "configure(); install_hooks()\n"


def errors_of(script: str) -> str:
    """Run a script in a Python of its own, and give what it printed to stderr."""
    command = [sys.executable, "-c", PRELUDE + script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)
    assert not done.stdout
    return done.stderr


@pytest.mark.parametrize(
    ("script", "event"),
    [
        (STARTED + "fail()", "stopped by an exception"),
        (STARTED + "thread = threading.Thread(target=fail); thread.start(); thread.join()", "a thread stopped by an"),
        (STARTED + "type('T', (), {'__del__': fail})(); gc.collect()", "an exception that could not be raised"),
        (STARTED + "warnings.warn('canary')", "a warning"),
        (
            "async def main():\n"
            "    configure(); install_hooks(asyncio.get_running_loop())\n"
            "    task = asyncio.create_task(asyncio.to_thread(fail))\n"
            "    await asyncio.wait([task]); del task; gc.collect()\n"
            "asyncio.run(main())",
            "asyncio",
        ),
        ("get_logger('mailroom').warning('not configured', why='canary@')", "not configured"),
    ],
    ids=["uncaught", "thread", "unraisable", "warning", "asyncio", "before configure"],
)
def test_python_itself_prints_no_content(script: str, event: str) -> None:
    printed = errors_of(script)
    assert "canary" not in printed
    assert json.loads(printed)["event"].startswith(event)


def test_crash_of_python_shows_places_only() -> None:
    printed = errors_of(STARTED + "import faulthandler; canary = 'plum'; faulthandler._sigabrt()")
    assert "Fatal Python error: Aborted" in printed
    assert "plum" not in printed


def test_keyboard_interrupt_is_no_error() -> None:
    assert not errors_of(STARTED + "raise KeyboardInterrupt")
