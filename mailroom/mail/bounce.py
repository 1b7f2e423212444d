"""Reads a bounce: who was not reached, whether for good, and which mails of ours came back.

Delivery reports (RFC 3464) are read here. Older bounces have only words, in the shape of the program that wrote
them: those flufl.bounce knows. It is asked only about mail that a machine sent, or a postmaster: the same words in
a person's mail say nothing. It does not get the mail, which Python's parser would follow to any depth, but a flat one
built here, of few parts with few and short lines: some of its patterns take time by the square of a line's length.

See Also:
    RFC 3464 (delivery status), https://www.rfc-editor.org/rfc/rfc3464
    RFC 6533 (UTF-8 addresses in it), https://www.rfc-editor.org/rfc/rfc6533
"""

import logging
import re
from collections.abc import Iterable, Iterator
from email.message import Message as Tree
from itertools import islice

from flufl.bounce import all_failures

from mailroom.mail.automatic import NO_RETURN, TO_BOUNCES
from mailroom.mail.charset import decode
from mailroom.mail.entity import Entity, header_start, read_entity
from mailroom.mail.message import Bounce, MachineSign
from mailroom.mail.transfer import decoded

# It would log what its detectors raise, and that may hold a piece of the mail.
logging.getLogger("flufl.bounce").disabled = True

MAX_RECIPIENTS = 100
MAX_IDS = 10
_STATUS = {"message/delivery-status", "message/global-delivery-status"}
_RETURNED = {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}
_TELLING = _STATUS | {"message/disposition-notification", "message/global-disposition-notification"}
# The address that we wrote to, and the last one that the mail was passed on to.
_RECIPIENT = ("original-recipient", "final-recipient")
# A report about one mail is small; what lies behind this is not read.
_MAX_BYTES = 65_536
# A report has three parts; a gateway may add some.
_MAX_PARTS = 20
# For flufl.bounce, whose patterns take time by the square of a line's length.
_MAX_LINES = 200
_MAX_LINE = 300
_MAX_VALUE = 1000
_MAX_FIELDS = 100

_BLANK_LINE = re.compile(rb"(?:\r\n|\r(?!\n)|\n)[ \t]*(?:\r\n|\r(?!\n)|\n)")
_SEPARATORS = re.compile(r"[\s<>(),;:\"\[\]]+")
_ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_ID = re.compile(rb"<([!-;=?-~]{1,998})>")
_ID_IN_TEXT = re.compile(
    rb"^(?:(?:X-)?Original-)?Message-ID:[ \t]{0,20}<([!-;=?-~]{1,998})>", re.IGNORECASE | re.MULTILINE
)
# RFC 3464 section 2.3.3: MTAs put comments behind the word; OpenSMTPD writes `error` for `failed`.
_FAILED = ("fail", "error")


def read_bounce(content: bytes) -> Bounce | None:
    """Read a mail that a machine or a postmaster sent. None where it names no recipient and brings no mail back.

    Never raises, whatever the bytes are; bounded in what it reads.
    """
    root = read_entity(content, header_start(content))
    leaves = list(islice(root.leaves(), _MAX_PARTS))
    groups = [group for leaf in leaves if leaf.type in _STATUS for group in _groups(leaf)]
    failed, delayed = _by_status(groups) if groups else _by_words(root, leaves)
    recipients = tuple(dict.fromkeys(failed or delayed))[:MAX_RECIPIENTS]
    ids = tuple(dict.fromkeys(_ids(leaves, in_text=bool(recipients))))[:MAX_IDS]
    return Bounce(recipients, bool(failed), ids) if recipients or ids else None


def may_bounce(machine: MachineSign | None, sender: str | None) -> bool:
    """Tell whether a mail is to be read as a bounce: a machine's that says nothing else, or a postmaster's."""
    if machine is None:
        return (sender or "").lower().startswith("postmaster@")
    return machine.kind == "bounce" or _is_bare(machine)


def told_apart(machine: MachineSign | None, bounce: Bounce | None) -> MachineSign | None:
    """Call a bounce what has no sign of one in its header, but words that name who was not reached.

    So it is with a null return path alone, and with mail to a bounce address. An out-of-office note has other signs
    too, or names nobody: it stays `automatic`.
    """
    is_one = machine is not None and _is_bare(machine) and bounce is not None and bounce.recipients
    return MachineSign("bounce", machine.why) if machine is not None and is_one else machine


def _is_bare(machine: MachineSign) -> bool:
    return machine.kind == "automatic" and machine.why.startswith((NO_RETURN, TO_BOUNCES))


