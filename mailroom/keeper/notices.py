"""What the record keeper is told about one mail: neutral outside, everything that she needs inside.

The notice goes out encrypted to the keeper's key only. Flags come first, then what was answered and why, then the
text; attachments are named, never attached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailroom.mail.display import display_line, display_text, isolated
from mailroom.mail.message import Attachment, Message, OpenPGP

KEY_UNUSABLE = """\
Something new is on record under this number.
This notice says no more, because your OpenPGP key cannot be used any longer. It may have expired.
Please give a new public key to whoever runs the server.
"""
CIRCUIT_OPEN = """\
So many automatic answers were due within a minute that they now wait for five minutes.
Mail is still filed, and notices still go. Nothing is lost, and you need not do anything.
If this comes often, look at what arrives, or raise [replies] circuit_per_minute.
"""
_MOST_ATTACHMENTS = 50
_MOST_TEXT = 20_000  # characters; the whole is in the sealed record


@dataclass(frozen=True, slots=True)
class Notice:
    """A rendered notice: `subject` is for the inside, `outer_subject` says only the reference."""

    outer_subject: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Account:
    """What happened to one mail, in words for the keeper.

    `reasons` are lines such as "category: stalking (0.9: follows me, waits outside)"; `answer` says in a sentence
    what was sent or why not; `remarks` what needs her eye. `held` says why an answer waits for her, if one does.
    """

    reference: str
    kind: str
    flags: Sequence[str]
    reasons: Sequence[str]
    rule: str
    answer: str
    remarks: Sequence[str] = ()
    held: str | None = None


def write(account: Account, message: Message | None, protection: OpenPGP) -> Notice:
    """Write the notice about one mail; `message` is None when it could not be opened."""
    head = f"{account.reference}: {account.kind}"
    urgent = f" ({', '.join(account.flags)})" if account.flags else ""
    parts = [
        head + urgent,
        *(f"Look at this: {remark}" for remark in account.remarks),
        "",
        "What was decided",
        *(f"  {display_line(reason)}" for reason in account.reasons),
        f"  rule: {account.rule}",
        f"  answer: {account.answer}",
        f"  protection: {_protection(protection)}",
        "",
        *(_content(message) if message is not None else ["The mail could not be opened. It is kept as it came."]),
        "",
        "The whole mail is in the sealed record:",
        f"  mailroom case export {account.reference} DIR",
    ]
    waits = f": the answer is held ({account.held})" if account.held else ""
    return Notice(f"Note [{account.reference}]", head + urgent + waits, "\n".join(parts) + "\n")


def undelivered(reference: str, code: int) -> Notice:
    """Tell that an answer will never arrive. `code` is that of the last refusal."""
    why = "refused it for good" if code >= 500 else "could not take it, in five days of trying"
    text = (
        f"{reference}: an answer could not be delivered.\n\n"
        f"The mail server of the address {why} (code {code}). It is not tried again.\n"
        "The address may be misspelt, closed or full. If you know another safe way to reach the person, use it.\n"
    )
    return Notice(f"Note [{reference}]", f"{reference}: answer not delivered", text)


def refused(reference: str, role: str) -> Notice:
    """Tell that a mail came in the name of one of our people without proof: to herself, or of others to the keeper."""
    hers = role in ("keeper", "deputy")
    whose = (
        "your address without your signature" if hers else f"the address of one of your {role}s, without a signature"
    )
    text = (
        f"{reference}: a mail came from {whose}.\n\n"
        "Nothing was done and nothing was answered. It is kept under this number.\n"
        "If it is true: sign it, with the key that the desk knows. If not: somebody writes in this name.\n"
        "More of the same kind today come tomorrow, as one list.\n"
    )
    return Notice(f"Note [{reference}]", f"{reference}: unproven mail in {'your' if hers else 'a'} name", text)


_FORGED = " (forged, says our mail server)"
_SECTIONS = {
    "excess": "More came in than the hourly number of notices. These are on record too:",
    "spam": (
        "Our mail server takes these for spam. Nothing was answered, and they are kept apart from the reports.\n"
        "To read one: mailroom case export REFERENCE DIR\n"
        "If one is no spam, let its answer go: mailroom case answer REFERENCE"
    ),
    "forgery": "These mails came in the name of one of your people, without a valid signature. Nothing was done:",
}


def digest(lines: Mapping[str, Sequence[str]], more: Mapping[str, int]) -> Notice:
    """List what was not worth a notice each, by kind; `more` counts what is not shown. No text of any mail."""
    parts = []
    for kind, heading in _SECTIONS.items():
        shown = [f"  {line}" for line in lines.get(kind, ())]
        if more.get(kind):
            shown.append(f"  and {more[kind]} more: mailroom case list")
        if shown:
            parts.append("\n".join([heading, "", *shown]))
    count = sum(map(len, lines.values())) + sum(more.values())
    return Notice("Note", f"{count} in a list", "\n\n".join(parts) + "\n")


def spam_line(reference: str, sender: str | None, seen_as: Sequence[str], *, forged: bool) -> str:
    """Say in one line what may tell spam from a report (`seen_as`: language, category), and whom an answer would reach.

    No word of the mail, not even its subject: until the list goes, the line lies on the server under a key of the
    server (law 5), and what looks like spam may be a report.
    """
    return f"{reference}: {display_line(sender or 'nobody')}{_FORGED * forged} ({', '.join(seen_as)})"


def no_commands(reference: str) -> Notice:
    """Answer a keeper's signed mail in a version that knows no commands by mail."""
    text = (
        f"{reference}: your mail is kept under this number. Nothing else was done with it.\n\n"
        "This version takes no commands by mail, and it does not pass your answer on.\n"
        "On the server: mailroom case list, case show, case export, case answer, case retry.\n"
    )
    return Notice(f"Note [{reference}]", f"{reference}: no commands by mail yet", text)


