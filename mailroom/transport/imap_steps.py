"""The steps of IMAP that a mailbox is made of: each sends commands over a session and checks the answers."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mailroom.errors import LoginRefused, MailboxError
from mailroom.transport import imap_parse as parse
from mailroom.transport.imap_folders import Folder, folder_argument, listed, namespaces, quoted

Attributes = dict[bytes, parse.Value]
# What a server says that is busy, not unwilling (RFC 5530 section 3; Gmail says THROTTLED).
_NOT_NOW = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "THROTTLED", "SERVERBUG", "CONTACTADMIN"})


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
    selected: tuple[str, int]

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


async def log_in(session: Session, username: str, secret: str, *, is_token: bool) -> None:
    """Log in with any user name and password that UTF-8 can write, or with a token; learn what the server can do.

    Raises:
        LoginRefused: the server does not take them.
        MailboxError: it takes no login of this kind, or none now.
    """
    await learn(session)
    answer = await (_show_token(session, username, secret) if is_token else _show_password(session, username, secret))
    code = parse.response_code(answer.text)
    if answer.status == "NO" and code not in _NOT_NOW:
        raise LoginRefused(f"the server refused the login: NO {code}".rstrip())
    accepted(answer, "the login")
    await learn(session)
    if "NAMESPACE" in session.capabilities:
        answer = await session.command("NAMESPACE")
        session.spaces = namespaces(answer.responses)


async def _show_token(session: Session, username: str, token: str) -> Answer:
    """Say who we are by XOAUTH2. A refusal comes as a question first, which an empty line answers.

    See Also:
        https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
    """
    if "AUTH=XOAUTH2" not in session.capabilities:
        raise MailboxError("it does not offer XOAUTH2, which token_command needs; use password_file")
    shown = b64encode(f"user={username}\x01auth=Bearer {token}\x01\x01".encode())
    return await session.command("AUTHENTICATE", "XOAUTH2", literals=[shown, b""])


async def _show_password(session: Session, username: str, password: str) -> Answer:
    name, secret = username.encode(), password.encode()
    if "AUTH=PLAIN" in session.capabilities:  # RFC 4616
        shown = b64encode(b"\0" + name + b"\0" + secret)
        return await session.command("AUTHENTICATE", "PLAIN", literals=[shown])
    if "LOGINDISABLED" in session.capabilities:
        raise MailboxError("it allows no login with a password on this connection; use tls or starttls, or a token")
    literals = [name + b" {%d}" % len(secret), secret]
    return await session.command("LOGIN", f"{{{len(name)}}}", literals=literals)


async def folders(session: Session) -> list[Folder]:
    """List every folder."""
    return listed(accepted(await session.command("LIST", '""', '"*"'), "LIST").responses)


async def select(session: Session, mailbox: str) -> int:
    """Open a folder and give its UIDVALIDITY."""
    return await _select(session, folder_argument(mailbox, session.spaces))


async def _select(session: Session, argument: str) -> int:
    answer = await session.command("SELECT", argument)
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


async def remove(session: Session, uids: Sequence[int]) -> bool:
    """Mark as deleted and expunge; without UIDPLUS only while nothing else is marked, and False otherwise.

    Gmail keeps what is expunged, under All Mail, unless it was in the trash before: there it goes through the trash.
    """
    if "X-GM-EXT-1" in session.capabilities:
        await _remove_through_trash(session, uids)
        return True
    return await _expunge(session, uids)


async def _expunge(session: Session, uids: Sequence[int]) -> bool:
    for one in parse.uid_sets(uids):
        answer = await session.command("STORE", one, "+FLAGS.SILENT", r"(\Deleted)", uid=True)
        accepted(answer, "STORE")
    if "UIDPLUS" in session.capabilities:  # RFC 4315
        for one in parse.uid_sets(uids):
            accepted(await session.command("EXPUNGE", one, uid=True), "EXPUNGE")
        return True
    if not set(await search(session, "DELETED")) <= set(uids):
        return False
    accepted(await session.command("EXPUNGE"), "EXPUNGE")
    return True


async def _remove_through_trash(session: Session, uids: Sequence[int]) -> None:
    trash = next((folder for folder in await folders(session) if "\\trash" in folder.attributes), None)
    if trash is None:
        raise MailboxError("it shows no trash over IMAP; in Gmail's settings, under Labels, let Trash show in IMAP")
    there: list[int] = []
    for one in parse.uid_sets(uids):
        answer = accepted(await session.command("MOVE", one, quoted(trash.wire), uid=True), "MOVE")
        there += parse.copied([answer.text, *(response[0] for response in answer.responses)], len(uids))[1].values()
    if len(there) < len(set(uids)):
        raise MailboxError("the server does not tell where in the trash the mail is; empty Gmail's trash by hand")
    session.selected = ("", 0)
    await _select(session, quoted(trash.wire))
    await _expunge(session, there)


async def transfer(session: Session, verb: str, uids: str, folder: str) -> Answer:
    """MOVE or COPY to a folder, which is made when the first try is refused and it does not exist."""
    name = folder_argument(folder, session.spaces)
    answer = await session.command(verb, uids, name, uid=True)
    if answer.status == "NO" and (await session.command("CREATE", name)).status == "OK":
        await session.command("SUBSCRIBE", name)  # so that mail programs show it; no harm if not
        answer = await session.command(verb, uids, name, uid=True)
    return accepted(answer, verb)
