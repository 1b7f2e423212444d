"""Sequoia through pysequoia: OpenPGP for public keys only, in this process. No keyring, no file, no secret key.

What Sequoia leaves to its caller is done here: it encrypts to an expired and even to a revoked certificate, and
to an expired subkey when there is no better one. Its error texts hold certificates' names and stack traces, so
they end here too.

A panic in Sequoia's Rust code would come as `pyo3_runtime.PanicException`, which derives from BaseException. It
is not caught here: Sequoia parses hostile certificates without panicking as far as we have seen, and one that
does panic must end the worker that met it, which is what workers are for.

See Also:
    RFC 9580, https://www.rfc-editor.org/rfc/rfc9580
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock

import pysequoia
from pysequoia.packet import Packet, PacketPile, SignatureType, Tag

from mailroom.errors import EncryptionFailed

_CACHED = 256
# No certificate that came with a mail needs more; longer ones are somebody's flood of signatures.
_MAX_KEYS_BYTES = 1_048_576
_MAX_CERTIFICATES = 20
_ADDRESS = re.compile(r"(?:[^<>]*<)?([^<>\s@]+@[^<>\s@]+)>?\s*", re.ASCII)
# pyo3 gives these no hash, so they are compared one by one.
_BINDINGS = (
    SignatureType.SubkeyBinding,
    SignatureType.DirectKey,
    SignatureType.PositiveCertification,
    SignatureType.GenericCertification,
    SignatureType.CasualCertification,
    SignatureType.PersonaCertification,
)
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Recipient:
    """A parsed certificate that is not revoked, and the moment until which it can be encrypted to."""

    cert: pysequoia.Cert
    until: datetime


class Sequoia:
    """Encrypts to certificates given as bytes; fits `flow.ports.Encryptor`. Safe to use from several threads."""

    def __init__(self) -> None:
        self._parsed: OrderedDict[bytes, _Recipient] = OrderedDict()
        self._lock = Lock()

    def encrypt(self, content: bytes, certificates: Sequence[bytes], *, armor: bool) -> bytes:
        """Encrypt to every one of these certificates (binary or armored).

        Raises:
            EncryptionFailed: no certificate given, or one that is damaged, revoked, expired or only signs.
        """
        return self._encrypt(content, [self._living(certificate) for certificate in certificates], armor=armor)

    def seal(self, content: bytes, certificates: Sequence[bytes]) -> bytes:
        """Encrypt to every one of these certificates, binary, also to those that have expired meanwhile.

        Raises:
            EncryptionFailed: no certificate given, or one that is damaged, revoked or only signs.
        """
        return self._encrypt(content, [self._cached(certificate) for certificate in certificates], armor=False)

    def expired(self, certificate: bytes) -> bool:
        """Whether this certificate, or the last of its keys for encryption, has expired.

        Raises:
            EncryptionFailed: it is damaged or revoked.
        """
        return self._cached(certificate).until <= datetime.now(UTC)

    @staticmethod
    def _encrypt(content: bytes, recipients: Sequence[_Recipient], *, armor: bool) -> bytes:
        if not recipients:
            raise EncryptionFailed("Nothing was encrypted: no certificate was given.")
        try:
            return pysequoia.encrypt(content, [recipient.cert for recipient in recipients], armor=armor)
        except RuntimeError:  # the one error of pysequoia; its text names the certificate
            raise EncryptionFailed("A recipient's certificate cannot be encrypted to: it has no usable key.") from None

    def certificate_for(self, keys: bytes, address: str) -> bytes | None:
        """Find in `keys` (binary or armored) the first usable certificate with a user id of exactly `address`.

        Upper and lower case are the same. Usable means not revoked, not expired, and encrypted to on trial. The
        answer is binary and holds no secret key, even where `keys` do. Never raises.
        """
        if len(keys) > _MAX_KEYS_BYTES:
            return None
        return next((found for found in map(self._usable, _named(keys, address)) if found), None)

    def signed_by(self, certificate: bytes, content: bytes, detached: bytes | None) -> bool:
        """Whether this certificate signed `content`: by a detached signature, or as the OpenPGP message that it is.

        It tells that a key and a mail have the same owner, and no more: who that is, a key says only of itself. gpg
        verifies what counts as proof. Never raises.
        """
        try:
            cert = pysequoia.Cert.from_bytes(certificate)
            if detached is None:
                found = pysequoia.verify(content, store=lambda _ids: [cert])
            else:
                signature = pysequoia.Sig.from_bytes(detached)
                found = pysequoia.verify(content, store=lambda _ids: [cert], signature=signature)
        except RuntimeError:  # the one error of pysequoia
            return False
        return bool(found.valid_sigs)

    def _usable(self, certificate: bytes) -> bytes | None:
        try:
            self.encrypt(b"", [certificate], armor=False)
        except EncryptionFailed:
            return None
        return certificate

    def _living(self, certificate: bytes) -> _Recipient:
        if self.expired(certificate):
            raise EncryptionFailed("A recipient's certificate has expired: ask its owner for a renewed one.")
        return self._cached(certificate)

    def _cached(self, certificate: bytes) -> _Recipient:
        name = sha256(certificate).digest()
        with self._lock:
            if name in self._parsed:
                self._parsed.move_to_end(name)
                return self._parsed[name]
        recipient = _read(certificate)
        with self._lock:
            self._parsed[name] = recipient
            while len(self._parsed) > _CACHED:
                self._parsed.popitem(last=False)
        return recipient


def _read(certificate: bytes) -> _Recipient:
    try:
        (cert,) = pysequoia.Cert.split_bytes(certificate)
        until, revoked = _until(cert), cert.is_revoked
    except (RuntimeError, ValueError):  # ValueError: none or several
        raise EncryptionFailed("A recipient's certificate is damaged, or is not exactly one.") from None
    if revoked:
        raise EncryptionFailed("A recipient's certificate was revoked: ask its owner for the new one.")
    return _Recipient(cert, until)


def _until(cert: pysequoia.Cert) -> datetime:
    """Give the moment when the certificate, or the last of its keys for encryption, ends."""
    ends = [
        key.key_created + binding.key_validity_period if key.key_created and binding.key_validity_period else _FOR_EVER
        for key, binding in _bindings(cert)
        if binding.key_flags and (binding.key_flags.transport_encryption or binding.key_flags.storage_encryption)
    ]
    # Without any key flags there is nothing to reckon with: whether it can be encrypted to, Sequoia tells.
    return min(cert.expiration or _FOR_EVER, max(ends, default=_FOR_EVER))


def _bindings(cert: pysequoia.Cert) -> Iterator[tuple[Packet, Packet]]:
    """Pair every key of the certificate with its current binding; Sequoia puts the newest signature first."""
    key: Packet | None = None
    for packet in PacketPile.from_bytes(bytes(cert)):
        if packet.tag in (Tag.PublicKey, Tag.PublicSubkey):
            key = packet
        elif key is not None and packet.signature_type in _BINDINGS and packet.key_flags:
            yield key, packet
            key = None


def _named(keys: bytes, address: str) -> Iterator[bytes]:
    wanted = address.casefold()
    try:
        for cert in pysequoia.Cert.split_bytes(keys)[:_MAX_CERTIFICATES]:
            if any(_address(str(user_id)) == wanted for user_id in cert.user_ids):
                yield bytes(cert)
    except RuntimeError:  # not OpenPGP, or damaged
        return


def _address(user_id: str) -> str | None:
    """Give the address of a user id in lower case; None when it has none, or two."""
    found = _ADDRESS.fullmatch(user_id)
    return found.group(1).casefold() if found else None