def _content(message: Message) -> list[str]:
    text = message.text
    more = len(message.attachments) - _MOST_ATTACHMENTS
    cut = ["", "(cut here; the rest is in the sealed record)"] if len(text) > _MOST_TEXT else []
    return [
        f"From: {display_line(message.sender or 'nobody')}",
        f"Subject: {display_line(message.subject)}",
        *(_attachment(attachment) for attachment in message.attachments[:_MOST_ATTACHMENTS]),
        *([f"(and {more} more attachments; all are in the sealed record)"] if more > 0 else []),
        "",
        display_text(text[:_MOST_TEXT]),
        *cut,
    ]


def _attachment(attachment: Attachment) -> str:
    name = isolated(display_line(attachment.name or "without a name"))
    return f"Attached, sealed, not opened: {name} ({display_line(attachment.type)}, {attachment.size} bytes)"


def _protection(protection: OpenPGP) -> str:
    if protection.closed:
        return f"could not be opened: {_CLOSED.get(protection.failure or '', 'it failed')}"
    sealed = "encrypted" + (", but weakly" if protection.weak else "") if protection.encrypted else "not encrypted"
    partly = "; only a part was: other words came in clear" if protection.partial else ""
    left = f"; something did not open: {_CLOSED.get(protection.failure, 'it failed')}" if protection.failure else ""
    return f"{sealed}{partly}{left}; signature: {protection.signature.state}"


_CLOSED = {
    "no_key": "it is encrypted to a key that the desk does not have",
    "symmetric": "it is encrypted with a password, not with a key",
    "damaged": "the encrypted part is damaged, or somebody changed it",
    "unprotected": "it is encrypted without protection against changes, so it may have been changed",
    "too_large": "it would open to more than the desk takes",
    "too_many": "it has too many encrypted parts",
    "smime": "it is protected with S/MIME, which the desk cannot read",
}
