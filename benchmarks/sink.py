"""An SMTP server in a process of its own that takes everything and remembers only to whom and when.

Times are of the clock that all processes of a machine share (CLOCK_MONOTONIC), in seconds.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parent.parent
_REPLIES = {b"EHLO": b"250-sink.example\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", b"DATA": b"354 Go on\r\n"}


@dataclass(frozen=True, slots=True)
class Received:
    """What came: letters by recipient, and when the first and the last was taken."""

    letters: Counter[str]
    first: float
    last: float


class Sink:
    """Runs the server; `port` is where it listens."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())
        return self

    def received(self) -> Received:
        """Give what came so far."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Received(Counter(told["letters"]), told["first"], told["last"])

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)


async def _serve() -> None:
    letters: Counter[str] = Counter()
    times = [0.0, 0.0]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink.example\r\n")
        recipient = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            writer.write(_REPLIES.get(verb, b"250 OK\r\n"))
            if verb == b"RCPT":
                recipient = line.partition(b"<")[2].partition(b">")[0].decode()
            elif verb == b"DATA":
                await reader.readuntil(b"\r\n.\r\n")
                letters[recipient] += 1
                times[:] = times[0] or time.monotonic(), time.monotonic()
                writer.write(b"250 OK\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=64 * 1024 * 1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps({"letters": letters, "first": times[0], "last": times[1]}), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
