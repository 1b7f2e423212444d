"""S/MIME, which we cannot open: only recognised, so that it is not answered as if it had been read.

A multipart/signed mail is no concern of ours: its text is readable, and its signature is not checked.

See Also:
    RFC 8551 section 3.2 (application/pkcs7-mime and its file names), https://www.rfc-editor.org/rfc/rfc8551#section-3.2
"""

from typing import Literal

from mailroom.mail.body import file_name
from mailroom.mail.entity import Entity
from mailroom.mail.openpgp import parameter

_TYPES = {"application/pkcs7-mime", "application/x-pkcs7-mime"}


def smime(leaf: Entity) -> Literal["encrypted", "signed"] | None:
    """Say whether a part is an encrypted S/MIME message, or one whose text is wrapped in its signature.

    Some gateways make application/octet-stream of it; then the name tells. What is not said counts as encrypted.
    """
    kind = parameter(leaf, "smime-type")
    if leaf.type not in _TYPES:
        named = leaf.type == "application/octet-stream" and (file_name(leaf) or "").lower() == "smime.p7m"
        return "encrypted" if named else None
    if kind == "certs-only":
        return None
    return "signed" if kind == "signed-data" else "encrypted"
