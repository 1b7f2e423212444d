"""*Routed*: what kind of mail this is, which case it belongs to, what is answered and why.

`run` and `explain` both come through here, so that one shows exactly what the other does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailroom.flow import filing
from mailroom.flow.desk import Guide, Office, Person, Policy
from mailroom.flow.filing import Budget, Case, Contact, Kind, Understood
from mailroom.flow.ports import Cases
from mailroom.mail.compose import bounce_token, sendable
from mailroom.mail.message import Message, Opened
from mailroom.mail.thread import our_ids, reference_candidates
from mailroom.referral.choose import Decision, decide
from mailroom.referral.facts import Facts
from mailroom.triage.facts import Triage

# Providers where so many people have their mailbox that a limit per domain would silence strangers.
LARGE_PROVIDERS = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "aol.com"),
        *("icloud.com", "me.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "mail.ru", "yandex.ru"),
        *("qq.com", "163.com", "126.com", "naver.com", "orange.fr", "free.fr", "libero.it", "uol.com.br", "riseup.net"),
    }
)
_DELIVERED_TO = ("delivered-to", "x-original-to", "envelope-to", "to")


@dataclass(frozen=True, slots=True)
class Link:
    """The case that a mail belongs to, if any; `related` is one that it only seems to belong to.

    `bounced`: it came to the bounce address of an answer, or (`of_notice`) of a notice. `again`: it is the first mail
    of its case, tried again.
    """

    case: Case | None = None
    related: Case | None = None
    bounced: bool = False
    of_notice: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something is sent, and why (not). `held` is the reason for which it waits for the keeper."""

    will_send: bool
    why: str
    held: str | None = None
    template: str | None = None


@dataclass(frozen=True, slots=True)
class Routed:
    """Everything that was decided about one mail. `decision` is None where no rule was asked."""

    kind: Kind
    link: Link
    triage: Triage
    decision: Decision | None
    answer: Answer


async def find_case(cases: Cases, policy: Policy, opened: Opened) -> Link:
    """Find the case: by the bounce address it came to, by our Message-IDs, by the reference in it.

    A reference or a Message-ID proves nothing: the mail must come from an address that wrote to that case, or it
    opens a case of its own that the keeper is told may be related.
    """
    message = opened.message
    token = _bounce_token(message, policy.own_addresses)
    if token is not None:
        bounced = await cases.by_bounce_token(token)
        if bounced is not None:
            return Link(case=bounced, bounced=True)
        noticed = await cases.by_notice_token(token)
        if noticed is not None:
            return Link(case=noticed, bounced=True, of_notice=True)
    found = await cases.by_message_ids([*our_ids(message, policy.domain), *message.references])
    for written in () if found else reference_candidates(message):
        found = found or await cases.by_reference(written)
    if found is None or message.sender is None:
        return Link()
    honest = opened.authentication != "fail" and await cases.wrote(found, message.sender)
    return Link(case=found) if honest else Link(related=found)


def _bounce_token(message: Message, own: frozenset[str]) -> str | None:
    values = [value for name in _DELIVERED_TO for value in message.all(name)]
    words = [word.strip("<>,;\"'") for value in values for word in value.split() if "@" in word]
    return next((token for token in (bounce_token(word, own) for word in words) if token), None)


def kind_of(opened: Opened, link: Link, commanders: Sequence[Person]) -> Kind:
    """Name the kind of mail: the first that fits, in the order of the contract."""
    machine = opened.machine.kind if opened.machine else None
    if machine in ("own", "bounce"):
        return machine
    if any(person.writes_from(opened.message.sender) for person in commanders):
        return "command"
    if machine is not None:
        return machine
    if link.case is not None and not link.again:
        return "follow_up"
    return "unreadable" if opened.message.unreadable else "report"


def route(office: Office, understood: Understood, link: Link, budget: Budget) -> Routed:
    """Decide about one mail. Pure but for the clock's day, on which the directory's dates depend."""
    opened, found = understood.opened, understood.triage
    kind = kind_of(opened, link, [person for person in office.people if person.role != "admin"])
    decision = None
    if kind in ("report", "follow_up"):
        facts = facts_for(opened, found, link.case, office.guide)
        decision = decide(facts, office.guide.book, office.clock().date())
    answer = _answer(office.policy, kind, opened, link, found, decision)
    return Routed(kind, link, found, decision, _within(office.policy, opened, answer, budget))


def facts_for(opened: Opened, found: Triage, case: Case | None, guide: Guide) -> Facts:
    """Turn findings into what rules may ask for; a case's own facts count where this mail says nothing new."""
    taxonomy = guide.lexicon.taxonomy
    category = found.category.value or "unclassified"
    language = found.language.value or "und"
    if case is not None:
        category = case.category if category == "unclassified" else category
        language = case.language if case.language not in (None, "und") else language
    return Facts(
        language=language,
        country=found.country.value or (case.country if case else None),
        category=category,
        group=taxonomy.group(category),
        severity=max(taxonomy.severity(category), found.severity),
        confidence=found.category.confidence,
        flags=frozenset(found.flags) | frozenset(case.flags if case else ()),
        contact=contact_wish(opened, found, case),
        encrypted=opened.openpgp.encrypted,
        reply_key_known=reply_key(opened, case) is not None,
    )


