"""What GnuPG's status lines and exit status mean. Pure: no process is started here.

python-gnupg's own verdicts are not used: its `ok` forgets the exit status and its `status` calls a signature of
an expired key valid. Here a thing counts only when every expected line is there, exactly once, and gpg ended
with 0; everything else is a failure.

See Also:
    doc/DETAILS of GnuPG, https://github.com/gpg/gnupg/blob/master/doc/DETAILS
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import unquote

from mailroom.mail.message import Signature, SignatureState

_STATES: dict[str, SignatureState] = {
    "GOODSIG": "valid",
    "EXPSIG": "expired",
    "EXPKEYSIG": "expired",
    "REVKEYSIG": "revoked",
    "BADSIG": "invalid",
    "ERRSIG": "invalid",
}
_NO_PUBLIC_KEY = "9"  # GPG_ERR_NO_PUBKEY, field 6 of ERRSIG
_OVER_DOCUMENTS = {"00", "01"}  # signatures over bytes and over text (RFC 9580 section 5.2.1)
# IDEA, TripleDES, CAST5 and Blowfish: 64-bit blocks; RFC 9580 section 9.3 forbids to encrypt with the first three.
_OLD_CIPHERS = {"1", "2", "3", "4"}
# gpg stops before --max-output by up to one of its buffers.
_BUFFER = 65_536
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_ADDRESS = re.compile(r"(?:[^<>]*<)?([^<>\s@]+@[^<>\s@]+)>?\s*")
_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Run:
    """One finished gpg process: exit status (negative: killed), status lines (keyword, rest), standard output."""

    exit_status: int
    lines: tuple[tuple[str, str], ...]
    output: bytes = field(repr=False)

    def values(self, keyword: str) -> list[str]:
        """Give the rest of every status line with this keyword."""
        return [rest for name, rest in self.lines if name == keyword]

    def value(self, keyword: str) -> str:
        """Give the rest of the one status line with this keyword; "" when there is none, or several."""
        found = self.values(keyword)
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class Key:
    """A key in the desk's home. `expires` is None for never; `secret`: its private half is here."""

    fingerprint: str
    addresses: tuple[str, ...]
    created: datetime
    expires: datetime | None
    secret: bool
    revoked: bool


def failure(run: Run, max_output: int, *, signed: bool = False) -> str | None:
    """Say why a decryption failed, in the words of `DecryptionFailed`; None when it is sound.

    Sound is: encrypted and integrity protected, one plaintext inside, nothing outside, and exit status 0. Sound too
    is one plaintext that was not encrypted, when a signature was seen with it (`signed`): it never passes for an
    encrypted one. Unsigned text is not: gpg stops behind it, and would not tell that something encrypted follows.
    """
    facts = run.value("DECRYPTION_INFO").split()
    names = [name for name, _ in run.lines if name in {"BEGIN_DECRYPTION", "PLAINTEXT", "END_DECRYPTION"}]
    if signed and _is_not_encrypted(run):
        return None if run.exit_status == 0 and names == ["PLAINTEXT"] else "damaged"
    if run.exit_status == 0 and facts and _is_protected(facts) and _is_whole(run, names):
        return None
    if run.exit_status < 0 or not facts or run.values("NEED_PASSPHRASE_SYM"):
        return _unopened(run)
    if not _is_protected(facts):
        return "unprotected"
    return "too_large" if _is_cut(run, max_output) else "damaged"


def _is_not_encrypted(run: Run) -> bool:
    """Tell a message without any layer of encryption: gpg found no session key, and looked for none."""
    asked = ("ENC_TO", "NEED_PASSPHRASE_SYM", "BEGIN_DECRYPTION", "DECRYPTION_INFO", "NO_SECKEY")
    return bool(run.values("PLAINTEXT")) and not any(run.values(name) for name in asked)


def _is_whole(run: Run, names: list[str]) -> bool:
    integrity = len(run.values("DECRYPTION_OKAY")) == len(run.values("GOODMDC")) == 1
    return integrity and names == ["BEGIN_DECRYPTION", "PLAINTEXT", "END_DECRYPTION"]


def _is_protected(facts: list[str]) -> bool:
    """DECRYPTION_INFO: the MDC method (0: none), the cipher, and the AEAD mode (0 or missing: none)."""
    return facts[0] != "0" or facts[2:3] not in ([], ["0"])


