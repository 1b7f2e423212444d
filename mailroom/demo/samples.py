"""The mails that arrive in the demo: invented people, invented troubles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mailroom.demo.people import Read
from mailroom.mail import compose
from mailroom.mail.message import Message
from mailroom.mail.parse import parse
from mailroom.transport.sequoia import Sequoia

DESK = "desk@community.example"
KEEPER = "keeper@community.example"
#: Who writes encrypted; the demo makes a key for her.
SEALED = "juniper@sealed.example"
#: The name under which the demo's mailbox provider vouches for senders, and the one sender for whom it does not.
PROVIDER = "mx.community.example"
FORGED = "hazel@bank.example"

_MAILS = Path(__file__).parent / "mails"
_FIRST = {
    "01-hounding.eml": "Followed from page to page",
    "02-safe-address.eml": "Address and phone number published",
    "03-html-only.eml": "A group attack, in a mail of HTML only",
    "04-hindi.eml": "A false account in her name",
    "05-arabic.eml": "Private pictures on the internet",
    "06-portuguese.eml": "Racist remarks at a meeting",
    "07-encrypted.eml": "Encrypted from end to end",
    "08-attachment.eml": "With an attachment",
    "09-out-of-office.eml": "An out-of-office note",
    "10-no-answer.eml": "Somebody who wants no answer",
    "11-danger.eml": "Somebody in danger",
    "12-shared-mailbox.eml": "Somebody else reads her mail",
    "13-forged.eml": "A forged sender",
    "14-stalking.eml": "A first, careful question",
}
_FOLLOW_UP = ("15-follow-up.eml", "The same person answers: this address is safe")
_SHOWN = frozenset({"05-arabic.eml", "07-encrypted.eml", "11-danger.eml"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail as its writer made it."""

    name: str
    title: str
    message: Message = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def sender(self) -> str:
        """The bare address of the writer; in each round every mail has another."""
        return self.message.sender or ""

    @property
    def shown(self) -> bool:
        """Whether its answer and its notice stand in the account word for word."""
        return self.name in _SHOWN


def first_round() -> list[Sample]:
    """Read the mails that arrive first, in order."""
    return [_sample(name, title, _read(name)) for name, title in _FIRST.items()]


def second_round(replies: Mapping[str, Read]) -> list[Sample]:
    """Make the mail in which one writer answers what the desk wrote to her; `replies` are by address."""
    name, title = _FOLLOW_UP
    written = _sample(name, title, _read(name))
    answered = replies[written.sender]
    thread = f"In-Reply-To: <{answered.message_id}>\r\nReferences: <{answered.message_id}>\r\n".encode()
    quoted = "".join(f"> {line}".rstrip() + "\r\n" for line in answered.text.splitlines())
    history = f"\r\nOn Mon, 5 Oct 2026 at 17:19, Letter desk <{DESK}> wrote:\r\n\r\n{quoted}".encode()
    return [_sample(name, title, thread + written.content + history)]


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
        date=datetime.now(UTC),
        autocrypt=own,
    )
    return compose.encrypted(header, Sequoia().encrypt(entity, [desk, own], armor=True))


def delivered(sample: Sample, content: bytes) -> bytes:
    """Add what the mailbox provider writes on top: whether the sender is who the mail says (RFC 8601)."""
    verdict = "fail" if sample.sender == FORGED else "pass"
    domain = sample.sender.rpartition("@")[2]
    return f"Authentication-Results: {PROVIDER}; dmarc={verdict} header.from={domain}\r\n".encode() + content


def _sample(name: str, title: str, content: bytes) -> Sample:
    return Sample(name, title, parse(content), content)


def _read(name: str) -> bytes:
    return (_MAILS / name).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
