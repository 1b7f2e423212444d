"""The steps of IMAP that a mailbox is made of: each sends commands over a session and checks the answers."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mailroom.errors import MailboxError
from mailroom.transport import imap_parse as parse

Attributes = dict[bytes, parse.Value]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended: `status` OK, NO or BAD, the text behind it, and the responses that came before it."""

    status: str
    text: bytes
    responses: list[parse.Response]


class Session(Protocol):
    """A connection to an IMAP server, one command at a time."""

    capabilities: set[str]
    spaces: list[tuple[str, str]]

    async def command(self, name: str, *args: str, uid: bool = False, literals: Iterable[bytes] = ()) -> Answer:
        """Run one command; `literals` are sent one by one, each when the server asks to go on.

        Raises:
            TimeoutError: the server was silent for too long.
            ConnectionError: the connection was lost.
        """
        ...


def accepted(answer: Answer, step: str) -> Answer:
    """Give the answer back if it is OK.

    Raises:
        MailboxError: it is not; the error tells the step and the response code, not the server's words.
    """
    if answer.status != "OK":
        code = parse.response_code(answer.text)
        raise MailboxError(f"the server refused {step}: {answer.status} {code}".rstrip())
    return answer


async def learn(session: Session) -> None:
    """Ask for the capabilities, which differ before and after TLS and login."""
    answer = accepted(await session.command("CAPABILITY"), "CAPABILITY")
    words = (response[0].decode("ascii", "replace").upper().split() for response in answer.responses)
    session.capabilities = {word for line in words if line[1:2] == ["CAPABILITY"] for word in line[2:]}


async def log_in(session: Session, username: str, password: str) -> None:
    """Log in with any user name and password that UTF-8 can write, then learn what the server can do."""
    await learn(session)
    name, secret = username.encode(), password.encode()
    if "AUTH=PLAIN" in session.capabilities:  # RFC 4616
        token = b64encode(b"\0" + name + b"\0" + secret)
        answer = await session.command("AUTHENTICATE", "PLAIN", literals=[token])
    elif "LOGINDISABLED" in session.capabilities:
        raise MailboxError("it allows no login on this connection; use tls or starttls")
    else:
        literals = [name + b" {%d}" % len(secret), secret]
        answer = await session.command("LOGIN", f"{{{len(name)}}}", literals=literals)
    accepted(answer, "the login")
    await learn(session)
    if "NAMESPACE" in session.capabilities:
        answer = await session.command("NAMESPACE")
        session.spaces = parse.namespaces(answer.responses)


async def select(session: Session, mailbox: str) -> int:
    """Open a folder and give its UIDVALIDITY."""
    answer = await session.command("SELECT", parse.folder_argument(mailbox, session.spaces))
    validity = parse.uidvalidity(accepted(answer, "SELECT").responses)
    if validity is None:
        raise MailboxError("the server gives no UIDVALIDITY, so no message can be told from another")
    return validity


async def search(session: Session, criterion: str) -> list[int]:
    """Give the UIDs that fit a criterion, ascending."""
    answer = await session.command("SEARCH", criterion, uid=True)
    return parse.search_result(accepted(answer, "SEARCH").responses)


async def fetch(session: Session, uids: str, items: str) -> dict[int, Attributes]:
    """Fetch attributes: UID -> attribute name -> value. Messages that are gone are left out."""
    answer = await session.command("FETCH", uids, items, uid=True)
    # RFC 5530: some were expunged meanwhile; the others were given
    if parse.response_code(answer.text) != "EXPUNGEISSUED":
        accepted(answer, "FETCH")
    return parse.fetched(answer.responses)


async def fetch_one(session: Session, uid: int, items: str) -> Attributes:
    """Fetch attributes of one message, which must be there."""
    found = await fetch(session, str(uid), f"(UID {items})")
    if uid not in found:
        raise MailboxError("the message is gone from the mailbox")
    return found[uid]


async def remove(session: Session, uids: Sequence[int]) -> None:
    """Mark as deleted and expunge; without UIDPLUS only while nothing else is marked."""
    for one in parse.uid_sets(uids):
        answer = await session.command("STORE", one, "+FLAGS.SILENT", r"(\Deleted)", uid=True)
        accepted(answer, "STORE")
    if "UIDPLUS" in session.capabilities:  # RFC 4315
        for one in parse.uid_sets(uids):
            accepted(await session.command("EXPUNGE", one, uid=True), "EXPUNGE")
    elif uids and set(await search(session, "DELETED")) <= set(uids):
        accepted(await session.command("EXPUNGE"), "EXPUNGE")


async def transfer(session: Session, verb: str, uids: str, folder: str) -> Answer:
    """MOVE or COPY to a folder, which is made when the first try is refused and it does not exist."""
    name = parse.folder_argument(folder, session.spaces)
    answer = await session.command(verb, uids, name, uid=True)
    if answer.status == "NO" and (await session.command("CREATE", name)).status == "OK":
        await session.command("SUBSCRIBE", name)  # so that mail programs show it; no harm if not
        answer = await session.command(verb, uids, name, uid=True)
    return accepted(answer, verb)
