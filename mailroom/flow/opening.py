"""*Opened*: from raw bytes to what was written, who signed it, who vouches for its sender and what it is about.

Cheap refusals come before decryption, trust after it: nothing that a decrypted mail says about itself counts
before the whole of it was opened. Synchronous, because it runs in the worker process.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mailroom.errors import DecryptionFailed
from mailroom.flow.filing import Understood
from mailroom.flow.ports import Keyring
from mailroom.mail import openpgp
from mailroom.mail.authentication import verdict
from mailroom.mail.automatic import machine_sign, report_in
from mailroom.mail.bounce import may_bounce, read_bounce, told_apart
from mailroom.mail.message import Message, Opened, OpenPGP, RawMail, Signature
from mailroom.mail.parse import parse, parse_entity
from mailroom.mail.same import written
from mailroom.mail.soft import soft_sign
from mailroom.mail.spam import spam_sign
from mailroom.triage.triage import Lexicon, triage

# Finds in keys that came with a mail a usable certificate for an address (`Encryptor.certificate_for`).
# S/MIME encryption (RFC 8551 section 3.3): we cannot open it, and must not answer it in clear.
_ENVELOPED = re.compile(r"application/(x-)?pkcs7-mime(?!.*signed-data)", re.IGNORECASE | re.DOTALL)
_JUNK = "it lay in the folder for junk"
FindKey = Callable[[bytes, str], bytes | None]


@dataclass(frozen=True, slots=True)
class Reader:
    """Opens mails for one desk.

    `configured` holds the fingerprints of keepers, admins and researchers, whose signature counts whatever
    address it is sent from.
    """

    keyring: Keyring
    find_key: FindKey
    own_addresses: frozenset[str]
    configured: frozenset[str]
    authserv_id: str
    lexicon: Lexicon = field(repr=False)

    def understand(self, raw: RawMail) -> Understood:
        """Open one mail and say what it is about. Never raises for what stands in the mail."""
        opened = self.open(raw)
        return Understood(opened, triage(opened.message, self.lexicon))

    def open(self, raw: RawMail) -> Opened:
        """Open one mail. Never raises for what stands in the mail."""
        outer = parse(raw.content)
        opened = self._unprotect(raw.content, outer)
        return replace(
            self._told_apart(opened, raw.content, outer),
            authentication=verdict(outer.fields, outer.sender, self.authserv_id),
            sender_key=self._sender_key(raw.content, opened.cleartext, outer),
            oversize=not raw.complete,
            written=written(raw.content),
            spam=_JUNK if raw.arrival.junk else spam_sign(outer.fields, self.authserv_id),
        )

    def _told_apart(self, opened: Opened, content: bytes, outer: Message) -> Opened:
        """Add what tells whether a machine sent it, and what a bounce tells."""
        machine = machine_sign(outer, report_in(content, outer), self.own_addresses)
        bounce = read_bounce(content) if may_bounce(machine, outer.sender) else None
        soft = None if machine else soft_sign(outer, self.own_addresses, bounce)
        machine = told_apart(machine, bounce)
        return replace(opened, machine=machine, bounce=bounce if machine else None, soft=soft)

    def _unprotect(self, content: bytes, outer: Message) -> Opened:
        match openpgp.find(content):
            case openpgp.EncryptedMime(ciphertext):
                return self._encrypted(ciphertext, outer)
            case openpgp.InlineEncrypted(ciphertext, whole):
                return self._inline_encrypted(ciphertext, outer, whole=whole)
            case openpgp.SignedMime(signed, signature, whole):
                verified = self._trusted(self.keyring.verify(signed, signature), outer, whole=whole)
                subject = openpgp.inner_subject(signed) if verified.state == "valid" else None
                message = replace(outer, subject=subject) if subject is not None else outer
                return Opened(message, OpenPGP(signature=verified, subject_protected=subject is not None))
            case openpgp.InlineSigned(armored, whole):
                verified, covered = self.keyring.verify_inline(armored)
                message = outer
                if whole and covered:
                    message = replace(parse_entity(_as_text(covered), outer, None), attachments=outer.attachments)
                return Opened(message, OpenPGP(signature=self._trusted(verified, outer, whole=whole)))
        if _ENVELOPED.search(outer.field("content-type") or ""):
            return _closed(outer, DecryptionFailed("smime"))
        return Opened(outer)

    def _encrypted(self, ciphertext: bytes, outer: Message) -> Opened:
        try:
            decrypted = self.keyring.decrypt(ciphertext)
        except DecryptionFailed as failure:
            return _closed(outer, failure)
        signature, entity = decrypted.signature, decrypted.content
        if signature.state == "none":  # RFC 3156 section 6.1: a signed entity inside the encrypted one
            inner = openpgp.find(entity)
            if isinstance(inner, openpgp.SignedMime):
                signature = self.keyring.verify(inner.signed, inner.signature)
                signature = self._trusted(signature, outer, whole=inner.whole)
        subject = openpgp.inner_subject(entity)
        verified = self._trusted(signature, outer, whole=True)
        protection = OpenPGP(True, True, decrypted.weak, verified, subject is not None)
        return Opened(parse_entity(entity, outer, subject), protection, cleartext=entity)

    def _inline_encrypted(self, ciphertext: bytes, outer: Message, *, whole: bool) -> Opened:
        try:
            decrypted = self.keyring.decrypt(ciphertext)
        except DecryptionFailed as failure:
            return _closed(outer, failure, text="" if whole else _without_armor(outer.text))
        entity = _as_text(decrypted.content)
        inner = parse_entity(entity, outer, None)
        text = inner.text if whole else f"{_without_armor(outer.text)}\n\n{inner.text}".strip()
        message = replace(inner, text=text, attachments=outer.attachments)
        signature = self._trusted(decrypted.signature, outer, whole=whole)
        return Opened(message, OpenPGP(True, True, decrypted.weak, signature), cleartext=entity)

    def _trusted(self, signature: Signature, outer: Message, *, whole: bool) -> Signature:
        """Let a good signature count only for all of the shown text, from the sender's key or a configured one."""
        if signature.state != "valid":
            return signature
        if not whole:
            return replace(signature, state="invalid")
        known = signature.signer in self.configured or (outer.sender or "").casefold() in {
            address.casefold() for address in signature.addresses
        }
        return signature if known else replace(signature, state="unknown_key")

    def _sender_key(self, content: bytes, cleartext: bytes | None, outer: Message) -> bytes | None:
        if outer.sender is None:
            return None
        found = [openpgp.autocrypt_key(value, outer.sender) for value in outer.all("autocrypt")]
        usable = [key for key in found if key is not None]
        # Autocrypt Level 1, section 2.4.1: more than one valid header counts as none.
        offered = [cleartext and openpgp.attached_keys(cleartext), *(usable if len(usable) == 1 else ())]
        if cleartext is None:
            offered.append(openpgp.attached_keys(content))
        certificates = (self.find_key(keys, outer.sender) for keys in offered if keys)
        return next((found for found in certificates if found), None)


def _closed(outer: Message, failure: DecryptionFailed, text: str = "") -> Opened:
    """Give what stands in clear of a mail that does not open."""
    return Opened(replace(outer, text=text), OpenPGP(encrypted=True, failure=failure.why))


def _as_text(content: bytes) -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + content


def _without_armor(text: str) -> str:
    start, _, rest = text.partition("-----BEGIN PGP MESSAGE-----")
    return start + rest.partition("-----END PGP MESSAGE-----")[2]
