"""The command line, run in this process: `here("explain", "--json", path)`. What needs a process of its own says so."""

import contextlib
import gc
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailroom.cli import main

ROOT = Path(__file__).parents[2]
MAILS = ROOT / "tests" / "mail"


@dataclass(frozen=True)
class Done:
    """A finished command: its exit status and what stood on its streams."""

    status: int
    out: str
    err: str

    def lines(self) -> list[dict[str, Any]]:
        """Read stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def here(*args: str, stdin: bytes = b"") -> Done:
    """Run `mailroom` with these arguments and put back what it changed of this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True) for _ in "oe")
    with _kept_process(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.argv, sys.stdin = ["mailroom", *args], io.TextIOWrapper(io.BytesIO(stdin))
        try:
            main()
        except SystemExit as end:
            status = end.code
    assert isinstance(status, int)
    return Done(status, *(each.buffer.getvalue().decode() for each in (out, err)))


@contextlib.contextmanager
def _kept_process() -> Iterator[None]:
    argv, stdin, root = sys.argv, sys.stdin, logging.getLogger()
    kept = root.handlers, root.level, logging.getLoggerClass(), logging.raiseExceptions
    umask = os.umask(0o022)
    try:
        yield
    finally:
        gc.unfreeze()
        os.umask(umask)
        sys.argv, sys.stdin = argv, stdin
        root.handlers, logging.raiseExceptions = kept[0], kept[3]
        root.setLevel(kept[1])
        logging.setLoggerClass(kept[2])


@contextlib.contextmanager
def process(*args: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run `mailroom` as a process of its own; it is waited for, and killed when the test fails meanwhile."""
    command = [sys.executable, "-m", "mailroom", *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, **options) as running:
        try:
            yield running
        except BaseException:
            running.kill()
            raise
