"""*Opened*: from raw bytes to what was written, who signed it, who vouches for its sender and what it is about.

Cheap refusals come before decryption, trust after it: nothing that a decrypted mail says about itself counts
before the whole of it was opened. Synchronous, because it runs in the worker process.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mailroom.flow.filing import Understood
from mailroom.flow.ports import Keyring
from mailroom.flow.unwrapping import Unwrapped, Verdict, unwrap
from mailroom.mail.authentication import verdict
from mailroom.mail.automatic import machine_sign
from mailroom.mail.bounce import may_bounce, read_bounce, told_apart
from mailroom.mail.entity import Entity, read_mail
from mailroom.mail.form import read_form
from mailroom.mail.message import Form, Message, Opened, OpenPGP, RawMail, Signature
from mailroom.mail.openpgp_keys import attached_keys, autocrypt_key
from mailroom.mail.parse import parse, parse_entity, read_payload, sender_in
from mailroom.mail.protected import Protected, protected
from mailroom.mail.reports import report_in
from mailroom.mail.same import written
from mailroom.mail.soft import soft_sign
from mailroom.mail.spam import spam_sign
from mailroom.triage.triage import Lexicon, triage

_JUNK = "it lay in the folder for junk"
# Finds in keys that came with a mail a usable certificate for an address (`Encryptor.certificate_for`).
FindKey = Callable[[bytes, str], bytes | None]
# Tells whether a certificate made a signature: over bytes, or inside a message (`Encryptor.signed_by`).
SignedBy = Callable[[bytes, bytes, bytes | None], bool]


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
    signed_by: SignedBy = field(default=lambda _certificate, _content, _detached: False, repr=False)

    def understand(self, raw: RawMail) -> Understood:
        """Open one mail and say what it is about. Never raises for what stands in the mail."""
        opened = self.open(raw)
        return Understood(opened, triage(opened.message, self.lexicon, opened.form))

    def open(self, raw: RawMail) -> Opened:
        """Open one mail. Never raises for what stands in the mail."""
        entity = read_mail(raw.content)
        outer = parse(entity)
        found = unwrap(entity, self.keyring)
        opened = self._opened(found, outer) if found else Opened(outer)
        form = read_form(found.root if found else entity, opened.message, self.lexicon.forms)
        authentication = verdict(outer.fields, outer.sender, self.authserv_id)
        key = self._sender_key(entity, found, outer)
        read = replace(
            self._told_apart(opened, entity, outer, is_form=form is not None),
            authentication=authentication,
            sender_key=key,
            key_vouched=key is not None
            and (authentication == "pass" or (authentication == "none" and self._is_signed_by(key, found))),
            oversize=not raw.complete,
            written=written(entity) if raw.complete else None,
            spam=_JUNK if raw.arrival.junk else spam_sign(outer.fields, self.authserv_id),
        )
        return read if form is None else _filled_in(read, form)

    def _told_apart(self, opened: Opened, entity: Entity, outer: Message, *, is_form: bool) -> Opened:
        """Add what tells whether a machine sent it, and what a bounce tells."""
        machine = machine_sign(outer, report_in(entity), self.own_addresses, form=is_form)
        bounce = read_bounce(entity.content) if may_bounce(machine, outer.sender) else None
        soft = None if machine else soft_sign(outer, self.own_addresses, bounce)
        machine = told_apart(machine, bounce)
        return replace(opened, machine=machine, bounce=bounce if machine else None, soft=soft)

    def _opened(self, found: Unwrapped, outer: Message) -> Opened:
        signature = self._signature(found, outer)
        inner = _protected(found, signature)
        message = parse_entity(found.root, outer, inner.subject)
        if inner.sender is not None and sender_in(inner.sender) != outer.sender:
            message = replace(message, defects=(*message.defects, "from-mismatch"))
        protection = OpenPGP(
            encrypted=found.encrypted,
            decrypted=bool(found.cleartexts),
            weak=found.weak,
            signature=signature,
            subject_protected=inner.subject is not None,
            failure=found.failure,
            partial=found.partial,
        )
        return Opened(message, protection, cleartext=_together(found.cleartexts))

    def _signature(self, found: Unwrapped, outer: Message) -> Signature:
        """Pick the signature that says most; none counts for more than it covers."""
        judged = [self._trusted(one, outer) for one in found.verdicts]
        valid = (signature for signature in judged if signature.state == "valid")
        return next(valid, judged[0] if judged else Signature())

    def _trusted(self, found: Verdict, outer: Message) -> Signature:
        """Let a good signature count only for all of the shown text, from the sender's key or a configured one."""
        signature = found.signature
        if signature.state != "valid":
            return signature
        if not found.whole:
            return replace(signature, state="invalid")
        known = signature.signer in self.configured or (outer.sender or "").casefold() in {
            address.casefold() for address in signature.addresses
        }
        # Which of several senders a reader is shown, nobody knows.
        return signature if known and "several-from" not in outer.defects else replace(signature, state="unknown_key")

    def _sender_key(self, entity: Entity, found: Unwrapped | None, outer: Message) -> bytes | None:
        """Find the key that came for the sender: what was encrypted says more than what anybody could have added."""
        if outer.sender is None or "several-from" in outer.defects:
            return None
        inside = found.cleartexts if found else ()
        offered = [*map(attached_keys, inside), _autocrypt(_inner_fields(found), outer.sender)]
        offered.append(_autocrypt(outer.all("autocrypt"), outer.sender))
        if not inside:
            offered.append(attached_keys(entity))
        certificates = (self.find_key(keys, outer.sender) for keys in offered if keys)
        return next((one for one in certificates if one), None)

    def _is_signed_by(self, key: bytes, found: Unwrapped | None) -> bool:
        """Whether this key signed all of the mail; gpg does not know it, and is not to."""
        for one in found.verdicts if found else ():
            if one.whole and one.signature.state in {"valid", "unknown_key"}:
                signed = one.signed
                content = self.keyring.signed_inside(signed.content) if signed.sealed else signed.content
                if self.signed_by(key, content, signed.detached):
                    return True
        return False


