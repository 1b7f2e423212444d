"""Mails through the whole service, from the first fetch to the last letter at the SMTP server.

    python -m benchmarks.pipeline [--mails N] [--kind plain|pgp|signed|both] [--size BYTES] [--repeat R] [--json]
    python -m benchmarks.pipeline --memory [--mails 10000] [--largest 1048576]

A real Dovecot on loopback, GnuPG, SQLite with synchronous=FULL, both layers of sealing, a reply and a notice for
each mail, the SMTP server in a process of its own. The daemon runs as it does in service, with clocks at its
ports (`timed`). In the same run the same mails go through a bare loop of the same libraries (`bare`).
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.mails import KINDS, address, mails, mails_up_to
from benchmarks.sink import ROOT, Sink
from benchmarks.watch import Sample, Watch, machine
from tests.e2e.house import KEEPER, House, build
from tests.servers.dovecot import Dovecot

_CURVE = 20  # points of the memory curve that are shown


@dataclass(frozen=True, slots=True)
class Drain:
    """What one drained inbox took. Rates are mails a second, memory is in MiB, processor time in seconds."""

    rate: float
    seconds: float
    letters: int
    answered: int
    summary: Mapping[str, Any]
    stages: Mapping[str, Any]
    pss_peak: float
    rss_peak: float
    cpu: Mapping[str, float]
    samples: Sequence[Sample]


def drain(dovecot: Dovecot, contents: Iterable[bytes], profile: Path | None = None, interval: float = 0.5) -> Drain:
    """Let mails arrive, start the daemon, and measure until it has nothing left to do."""
    with Sink() as sink, build(dovecot, sink.port, replies__circuit_per_minute=10**6, notices__per_hour=10**6) as house:
        house.receive(*contents)
        out = house.folder / "timed.json"
        # not with -m: every worker would import the main module, and with it what only the daemon needs
        command = [sys.executable, "-c", "from benchmarks.timed import main; main()", str(house.config), str(out)]
        with (house.folder / "log").open("wb") as log:
            child = subprocess.Popen([*command, *([str(profile)] if profile else [])], cwd=ROOT, stderr=log)
            with Watch(child.pid, interval) as watch:
                status = child.wait()
        assert status == 0, (house.folder / "log").read_text()[-2000:]
        received, told = sink.received(), json.loads(out.read_text())
    fetched = told["summary"]["drained"]["fetched"]
    seconds = received.last - told["stages"]["mailbox.fetch"]["first"]
    return Drain(
        rate=round(fetched / seconds, 1),
        seconds=round(seconds, 2),
        letters=received.letters.total(),
        answered=len(received.letters.keys() - {KEEPER}),
        summary=told["summary"],
        stages=_per_mail(told["stages"], fetched),
        pss_peak=watch.peak_pss,
        rss_peak=watch.peak_rss,
        cpu={name: round(one, 2) for name, one in watch.cpu().items()},
        samples=watch.samples,
    )


def _per_mail(stages: Mapping[str, Mapping[str, float]], count: int) -> dict[str, dict[str, float]]:
    """Put times in milliseconds: of one call, and of a mail's share in the time that the stage was under way."""
    shown = {
        name: {
            "calls": one["calls"],
            "ms_a_call": round(1000 * one["added_up"] / one["calls"], 3),
            "ms_a_mail": round(1000 * one["under_way"] / count, 3),
        }
        for name, one in stages.items()
    }
    return dict(sorted(shown.items(), key=lambda item: -item[1]["ms_a_mail"]))


def bare(dovecot: Dovecot, house: House, contents: Sequence[bytes]) -> float:
    """Send the same mails through the bare loop; give mails a second."""
    user = dovecot.new_user()
    for content in contents:
        dovecot.append(user, content)
    with Sink() as sink:
        arguments = [str(house.config), user, str(sink.port), str(house.folder / "bare.db")]
        command = [sys.executable, "-m", "benchmarks.bare", *arguments]
        told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
        received = sink.received()
    assert received.letters == {address(number): 1 for number in range(len(contents))}
    return round(len(contents) / (received.last - float(told["began"])), 1)


