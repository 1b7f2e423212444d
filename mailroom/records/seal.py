"""The two sealing layers (docs/archive-format.md).

Outer layer: AES-256-GCM under the case's own key. Inner layer, for content: an OpenPGP message to the archive
keys. A sealed thing starts with a header that names every key generation it needs:

    b"MRS" | format 1 byte (1) | archive generation 4 bytes (0: no inner layer) | case key id 16 bytes | nonce 12 bytes

and its associated data is that header and the thing's place ("K7QD-3M9X-T/17/original"), so that no sealed thing
can be put in another's place.
"""

import json
import secrets
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mailroom.errors import SealError
from mailroom.records.keystore import KeyStore

_MAGIC = b"MRS\x01"
_HEADER = 4 + 4 + 16 + 12


@dataclass(frozen=True, slots=True)
class Header:
    """What a sealed thing says of itself. `archive_generation` 0 means: sealed with the case key only."""

    archive_generation: int
    key_id: bytes
    nonce: bytes

    def packed(self) -> bytes:
        """Give the header's bytes."""
        return _MAGIC + struct.pack(">I", self.archive_generation) + self.key_id + self.nonce


def read_header(sealed: bytes) -> Header:
    """Read the header of a sealed thing.

    Raises:
        SealError: this is no sealed thing of this version.
    """
    if len(sealed) < _HEADER or sealed[:4] != _MAGIC:
        raise SealError("these bytes are not a sealed thing of this version")
    return Header(struct.unpack(">I", sealed[4:8])[0], sealed[8:24], sealed[24:_HEADER])


class Sealer:
    """Closes and opens the outer layer with keys from the key store."""

    def __init__(self, keystore: KeyStore) -> None:
        self._keystore = keystore

    def close(self, content: bytes, key_id: bytes, place: str, archive_generation: int = 0) -> bytes:
        """Seal `content` for one place with the case key `key_id`."""
        header = Header(archive_generation, key_id, secrets.token_bytes(12))
        key = AESGCM(self._keystore.case_key(key_id))
        start = header.packed()
        return start + key.encrypt(header.nonce, content, start + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Open the outer layer.

        Raises:
            SealError: altered, moved to another place, or its key was destroyed.
        """
        header = read_header(sealed)
        key = AESGCM(self._keystore.case_key(header.key_id))
        try:
            return key.decrypt(header.nonce, sealed[_HEADER:], sealed[:_HEADER] + place.encode())
        except InvalidTag:
            raise SealError("a sealed thing does not open: it was altered or moved") from None

    def close_json(self, value: object, key_id: bytes, place: str) -> bytes:
        """Seal a JSON value with the case key only: what the daemon itself needs while a case is open."""
        return self.close(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), key_id, place)

    def open_json(self, sealed: bytes, place: str) -> dict[str, object]:
        """Open a JSON object that `close_json` sealed."""
        value = json.loads(self.open(sealed, place))
        if not isinstance(value, dict):
            raise SealError("a sealed record holds no JSON object")
        return value
