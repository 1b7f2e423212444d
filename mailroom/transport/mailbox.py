"""The inbox over IMAP: a mailbox that connects when it is needed, and anew after any failure."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace

from mailroom.errors import MailboxError
from mailroom.flow.filing import Location
from mailroom.mail.beginning import BEGINNING_BYTES, beginning
from mailroom.mail.message import Arrival, RawMail
from mailroom.transport import imap_parse as parse
from mailroom.transport import imap_steps as steps
from mailroom.transport.imap import FAILURES, Connection, ImapSettings, connect
from mailroom.transport.network import certificate_end, reason

LOGOUT_SECONDS = 0.9
_LARGEST = 2**62  # bytes; a server that says more lies, and no database could keep it
# Servers end IDLE after 10 to 30 minutes, and routers forget a silent connection sooner.
_LONGEST_IDLE = 540.0


class ImapMailbox:
    """The inbox, fitting `flow.ports.Mailbox`. Connects when first needed, and anew after any failure."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._certificate_end: int | None = None
        self._looked_at: dict[tuple[str, int], int] = {}  # the last UID among what may be copies: a folder may be long
        self._junk_folder: str | None = None  # None until this connection asked for it
        self._may_idle = True  # until the server refuses what it offers, over this connection

    async def arrivals(self) -> list[Arrival]:
        """List what lies in the inbox, oldest UID first; what is marked deleted too, as such."""
        async with self._selected(self._settings.inbox) as (connection, validity):
            connection.news.clear()
            found = await _listed(connection)
        listed = (_arrival(self._settings.inbox, validity, uid, found[uid]) for uid in sorted(found))
        return [one for one in listed if one is not None]

    async def junk(self) -> list[Arrival]:
        """List what lies in the folder of suspected spam: the configured one, or the one that the server marks so."""
        if self._settings.junk == "-":
            return []
        folder = self._settings.junk or await self._marked_as_junk()
        if not folder or folder == self._settings.inbox:
            return []
        async with self._selected(folder) as (connection, validity):
            found = await _listed(connection)
        listed = (_arrival(folder, validity, uid, found[uid]) for uid in sorted(found))
        return [replace(one, junk=True) for one in listed if one is not None]

    async def _marked_as_junk(self) -> str:
        """Ask once a connection which folder is marked as junk (RFC 6154); "" without one."""
        async with self._selected(self._settings.inbox, anew=False) as (connection, _):
            if self._junk_folder is None:
                marked = (one for one in await steps.folders(connection) if "\\junk" in one.attributes and one.opens)
                self._junk_folder = next((one.name for one in marked), "")
            return self._junk_folder

    async def news(self, seconds: float) -> None:
        """Wait until the server tells of new mail in the inbox (IDLE), at most `seconds`.

        Ends at once when it has told so since the last listing. Without IDLE, waits the whole time.
        """
        seconds = min(seconds, _LONGEST_IDLE)
        async with self._selected(self._settings.inbox, anew=False) as (connection, _):
            if connection.news.is_set():
                return
            if self._settings.idle and self._may_idle and "IDLE" in connection.capabilities:
                self._may_idle = (await connection.idle(seconds)).status == "OK"
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.closed.wait(), seconds)

    async def fetch(self, arrivals: Sequence[Arrival]) -> list[RawMail]:
        """Fetch the bytes without marking them seen; a message that is gone meanwhile is left out."""
        bodies: dict[int, parse.Value] = {}
        if not arrivals:
            return []
        async with self._holding(arrivals, anew=False) as connection:
            for uids in parse.uid_sets(arrival.uid for arrival in arrivals):
                found = await steps.fetch(connection, uids, "(UID BODY.PEEK[])")
                bodies |= {uid: attributes.get(b"BODY[]") for uid, attributes in found.items()}
        contents = ((arrival, bodies.get(arrival.uid)) for arrival in arrivals)
        return [RawMail(arrival, content) for arrival, content in contents if isinstance(content, bytes)]

    async def fetch_beginning(self, arrival: Arrival) -> RawMail:
        """Fetch the header and the first text part of an oversize message as a small mail of one part.

        Both are cut at `BEGINNING_BYTES`. Without a text part, or when it is encrypted, the body is empty.
        """
        async with self._holding([arrival], anew=False) as connection:
            whole = await steps.fetch_one(
                connection, arrival.uid, f"BODYSTRUCTURE BODY.PEEK[HEADER]<0.{BEGINNING_BYTES}>"
            )
            header, part = _bytes(whole.get(b"BODY[HEADER]<0>")), parse.text_part(whole.get(b"BODYSTRUCTURE"))
            if part is None:
                return RawMail(arrival, beginning(header), complete=False)
            wanted = f"BODY.PEEK[{part}.MIME]<0.{BEGINNING_BYTES}> BODY.PEEK[{part}]<0.{BEGINNING_BYTES}>"
            found = await steps.fetch_one(connection, arrival.uid, wanted)
        mime, body = (_bytes(found.get(f"BODY[{part}{which}".encode())) for which in (".MIME]<0>", "]<0>"))
        content = beginning(header, mime, body, cut=len(body) >= BEGINNING_BYTES)
        return RawMail(arrival, content, complete=False)

    async def delete(self, arrivals: Sequence[Arrival]) -> None:
        """Delete and expunge exactly these messages and no other.

        A server without UIDPLUS can only expunge everything that is marked deleted. If somebody else has marked
        another message there, ours are left marked until that one is gone.

        Raises:
            MailboxError: as every call; also when ours are left marked.
        """
        if not arrivals:
            return
        async with self._holding(arrivals, anew=True) as connection:
            if not await steps.remove(connection, [arrival.uid for arrival in arrivals]):
                raise MailboxError("somebody marked other mail there as deleted, and the server has no UIDPLUS")

    async def delete_copies(self, folder: str, is_ours: Callable[[str], bool]) -> int:
        """Delete from `folder` what has a Message-ID (bare) of ours, and no other; give how many those were.

        Where the server takes what was deleted from us to mean more than this folder, that is meant.
        """
        async with self._selected(folder) as (connection, validity):
            uids: list[int] = []
            last = self._looked_at.get((folder, validity), 0)
            # `n:*` names the last message even when all are below n (RFC 3501 section 6.4.8)
            new = [uid for uid in await steps.search(connection, f"UID {last + 1}:*") if uid > last]
            for some in parse.uid_sets(new):
                found = await steps.fetch(connection, some, "(UID ENVELOPE)")
                ids = ((uid, _message_id(attributes)) for uid, attributes in found.items())
                uids += [uid for uid, one in ids if is_ours(one)]
            if uids:
                await steps.remove(connection, uids)
            self._looked_at[folder, validity] = max(new, default=last)
        return len(uids)

    async def move(self, arrivals: Sequence[Arrival], folder: str) -> dict[Arrival, Location]:
        """Move exactly these messages to `folder` (made when missing); give the COPYUID where the server tells.

        `/` in `folder` divides levels. Without MOVE (RFC 6851) the messages are copied and then deleted as in
        `delete`; a failure between the two leaves a second copy in `folder`, never none.
        """
        places: dict[Arrival, Location] = {}
        if not arrivals:
            return places
        async with self._holding(arrivals, anew=True) as connection:
            verb = "MOVE" if "MOVE" in connection.capabilities else "COPY"
            for uids in parse.uid_sets(arrival.uid for arrival in arrivals):
                answer = await steps.transfer(connection, verb, uids, folder)
                texts = [answer.text, *(response[0] for response in answer.responses)]
                validity, new = parse.copied(texts, len(arrivals))
                moved = [arrival for arrival in arrivals if arrival.uid in new]
                places |= {arrival: Location(folder, validity, new[arrival.uid]) for arrival in moved}
            if verb == "COPY":
                await steps.remove(connection, [arrival.uid for arrival in arrivals])
        return places

    def certificate_expires(self) -> int | None:
        """Unix time at which the certificate of the server ends that we met last; None without TLS."""
        return self._certificate_end

    async def close(self) -> None:
        """Log out, or drop the connection within a second; never raises."""
        connection = self._connection
        if connection is None:
            return
        try:
            with suppress(*FAILURES):
                async with asyncio.timeout(LOGOUT_SECONDS):
                    await connection.command("LOGOUT")
        finally:
            self._drop()

    @asynccontextmanager
    async def _holding(self, arrivals: Sequence[Arrival], *, anew: bool) -> AsyncIterator[Connection]:
        """Open the folder that these messages lie in, if their UIDs still mean the same messages."""
        mailbox = arrivals[0].mailbox
        async with self._selected(mailbox, anew=anew) as (connection, validity):
            if any((arrival.mailbox, arrival.uidvalidity) != (mailbox, validity) for arrival in arrivals):
                raise MailboxError("uidvalidity changed: the messages have to be listed again; nothing was touched")
            yield connection

    @asynccontextmanager
    async def _selected(self, mailbox: str, *, anew: bool = True) -> AsyncIterator[tuple[Connection, int]]:
        """Open a folder and give its UIDVALIDITY; on any failure the connection is dropped.

        `anew` shows news and a changed UIDVALIDITY, but costs 40 ms with 20,000 messages; reading can do without.
        """
        async with self._lock:
            with ExitStack() as failure:
                failure.callback(self._drop)
                connection = self._connection = await self._connected()
                try:
                    if anew or connection.selected[0] != mailbox:
                        connection.selected = mailbox, await steps.select(connection, mailbox)
                    yield connection, connection.selected[1]
                except FAILURES as error:
                    # `from None`: the library's errors quote commands and answers
                    raise MailboxError(f"the IMAP server {self._settings.place}: {reason(error)}") from None
                failure.pop_all()

    async def _connected(self) -> Connection:
        if self._connection and not self._connection.closed.is_set():
            return self._connection
        connection = await connect(self._settings)
        self._certificate_end = certificate_end(connection.transport)
        self._may_idle, self._junk_folder = True, None
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.drop()


