"""An IMAP server that says what a test tells it to: for faults that no real server shows on demand."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

HOST = "127.0.0.1"
HANG = "hang"
CLOSE = "close"

USUAL = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1 UIDPLUS MOVE\r\n{tag} OK done",
    "LOGOUT": "* BYE so long\r\n{tag} OK done",
    "SELECT": "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n{tag} OK [READ-WRITE] done",
    "UID SEARCH": "* SEARCH 1 2 3\r\n{tag} OK done",
    "UID FETCH": "* 1 FETCH (UID 1 RFC822.SIZE 10)\r\n{tag} OK done",
    "IDLE": "+ idling",
    "DONE": "{tag} OK done",
    "": "{tag} OK done",
}


class ScriptedImap:
    """Answers each command by the longest key of `replies` (and `USUAL`) that it begins with.

    `{tag}` in a reply stands for the tag of the command. HANG: say nothing. A reply that ends with CLOSE: close
    the connection after the rest. `received` holds the commands without tags, literals inline.
    """

    def __init__(self, replies: Mapping[str, str] | None = None, greeting: str = "* OK ready") -> None:
        self.port = 0
        self.received: list[str] = []
        self.replies = USUAL | dict(replies or {})
        self._greeting = greeting
        self._news = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def told(self, command: str) -> None:
        """Wait until a client has said this."""
        while command not in self.received:
            self._news.clear()
            await self._news.wait()

    def reply_to(self, command: str) -> str:
        """Give the reply to a command."""
        return self.replies[max((key for key in self.replies if command.startswith(key)), key=len)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            self._say(writer, self._greeting)
            while not writer.is_closing():
                tag, _, command = (await _command(reader, writer)).partition(" ")
                self.received.append(command)
                self._news.set()
                reply = self.reply_to(command).replace("{tag}", tag)
                self._say(writer, reply)
                if command == "IDLE" and reply.startswith("+") and not writer.is_closing():
                    self.received.append(await _line(reader))
                    self._say(writer, self.replies["DONE"].replace("{tag}", tag))

    def _say(self, writer: asyncio.StreamWriter, reply: str) -> None:
        if reply != HANG:
            writer.write(reply.removesuffix(CLOSE).encode("latin-1") + (b"" if reply.endswith(CLOSE) else b"\r\n"))
        if reply.endswith(CLOSE):
            writer.close()


async def _command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Read one command with its literals; ask for an initial response after AUTHENTICATE."""
    text = ""
    while True:
        text += await _line(reader)
        literal = re.search(r"\{(\d+)\}$", text)
        if literal:
            writer.write(b"+ go on\r\n")
            text += (await reader.readexactly(int(literal[1]))).decode()
        elif " AUTHENTICATE " in text:
            writer.write(b"+ \r\n")
            return f"{text} {await _line(reader)}"
        else:
            return text


async def _line(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n")).decode().removesuffix("\r\n")
