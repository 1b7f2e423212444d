"""The ports: what the flow needs from the outside, as Protocols. Adapters in transport/ and records/ fit them.

Every method that waits takes its deadline from its adapter; none waits for ever.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mailroom.flow.filing import Decrypted, Letter, Location, Understood
from mailroom.flow.ports_records import Arrivals, Cases, Outbox
from mailroom.mail.message import Arrival, RawMail, Signature

__all__ = [
    "Arrivals",
    "Cases",
    "Courier",
    "Encryptor",
    "Keyring",
    "Machine",
    "Mailbox",
    "Opener",
    "Outbox",
    "Signer",
]


class Mailbox(Protocol):
    """The inbox that we empty.

    See Also:
        RFC 3501, https://www.rfc-editor.org/rfc/rfc3501
    """

    async def arrivals(self) -> list[Arrival]:
        """List what lies in the inbox, oldest UID first; what is marked deleted too, as such.

        Raises:
            ServerUnreachable: there is no connection and none can be made.
            MailboxError: the server refused a step.
        """
        ...

    async def junk(self) -> list[Arrival]:
        """List likewise what lies in the folder of suspected spam; nothing where there is none."""
        ...

    async def fetch(self, arrivals: Sequence[Arrival]) -> list[RawMail]:
        """Fetch the bytes without marking them seen; the caller bounds the sum of sizes.

        All of one folder, here and in what follows.

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

    async def delete_copies(self, folder: str, is_ours: Callable[[str], bool]) -> int:
        """Delete from `folder` what has a Message-ID (bare) that `is_ours`, and no other; give how many those were."""
        ...

    async def news(self, seconds: float) -> None:
        """Wait until the server tells of new mail in the inbox, at most `seconds`.

        Ends at once when it has told so since the last listing. Raises as `arrivals`.
        """
        ...

    def certificate_expires(self) -> int | None:
        """Unix time at which the certificate of the server ends that we met last; None without TLS."""
        ...

    async def close(self) -> None:
        """Log out, or drop the connection within a second; never raises."""
        ...


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

    def certificate_expires(self) -> int | None:
        """Unix time at which the certificate of the server ends that we met last; None without TLS."""
        ...

    async def close(self) -> None:
        """Say QUIT, or drop the connection within a second; never raises."""
        ...


class Opener(Protocol):
    """Opens one mail in a worker process that may die of it."""

    async def open(self, raw: RawMail) -> Understood:
        """Read, decrypt and judge one mail, and say what it is about.

        Raises:
            OpeningFailed: the worker raised, hung, ran out of memory or died; the next mail is safe.
            WorkersBroken: no worker could be started; the mail was not touched.
        """
        ...


class Keyring(Protocol):
    """GnuPG: everything that needs the desk key, and every verification. Synchronous; runs in the worker."""

    def decrypt(self, ciphertext: bytes, /) -> Decrypted:
        """Open an OpenPGP message (binary or armored) with the desk key, and judge a signature inside.

        Raises:
            DecryptionFailed: nothing of the output is kept after any failure.
        """
        ...

    def signed_inside(self, ciphertext: bytes, /) -> bytes:
        """Take the encryption off a message, and give the signed message inside as it is; b"" when that fails."""
        ...

    def verify(self, signed: bytes, signature: bytes, /) -> Signature:
        """Judge a detached signature over exactly these bytes."""
        ...

    def verify_inline(self, armored: bytes, /) -> tuple[Signature, bytes]:
        """Judge a cleartext-signed message; give the verdict and exactly the bytes that it covers."""
        ...


class Signer(Protocol):
    """Signs with the desk key, by GnuPG."""

    async def sign(self, content: bytes) -> tuple[bytes, str]:
        """Make an armored detached signature over exactly `content`; give it with its micalg ("pgp-sha256").

        Raises:
            EncryptionFailed: the desk key cannot sign (expired, or its passphrase is wrong).
        """
        ...


class Encryptor(Protocol):
    """OpenPGP for public keys only, in process (Sequoia): sealing, notices, answers to a complainant's key."""

    def encrypt(self, content: bytes, certificates: Sequence[bytes], *, armor: bool) -> bytes:
        """Encrypt to every one of these certificates.

        Raises:
            EncryptionFailed: no certificate given, or one that cannot be encrypted to (expired, revoked, damaged).
        """
        ...

    def seal(self, content: bytes, certificates: Sequence[bytes]) -> bytes:
        """Encrypt for the archive: like `encrypt`, but also to a certificate that has expired meanwhile.

        Its owner still has the private key. An expiry reminds her to renew it; it must not weaken the archive.

        Raises:
            EncryptionFailed: no certificate given, or one that is revoked, damaged or only signs.
        """
        ...

    def expired(self, certificate: bytes) -> bool:
        """Whether this certificate has expired."""
        ...

    def certificate_for(self, keys: bytes, address: str) -> bytes | None:
        """Find in `keys` (binary or armored) a usable certificate whose user id has exactly this address."""
        ...

    def signed_by(self, certificate: bytes, content: bytes, detached: bytes | None) -> bool:
        """Whether this certificate signed `content`: by a detached signature, or as the OpenPGP message that it is."""
        ...


class Machine(Protocol):
    """The machine that we run on: its disk, its clock, the keys on it, and who watches over us there."""

    def ticks(self) -> float:
        """Give seconds that no change of the clock touches; they count from some moment."""
        ...

    def disk_free(self) -> float:
        """Give the free share of the disk that the records are on, 0 to 1."""
        ...

    async def key_expiries(self) -> list[tuple[str, int]]:
        """Give what each key is that expires, in words, and when, as Unix seconds."""
        ...

    def recall(self) -> dict[str, int]:
        """Give what was noted last; nothing when nothing was, or when it cannot be read."""
        ...

    def note(self, told: Mapping[str, int]) -> None:
        """Remember over a restart what the admins were told, and when. A full disk is no error."""
        ...

    def beat(self) -> None:
        """Touch the heartbeat file, if there is one. A full disk is no error."""
        ...

    def notify(self, state: str) -> None:
        """Tell the service manager, if there is one (`READY=1`, `WATCHDOG=1`).

        See Also:
            sd_notify(3), https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
        """
        ...