def measure(dovecot: Dovecot, kind: str, count: int, size: int, profile: Path | None = None) -> dict[str, Any]:
    """Measure one kind of mail: the service, then the bare loop, over the same mails."""
    contents = list(mails(kind, count, size))
    whole = drain(dovecot, contents, profile)
    with build(dovecot, 1) as house:
        loop = bare(dovecot, house, contents)
    return {
        "kind": kind,
        "mails": count,
        "size": size,
        "rate": whole.rate,
        "seconds": whole.seconds,
        "letters": whole.letters,
        "answered": whole.answered,
        "bare_rate": loop,
        "ratio": round(whole.rate / loop, 2),
        "stages": whole.stages,
        "pss_peak": whole.pss_peak,
        "rss_peak": whole.rss_peak,
        "cpu": whole.cpu,
        "summary": whole.summary,
    }


def typical(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Pick the run with the median rate, and say what the others gave."""
    middle = sorted(runs, key=lambda run: float(run["rate"]))[len(runs) // 2]
    rates = {"rates": [run["rate"] for run in runs], "bare_rates": [run["bare_rate"] for run in runs]}
    ratio = middle["rate"] / statistics.median(rates["bare_rates"])
    return middle | rates | {"ratio": round(ratio, 2)}


def memory(dovecot: Dovecot, count: int, largest: int) -> dict[str, Any]:
    """Drain many mails of very different sizes and follow the memory."""
    began = time.monotonic()
    whole = drain(dovecot, mails_up_to(largest, count), interval=1.0)
    step = max(1, len(whole.samples) // _CURVE)
    curve = [(one.at, one.pss, one.rss) for one in whole.samples[::step]]
    return {
        "mails": count,
        "largest": largest,
        "rate": whole.rate,
        "seconds": whole.seconds,
        "seconds_with_making": round(time.monotonic() - began, 1),
        "letters": whole.letters,
        "answered": whole.answered,
        "pss_peak": whole.pss_peak,
        "rss_peak": whole.rss_peak,
        "curve": curve,
        "summary": whole.summary,
    }


def _print(found: Mapping[str, Any]) -> None:
    print(f"{found['mails']} {found['kind']} mails of {found['size']} bytes")
    print(f"  {found['rate']} a second (runs: {found['rates']}), {found['letters']} letters at the sink")
    print(f"  bare loop {found['bare_rates']} a second; ours is {found['ratio']} of its median")
    print(f"  memory: PSS {found['pss_peak']} MiB, RSS {found['rss_peak']} MiB; processor seconds: {found['cpu']}")
    print(f"  {'stage':32}{'calls':>8}{'ms a call':>12}{'ms a mail':>12}")
    for name, one in found["stages"].items():
        print(f"  {name:32}{one['calls']:8}{one['ms_a_call']:12}{one['ms_a_mail']:12}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline")
    parser.add_argument("--mails", type=int, help="how many (400; with --memory 10000)")
    parser.add_argument("--kind", choices=[*KINDS, "both"], default="both", help="both: plain, then pgp")
    parser.add_argument("--size", type=int, default=4096, help="bytes of text in a mail")
    parser.add_argument("--repeat", type=int, default=1, help="measure so often and give the median")
    parser.add_argument("--profile", type=Path, help="write a cProfile of the daemon to this file")
    parser.add_argument("--memory", action="store_true", help="many mails of 2 KB to --largest: the memory over time")
    parser.add_argument("--largest", type=int, default=1024 * 1024)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    wanted, here = _arguments(), machine()
    with Dovecot() as dovecot:
        if wanted.memory:
            print(json.dumps(memory(dovecot, wanted.mails or 10_000, wanted.largest) | {"machine": here}))
            return
        for kind in ("plain", "pgp") if wanted.kind == "both" else (wanted.kind,):
            runs = [
                measure(dovecot, kind, wanted.mails or 400, wanted.size, wanted.profile) for _ in range(wanted.repeat)
            ]
            found = typical(runs) | {"machine": here}
            print(json.dumps(found)) if wanted.json else _print(found)


if __name__ == "__main__":
    main()