def _protected(found: Unwrapped, signature: Signature) -> Protected:
    """Give the protected header fields; those that are only signed count with a signature that counts."""
    is_sound = bool(found.cleartexts) or signature.state == "valid"
    return protected(found.payload) if found.payload is not None and is_sound else Protected()


def _filled_in(opened: Opened, form: Form) -> Opened:
    """Show what the person wrote into a form. A form of a named and proven sender is a person's mail, not a machine's.

    The key that comes with the mail of a form is the form's own, and an answer must not be encrypted to that.
    """
    # A letter that is only written like a form keeps its text: what stands around the fields may be her story.
    text = form.details if form.named_sender or not form.rest else opened.message.text
    found = replace(opened, form=form, message=replace(opened.message, text=text))
    if not form.named_sender:
        return found
    found = replace(found, sender_key=None, key_vouched=False)
    is_person = opened.authentication == "pass" and (not opened.machine or opened.machine.kind in ("list", "automatic"))
    return replace(found, machine=None, soft=None) if is_person else found


def _inner_fields(found: Unwrapped | None) -> list[str]:
    """Give the Autocrypt fields of a protected header."""
    if found is None or found.payload is None or not found.cleartexts:
        return []
    return [value.decode("ascii", "replace") for name, value in found.payload.header if name == "autocrypt"]


def _autocrypt(values: list[str], sender: str) -> bytes | None:
    """Follow Autocrypt Level 1: more than one valid field counts as none."""
    usable = [key for value in values if (key := autocrypt_key(value, sender)) is not None]
    return usable[0] if len(usable) == 1 else None


def _together(cleartexts: tuple[bytes, ...]) -> bytes | None:
    """Give what was decrypted as one thing to seal: several things as one multipart entity."""
    if len(cleartexts) < 2:
        return cleartexts[0] if cleartexts else None
    mark = b"=_" + hashlib.sha256(b"".join(cleartexts)).hexdigest().encode()
    parts = b"".join(b"--" + mark + b"\r\n" + read_payload(one).content + b"\r\n" for one in cleartexts)
    return b'Content-Type: multipart/mixed; boundary="' + mark + b'"\r\n\r\n' + parts + b"--" + mark + b"--\r\n"
