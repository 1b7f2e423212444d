"""One round of the daemon with a clock at every port; a process of its own, started by `benchmarks.pipeline`.

Its arguments are CONFIG OUT [PROFILE].

Three kinds of stage: `cases.file` is the flow waiting for a port (with 50 mails in flight that includes their
queue); `records:_file` is the records' thread at work; `route` is a pure step on the event loop. OUT gets, by stage:
the number of calls, the seconds of all of them added up, and the seconds during which at least one was under way.
"""

import asyncio
import cProfile
import dataclasses
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailroom import daemon, log
from mailroom.config import load
from mailroom.flow import answering, intake
from mailroom.flow.desk import Desk
from mailroom.records.database import Database

PORTS = ("mailbox", "courier", "opener", "signer", "encryptor", "arrivals", "cases", "outbox")
PURE = ((intake, "route"), (answering, "settle"), (answering, "notice_about"))


@dataclass(slots=True)
class Stage:
    """Times of one stage, in seconds."""

    calls: int = 0
    added_up: float = 0.0
    under_way: float = 0.0
    first: float = 0.0
    running: int = 0
    since: float = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count one call."""
        began = time.monotonic()
        self.first = self.first or began
        if not self.running:
            self.since = began
        self.running += 1
        try:
            yield
        finally:
            ended = time.monotonic()
            self.running -= 1
            self.calls += 1
            self.added_up += ended - began
            if not self.running:
                self.under_way += ended - self.since


STAGES: dict[str, Stage] = defaultdict(Stage)


class Timed:
    """A port with a clock at each of its methods."""

    def __init__(self, port: object, name: str) -> None:
        self._port, self._name = port, name

    def __getattr__(self, method: str) -> object:
        found = timed(f"{self._name}.{method}", getattr(self._port, method))
        setattr(self, method, found)
        return found


def timed(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """Put a clock at a function."""
    stage = STAGES[name]

    async def awaited(*args: object, **kwargs: object) -> object:
        with stage.call():
            return await real(*args, **kwargs)

    def called(*args: object, **kwargs: object) -> object:
        with stage.call():
            return real(*args, **kwargs)

    return awaited if asyncio.iscoroutinefunction(real) else called


def instrumented(desk: Desk) -> Desk:
    """Put clocks at all ports, at the pure steps, and at the records' thread."""
    for module, function in PURE:
        setattr(module, function, timed(function, getattr(module, function)))
    for name in ("write_now", "read_now"):
        setattr(Database, name, _timed_by_work(getattr(Database, name)))
    ports: dict[str, Any] = {name: Timed(getattr(desk, name), name) for name in PORTS}
    return dataclasses.replace(desk, **ports)


def _timed_by_work(real: Callable[..., Any]) -> Callable[..., Any]:
    def called(database: Database, work: Callable[..., Any], *args: object, **kwargs: object) -> object:
        with STAGES[f"records:{work.__name__}"].call():
            return real(database, work, *args, **kwargs)

    return called


async def _round(path: Path) -> dict[str, object]:
    async with daemon.opened(load(path)) as desk:
        summary = await daemon.run_once(instrumented(desk))
    stages = {name: dataclasses.asdict(stage) for name, stage in STAGES.items() if stage.calls}
    return {"summary": dataclasses.asdict(summary), "stages": stages}


def main() -> None:
    log.configure()
    path, out, *profile = map(Path, sys.argv[1:])
    profiler = cProfile.Profile() if profile else None
    if profiler:
        profiler.enable()
    found = asyncio.run(_round(path))
    if profiler:
        profiler.disable()
        profiler.dump_stats(profile[0])
    out.write_text(json.dumps(found))
