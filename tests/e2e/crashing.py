"""A desk that is killed at a chosen step: a process of its own wraps the ports; shipped code knows nothing of it."""

import asyncio
import contextlib
import dataclasses
import fcntl
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mailroom import assembly, daemon, worker
from mailroom.config import load
from mailroom.flow.desk import Desk
from mailroom.flow.filing import Understood
from mailroom.mail.message import RawMail
from mailroom.records import schema
from tests.e2e import warm

# Every step of the flow that a port takes part in.
STEPS = (
    "mailbox.arrivals",
    "arrivals.sort",
    "mailbox.fetch",
    "arrivals.start",
    "opener.open",
    "cases.seen",
    "cases.by_message_ids",
    "cases.budget",
    "cases.open",
    "encryptor.encrypt",
    "signer.sign",
    "cases.file",
    "cases.read_back",
    "mailbox.delete",
    "arrivals.removed",
    "outbox.due",
    "courier.send",
    "outbox.sent",
    "arrivals.end",
)


@dataclass(frozen=True)
class Kill:
    """Die by SIGKILL just before or after the `nth` call of one step."""

    step: str
    when: Literal["before", "after"]
    nth: int


class Wrapped:
    """A port that dies at the chosen call of one of its methods."""

    def __init__(self, port: object, name: str, kill: Kill) -> None:
        self._port, self._name, self._kill = port, name, kill
        self._seen = {"before": 0, "after": 0}

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._port, method)
        return self._watched(real) if f"{self._name}.{method}" == self._kill.step else real

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            self._die_at("before")
            result = await real(*args, **kwargs)
            self._die_at("after")
            return result

        def called(*args: Any, **kwargs: Any) -> Any:
            self._die_at("before")
            result = real(*args, **kwargs)
            self._die_at("after")
            return result

        return awaited if asyncio.iscoroutinefunction(real) else called

    def _die_at(self, when: str) -> None:
        self._seen[when] += 1
        if self._kill.when == when and self._seen[when] == self._kill.nth:
            os.kill(os.getpid(), signal.SIGKILL)


class InProcess:
    """Opens mails in a thread, for tests of what is done with them; made as `assembly.workers` is."""

    def __init__(self, settings: worker.WorkerSettings, _stack: object = None) -> None:
        self._reader = worker.reader(settings)

    async def open(self, raw: RawMail) -> Understood:
        return await asyncio.to_thread(self._reader.understand, raw)


def run(config: Path, kill: Kill | None, *, real_worker: bool = False) -> int:
    """Run one round of the daemon in a process of its own; give its exit code (-9 when it was killed)."""
    return warm.run(_child, config, kill, real_worker)


def _child(config: Path, kill: Kill | None, real_worker: bool) -> None:
    asyncio.run(_round(config, kill, real_worker=real_worker))


async def _round(path: Path, kill: Kill | None, *, real_worker: bool) -> None:
    config = load(path)
    _let_go(config.service.data_dir / "run.lock")
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(daemon.alone_in(config.service.data_dir))
        schema.upgrade(config.database_url)
        desk = await assembly.desk(config, stack, assembly.workers if real_worker else InProcess)
        await daemon.run_once(wrapped(desk, kill) if kill else desk)


def _let_go(lock: Path) -> None:
    """Wait for a process that a killed desk was just starting: until it becomes gpg, it holds what the desk held."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def wrapped(desk: Desk, kill: Kill) -> Desk:
    """Put the dying port in its place."""
    name = kill.step.partition(".")[0]
    port = Wrapped(getattr(desk, name), name, kill)
    return dataclasses.replace(desk, **{name: port})  # type: ignore[arg-type]  # it stands for any port