async def _listed(connection: Connection) -> dict[int, steps.Attributes]:
    """Ask for size and flags of all that lies in the folder that is open."""
    found: dict[int, steps.Attributes] = {}
    for uids in parse.uid_sets(await steps.search(connection, "ALL")):
        answer = await connection.command("FETCH", uids, "(UID RFC822.SIZE FLAGS)", uid=True)
        found |= parse.fetched(steps.accepted(answer, "FETCH").responses)
    return found


def _arrival(inbox: str, validity: int, uid: int, attributes: steps.Attributes) -> Arrival | None:
    size, flags = parse.number(attributes.get(b"RFC822.SIZE")), attributes.get(b"FLAGS")
    is_deleted = isinstance(flags, list) and any(isinstance(f, bytes) and f.lower() == b"\\deleted" for f in flags)
    return None if size is None else Arrival(inbox, validity, uid, min(size, _LARGEST), is_deleted)


def _bytes(value: parse.Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _message_id(attributes: steps.Attributes) -> str:
    """Give the Message-ID, bare: the tenth field of ENVELOPE (RFC 3501 section 7.4.2); "" without one."""
    match attributes.get(b"ENVELOPE"):
        case [_, _, _, _, _, _, _, _, _, bytes(found), *_]:
            return found.decode("ascii", "replace").strip().strip("<>")
        case _:
            return ""
