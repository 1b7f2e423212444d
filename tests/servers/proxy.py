"""A road between a client and a real server, on which a test lets things go wrong."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

HOST = "127.0.0.1"
Kind = Literal["cut", "cut after", "hang", "bye", "no"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens when the client says a line that `strikes`.

    cut: the connection is lost before the server hears it; cut after: once the server has answered; hang: both sides
    hear nothing more; bye: the server says BYE and goes; no: it is refused, and the server never hears it.
    """

    kind: Kind
    strikes: Callable[[bytes], bool]
    once: bool = True


def word(*words: bytes) -> Callable[[bytes], bool]:
    """Strike lines that hold one of these words."""
    return lambda line: any(one in line.upper() for one in words)


class Proxy:
    """Listens on `port`, and leads to the server at `target`. `struck` counts what went wrong."""

    def __init__(self, target: int) -> None:
        self.port, self.struck = 0, 0
        self.fault: Fault | None = None
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def open(self) -> None:
        """Let clients in, the second time on the same port."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Let nobody in any more, and drop who is there."""
        if self._server:
            self._server.close()
        self.drop()

    def drop(self) -> None:
        """Drop every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError):
            there, back = await asyncio.open_connection(HOST, self._target)
            self._writers |= {writer, back}
            answers = asyncio.create_task(_Answers(there, writer).run())
            try:
                await self._lead(reader, writer, back)
            finally:
                answers.cancel()
                for one in (writer, back):
                    one.transport.abort()
                    self._writers.discard(one)
        self._tasks.discard(task)

    async def _lead(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        while line := await reader.readline():
            fault = self.fault
            if fault is None or not fault.strikes(line):
                back.write(line)
                continue
            self.struck += 1
            self.fault = None if fault.once else fault
            await _strike(fault.kind, line, reader, writer, back)
            if fault.kind != "no":
                return


async def _strike(
    kind: Kind, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
) -> None:
    match kind:
        case "cut after":
            back.write(line)
            await asyncio.sleep(0.1)  # the server does what it was told, and its answer is lost
        case "hang":
            while await reader.read(65536):
                pass
        case "bye":
            writer.write(b"* BYE going down\r\n")
            await writer.drain()
        case "no":
            writer.write(line.split(b" ")[0] + b" NO [UNAVAILABLE] not now\r\n")


class _Answers:
    """Leads answers back to the client."""

    def __init__(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._there, self._writer = there, writer

    async def run(self) -> None:
        """Lead until the server ends."""
        while content := await self._there.read(65536):
            self._writer.write(content)
        self._writer.close()
