"""The attacker's keyring: whatever he sends opens to whatever he likes, without a cipher in between."""

import re

from mailroom.errors import DecryptionFailed
from mailroom.flow.filing import Decrypted
from mailroom.mail.message import Signature, SignatureState

_FAILURES = ("no_key", "damaged", "unprotected", "too_large", "failed")
_STATES: tuple[SignatureState, ...] = ("none", "valid", "invalid", "unknown_key", "expired", "revoked")
_ARMOR = re.compile(rb"^[ \t]*-----[^\n]*(?:\n|\Z)", re.MULTILINE)


class AttackersKeyring:
    """Fits `flow.ports.Keyring`. A ciphertext is its own plaintext, without the lines of its armor.

    What the last byte says makes the verdict, so that a fuzzer reaches every one by changing one byte.
    """

    def decrypt(self, ciphertext: bytes) -> Decrypted:
        """Open; a plaintext that begins with "!" fails instead."""
        content = _ARMOR.sub(b"", ciphertext)
        if content.startswith(b"!"):
            raise DecryptionFailed(_FAILURES[len(content) % len(_FAILURES)])
        return Decrypted(content, content.endswith(b"w\n"), _signature(content))

    def signed_inside(self, ciphertext: bytes) -> bytes:
        """Give the plaintext as a signed message; what begins with "!" fails."""
        content = _ARMOR.sub(b"", ciphertext)
        return b"" if content.startswith(b"!") else content

    def verify(self, signed: bytes, signature: bytes) -> Signature:
        """Judge by the signature's bytes alone."""
        return _signature(signature) if signed else Signature("invalid")

    def verify_inline(self, armored: bytes) -> tuple[Signature, bytes]:
        """Judge, and call everything between the lines of the armor covered."""
        covered = _ARMOR.sub(b"", armored)
        return _signature(covered), covered


def _signature(content: bytes) -> Signature:
    state = _STATES[content.rstrip()[-1] % len(_STATES)] if content.strip() else "invalid"
    if state == "none":
        return Signature()
    return Signature(state, "A" * 40, ("writer@example.org", "Писатель@пример.example"), "id", "0" * 64)
