"""From APPEND in the inbox to the reply at the SMTP sink, with IDLE, on an idle machine; and how long a stop takes.

    python -m benchmarks.latency [--mails 30] [--kind plain|pgp] [--json]

Beside it, in the same run, how long Dovecot takes to tell a bare client in IDLE of a mail: it collects news for half
a second before it speaks.
"""

import argparse
import asyncio
import json
import signal
import statistics
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from base64 import b64encode

from benchmarks.sink import ROOT
from benchmarks.watch import machine
from tests.e2e.house import KEEPER, House, build
from tests.e2e.letters import TEXTS, plain
from tests.openpgp_mails import entity, pgp_mime_encrypted
from tests.servers.dovecot import HOST, PASSWORD, Dovecot
from tests.servers.sink import Sink


def mail(kind: str, number: int) -> bytes:
    """Make one mail."""
    if kind == "pgp":
        return pgp_mime_encrypted(f"writer{number}@example.net", entity(TEXTS["en"]), sign_with="complainant")
    return plain(number, TEXTS["en"])


async def answered(house: House, sink: Sink, content: bytes) -> float:
    """Give the seconds from APPEND to the reply."""
    before = len(sink.deliveries)
    began = time.monotonic()
    await asyncio.to_thread(house.receive, content)
    await sink.until(lambda letters: any(one.rcpt_tos != (KEEPER,) for one in letters[before:]))
    seconds = time.monotonic() - began
    await sink.until(lambda letters: len(letters) == before + 2)
    await asyncio.sleep(1)  # the desk deletes the mail and is back in IDLE
    return seconds


async def told(dovecot: Dovecot) -> float:
    """Give the seconds from APPEND to the word of it in IDLE, for a client that does nothing else."""
    user = dovecot.new_user()
    reader, writer = await asyncio.open_connection(HOST, dovecot.port)
    shown = b64encode(f"\0{user}\0{PASSWORD}".encode()).decode()
    for line in (f"a AUTHENTICATE PLAIN {shown}", "b SELECT INBOX", "c IDLE"):
        writer.write(f"{line}\r\n".encode())
        while not (await reader.readline()).startswith((line[0].encode() + b" ", b"+")):
            pass
    began = time.monotonic()
    await asyncio.to_thread(dovecot.append, user, plain(0, TEXTS["en"]))
    while b"EXISTS" not in await reader.readline():
        pass
    seconds = time.monotonic() - began
    writer.transport.abort()
    return seconds


async def stopped(daemon: Process) -> float:
    """Give the seconds from SIGTERM to the end."""
    began = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    assert await daemon.wait() == 0
    return time.monotonic() - began


async def measured(kind: str, count: int) -> dict[str, object]:
    """Run the daemon; give medians and the worst, in seconds."""
    with Dovecot() as dovecot:
        async with Sink() as sink:
            with build(dovecot, sink.port) as house:
                command = [sys.executable, "-m", "mailroom", "--config", str(house.config), "run"]
                daemon = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=DEVNULL)
                await answered(house, sink, mail(kind, 0))  # ready, and warm
                replies = [await answered(house, sink, mail(kind, number)) for number in range(1, count + 1)]
                stop = await stopped(daemon)
                bare = [await told(dovecot) for _ in range(count)]
    return {
        "machine": machine(),
        "kind": kind,
        "mails": count,
        "append_to_reply_median": round(statistics.median(replies), 3),
        "append_to_reply_worst": round(max(replies), 3),
        "append_to_idle_median": round(statistics.median(bare), 3),
        "ratio": round(statistics.median(replies) / statistics.median(bare), 2),
        "sigterm": round(stop, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=30)
    parser.add_argument("--kind", choices=["plain", "pgp"], default="plain")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = asyncio.run(measured(arguments.kind, arguments.mails))
    print(json.dumps(found) if arguments.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
