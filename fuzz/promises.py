"""What holds of every mail, whatever its bytes: for the fuzzer, for what it found, and for the property tests."""

import json
import pickle
import re

from mailroom.flow.explanation import rfc3339
from mailroom.mail.message import Message, Opened
from mailroom.mail.parse import MAX_ID_LENGTH, MAX_REFERENCES

# All texts of a mail together, and the blank lines that `text` loses at its ends.
_LONGEST_TEXT = 1_000_000
_LONGEST_NAME = 500
_ADDRESS = re.compile(r"[^\x00-\x1f\x7f]+@[^\s\x00-\x1f\x7f<>@]+")
_LINE_ENDS = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")


def check_message(message: Message, size: int) -> None:
    """Check one message that was read from `size` bytes."""
    _check_addresses(message)
    assert len(message.text) <= _LONGEST_TEXT
    assert not _LINE_ENDS.search(message.subject)
    assert len(message.references) <= MAX_REFERENCES
    ids = (*message.references, *filter(None, [message.message_id]))
    assert all(each and len(each) <= MAX_ID_LENGTH and not re.search(r"[\s<>\x00-\x1f\x7f]", each) for each in ids)
    for one in message.attachments:
        assert 0 <= one.size <= size
        assert one.name is None or (len(one.name) <= _LONGEST_NAME and not _LINE_ENDS.search(one.name))
    assert message.date is None or message.date.tzinfo is not None
    assert not message.unreadable or not message.text
    _check_travels(message)


def check_opened(opened: Opened, size: int) -> None:
    """Check one mail that was opened: also what was decrypted, and what the worker hands to the daemon."""
    check_message(opened.message, size)
    protection = opened.openpgp
    assert protection.decrypted <= protection.encrypted
    assert protection.decrypted == (opened.cleartext is not None)
    assert not protection.encrypted or protection.decrypted or protection.failure
    assert not protection.weak or protection.decrypted
    assert opened.authentication in {"pass", "fail", "none"}
    assert pickle.loads(pickle.dumps(opened)) == opened


def _check_addresses(message: Message) -> None:
    for address in filter(None, [message.sender, message.reply_to]):
        assert _ADDRESS.fullmatch(address)
        assert len(address) <= 320
        assert address.rpartition("@")[2].islower() or not re.search("[A-Z]", address.rpartition("@")[2])
    assert message.sender != "" != message.reply_to


def _check_travels(message: Message) -> None:
    """Everything can be written: as UTF-8 into the records and as JSON by `explain`."""
    shown = {
        "from": message.sender,
        "name": message.sender_name,
        "reply_to": message.reply_to,
        "subject": message.subject,
        "date": rfc3339(message.date),
        "id": message.message_id,
        "references": message.references,
        "text": message.text,
        "attachments": [[one.name, one.type, one.size] for one in message.attachments],
        "defects": message.defects,
        "fields": message.fields,
    }
    json.dumps(shown, ensure_ascii=False).encode()
