"""The two people of the demo who have an OpenPGP key: the record keeper, and one complainant who writes encrypted."""

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from mailroom.errors import DecryptionFailed
from mailroom.flow.unwrapping import unwrap
from mailroom.mail.entity import read_entity
from mailroom.mail.parse import parse, parse_entity
from mailroom.mail.protected import protected
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.gnupg_home import DeskHome

_MAX_OUTPUT = 10_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A mail on somebody's screen. `protection` is "" for a mail that everybody on the way can read."""

    subject: str
    text: str = field(repr=False)
    message_id: str
    protection: str


@dataclass(frozen=True, slots=True)
class Correspondent:
    """A person with a key and a mail program. `certificate` is binary."""

    keyring: GnuPG = field(repr=False)
    home: DeskHome = field(repr=False)
    fingerprint: str
    certificate: bytes = field(repr=False)

    def read(self, content: bytes) -> Read:
        """Open a mail with this person's key.

        Raises:
            DecryptionFailed: it was not encrypted to her.
        """
        found = unwrap(read_entity(content), self.keyring)
        if found is None:
            return read_plain(content)
        if not found.cleartexts:
            raise DecryptionFailed(found.failure or "failed")
        opened = parse_entity(found.root, parse(content), protected(found.payload).subject if found.payload else None)
        signature = f", the desk's signature is {found.verdicts[0].signature.state}" if found.verdicts else ""
        return Read(opened.subject, opened.text, opened.message_id or "", f"opened with her own key{signature}")

    def open(self, sealed: bytes) -> bytes:
        """Open an OpenPGP message with this person's key. Raises as `read`."""
        return self.keyring.decrypt(sealed).content


def correspondent(home: Path, address: str, name: str) -> Correspondent:
    """Make a fresh key in an empty home of gpg."""
    desk_home = DeskHome(home)
    fingerprint = desk_home.generate_desk_key(address, name)
    keyring = GnuPG(home, fingerprint, None, _MAX_OUTPUT)
    return Correspondent(keyring, desk_home, fingerprint, desk_home.certificate(fingerprint))


def read_plain(content: bytes) -> Read:
    """Read a mail without any key."""
    mail = _parsed(content)
    text = _text(content) if mail.get_content_maintype() == "text" else ""
    return Read(str(mail["Subject"]), text, str(mail["Message-ID"]).strip("<>"), "")


def _text(content: bytes) -> str:
    body = _parsed(content).get_body(("plain",))
    return str(body.get_content()) if isinstance(body, EmailMessage) else ""


def _parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)
