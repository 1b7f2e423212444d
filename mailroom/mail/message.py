"""The frozen values of the first two steps of the flow: a mail as it arrived, and as it was opened."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

SignatureState = Literal["none", "valid", "invalid", "unknown_key", "expired", "revoked"]
AuthenticationState = Literal["pass", "fail", "none"]
Machine = Literal["own", "bounce", "list", "automatic"]


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    """One message in the mailbox, before its bytes are fetched.

    (mailbox, uidvalidity, uid) names a message for ever
    (RFC 3501 section 2.3.1.1, https://www.rfc-editor.org/rfc/rfc3501#section-2.3.1.1).
    `size` is RFC822.SIZE in bytes. `is_deleted`: it is marked so and waits to be expunged. `junk`: our own mail server
    put it into the folder of suspected spam.
    """

    mailbox: str
    uidvalidity: int
    uid: int
    size: int = field(compare=False)
    is_deleted: bool = field(default=False, compare=False)
    junk: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class RawMail:
    """The bytes of one arrival. `complete` is False for an oversize mail: header and first text part only."""

    arrival: Arrival
    content: bytes = field(repr=False)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Attachment:
    """A leaf part that is neither the shown text nor crypto plumbing. `size` in bytes after decoding."""

    name: str | None
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class Message:
    """What a person or a machine wrote, decoded: the inside of an encrypted mail once it is opened.

    Addresses are bare, with the domain in lower case; None where missing. `date` is UTC. `text` is what the
    writer wrote, without quoted history; HTML is turned to text. `fields` are the header fields of the mail
    as transported, unfolded, in order, names in lower case. `message_id` and `references` are bare ids
    without angle brackets, `references` holding References and then In-Reply-To.
    """

    sender: str | None
    sender_name: str
    reply_to: str | None
    subject: str
    date: datetime | None
    message_id: str | None
    references: tuple[str, ...]
    text: str
    attachments: tuple[Attachment, ...] = ()
    defects: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    unreadable: bool = False

    def field(self, name: str) -> str | None:
        """Give the first header field called `name` (lower case), or None."""
        return next((value for key, value in self.fields if key == name), None)

    def all(self, name: str) -> list[str]:
        """Give every header field called `name` (lower case), topmost first."""
        return [value for key, value in self.fields if key == name]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signature proves about the bytes that it covers, as GnuPG told it.

    `signer` is the full primary fingerprint in upper case, `addresses` the mail addresses of the signer's
    key, `sig_id` GnuPG's SIG_ID and `digest` the SHA-256 (hex) of the signed bytes: both together recognise
    a replay, because the bytes of a signature can be changed without breaking it.
    """

    state: SignatureState = "none"
    signer: str | None = None
    addresses: tuple[str, ...] = ()
    sig_id: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class OpenPGP:
    """What OpenPGP did for this mail.

    `weak`: opened, but with old ciphers. `failure`: why something in it did not open (`DecryptionFailed.why`, or
    "smime"). `partial`: some of it was encrypted, and some that is shown came in clear.
    """

    encrypted: bool = False
    decrypted: bool = False
    weak: bool = False
    signature: Signature = Signature()
    subject_protected: bool = False
    failure: str | None = None
    partial: bool = False

    @property
    def is_for_a_key(self) -> bool:
        """Whether a key of the desk could be expected to open it: it has no password, and is OpenPGP."""
        return self.encrypted and self.failure not in {"symmetric", "smime"}

    @property
    def closed(self) -> bool:
        """Whether nothing of what was protected could be read: the mail waits for a key."""
        return self.failure is not None and not self.decrypted


@dataclass(frozen=True, slots=True)
class MachineSign:
    """A hard sign that a machine sent this mail: what it is, and the header that shows it."""

    kind: Machine
    why: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report about mail of ours tells. It proves nothing: anybody can write one.

    `recipients` are the addresses that were not reached, bare, with the domain in lower case: as we wrote them, and as
    the mail was passed on; empty where nobody failed (a read receipt, a success, a provider's complaint).
    `permanent`: delivery was given up; else it is still tried. `original_ids` are the bare Message-IDs of the mails
    that came back with it.
    """

    recipients: tuple[str, ...] = ()
    permanent: bool = False
    original_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """What a structured mail says, such as the report of a wiki or of a web form (rules/forms).

    `named_sender`: From is one of the senders that the operator named for this form. Only then `address`, where the
    person reads her mail, is more than a claim, and only when our server vouches for From. `language` is that of the
    labels, None where these are unknown. `choice` is the category as it was picked, `category` its id in our taxonomy,
    None where the form's file does not know it; `flags` are what that choice raises. `country` is as written. `links`
    are web addresses. `details` is what the person wrote, without a single label; `rest` are lines around it that are
    no field, hers or the program's.
    """

    id: str
    details: str = field(repr=False)
    named_sender: bool = False
    language: str | None = None
    choice: str | None = field(default=None, repr=False)
    category: str | None = None
    flags: tuple[str, ...] = ()
    country: str | None = None
    links: tuple[str, ...] = field(default=(), repr=False)
    name: str | None = field(default=None, repr=False)
    reported: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    rest: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail that was read: what was written, what protected it, who vouches for its sender.

    `cleartext` is the decrypted MIME entity, to be sealed beside the original; None when nothing was
    encrypted. `sender_key` is an OpenPGP certificate that came with the mail for the sender's own address;
    `key_vouched`: our own mail server vouches for the sender, or this very key signed the mail.
    `spam` names the sign by which our own mail server takes it for spam. `written` is what two copies of one mail have
    in common (`mail.same.written`). `bounce` is what a machine's report tells of our mail. `soft` says why the sender
    may be a machine: then the answer waits for the keeper; None where nothing says so, and where `machine` is sure.
    For a `form` the text of the message is what the person wrote into it.
    """

    message: Message
    openpgp: OpenPGP = OpenPGP()
    machine: MachineSign | None = None
    authentication: AuthenticationState = "none"
    cleartext: bytes | None = field(default=None, repr=False)
    sender_key: bytes | None = field(default=None, repr=False)
    oversize: bool = False
    spam: str | None = None
    soft: str | None = None
    written: str | None = None
    bounce: Bounce | None = None
    key_vouched: bool = False
    form: Form | None = None

    @property
    def writer(self) -> str | None:
        """The address of the person who wrote, whom an answer goes to: From, or what a form of a named sender says.

        A form proves it only together with `authentication`. None when there is no usable address.
        """
        if self.form is not None and self.form.named_sender:
            return self.form.address
        return self.message.sender
