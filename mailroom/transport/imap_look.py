"""A look around an IMAP account, for `mailroom doctor`: its folders, and where a mail of ours lies."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from mailroom.errors import MailboxError
from mailroom.transport import imap_parse as parse
from mailroom.transport import imap_steps as steps
from mailroom.transport.imap import FAILURES, Connection, ImapSettings, connect
from mailroom.transport.imap_folders import Folder, folder_argument, quoted
from mailroom.transport.network import reason

_LATEST = 200  # messages; who wants to know whether copies are kept need not see all


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message that was looked for: the folder it lies in, and its UID there."""

    folder: Folder
    uid: int


class ImapLook:
    """One connection for looking around. Every method raises MailboxError when the server refuses a step.

    A lost connection shows as one of `imap.FAILURES` inside `looking`, which turns it into MailboxError.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def capabilities(self) -> set[str]:
        """What the server can do, in upper case."""
        return self._connection.capabilities

    async def folders(self) -> list[Folder]:
        """List every folder."""
        return await steps.folders(self._connection)

    def wire(self, folder: str) -> str:
        """Write a configured name as the server's listing has it."""
        return folder_argument(folder, self._connection.spaces)[1:-1].replace('\\"', '"').replace("\\\\", "\\")

    async def open(self, folder: str) -> None:
        """Open a folder by its configured name."""
        await steps.select(self._connection, folder)

    async def make(self, folder: str) -> None:
        """Make a folder; one that is there already is no error."""
        name = folder_argument(folder, self._connection.spaces)
        answer = await self._connection.command("CREATE", name)
        if answer.status != "OK" and parse.response_code(answer.text) != "ALREADYEXISTS":
            await steps.select(self._connection, folder)

    async def unmake(self, folder: str) -> None:
        """Delete a folder with all that is in it."""
        await steps.select(self._connection, "INBOX")  # some servers delete no folder that is open
        name = folder_argument(folder, self._connection.spaces)
        steps.accepted(await self._connection.command("DELETE", name), "DELETE")

    async def put(self, folder: str, content: bytes) -> None:
        """Put a mail (ASCII, lines ending in CRLF) into a folder."""
        name = folder_argument(folder, self._connection.spaces)
        literals = [content.decode("ascii").encode()]
        answer = await self._connection.command("APPEND", name, f"{{{len(content)}}}", literals=literals)
        steps.accepted(answer, "APPEND")

    async def find(self, message_id: str, among: Sequence[Folder] | None = None) -> list[Sighting]:
        """Find a mail by its Message-ID (bare) in every folder that can be opened, or in these."""
        found = []
        for folder in await self.folders() if among is None else among:
            if folder.opens and await self._opens(folder):
                uids = await steps.search(self._connection, f'HEADER Message-ID "<{message_id}>"')
                found += [Sighting(folder, uid) for uid in uids]
        return found

    async def received_at(self, sighting: Sighting) -> datetime | None:
        """Give the server's own time of the moment when it got this mail; None when it tells none."""
        value = (await self._fetch(sighting, "INTERNALDATE")).get(b"INTERNALDATE")
        try:
            return parsedate_to_datetime(value.decode("ascii", "replace")) if isinstance(value, bytes) else None
        except ValueError:
            return None

    async def header(self, sighting: Sighting) -> bytes:
        """Give the header of a mail, without marking it seen."""
        value = (await self._fetch(sighting, "BODY.PEEK[HEADER]")).get(b"BODY[HEADER]")
        return value if isinstance(value, bytes) else b""

    async def remove(self, sighting: Sighting) -> None:
        """Delete a mail for good, as the daemon does."""
        await self._opens(sighting.folder)
        await steps.remove(self._connection, [sighting.uid])

    async def latest_ids(self, folder: Folder) -> list[str]:
        """Give the Message-IDs (bare) of the newest mails in a folder."""
        if not await self._opens(folder):
            return []
        uids = (await steps.search(self._connection, "UNDELETED"))[-_LATEST:]
        found: list[str] = []
        for some in parse.uid_sets(uids):
            attributes = await steps.fetch(self._connection, some, "(UID ENVELOPE)")
            found += [_bare_id(one) for one in attributes.values()]
        return found

    async def _fetch(self, sighting: Sighting, item: str) -> steps.Attributes:
        await self._opens(sighting.folder)
        return await steps.fetch_one(self._connection, sighting.uid, item)

    async def _opens(self, folder: Folder) -> bool:
        return (await self._connection.command("SELECT", quoted(folder.wire))).status == "OK"


@asynccontextmanager
async def looking(settings: ImapSettings) -> AsyncIterator[ImapLook]:
    """Log in, look around, log out.

    Raises:
        ServerUnreachable: as `imap.connect`.
        MailboxError: the connection was lost meanwhile, or fell silent for `settings.timeout` seconds.
    """
    connection = await connect(settings)
    try:
        yield ImapLook(connection)
        with contextlib.suppress(*FAILURES):
            await connection.command("LOGOUT")
    except FAILURES as error:
        raise MailboxError(f"the IMAP server {settings.place}: {reason(error)}") from None
    finally:
        connection.drop()


def _bare_id(attributes: steps.Attributes) -> str:
    """Read the tenth field of ENVELOPE (RFC 3501 section 7.4.2)."""
    envelope = attributes.get(b"ENVELOPE")
    value = envelope[9] if isinstance(envelope, list) and len(envelope) > 9 else None
    return value.decode("ascii", "replace").strip().strip("<>") if isinstance(value, bytes) else ""
