"""Reads letters as the people do who get them."""

from email import message_from_bytes
from email.message import Message
from pathlib import Path

from tests.gnupg_home import gpg


def opened_letter(people: Path, content: bytes) -> str:
    """Decrypt a PGP/MIME letter with the keys in `people`; give its text."""
    mail = message_from_bytes(content)
    assert mail.get_content_type() == "multipart/encrypted"
    ciphertext = mail.get_payload(1)
    assert isinstance(ciphertext, Message)
    return body(message_from_bytes(gpg(people, "--decrypt", stdin=ciphertext.get_payload(decode=True))))  # type: ignore[arg-type]  # bytes


def body(mail: Message) -> str:
    """Give the text of a mail or an entity: its first part, where a file came along."""
    content = next(part for part in mail.walk() if not part.is_multipart()).get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode().replace("\r\n", "\n")
