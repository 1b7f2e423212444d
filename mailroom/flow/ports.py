"""The ports: what the flow needs from the outside, as Protocols. Adapters in transport/ and records/ fit them.

Every method that waits takes its deadline from its adapter; none waits for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mailroom.flow.filing import Budget, Case, Due, Filed, Filing, Letter, Location, Outgoing, Sorted, Understood
from mailroom.mail.message import Arrival, RawMail, Signature


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

    async def open(self, raw: RawMail) -> Understood:
        """Read, decrypt and judge one mail, and say what it is about.

        Raises:
            OpeningFailed: the worker raised, hung, ran out of memory or died; the next mail is safe.
            WorkersBroken: no worker could be started; the mail was not touched.
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

    def decrypt(self, ciphertext: bytes, /) -> Decrypted:
        """Open an OpenPGP message (binary or armored) with the desk key, and judge a signature inside.

        Raises:
            DecryptionFailed: nothing of the output is kept after any failure.
        """
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


class Arrivals(Protocol):
    """What became of each message of the inbox, so that none is filed twice and a killer mail is known."""

    async def sort(self, listing: Sequence[Arrival]) -> Sorted:
        """Hold the listing against what is known; forget rows of messages that are gone from it.

        What was in work when the desk last died counts as a suspect, once.
        """
        ...

    async def known(self, batch: Sequence[Arrival]) -> Sorted:
        """Tell what became of these, without forgetting or judging any."""
        ...

    async def start(self, arrivals: Sequence[Arrival], *, alone: bool) -> None:
        """Note, durably, that work on these begins."""
        ...

    async def suspect(self, arrival: Arrival, *, alone: bool) -> int:
        """Note that work on this one failed while the desk lived; give how often that was while it was alone."""
        ...

    async def desk_deaths(self, arrival: Arrival) -> int:
        """How often the whole desk died while this one was alone in work."""
        ...

    async def release(self, arrivals: Sequence[Arrival]) -> None:
        """Forget that work on these began: nothing is wrong with them, they are left for later."""
        ...

    async def removed(self, locations: Mapping[Arrival, Location | None]) -> None:
        """Note that these left the inbox, and where they went."""
        ...

    async def end(self) -> None:
        """Note a clean end of the desk: what is still in work is no suspect because of it."""
        ...


class Cases(Protocol):
    """The case records, as the flow needs them."""

    def open(self) -> Case:
        """Make the identity of a new case: a reference and a case key that is safely on disk."""
        ...

    def message_id(self, case: Case, kind: str, sequence: int, domain: str) -> str:
        """Give the fixed Message-ID (bare) of a letter of this case: the same at every try."""
        ...

    def token(self, case: Case, kind: str, sequence: int) -> str:
        """Give the fixed token for the bounce address of a letter of this case."""
        ...

    async def seen(self, raw: RawMail) -> bool:
        """Whether exactly these bytes were filed before; if so, this arrival is noted as filed."""
        ...

    async def by_reference(self, reference: str) -> Case | None:
        """Find a case by what stands in a subject: any case, missing dashes; None when there is none."""
        ...

    async def by_message_ids(self, ids: Sequence[str]) -> Case | None:
        """Find the case that one of these Message-IDs (bare, newest last) belongs to."""
        ...

    async def by_bounce_token(self, token: str) -> Case | None:
        """Find the case that a letter with this bounce token belongs to."""
        ...

    async def by_notice_token(self, token: str) -> Case | None:
        """Find the case that a notice with this bounce token is about."""
        ...

    async def wrote(self, case: Case, address: str) -> bool:
        """Whether this address wrote to this case."""
        ...

    async def sequence(self, case: Case, kind: str) -> int:
        """The next free sequence number for letters of this kind in this case, from 1."""
        ...

    async def budget(self, address: str, *, vouched: bool) -> Budget:
        """Count the automatic replies given to this address today and to its domain this hour.

        Mail whose sender somebody vouches for has a budget of its own.
        """
        ...

    async def file(self, filing: Filing) -> Filed:
        """Commit case, message, sealed contents, hashes, outbox rows and audit entry in one transaction."""
        ...

    async def refile(self, filing: Filing, number: int) -> None:
        """Put what was read at last in the place of what is kept of message `number`, in one transaction."""
        ...

    async def give_up(self, due: Due, code: int, case: Case, outgoing: Sequence[Outgoing]) -> None:
        """Note that a letter will never go, and put the letters that tell of it into the outbox, in one transaction."""
        ...

    async def post(self, case: Case, outgoing: Sequence[Outgoing]) -> None:
        """Put more letters of a case into the outbox."""
        ...

    async def read_back(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Read back what was sealed of these arrivals; give those that may leave the inbox.

        A sealed copy that does not open, or whose content has another SHA-256 than what arrived, is left out.
        """
        ...


class Outbox(Protocol):
    """Letters that wait, sealed, until the SMTP server took them."""

    async def due(self, now: int, *, automatic: bool, limit: int) -> list[Due]:
        """Give letters to be tried at Unix time `now`, oldest first; `automatic` False leaves automatic ones out."""
        ...

    async def sent(self, letters: Sequence[Due]) -> None:
        """Note that the server took them; their bytes are forgotten."""
        ...

    async def later(self, due: Due, at: int) -> None:
        """Try again at Unix time `at`."""
        ...

    async def failed(self, due: Due, code: int) -> None:
        """Note that it will never go; its bytes are kept for the keeper."""
        ...

    async def counts(self) -> tuple[int, int]:
        """Count the letters that wait for the server, and those that are held for the keeper."""
        ...
