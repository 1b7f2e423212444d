"""The OpenPGP keys that come with a mail: attached, in its text, or in its Autocrypt field.

See Also:
    RFC 3156 section 7 (keys as parts), https://www.rfc-editor.org/rfc/rfc3156#section-7
    Autocrypt Level 1, https://docs.autocrypt.org/level1.html
"""

import base64
import binascii
import re
from hashlib import sha1, sha256

from mailroom.mail import openpgp
from mailroom.mail.entity import Entity, read_mail

_MAX_KEYS_BYTES = 1_048_576
_MAX_AUTOCRYPT = 10_240  # Autocrypt Level 1 section 2.1
_AUTOCRYPT = {"addr", "prefer-encrypt", "keydata"}
_BEGIN = re.compile(rb"^[ \t]*-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?$", re.MULTILINE)
_END = re.compile(rb"^[ \t]*-----END PGP PUBLIC KEY BLOCK-----[ \t]*\r?(?:\n|\Z)", re.MULTILINE)


def attached_keys(mail: bytes | Entity) -> bytes | None:
    """Give the public keys that came with a mail: parts of type application/pgp-keys, else the first armored block.

    None when there are none, or more than 1 MiB of them. What a forwarded mail brings is not looked at.
    """
    root = mail if isinstance(mail, Entity) else read_mail(mail)
    leaves = [leaf for leaf in root.leaves() if leaf.type != "message/rfc822"]
    keys = [openpgp.body(leaf) for leaf in leaves if leaf.type == "application/pgp-keys"]
    if not keys:
        keys = [block for leaf in leaves if (block := _block(_may_hold(leaf)))][:1]
    together = b"\n".join(keys)
    return together if keys and len(together) <= _MAX_KEYS_BYTES else None


def armored(certificate: bytes) -> bytes:
    """Write a binary certificate as text, for a part of type application/pgp-keys; CRLF line ends."""
    lines = base64.encodebytes(certificate).decode("ascii").splitlines()
    block = ["-----BEGIN PGP PUBLIC KEY BLOCK-----", "", *lines, "-----END PGP PUBLIC KEY BLOCK-----", ""]
    return "\r\n".join(block).encode("ascii")


def fingerprint(certificate: bytes) -> str:
    """Reckon the primary fingerprint of a binary certificate, in upper case; "" for what is none.

    RFC 9580 section 5.5.4, https://www.rfc-editor.org/rfc/rfc9580#section-5.5.4
    """
    start, length = _first_packet(certificate)
    body = certificate[start : start + length]
    if body[:1] == b"\x04" and length < 65_536:
        return sha1(b"\x99" + length.to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()
    return sha256(b"\x9b" + length.to_bytes(4, "big") + body).hexdigest().upper() if body[:1] == b"\x06" else ""


def _first_packet(content: bytes) -> tuple[int, int]:
    """Give where the body of the first packet begins and how long it is (RFC 9580 section 4.2)."""
    if len(content) < 6:
        return 0, 0
    first, second = content[0], content[1]
    if first & 0x40:
        if second < 224:
            return (2, second) if second < 192 else (3, (second - 192) * 256 + content[2] + 192)
        return 6, int.from_bytes(content[2:6], "big")
    octets = 1 << (first & 3)
    return 1 + octets, int.from_bytes(content[1 : 1 + octets], "big")


def _may_hold(leaf: Entity) -> bytes:
    """Give the bytes of a part that may hold a key: any plain text, and a file that begins with one."""
    begins = openpgp.peek(leaf).lstrip().startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")
    return openpgp.body(leaf) if begins or leaf.type == "text/plain" else b""


def _block(text: bytes) -> bytes | None:
    begin = _BEGIN.search(text)
    end = _END.search(text, begin.end()) if begin else None
    return text[begin.start() : end.end()] if begin and end else None


def autocrypt_key(value: str, sender: str) -> bytes | None:
    """Read one Autocrypt field of a mail from `sender`; give the binary certificate, or None.

    None when the field is for another address (case ignored), repeats an attribute, has an unknown one that does
    not begin with "_", is longer than 10 KiB, or has no sound key. That a mail has several such fields is for the
    caller to refuse.
    """
    pairs = [part.partition("=") for part in value.split(";") if part.strip()]
    attributes = {name.strip().lower(): content.strip() for name, _, content in pairs}
    critical = {name for name in attributes if not name.startswith("_")}
    if len(attributes) != len(pairs) or not critical <= _AUTOCRYPT or len(value) > _MAX_AUTOCRYPT:
        return None
    if attributes.get("addr", "").casefold() != sender.casefold():
        return None
    code = "".join(attributes.get("keydata", "").split())
    try:
        return binascii.a2b_base64(code.encode(), strict_mode=True) or None
    except (binascii.Error, UnicodeEncodeError):
        return None
