"""The mails that arrive in the demo: invented people, invented troubles."""

from dataclasses import dataclass, field
from pathlib import Path

from mailroom.mail import compose
from mailroom.mail.message import Message
from mailroom.mail.parse import parse
from mailroom.transport.sequoia import Sequoia

DESK = "desk@community.example"
KEEPER = "keeper@community.example"
#: Who writes encrypted; the demo makes a key for her.
SEALED = "juniper@sealed.example"
#: The name under which the demo's mailbox provider vouches for senders.
PROVIDER = "mx.community.example"

_MAILS = Path(__file__).parent / "mails"


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail as its writer made it. `shown`: its answer and notice stand in the account word for word."""

    title: str
    sender: str
    message: Message = field(repr=False)
    content: bytes = field(repr=False)
    shown: bool


def samples() -> list[Sample]:
    """Read the mails of the first round, in order."""
    return [_read(name, title, shown=name in _SHOWN) for name, title in _FIRST]


def follow_up(answer: Message) -> Sample:
    """Make the mail in which somebody answers what the desk wrote to her."""
    sample = _read(*_FOLLOW_UP, shown=False)
    thread = f"In-Reply-To: <{answer.message_id}>\r\nReferences: <{answer.message_id}>\r\n".encode()
    quoted = "".join(f"> {line}".rstrip() + "\r\n" for line in answer.text.splitlines())
    history = f"\r\nOn Mon, 5 Oct 2026 at 17:19, {answer.sender} wrote:\r\n\r\n{quoted}".encode()
    content = thread + sample.content + history
    return Sample(sample.title, sample.sender, parse(content), content, sample.shown)


def sealed(sample: Sample, own: bytes, desk: bytes) -> bytes:
    """Make the mail as an OpenPGP mail program sends it: subject and text encrypted, her key in an Autocrypt field.

    `own` and `desk` are certificates, binary.
    """
    message = sample.message
    entity = compose.text_part(message.text, protected_subject=message.subject)
    header = compose.Header(
        sender_address=sample.sender,
        sender_name=message.sender_name,
        to=DESK,
        subject="...",
        message_id=message.message_id or "",
        date=message.date or _never(),
        autocrypt=own,
    )
    return compose.encrypted(header, Sequoia().encrypt(entity, [desk, own], armor=True))


def delivered(content: bytes) -> bytes:
    """Add what the mailbox provider writes on top: whether the sender is who the mail says (RFC 8601)."""
    sender = parse(content).sender or ""
    verdict = "fail" if sender == _FORGED else "pass"
    domain = sender.rpartition("@")[2]
    return f"Authentication-Results: {PROVIDER}; dmarc={verdict} header.from={domain}\r\n".encode() + content
