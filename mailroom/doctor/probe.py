"""A small mail of our own that goes through the mail servers, so that they show what they do with it."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes

from mailroom.config import Config
from mailroom.mail import compose
from mailroom.mail.compose import bounce_address

_TEXT = (
    "Mailroom wrote this to itself to see whether its mail servers work.\n"
    "It may be deleted. If the daemon files it, it stands there as mail of a machine and nobody is told.\n"
)


@dataclass(frozen=True, slots=True)
class Probe:
    """A mail from the desk to itself: it is recognised as our own, filed as such, and never answered.

    Its Message-ID has the form of our letters, so that a copy in the folder of `[imap] sent` is deleted like theirs.
    """

    message_id: str
    recipient: str
    content: bytes = field(repr=False)


def new_probe(config: Config, now: datetime, *, suffix: bool) -> Probe:
    """Write a probe to the desk's address, or, with `suffix`, to a bounce address of its own."""
    address = config.service.address
    recipient = bounce_address(address, word()) if suffix else address
    header = compose.Header(
        sender_address=address,
        sender_name=config.service.name,
        to=recipient,
        subject="Test",
        message_id=f"{word()}@{config.desk_domain}",
        date=now,
        automatic=True,
    )
    return Probe(header.message_id, recipient, compose.plain(header, _TEXT))


def word() -> str:
    """Draw a random word of 24 letters and digits, as our Message-IDs and bounce tokens are."""
    return base64.b32encode(token_bytes(15)).decode().lower()