def _unopened(run: Run) -> str:
    """No session key was found: not encrypted at all, not for us, or gpg could not use the key. Or several were."""
    if run.values("NEED_PASSPHRASE_SYM"):  # a password that did not fit leaves a DECRYPTION_INFO behind
        return "no_key" if run.values("ENC_TO") else "symmetric"
    if run.values("DECRYPTION_INFO"):
        return "damaged"
    if run.values("PLAINTEXT"):
        return "unprotected"
    if run.exit_status < 0 or any(rest.startswith("pkdecrypt_failed") for rest in run.values("ERROR")):
        return "failed"
    if run.values("NO_SECKEY"):
        return "no_key"
    return "damaged" if run.values("NODATA") or run.values("UNEXPECTED") else "failed"


def _is_cut(run: Run, max_output: int) -> bool:
    declared = run.value("PLAINTEXT_LENGTH")
    announced = int(declared) if declared.isdecimal() else 0
    integrity = bool(run.values("DECRYPTION_OKAY"))
    return integrity and (announced > max_output or len(run.output) + _BUFFER > max_output)


def is_weak(run: Run) -> bool:
    """Tell whether a sound message used a cipher that nobody should use any more."""
    return run.value("DECRYPTION_INFO").split()[1] in _OLD_CIPHERS


def file_name(run: Run) -> str | None:
    """Give the file name inside a message (RFC 9580 section 5.9), None without one; it may hold anything."""
    name = unquote("".join(run.value("PLAINTEXT").split(" ")[2:3]))
    return name if name.isprintable() and name != "_CONSOLE" and name else None


def judge(run: Run, signed: bytes) -> Signature:
    """Judge the signature of one run over `signed`. Several signatures, or half of the expected lines, are invalid.

    `signer` is given whenever gpg checked the signature against a key, whatever became of it.
    """
    verdicts = [(name, rest) for name, rest in run.lines if name in _STATES]
    if not verdicts and not run.values("NEWSIG"):
        return Signature()
    if len(verdicts) != 1 or len(run.values("NEWSIG")) != 1:
        return Signature("invalid", digest=digest(signed))
    signer, sig_id = _signer(run), run.value("SIG_ID").partition(" ")[0] or None
    state = _state(*verdicts[0])
    if state == "valid" and (run.exit_status != 0 or signer is None or sig_id is None):
        state = "invalid"
    return Signature(state, signer, (), sig_id, digest(signed))


def _state(name: str, rest: str) -> SignatureState:
    fields = rest.split()
    if name == "ERRSIG" and fields[5:6] == [_NO_PUBLIC_KEY]:
        return "unknown_key"
    return _STATES[name]


def _signer(run: Run) -> str | None:
    """Give the primary fingerprint of VALIDSIG, its tenth field, for a signature over a document."""
    fields = run.value("VALIDSIG").split()
    sound = len(fields) == 10 and fields[8] in _OVER_DOCUMENTS and _FINGERPRINT.fullmatch(fields[9])
    return fields[9] if sound else None


def digest(signed: bytes) -> str:
    """SHA-256 (hex) of signed bytes with CRLF line ends: a text signature holds for any line ends."""
    return sha256(re.sub(rb"\r?\n", b"\r\n", signed)).hexdigest()


def read_keys(listing: bytes) -> list[Key]:
    """Read `--with-colons --with-secret` (doc/DETAILS, *Format of the colon listings*).

    Lines end at LF alone: Python's splitlines would also end them at characters that a user id may hold.
    """
    keys: list[Key] = []
    records: list[list[bytes]] = []
    for record in (line.split(b":") for line in listing.split(b"\n")):
        if record[0] in {b"pub", b"sec"} and records:
            keys.append(_key(records))
            records = []
        if record[0] in {b"pub", b"sec"} or records:
            records.append(record)
    return [*keys, _key(records)] if records else keys


def _key(records: list[list[bytes]]) -> Key:
    head = records[0]
    fingerprint = next(record[9] for record in records if record[0] == b"fpr").decode()
    living = (record[9] for record in records if record[0] == b"uid" and record[1] not in {b"r", b"e", b"i"})
    is_secret = head[0] == b"sec" or head[14] == b"+"
    created, expires = _moment(head[5]), _moment(head[6]) if head[6] else None
    return Key(fingerprint, _addresses(living), created, expires, is_secret, head[1] == b"r")


def _addresses(user_ids: Iterable[bytes]) -> tuple[str, ...]:
    """Read the addresses of user ids; one with two addresses has none, because nobody knows which is meant."""
    texts = (_ESCAPE.sub(lambda code: bytes([int(code[1], 16)]), each).decode(errors="replace") for each in user_ids)
    return tuple(found[1] for found in map(_ADDRESS.fullmatch, texts) if found)


def _moment(seconds: bytes) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
