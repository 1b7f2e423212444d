"""Logs that cannot tell what people wrote: ids, counts and fixed words, one line each on stderr.

A line has an event, which is a fixed phrase of ours, and fields. Fields that are not named in FIELDS are dropped and
counted. A text that could be content becomes "?": one with an "@", over 80 characters or other than printable ASCII,
and in a field also one with spaces. Of an exception only types, files and lines are told, never its text, because that
may quote a mail. Of what libraries log only who spoke, how loud, and the type of an exception.
"""

import asyncio
import faulthandler
import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

#: The fields that reach a log line; `message` is the id of a message, `case` a reference.
FIELDS = frozenset(
    {
        "attempt",
        "case",
        "code",
        "count",
        "job",
        "kind",
        "logger",
        "message",
        "module",
        "month",
        "seconds",
        "server",
        "size",
        "state",
        "step",
        "uid",
        "uidvalidity",
        "why",
    }
)
_EVENT = re.compile(r"[ -?A-~]{1,80}")  # printable ASCII without "@"
_WORD = re.compile(r"[!-?A-~]{1,80}")  # likewise, without spaces
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_CHAIN = 5  # so many exceptions of a chain are told
_FRAMES = 12  # so many frames of each, the innermost


class Log(structlog.BoundLoggerBase):
    """A logger for fixed phrases and ids; it formats nothing, so that nothing of a mail gets into a phrase."""

    def debug(self, event: str, **fields: object) -> None:
        """Log what helps to follow the flow."""
        self._proxy_to_logger("debug", event, **fields)

    def info(self, event: str, **fields: object) -> None:
        """Log what happened as it should."""
        self._proxy_to_logger("info", event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log what went wrong and will be tried again or needs a look."""
        self._proxy_to_logger("warning", event, **fields)

    def error(self, event: str, **fields: object) -> None:
        """Log what went wrong for good. With exc_info=True, and the exception that is being handled."""
        self._proxy_to_logger("error", event, **fields)

    def exception(self, event: str, **fields: object) -> None:
        """Log an error with the exception that is being handled: its types, files and lines."""
        self._proxy_to_logger("error", event, **({"exc_info": True} | fields))


def get_logger(name: str) -> Log:
    """Give the logger of a module; safe before `configure` too."""
    if not structlog.is_configured():
        _configure_structlog("info", None)
    return cast("Log", structlog.get_logger(module=name))


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send all logs, those of libraries too, to `stream` (stderr by default): JSON, or key=value on a terminal.

    `level`: debug | info | warning | error. Libraries are heard from warning on.
    """
    _configure_structlog(level, stream)
    root = logging.getLogger()
    root.handlers = [_Libraries(logging.WARNING)]
    root.setLevel(logging.WARNING)
    for logger in root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.handlers, logger.propagate = [], True
    logging.setLoggerClass(_WithoutHandlers)
    logging.raiseExceptions = False  # else a failing handler prints the message to stderr


def _configure_structlog(level: str, stream: TextIO | None) -> None:
    """Without a stream, whatever is sys.stderr at the time of a line."""
    shown = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    rendered = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            _from_level(_LEVELS[level]),
            structlog.contextvars.merge_contextvars,
            only_ids,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            shown if (stream or sys.stderr).isatty() else rendered,
        ],
        wrapper_class=Log,
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
    )


def _from_level(least: int) -> Processor:
    def passes(_logger: WrappedLogger, method: str, fields: EventDict) -> EventDict:
        if _LEVELS[method] < least:
            raise structlog.DropEvent
        return fields

    return passes


def only_ids(_logger: WrappedLogger, method: str, fields: EventDict) -> EventDict:
    """Keep what may be logged, as the head of this file says (a structlog processor)."""
    error = _exception(fields.pop("exc_info", None))
    kept: EventDict = {"level": method, "event": _harmless(fields.pop("event", ""), _EVENT)}
    kept.update({name: _harmless(value, _WORD) for name, value in fields.items() if name in FIELDS})
    if dropped := len(fields.keys() - FIELDS):
        kept["dropped"] = dropped
    if error is not None:
        kept["error"] = describe(error)
    return kept


def _harmless(value: object, pattern: re.Pattern[str]) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return value if isinstance(value, str) and pattern.fullmatch(value) else "?"


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    elif exc_info is True:
        exc_info = sys.exc_info()[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def describe(error: BaseException) -> str:
    """Tell types and places of an exception and of those behind it, outermost first; never a text of theirs.

    For example "MailboxError at transport/imap.py:33, flow/intake.py:12; after TimeoutError at asyncio/tasks.py:490".
    """
    told = [f"{type(each).__name__} at {_places(each.__traceback__)}" for each in _chain(error)]
    return "; after ".join(told[:_CHAIN])


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        behind = each.__context__ if each.__cause__ is None and not each.__suppress_context__ else each.__cause__
        waiting += [] if behind is None else [behind]
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()


def _places(trace: TracebackType | None) -> str:
    """Name file and line of the frames, innermost first, each file by its last two parts."""
    frames = [(Path(frame.f_code.co_filename).parts[-2:], line) for frame, line in walk_tb(trace)]
    return ", ".join(f"{'/'.join(parts)}:{line}" for parts, line in frames[: -_FRAMES - 1 : -1]) or "no frame"


class _Libraries(logging.Handler):
    """Takes what is logged through the standard library: of others only that they spoke, of us the bare phrase."""

    def emit(self, record: logging.LogRecord) -> None:
        ours = record.name.partition(".")[0] == "mailroom"
        event = str(record.msg) if ours else "a library spoke"
        log = get_logger(record.name)
        speak = log.error if record.levelno >= logging.ERROR else log.warning
        speak(event, exc_info=record.exc_info)


class _WithoutHandlers(logging.Logger):
    """A logger that takes no handler of its own: some libraries bring one that prints to stderr."""

    def addHandler(self, hdlr: logging.Handler) -> None:  # noqa: N802 # the name is the standard library's
        """Take none."""


def install_hooks(loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Keep content out of what Python itself prints: uncaught exceptions, warnings, crashes.

    Call it inside a command, not before: Typer sets its own sys.excepthook when it starts.
    """
    log = get_logger("mailroom.log")

    def uncaught(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if not isinstance(error, KeyboardInterrupt):
            log.error("stopped by an exception", exc_info=error)

    def in_thread(arguments: threading.ExceptHookArgs) -> None:
        log.error("a thread stopped by an exception", exc_info=arguments.exc_value)

    def unraisable(arguments: Any) -> None:  # noqa: ANN401 # sys.UnraisableHookArgs exists for type checkers only
        log.error("an exception that could not be raised", exc_info=arguments.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable
    warnings.showwarning = _show_warning  # type: ignore[assignment] # called by position only
    faulthandler.enable(sys.__stderr__ or sys.stderr)
    if loop is not None:
        loop.set_exception_handler(lambda _, context: log.error("asyncio", exc_info=context.get("exception")))


def _show_warning(  # the signature is the standard library's
    _message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    _file: TextIO | None = None,
    _line: str | None = None,
) -> None:
    place = "/".join(Path(filename).parts[-2:])
    get_logger("mailroom.log").warning("a warning", kind=category.__name__, why=f"{place}:{lineno}")
