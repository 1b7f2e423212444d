"""What two copies of one mail have in common, and two mails of one robot.

A mail to two of our addresses comes twice, each time with other trace fields. A robot that changes its address says
the same again, with another number in it.
"""

import hashlib
import re
import unicodedata

from mailroom.mail.entity import Entity

# What the writer's own program writes. All else may be added on the way, and differ between two copies.
_WRITTEN = frozenset(
    {
        *("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references"),
        *("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "autocrypt"),
    }
)
_LOOKED_AT = 4000  # characters
_LEAST = 20  # letters; what is shorter, two people may well say alike
_NO_LETTER = re.compile(r"[\W\d_]+")


def written(mail: Entity) -> str | None:
    """Give the SHA-256 (hex) of all that the writer's program wrote; None for a mail that no id or date tells apart.

    A mail list, a gateway or a virus scanner on one of the ways may change more than trace fields; then it is two
    mails, and both are filed.
    """
    names = {name for name, _ in mail.header}
    if not {"message-id", "date"} <= names:
        return None
    digest = hashlib.sha256()
    for name, value in mail.header:
        if name in _WRITTEN:
            digest.update(name.encode() + b":" + b" ".join(value.split()) + b"\n")
    digest.update(b"\n" + memoryview(mail.content)[mail.body :])
    return digest.hexdigest()


def wording(text: str) -> str | None:
    """Give the letters of a text alone, in lower case; None for a text too short to be known again."""
    letters = _NO_LETTER.sub("", unicodedata.normalize("NFKC", text[:_LOOKED_AT])).casefold()
    return letters if len(letters) >= _LEAST else None
