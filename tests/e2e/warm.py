"""Processes of their own that need not load the program again: they are forked from a server that has loaded it.

The server is that of multiprocessing, one for each process that runs tests; the desk's own workers are forked from it
too. What runs here is a process like any other: it can be killed, and has its own streams, memory and exit status.
Only starting is shared; that a fresh interpreter can start each verb is tested in tests/cli.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from mailroom.cli import main

_CONTEXT = multiprocessing.get_context("forkserver")
_PRELOADED = ["tests.e2e.preloaded"]
_SECONDS = 120


@pytest.fixture(scope="session", autouse=True)
def warm() -> None:
    """Start the server before anybody else starts it with less loaded; for a conftest.py."""
    _CONTEXT.set_forkserver_preload(_PRELOADED)
    forkserver.ensure_running()


def run(target: Callable[..., None], *args: Any) -> int:
    """Call `target` in a process of its own; give its exit status, -9 when it was killed."""
    _CONTEXT.set_forkserver_preload(_PRELOADED)  # a server that died is started again
    process = _CONTEXT.Process(target=target, args=args)
    process.start()
    process.join(_SECONDS)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"{target.__name__} did not end within {_SECONDS} s")
    return process.exitcode


def mailroom(*args: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run the command line in a process of its own, with exactly this environment."""
    with tempfile.TemporaryDirectory(prefix="mr-") as folder:
        streams = Path(folder, "out"), Path(folder, "err")
        status = run(_command, args, dict(env), *streams)
        return subprocess.CompletedProcess(args, status, *(each.read_bytes() for each in streams))


def _command(args: tuple[str, ...], env: dict[str, str], out: Path, err: Path) -> None:
    os.environ.clear()
    os.environ.update(env)
    for number, path in ((1, out), (2, err)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.argv = ["mailroom", *args]
    _share_the_server()
    main()


def _share_the_server() -> None:
    # What multiprocessing promises ("a child process will just reuse the forkserver started by its parent"), and does
    # not do: it would start another one, which loads everything once more. Not for who may be killed while a worker
    # starts: the server ends when a client leaves in the middle of its request.
    forkserver.ensure_running = forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]