def clear_facts(guide: Guide, opened: Opened, found: Triage, kind: Kind) -> filing.Facts:
    """Give the facts that stand in clear in the record of a new case."""
    machine = kind in ("own", "bounce", "list", "automatic")
    return filing.Facts(
        category=found.category.value or "unclassified",
        taxonomy=guide.lexicon.taxonomy.version,
        country=found.country.value,
        country_source=found.country.source,
        language=found.language.value or "und",
        language_source=found.language.source,
        channel="machine" if machine else "command" if kind == "command" else "email",
        flags=() if machine else _flags(opened, found),
        contact=found.contact,
    )


def _flags(opened: Opened, found: Triage) -> tuple[str, ...]:
    """Add to what was said what the mail itself shows."""
    shown = {"oversize": opened.oversize, "unauthenticated": opened.authentication != "pass"}
    return tuple(sorted({*found.flags, *(flag for flag, is_so in shown.items() if is_so)}))


def contact_wish(opened: Opened, found: Triage, case: Case | None) -> Contact | None:
    """What she last said about being written to: this mail's word, else the case's.

    "Stop" and "not safe" only reduce mail and act at once. To take them back, somebody must vouch for the sender.
    """
    before = case.contact if case else None
    if found.contact == "ok" and before in ("unsafe", "none") and opened.authentication != "pass":
        return before
    return found.contact or before


def reply_key(opened: Opened, case: Case | None) -> bytes | None:
    """The certificate that an answer is encrypted to: the one that came with this mail, else the case's."""
    return opened.sender_key or (case.reply_key if case else None)


def _answer(policy: Policy, kind: Kind, opened: Opened, link: Link, found: Triage, decision: Decision | None) -> Answer:
    if decision is None:
        return Answer(False, _NOT_ANSWERED[kind])
    silence = _silence(opened, link, found, decision)
    if silence is not None:
        return Answer(False, silence)
    more = found.contact == "ok" and contact_wish(opened, found, link.case) == "ok"
    template = _template(kind, opened, decision, more=more)
    hold = _hold(policy, opened, decision)
    return Answer(False, *hold, template) if hold else Answer(True, decision.why, None, template)


def _silence(opened: Opened, link: Link, found: Triage, decision: Decision) -> str | None:
    """Say why this mail is not answered at all; None when it is."""
    if link.bounced:
        return "mail to a bounce address is never answered"
    if not sendable(opened.message.sender):
        return "there is no address that can be answered"
    if contact_wish(opened, found, link.case) == "none":
        return "the writer asked for no answer"
    return None if decision.will_send or decision.hold else decision.why


def _hold(policy: Policy, opened: Opened, decision: Decision) -> tuple[str, str] | None:
    """Say why the answer waits for the keeper, in a sentence and in a few words; None when it need not."""
    if opened.authentication == "fail":
        return "our mail server says that the sender is forged", "authentication failed"
    if policy.hold_unauthenticated and opened.authentication == "none":
        return "nobody vouches for the sender", "sender not authenticated"
    return (decision.why, decision.hold) if decision.hold else None


_NOT_ANSWERED: dict[str, str] = {
    "own": "our own mail is not answered",
    "bounce": "a bounce is not answered",
    "command": "a keeper's mail is answered apart",
    "list": "mail from a list is not answered",
    "automatic": "a machine is not answered",
    "unreadable": "nothing could be read",
}


def _template(kind: Kind, opened: Opened, decision: Decision, *, more: bool) -> str:
    """Name the text: what the rule says, but for what could not be opened and for one message more."""
    if opened.openpgp.encrypted and not opened.openpgp.decrypted:
        return "cannot_open"
    # A follow-up that says "this address is safe", or asks for more, gets the whole answer.
    short = kind == "follow_up" and not more and decision.template in ("full", "minimal")
    return "receipt" if short else decision.template


def _within(policy: Policy, opened: Opened, answer: Answer, budget: Budget) -> Answer:
    if not answer.will_send or opened.message.sender is None:
        return answer
    domain = opened.message.sender.rpartition("@")[2].casefold()
    if budget.to_sender >= policy.per_sender_per_day:
        return Answer(False, "this address had its answers for today", "limit per address", answer.template)
    if budget.to_domain >= policy.per_domain_per_hour and domain not in LARGE_PROVIDERS:
        return Answer(False, "this domain had its answers for this hour", "limit per domain", answer.template)
    return answer
