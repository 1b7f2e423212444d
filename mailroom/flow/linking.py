"""Which case a mail belongs to.

Nothing that stands in a mail proves it: a mail joins a case only from an address that wrote to it. Bounces are the
exception, because they come from mail servers: for them the token or the Message-ID counts that only our letter had.
"""

from dataclasses import dataclass

from mailroom.flow.desk import Policy
from mailroom.flow.filing import Case
from mailroom.flow.ports import Cases
from mailroom.mail.compose import bounce_token
from mailroom.mail.message import Message, Opened
from mailroom.mail.thread import is_forward, is_id_of_ours, our_ids, reference_candidates

_MOST_RECIPIENTS = 5
_DELIVERED_TO = ("delivered-to", "x-original-to", "envelope-to", "to")


@dataclass(frozen=True, slots=True)
class Link:
    """The case that a mail belongs to, if any; `related` is one that it only seems to belong to.

    `bounced`: it came to the bounce address of an answer, or (`of_notice`) of a notice, or it is a bounce that names
    our Message-ID. `again`: it is the first mail of its case, tried again.
    """

    case: Case | None = None
    related: Case | None = None
    bounced: bool = False
    of_notice: bool = False
    again: bool = False


async def find_case(cases: Cases, policy: Policy, opened: Opened) -> Link:
    """Find the case: by the bounce address it came to, by our Message-IDs, by the reference in it.

    A reference or a Message-ID proves nothing: the mail must come from an address that wrote to that case, or it
    opens a case of its own that the keeper is told may be related. Who passes a mail on does not answer it.
    """
    returned = await _returned(cases, policy, opened)
    if returned is not None:
        return returned
    message = opened.message
    found = await _named(cases, policy, message)
    if found is None or opened.writer is None:
        return Link()
    proven = opened.authentication != "fail" and not is_unproven_form(opened)
    honest = proven and await cases.wrote(found, opened.writer)
    return Link(case=found) if honest and not is_forward(message.subject) else Link(related=found)


async def _returned(cases: Cases, policy: Policy, opened: Opened) -> Link | None:
    """Find the case of a letter that came back: by the token of its envelope sender, or by its Message-ID."""
    token = _bounce_token(opened.message, policy.own_addresses)
    if token is not None:
        bounced = await cases.by_bounce_token(token)
        if bounced is not None:
            return Link(case=bounced, bounced=True)
        noticed = await cases.by_notice_token(token)
        if noticed is not None:
            return Link(case=noticed, bounced=True, of_notice=True)
    if opened.bounce is None:
        return None
    ours = [one for one in opened.bounce.original_ids if is_id_of_ours(one, policy.domain)]
    bounced = await cases.by_message_ids(ours)
    if bounced:
        return Link(case=bounced, bounced=True)
    # Anybody can write a report that names somebody's address: it proves nothing, but the keeper should know.
    found = [
        case for address in opened.bounce.recipients[:_MOST_RECIPIENTS] if (case := await cases.by_sender(address))
    ]
    return Link(related=found[0]) if found else None


def is_unproven_form(opened: Opened) -> bool:
    """Whether the address of the writer is only what a mail in the name of a form's sender says."""
    return opened.form is not None and opened.form.named_sender and opened.authentication != "pass"


async def _named(cases: Cases, policy: Policy, message: Message) -> Case | None:
    found = await cases.by_message_ids([*our_ids(message, policy.domain), *message.references])
    for written in () if found else reference_candidates(message):
        found = found or await cases.by_reference(written)
    return found


def _bounce_token(message: Message, own: frozenset[str]) -> str | None:
    values = [value for name in _DELIVERED_TO for value in message.all(name)]
    words = [word.strip("<>,;\"'") for value in values for word in value.split() if "@" in word]
    return next((token for token in (bounce_token(word, own) for word in words) if token), None)
