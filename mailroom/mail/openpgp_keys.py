"""The OpenPGP keys that come with a mail: attached, in its text, or in its Autocrypt field.

See Also:
    RFC 3156 section 7 (keys as parts), https://www.rfc-editor.org/rfc/rfc3156#section-7
    Autocrypt Level 1, https://docs.autocrypt.org/level1.html
"""

import binascii
import re

from mailroom.mail import openpgp
from mailroom.mail.entity import Entity, header_start, read_entity

_MAX_KEYS_BYTES = 1_048_576
_AUTOCRYPT = {"addr", "prefer-encrypt", "keydata"}
_BEGIN = re.compile(rb"^[ \t]*-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?$", re.MULTILINE)
_END = re.compile(rb"^[ \t]*-----END PGP PUBLIC KEY BLOCK-----[ \t]*\r?(?:\n|\Z)", re.MULTILINE)


def attached_keys(content: bytes) -> bytes | None:
    """Give the public keys that came with a mail: parts of type application/pgp-keys, else the first armored block.

    None when there are none, or more than 1 MiB of them. What a forwarded mail brings is not looked at.
    """
    leaves = [leaf for leaf in read_entity(content, header_start(content)).leaves() if leaf.type != "message/rfc822"]
    keys = [openpgp.body(leaf) for leaf in leaves if leaf.type == "application/pgp-keys"]
    if not keys:
        keys = [block for leaf in leaves if (block := _block(_armored(leaf)))][:1]
    together = b"\n".join(keys)
    return together if keys and len(together) <= _MAX_KEYS_BYTES else None


def _armored(leaf: Entity) -> bytes:
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
    not begin with "_", or has no sound key. That a mail has several such fields is for the caller to refuse.
    """
    pairs = [part.partition("=") for part in value.split(";") if part.strip()]
    attributes = {name.strip().lower(): content.strip() for name, _, content in pairs}
    critical = {name for name in attributes if not name.startswith("_")}
    if len(attributes) != len(pairs) or not critical <= _AUTOCRYPT:
        return None
    if attributes.get("addr", "").casefold() != sender.casefold():
        return None
    code = "".join(attributes.get("keydata", "").split())
    try:
        return binascii.a2b_base64(code.encode(), strict_mode=True) or None
    except (binascii.Error, UnicodeEncodeError):
        return None
