"""The ports: what the flow needs from the outside, as Protocols. Adapters in transport/ and records/ fit them.

Every method that waits takes its deadline from its adapter; none waits for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mailroom.mail.message import Arrival, Opened, RawMail, Signature


@dataclass(frozen=True, slots=True)
class Location:
    """Where a filed mail was moved to (COPYUID, RFC 4315 section 3)."""

    mailbox: str
    uidvalidity: int
    uid: int


class Mailbox(Protocol):
    """The inbox that we empty.

    See Also:
        RFC 3501, https://www.rfc-editor.org/rfc/rfc3501
    """

    async def arrivals(self) -> list[Arrival]:
        """List what lies in the inbox and is not marked deleted, oldest UID first.

        Raises:
            ServerUnreachable: there is no connection and none can be made.
            MailboxError: the server refused a step.
        """
        ...

    async def fetch(self, arrivals: Sequence[Arrival]) -> list[RawMail]:
        """Fetch the bytes without marking them seen; the caller bounds the sum of sizes.

        A message that is gone meanwhile is left out. Raises as `arrivals`.
        """
        ...

    async def fetch_beginning(self, arrival: Arrival) -> RawMail:
        """Fetch header and first text part of an oversize message, by BODYSTRUCTURE; `complete` is False."""
        ...

    async def delete(self, arrivals: Sequence[Arrival]) -> None:
        """Delete and expunge exactly these messages and no other, in one batch."""
        ...

    async def move(self, arrivals: Sequence[Arrival], folder: str) -> dict[Arrival, Location]:
        """Move exactly these messages to `folder` (made when missing); give the COPYUID where the server tells."""
        ...

    async def close(self) -> None:
        """Log out, or drop the connection within a second; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """One outgoing mail: envelope and rendered bytes. `sender` is the envelope sender ("" for null)."""

    sender: str
    recipient: str
    content: bytes = field(repr=False)


class Courier(Protocol):
    """Takes letters to the SMTP server, over one kept connection.

    See Also:
        RFC 5321, https://www.rfc-editor.org/rfc/rfc5321
    """

    async def send(self, letter: Letter) -> None:
        """Hand over one letter; returning means the server answered 250 to its bytes.

        Raises:
            ServerUnreachable: no connection; the letter was not tried.
            TemporaryFailure: not taken now.
            PermanentFailure: never to be taken.
        """
        ...

    async def close(self) -> None:
        """Say QUIT, or drop the connection within a second; never raises."""
        ...


class Opener(Protocol):
    """Opens one mail in a worker process that may die of it."""

    async def open(self, raw: RawMail) -> Opened:
        """Read, decrypt and judge one mail.

        Raises:
            OpeningFailed: the worker raised, hung, ran out of memory or died; the next mail is safe.
        """
        ...


@dataclass(frozen=True, slots=True)
class Decrypted:
    """An OpenPGP message that was opened whole, with exit status 0 and the expected status lines."""

    content: bytes = field(repr=False)
    weak: bool
    signature: Signature


class Keyring(Protocol):
    """GnuPG: everything that needs the desk key, and every verification. Synchronous; runs in the worker."""

    def decrypt(self, ciphertext: bytes) -> Decrypted:
        """Open an OpenPGP message (binary or armored) with the desk key, and judge a signature inside.

        Raises:
            DecryptionFailed: nothing of the output is kept after any failure.
        """
        ...

    def verify(self, signed: bytes, signature: bytes) -> Signature:
        """Judge a detached signature over exactly these bytes."""
        ...

    def verify_inline(self, armored: bytes) -> tuple[Signature, bytes]:
        """Judge a cleartext-signed message; give the verdict and exactly the bytes that it covers."""
        ...


class Signer(Protocol):
    """Signs with the desk key, by GnuPG."""

    async def sign(self, content: bytes) -> tuple[bytes, str]:
        """Make an armored detached signature over exactly `content`; give it with its micalg ("pgp-sha256")."""
        ...


class Encryptor(Protocol):
    """OpenPGP for public keys only, in process (Sequoia): sealing, notices, answers to a complainant's key."""

    def encrypt(self, content: bytes, certificates: Sequence[bytes], *, armor: bool) -> bytes:
        """Encrypt to every one of these certificates.

        Raises:
            EncryptionFailed: no certificate given, or one that cannot be encrypted to (expired, revoked, damaged).
        """
        ...

    def certificate_for(self, keys: bytes, address: str) -> bytes | None:
        """Find in `keys` (binary or armored) a usable certificate whose user id has exactly this address."""
        ...
