"""Bytes of a mail to a Message: any bytes give one, and nothing raises.

mail-parser reads what it reads well, addresses and dates, and gets these fields alone. Python's parser is not
asked for the structure, nor mail-parser for the text: both copy the mail several times over (43 MB cost mail-parser
373 MB), follow any depth, and drop bytes that do not fit their charset label. So the structure is cut in
`entity`, where a part is a pair of positions, text is decoded in `charset`, and field text in `encodedword`.
An attachment is counted, never decoded as a whole: memory beyond the mail itself is that of its text. Measured with
a mail of 25 MB and one base64 attachment: nothing above the mail itself, where mail-parser takes 190 MB more.

See Also:
    RFC 5322, https://www.rfc-editor.org/rfc/rfc5322
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.errors import MessageError
from email.utils import parsedate_tz
from itertools import chain

import mailparser  # its types end here
from mailparser.exceptions import MailParserError

from mailroom.mail.body import Body, read_body
from mailroom.mail.charset import decode, is_utf8, likely_charset, one_line
from mailroom.mail.encodedword import decode_words
from mailroom.mail.entity import Entity, read_entity, read_mail
from mailroom.mail.message import Message
from mailroom.mail.quoted import own_text
from mailroom.mail.thread import is_answer

MAX_REFERENCES = 50
# A line of a mail has at most 998 characters (RFC 5322 section 2.1.1), so no id is longer.
MAX_ID_LENGTH = 998
_MAX_ADDRESS_FIELD = 8000
_MAX_ADDRESS = 320
_MAX_NAME = 300
_HINT_BYTES = 4096

_ID = re.compile(r"<([^<>]{1,4000})>")
# It stands alone: in a@b@example.org nobody can say which address is meant.
_ADDRESS = re.compile(r"(?<![^\s<>()\[\]\",;:])[^\s<>()\[\]\",;:@]{1,64}@[^\s<>()\[\]\",;:@]{2,}+(?!@)")
_ENCODED_WORD = re.compile(r"=\?[^\s<>\",]*")
# Some mailers leave a comma in a word as it is, where it would end the address (RFC 2047 section 5 (3)).
_WORD_WITH_MARKS = re.compile(r"=\?[\w.:*-]{1,60}\?[qQ]\?[^?\s]{0,300}[,;:<>@()\"][^?\s]{0,300}\?=")
_MARKS = {ord(mark): f"={ord(mark):02X}" for mark in ',;:<>@()"'}
_QUOTED_STRING = re.compile(r'"[^"]{0,1000}"')
_BAD_SUBJECT = "bad-subject-encoding"
_MIME_FIELD = re.compile(r"content-|mime-version$")


@dataclass(frozen=True, slots=True)
class _Mailbox:
    address: str | None = None
    name: str = ""
    defects: tuple[str, ...] = ()


def parse(mail: bytes | Entity) -> Message:
    """Read a mail, cut already or not. Any bytes give a Message; `unreadable` when there is neither header nor body."""
    entity = mail if isinstance(mail, Entity) else read_mail(mail)
    if not entity.header and not _is_text(entity.content):
        return _unreadable()
    body = read_body(entity)
    sender, reply_to = _mailbox(entity, "from"), _mailbox(entity, "reply-to")
    (subject, sound), references = _subject(entity), _references(entity)
    message = Message(
        sender=sender.address,
        sender_name=sender.name,
        reply_to=reply_to.address,
        subject=subject,
        date=_date(entity),
        message_id=next(iter(_ids(entity, "message-id")), None),
        references=references,
        text=_own(body, subject, references),
        attachments=body.attachments,
        fields=_fields(entity),
    )
    header = (*sender.defects, *reply_to.defects, *_header_defects(entity, message), *([] if sound else [_BAD_SUBJECT]))
    return replace(message, defects=_each_once(header, _structure_defects(entity), body.defects))


def read_payload(content: bytes) -> Entity:
    """Cut a decrypted MIME entity into parts; bytes without a single MIME field are text from the first byte on."""
    root = read_entity(content)
    return root if any(_MIME_FIELD.match(name) for name, _ in root.header) else read_entity(b"\n" + content)


def parse_entity(entity: bytes | Entity, outer: Message, subject: str | None) -> Message:
    """Read the MIME entity that was decrypted or is signed: its text and attachments in the place of the outer ones.

    Addresses, date, ids and fields stay those of `outer`. `subject` is the protected subject, None without one.
    Bytes are read as `read_payload` does. Never raises.
    """
    root = read_payload(entity) if isinstance(entity, bytes) else entity
    body = read_body(root)
    title = outer.subject if subject is None else one_line(subject)
    return replace(
        outer,
        subject=title,
        text=_own(body, title, outer.references),
        attachments=body.attachments,
        defects=_each_once(outer.defects, _structure_defects(root), body.defects),
        unreadable=False,
    )


def sender_in(value: bytes) -> str | None:
    """Read the first usable address of a From field, the domain in lower case; None without one."""
    return next((bare for _, bare in _addresses(value, None) if bare), None)


def _unreadable() -> Message:
    return Message(None, "", None, "", None, None, (), "", defects=("unreadable",), unreadable=True)


def _is_text(content: bytes) -> bool:
    """Tell whether bytes without a header can be something that a person wrote: few controls, not only blanks."""
    sample = content[:65_536]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return len(sample) > 2
    controls = len(sample) - len(sample.translate(None, bytes([*range(7), *range(14, 27), 28, 29, 30, 31])))
    return bool(sample.strip()) and controls * 50 <= len(sample)


def _own(body: Body, subject: str, references: tuple[str, ...]) -> str:
    return own_text(body.text, answer=is_answer(subject, references))


def _values(entity: Entity, name: str) -> list[bytes]:
    return [value for key, value in entity.header if key == name]


def _fields(entity: Entity) -> tuple[tuple[str, str], ...]:
    return tuple((name, _as_sent(value)) for name, value in entity.header)


def _label(entity: Entity, value: bytes) -> str | None:
    """Give the charset that raw bytes of a field may be in: that of the mail or of its first text, else a guess.

    A field is too short to guess from, so the body helps.
    """
    named = entity.charset or next((leaf.charset for leaf in entity.leaves() if leaf.charset), None)
    if named or value.isascii() or is_utf8(value):
        return named
    return likely_charset(value + b"\n" + entity.content[entity.body : min(entity.end, entity.body + _HINT_BYTES)])


def _as_sent(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _subject(entity: Entity) -> tuple[str, bool]:
    """Decode the subject; give it with whether its encoding was sound."""
    value = next(iter(_values(entity, "subject")), b"")
    text, sound = decode_words(value, _label(entity, value))
    return one_line(text), sound


def _ids(entity: Entity, name: str) -> list[str]:
    """Give the ids in a field; one without brackets counts when it stands alone."""
    text = " ".join(map(_as_sent, _values(entity, name)))
    found = _ID.findall(text) or ([text] if text and not re.search(r"[\s<>]", text) else [])
    ids = (re.sub(r"[\s\x00-\x1f\x7f]+", "", each) for each in found)
    return [each for each in ids if each and len(each) <= MAX_ID_LENGTH]


def _references(entity: Entity) -> tuple[str, ...]:
    """Give References and then In-Reply-To, each once; of too many, the first (the root) and the last ones."""
    every = list(dict.fromkeys([*_ids(entity, "references"), *_ids(entity, "in-reply-to")]))
    return tuple(every if len(every) <= MAX_REFERENCES else [every[0], *every[1 - MAX_REFERENCES :]])


def _read_field(name: bytes, value: bytes) -> mailparser.MailParser | None:
    """Let mail-parser read one field. It gets UTF-8, because it cannot show other 8-bit bytes."""
    try:
        return mailparser.parse_from_bytes(name + b": " + value + b"\r\n\r\n")
    except (MailParserError, MessageError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _mailbox(entity: Entity, field: str) -> _Mailbox:
    """Find the first usable address in the fields of this name."""
    values = _values(entity, field)
    found: list[tuple[str, str]] = []
    for value in values[:5]:
        found.extend(_addresses(value, _label(entity, value)))
    usable = [(name, bare) for name, bare in found if bare]
    defects = _mailbox_defects(field, values, usable)
    if not usable:
        return _Mailbox(defects=defects)
    name, bare = usable[0]
    return _Mailbox(bare, one_line(decode_words(name.encode())[0])[:_MAX_NAME], defects)


def _mailbox_defects(field: str, values: list[bytes], usable: list[tuple[str, str]]) -> tuple[str, ...]:
    found = {
        f"missing-{field}": field == "from" and not values,
        f"bad-{field}": bool(values) and not usable,
        f"several-{field}": len(values) > 1 or (field == "from" and len({bare for _, bare in usable}) > 1),
    }
    return tuple(name for name, is_so in found.items() if is_so)


def _addresses(value: bytes, label: str | None) -> list[tuple[str, str]]:
    """Give (name, address) of a field. Where mail-parser finds none, the only thing in it that looks like one."""
    text = one_line(decode(value, label)[0])[:_MAX_ADDRESS_FIELD]
    text = _WORD_WITH_MARKS.sub(lambda word: word[0].translate(_MARKS), text)
    # An encoded word in bad base64 makes mail-parser raise; without the words the address is still there.
    mail = _read_field(b"From", text.encode()) or _read_field(b"From", _ENCODED_WORD.sub(" ", text).encode())
    found = [(str(name), _address(str(address))) for name, address in (mail.from_ if mail else [])]
    if any(address for _, address in found):
        return found
    return _only_lookalike(text) or _only_lookalike(one_line(decode_words(text.encode())[0]))


def _only_lookalike(text: str) -> list[tuple[str, str]]:
    found = set(_ADDRESS.findall(_QUOTED_STRING.sub(" ", text)))
    return [("", _address(each)) for each in found] if len(found) == 1 else []


def _address(address: str) -> str:
    """Put the domain in lower case; "" for what is no address that can be written to."""
    local, _, domain = address.rstrip(".").rpartition("@")
    if not local or not domain or len(address) > _MAX_ADDRESS or re.search(r"[\s\x00-\x1f\x7f<>]", domain):
        return ""
    return f"{local}@{domain.lower()}" if local.isprintable() else ""


def _date(entity: Entity) -> datetime | None:
    """Read the Date field: mail-parser first, then what Python forgives, e.g. a missing zone (read as UTC)."""
    values = _values(entity, "date")
    if not values:
        return None
    text = one_line(decode(values[0], None)[0])[:200]
    mail = _read_field(b"Date", text.encode())
    read = mail.date if mail else None
    return read if isinstance(read, datetime) else _forgiven_date(text)


def _forgiven_date(text: str) -> datetime | None:
    try:
        parts = parsedate_tz(text)
        if parts is None or parts[0] < 1900:
            return None
        local = datetime(*parts[:6], tzinfo=UTC)
        return datetime.fromtimestamp(local.timestamp() - (parts[9] or 0), UTC)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def _structure_defects(entity: Entity) -> Iterable[str]:
    return (defect for part in entity.walk() for defect in part.defects)


def _header_defects(entity: Entity, message: Message) -> tuple[str, ...]:
    """Name what is wrong in the header, without a word of the content."""
    has_date = bool(_values(entity, "date"))
    found = {
        "missing-date": not has_date,
        "bad-date": has_date and message.date is None,
        "missing-message-id": message.message_id is None,
        "several-subject": len(_values(entity, "subject")) > 1,
    }
    return tuple(name for name, is_so in found.items() if is_so)


def _each_once(*defects: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain(*defects)))
