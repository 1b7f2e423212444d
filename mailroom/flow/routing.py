"""*Routed*: what kind of mail this is, which case it belongs to, what is answered and why.

`run` and `explain` both come through here, so that one shows exactly what the other does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailroom.flow import filing
from mailroom.flow.desk import Guide, Office, Person, Policy
from mailroom.flow.filing import Budget, Case, Contact, Kind, Understood
from mailroom.flow.limiting import RECEIPT, Answer, asked, within
from mailroom.flow.linking import Link, is_unproven_form
from mailroom.mail.automatic import is_own
from mailroom.mail.compose import sendable
from mailroom.mail.message import Opened
from mailroom.referral.choose import Decision, decide
from mailroom.referral.facts import Facts
from mailroom.triage.facts import Triage

MACHINE_KINDS = frozenset({"own", "bounce", "list", "automatic"})


@dataclass(frozen=True, slots=True)
class Routed:
    """Everything that was decided about one mail. `decision` is None where no rule was asked.

    `suspected`: our own mail server takes it for spam, and it belongs to no case.
    """

    kind: Kind
    link: Link
    triage: Triage
    decision: Decision | None
    answer: Answer
    suspected: bool = False


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
    kind = kind_of(opened, link, office.people)
    decision = None
    if kind in ("report", "follow_up"):
        facts = facts_for(opened, found, link.case, office.guide)
        decision = decide(facts, office.guide.book, office.clock().date())
    answer = _answer(office.policy, kind, opened, link, found, decision)
    answer = within(office.policy, answer, asked(understood, link), budget)
    return Routed(kind, link, found, decision, answer, kind == "report" and opened.spam is not None)


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
        channel="form" if opened.form else "email",
        encrypted=opened.openpgp.encrypted,
        reply_key_known=reply_key(opened, case) is not None,
    )


def clear_facts(guide: Guide, opened: Opened, routed: Routed) -> filing.Facts:
    """Give the facts that stand in clear in the record of a new case."""
    found, machine = routed.triage, routed.kind in MACHINE_KINDS
    return filing.Facts(
        category=found.category.value or "unclassified",
        taxonomy=guide.lexicon.taxonomy.version,
        country=found.country.value,
        country_source=found.country.source,
        language=found.language.value or "und",
        language_source=found.language.source,
        channel=_channel(opened, routed),
        flags=() if machine else _flags(opened, routed),
        contact=found.contact,
    )


def _channel(opened: Opened, routed: Routed) -> str:
    """Say what way a case came; only those of people are counted."""
    ways = {
        "machine": routed.kind in MACHINE_KINDS,
        "command": routed.kind == "command",
        "spam": routed.suspected,
        "form": opened.form is not None,
    }
    return next((way for way, is_so in ways.items() if is_so), "email")


def _flags(opened: Opened, routed: Routed) -> tuple[str, ...]:
    """Add to what was said what the mail itself shows."""
    shown = {
        "oversize": opened.oversize,
        "sealed": opened.openpgp.closed,
        "suspected_spam": routed.suspected,
        "unauthenticated": opened.authentication != "pass",
    }
    return tuple(sorted({*routed.triage.flags, *(flag for flag, is_so in shown.items() if is_so)}))


def contact_wish(opened: Opened, found: Triage, case: Case | None) -> Contact | None:
    """What she last said about being written to: this mail's word, else the case's.

    "Stop" and "not safe" only reduce mail and act at once. To take them back, somebody must vouch for the sender.
    """
    before = case.contact if case else None
    if found.contact == "ok" and before in ("unsafe", "none") and opened.authentication != "pass":
        return before
    return found.contact or before


def reply_key(opened: Opened, case: Case | None) -> bytes | None:
    """The certificate that an answer is encrypted to: the case's; another one only when somebody vouches for it.

    Where none is known, the one that came with this mail answers this mail.
    """
    known = case.reply_key if case else None
    return opened.sender_key if opened.sender_key and (known is None or brings_key(opened, case)) else known


def brings_key(opened: Opened, case: Case | None) -> bool:
    """Whether a key came that is to be kept: somebody vouches for it, and no later mail brought another.

    Autocrypt Level 1 section 2.3 (effective date), https://docs.autocrypt.org/level1.html
    """
    dated, written = case.key_dated if case else None, opened.message.date
    is_late = dated is not None and written is not None and written < dated
    return opened.sender_key is not None and opened.key_vouched and not is_late


def _answer(policy: Policy, kind: Kind, opened: Opened, link: Link, found: Triage, decision: Decision | None) -> Answer:
    if decision is None:
        return Answer(False, _NOT_ANSWERED[kind])
    silence = _silence(policy, opened, link, found, decision)
    if silence is not None:
        return Answer(False, silence)
    more = found.contact == "ok" and contact_wish(opened, found, link.case) == "ok"
    template = _template(kind, opened, decision, more=more)
    hold = _hold(policy, opened, decision) or _doubt(opened, link, found)
    return Answer(False, *hold, template) if hold else Answer(True, decision.why, None, template)


def _silence(policy: Policy, opened: Opened, link: Link, found: Triage, decision: Decision) -> str | None:
    """Say why this mail is not answered at all; None when it is."""
    if link.bounced:
        return "mail to a bounce address is never answered"
    if not sendable(opened.writer) or is_own(opened.writer, policy.own_addresses):
        return "there is no address that can be answered"
    if contact_wish(opened, found, link.case) == "none":
        return "the writer asked for no answer"
    return None if decision.will_send or decision.hold else decision.why


def _hold(policy: Policy, opened: Opened, decision: Decision) -> tuple[str, str] | None:
    """Say why the answer waits for the keeper, in a sentence and in a few words; None when it need not."""
    if opened.authentication == "fail":
        return "our mail server says that the sender is forged", "authentication failed"
    if is_unproven_form(opened):
        return "nobody vouches that this mail comes from the form's site", "form without proof"
    if policy.hold_unauthenticated and opened.authentication == "none":
        return "nobody vouches for the sender", "sender not authenticated"
    return (decision.why, decision.hold) if decision.hold else None


def _doubt(opened: Opened, link: Link, found: Triage) -> tuple[str, str] | None:
    """Say likewise why it may be spam or a machine. Words of danger outweigh what a filter thinks."""
    if opened.spam and (link.case is None or link.again) and not found.flags:
        return f"our mail server takes it for spam ({opened.spam})", "suspected spam"
    return (f"a machine may have sent it ({opened.soft})", "perhaps a machine") if opened.soft else None


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
    if opened.openpgp.closed:
        return "cannot_open"
    # A follow-up that says "this address is safe", or asks for more, gets the whole answer.
    short = kind == "follow_up" and not more and decision.template in ("full", "minimal")
    return RECEIPT if short else decision.template
