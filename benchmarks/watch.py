"""Memory and processor time of a process and everything that it started, read from /proc.

PSS counts a page that n processes share as 1/n of a page for each, so its sum is what they really take; RSS counts
it whole for each. A process counts from the second look at it on. Processor time of short-lived programs (gpg)
shows in whoever waited for them.
"""

import os
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_TICK = os.sysconf("SC_CLK_TCK")
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at one time, in MiB; `at` in seconds since the first."""

    at: float
    pss: float
    rss: float


class Watch:
    """Looks at process `pid` and its descendants every `interval` seconds; one look costs some milliseconds."""

    def __init__(self, pid: int, interval: float = 0.5) -> None:
        self._pid, self._interval = pid, interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self.samples: list[Sample] = []
        self._seen: set[int] = set()
        self._cpu: dict[int, tuple[str, float]] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def peak_pss(self) -> float:
        """The most that was taken, in MiB."""
        return max((one.pss for one in self.samples), default=0.0)

    @property
    def peak_rss(self) -> float:
        """Likewise, shared pages counted several times."""
        return max((one.rss for one in self.samples), default=0.0)

    def cpu(self) -> dict[str, float]:
        """Give seconds of processor time: of the process itself, and of the other Python processes together."""
        totals: dict[str, float] = defaultdict(float)
        for name, seconds in self._cpu.values():
            totals[name] += seconds
        return dict(totals)

    def _look_on(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(self._interval):
            self._look(time.monotonic() - began)

    def _look(self, at: float) -> None:
        pss = rss = 0.0
        family = list(_family(self._pid))
        seen, self._seen = self._seen, set(family)
        for pid in family:
            rollup, stat = _text(pid, "smaps_rollup"), _text(pid, "stat")
            if pid not in seen and pid != self._pid:  # between fork and exec a child shows its parent's memory
                continue
            pss += _kib(rollup, "Pss") / 1024
            rss += _kib(rollup, "Rss") / 1024
            if stat and "(gpg" not in stat:
                ticks = stat.rpartition(")")[2].split()[11:15]  # utime stime cutime cstime, proc(5)
                self._cpu[pid] = "daemon" if pid == self._pid else "workers", sum(map(int, ticks)) / _TICK
        if pss:
            self.samples.append(Sample(round(at, 2), round(pss, 1), round(rss, 1)))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for thread in _threads(pid):
        for child in _text(pid, f"task/{thread}/children").split():
            yield from _family(int(child))


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  # names are all that is wanted
    except OSError:
        return []


def _text(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:  # it has ended
        return ""


def _kib(rollup: str, name: str) -> int:
    found = re.search(rf"^{name}: +(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) if found else 0


def machine() -> dict[str, object]:
    """Describe the machine, and how busy it is with other work."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    release = re.search(r'PRETTY_NAME="(.+)"', Path("/etc/os-release").read_text())
    return {
        "processor": model[1] if model else "unknown",
        "cores": os.cpu_count(),
        "system": release[1] if release else "unknown",
        "python": ".".join(map(str, sys.version_info[:3])),
        "load_before": round(os.getloadavg()[0], 2),
    }
