"""Tells mail that a machine may have sent, where no hard sign says so: the answer waits and the keeper is told.

Each sign is an address, never a word of subject or text alone. Names count as whole local parts, so `noreply.fan@` is
a person, and so is `daemon@`. That our address stands nowhere in the mail is no sign: so looks every blind copy.

See Also:
    RFC 2142 section 6 (`-request` addresses of lists), https://www.rfc-editor.org/rfc/rfc2142#section-6
"""

import re
from collections.abc import Iterator

from mailroom.mail.automatic import is_own
from mailroom.mail.message import Bounce, Message
from mailroom.mail.reports import is_dmarc_report

# Nobody reads what is sent there, in the languages of common senders.
_NO_REPLY = re.compile(
    r"(?:no|non|do-?not|dont|never)-?(?:reply|respond|response|answer)"
    r"|no-?responder|nao-?responda|ne-?pas-?repondre|non-?rispondere|nicht-?antworten|keine-?antwort|niet-?beantwoorden"
)
# What programs call themselves. `mailer-daemon` alone is a hard sign.
_PROGRAMS = re.compile(
    r"bounces?|notifications?|notify|auto-?repl(?:y|ies)|auto-?respond(?:er)?|mailer-?daemon|mail-?daemon|cron-?daemon"
    r"|mail-?(?:delivery-?)?(?:sub)?system|nagios|icinga2?|zabbix|logwatch"
)
_LIST = re.compile(r"owner-.+|.+-(?:owner|request|bounces?|return)")
# What stands for the same dash; and the suffix behind a plus or an equals sign, as bounce addresses have it.
_DASHES = re.compile(r"[._-]+")
_SUFFIX = re.compile(r"[+=]")
_SEPARATORS = re.compile(r"[\s<>(),;:\"]+")
_MANY = 25
_RECIPIENT_FIELDS = ("To", "Cc")


def soft_sign(message: Message, own_addresses: frozenset[str], bounce: Bounce | None = None) -> str | None:
    """Say why a machine may have sent a mail that has no hard sign; None where a person seems to have.

    `own_addresses` are the bare addresses of the service. `bounce` is what was read where a postmaster wrote.
    The reason names the sign and the field, never its content.
    """
    if bounce is not None:
        return "a postmaster wrote what reads like a bounce (From)"
    if any(map(is_dmarc_report, message.attachments)):
        return "it brings a DMARC report (Content-Disposition)"
    return _by_sender(message) or _by_recipients(message, own_addresses)


def _by_sender(message: Message) -> str | None:
    local = _local(message.sender or "")
    if _NO_REPLY.fullmatch(local):
        return "nobody reads answers there (From)"
    if _PROGRAMS.fullmatch(local):
        return "a program seems to have written it (From)"
    if _LIST.fullmatch(local):
        return "a list seems to have sent it (From)"
    listed = any(_LIST.fullmatch(_local(each)) for each in _addresses(message, ("Sender",)))
    return "a list seems to have sent it (Sender)" if listed else None


def _by_recipients(message: Message, own_addresses: frozenset[str]) -> str | None:
    """Look at whom the mail names, where none of these is us."""
    named = list(_addresses(message, _RECIPIENT_FIELDS))
    if not named or any(is_own(each, own_addresses) for each in named):
        return None
    if len(named) >= _MANY:
        return "it went to many, and we are not named (To)"
    return "it was sent to a list's own address (To)" if all(_LIST.fullmatch(_local(each)) for each in named) else None


def _local(address: str) -> str:
    """Give the local part in lower case, with one kind of dash and without a suffix."""
    return _DASHES.sub("-", _SUFFIX.split(address.lower().rpartition("@")[0], maxsplit=1)[0])


def _addresses(message: Message, names: tuple[str, ...]) -> Iterator[str]:
    """Give what looks like an address in these fields. Linear in their length, whatever stands in them."""
    for name in names:
        for value in message.all(name.lower()):
            yield from (word for word in _SEPARATORS.split(value) if "@" in word)