def _groups(leaf: Entity) -> Iterator[dict[str, str]]:
    """Give the fields that a delivery report has for each recipient (RFC 3464 section 2.3), one group a recipient."""
    for group in islice(_BLANK_LINE.split(_body(leaf)), MAX_RECIPIENTS + 10):
        header = read_entity(group + b"\r\n\r\n", len(group) - len(group.lstrip())).header
        fields = {name: decode(value, None)[0] for name, value in header}
        if not fields.keys().isdisjoint(_RECIPIENT):
            yield fields


def _by_status(groups: Iterable[dict[str, str]]) -> tuple[list[str], list[str]]:
    """Give who was not reached for good, and who not yet, as the delivery reports say."""
    failed: list[str] = []
    delayed: list[str] = []
    for group in groups:
        fate = _fate(group)
        if fate is not None:
            (failed if fate else delayed).extend(_recipients(group))
    return failed, delayed


def _fate(group: dict[str, str]) -> bool | None:
    """Tell whether delivery failed (True), waits (False), or neither: the action decides, else the class of status.

    RFC 3464 sections 2.3.3 and 2.3.4. `failed` is final also where the status is 4.4.7, after days of trying.
    """
    action, status = group.get("action", "").strip().lower(), group.get("status", "").strip()
    if action.startswith(_FAILED):
        return True
    if action.startswith("delayed"):
        return False
    if action.startswith(("delivered", "relayed", "expanded")):
        return None
    return {"5": True, "4": False}.get(status[:1])


def _recipients(group: dict[str, str]) -> list[str]:
    values = (group.get(name, "") for name in _RECIPIENT)
    return [address for value in values for address in _addresses(value)]


def _addresses(value: str) -> list[str]:
    """Find the addresses in a field: with or without `rfc822;` and angle brackets, the domain in lower case."""
    words = _SEPARATORS.split(_ESCAPED.sub(_escaped, value[:_MAX_VALUE]))
    pairs = (word.rpartition("@") for word in words)
    return [f"{local}@{domain.lower()}" for local, at, domain in pairs if local and at and domain]


def _escaped(code: re.Match[str]) -> str:
    r"""Read `\x{20AC}` (RFC 6533 section 3, https://www.rfc-editor.org/rfc/rfc6533#section-3)."""
    point = int(code.group(1), 16)
    is_character = point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF
    return chr(point) if is_character else ""


def _by_words(root: Entity, leaves: Iterable[Entity]) -> tuple[list[str], list[str]]:
    """Give who was not reached for good, and who not yet, as Exim's field or the words of the bounce say."""
    fields = [decode(value, None)[0] for name, value in root.header if name == "x-failed-recipients"]
    if fields:
        return [address for value in fields for address in _addresses(value)], []
    try:
        delayed, failed = all_failures(_flat(root, leaves))
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        # Its detectors expect the mails that they were written for, and flufl.bounce passes on what they raise.
        return [], []
    return _sorted(failed), _sorted(delayed)


def _sorted(found: Iterable[bytes]) -> list[str]:
    return sorted(address for each in found for address in _addresses(each.decode("ascii", "replace")))


def _flat(root: Entity, leaves: Iterable[Entity]) -> Tree:
    """Build what flufl.bounce reads: the header, and all leaves as parts of one multipart."""
    if not root.parts:
        return _leaf(root)
    tree = _header(root)
    tree.set_payload([_leaf(leaf) for leaf in leaves])
    return tree


def _leaf(entity: Entity) -> Tree:
    """Decode a leaf; of its text the beginning, in short lines."""
    tree = _header(entity)
    lines = _body(entity).decode("latin-1").splitlines()[:_MAX_LINES]
    tree.set_payload("".join(f"{line[:_MAX_LINE]}\n" for line in lines))
    return tree


def _header(entity: Entity) -> Tree:
    tree = Tree()
    for name, value in entity.header[:_MAX_FIELDS]:
        if name != "content-transfer-encoding":  # it was undone
            tree[name] = value[:_MAX_VALUE].decode("ascii", "replace")
    return tree


def _ids(leaves: Iterable[Entity], *, in_text: bool) -> Iterator[str]:
    """Give the Message-IDs of what came back: a mail, its header, or either written out in the text.

    A disposition notification names it: https://www.rfc-editor.org/rfc/rfc8098#section-3.2.5
    """
    for leaf in leaves:
        body = _body(leaf)
        if leaf.type in _RETURNED:
            header = read_entity(body, header_start(body)).header
            found = [each for name, value in header if name == "message-id" for each in _ID.findall(value)]
        else:
            is_told = leaf.type in _TELLING or (in_text and leaf.type == "text/plain")
            found = _ID_IN_TEXT.findall(body) if is_told else []
        yield from (each.decode("ascii") for each in found)


def _body(leaf: Entity) -> bytes:
    return decoded(leaf.content[leaf.body : min(leaf.end, leaf.body + _MAX_BYTES)], leaf.encoding)[0]
