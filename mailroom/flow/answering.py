"""*Answered*: the letters that one mail causes, rendered before the commit so that they are in the one transaction."""

from collections.abc import Sequence
from dataclasses import replace

from mailroom.errors import EncryptionFailed
from mailroom.flow.desk import Desk, Office, Person
from mailroom.flow.filing import Case, Letter, Outgoing, OutgoingKind
from mailroom.flow.routing import Answer, Routed, reply_key
from mailroom.keeper import notices as wording
from mailroom.keeper.notices import Notice
from mailroom.log import get_logger
from mailroom.mail import compose
from mailroom.mail.message import Opened, OpenPGP
from mailroom.referral.templates import Rendered, Unreviewed
from mailroom.triage.country import country_name
from mailroom.triage.facts import Finding

_log = get_logger(__name__)


def rendered(office: Office, routed: Routed, reference: str, unreviewed: Unreviewed) -> Rendered | None:
    """Render the text of the answer; None when there is none that may be sent unreviewed."""
    decision, template = routed.decision, routed.answer.template
    if decision is None or template is None:
        return None
    policy, country = office.policy, routed.triage.country.value
    values = {
        "reference": reference,
        "emergency": None,
        "country": country_name(country, decision.language) if country else None,
        "hours": policy.hours or None,
        "retention_months": policy.retention_months,
        "services": decision.services if template == decision.template else (),
        "fingerprint": _grouped(policy.fingerprint),
        "urgent": decision.urgent,
    }
    return office.guide.book.texts.render(
        template, decision.language, values, unreviewed=unreviewed, default_language=policy.default_language
    )


def settle(office: Office, routed: Routed, reference: str) -> tuple[Routed, Rendered | None]:
    """Render the answer; where it must not be sent unreviewed, hold it."""
    text = rendered(office, routed, reference, office.policy.unreviewed)
    if text is not None or routed.answer.template is None:
        return routed, text
    # Nobody reviewed it: the keeper reads it in her notice, and may let it go.
    answer = Answer(False, "no text of this kind was reviewed yet", "text not reviewed", routed.answer.template)
    return replace(routed, answer=answer), rendered(office, routed, reference, "send")


def is_encrypted(routed: Routed, opened: Opened) -> bool:
    """Whether the answer goes out encrypted: her mail was, and there is a key to answer to."""
    question = opened.openpgp.encrypted and opened.openpgp.decrypted
    return question and routed.answer.template is not None and reply_key(opened, routed.link.case) is not None


async def reply(desk: Desk, routed: Routed, opened: Opened, case: Case, text: Rendered) -> Outgoing | None:
    """Make the answer to the writer, protected no weaker than her mail; None when there is nobody to answer to."""
    to, key = opened.message.sender, reply_key(opened, routed.link.case)
    if to is None:
        return None
    sequence = await desk.cases.sequence(case, "reply")
    header = _header(desk, case, ("reply", sequence), (to, text.subject, compose.threadable(opened.message.message_id)))
    if is_encrypted(routed, opened) and key is not None:
        content = await _protected(desk, header, text, key)
    else:
        content = compose.plain(header, text.body)
    return _outgoing(desk, case, ("reply", sequence), Letter("", to, content), routed.answer.held)


async def _protected(desk: Desk, header: compose.Header, text: Rendered, key: bytes) -> bytes:
    entity = compose.text_part(text.body, protected_subject=text.subject)
    try:
        signature, micalg = await desk.signer.sign(entity)
        entity = compose.signed_entity(entity, signature, micalg)
    except EncryptionFailed:  # our own key has expired, say: an answer without signature is better than none
        _log.error("desk key cannot sign")
    return compose.encrypted(header, desk.encryptor.encrypt(entity, [key], armor=True))


async def tell(desk: Desk, notice: Notice, case: Case, people: Sequence[Person]) -> tuple[Outgoing, ...]:
    """Make one encrypted notice for each of these people."""
    first = await desk.cases.sequence(case, "notice")
    made = []
    for sequence, person in enumerate((one for one in people if one.certificate), first):
        header = _header(desk, case, ("notice", sequence), (person.address, notice.outer_subject, None))
        content = _for_her_eyes(desk, header, notice, person, case.reference)
        made.append(_outgoing(desk, case, ("notice", sequence), Letter("", person.address, content), None))
    return tuple(made)


def _for_her_eyes(desk: Desk, header: compose.Header, notice: Notice, person: Person, reference: str) -> bytes:
    """Encrypt a notice; with a key that cannot be used any more, say only that, and the reference."""
    entity = compose.text_part(notice.text, protected_subject=notice.subject)
    try:
        return compose.encrypted(header, desk.encryptor.encrypt(entity, [person.certificate or b""], armor=True))
    except EncryptionFailed:
        _log.error("keeper key unusable", case=reference)
        return compose.plain(header, wording.KEY_UNUSABLE)


def paced(desk: Desk, case: Case, reply: Outgoing | None) -> tuple[Outgoing, ...]:
    """Count an automatic answer towards the circuit; when it opens, tell the admins."""
    if reply is None:
        return ()
    if reply.held or not desk.pace.reply(desk.now()):
        return (reply,)
    _log.error("circuit open", state="replies_wait", seconds=300)
    return (reply, *(_alarm(desk, case, one) for one in enumerate(desk.office.role("admin"), 1)))


def _alarm(desk: Desk, case: Case, numbered: tuple[int, Person]) -> Outgoing:
    """Write to an admin, in clear: an alarm says nothing about any mail."""
    sequence, person = numbered
    header = _header(desk, case, ("alarm", sequence), (person.address, "The mail desk slows down", None))
    letter = Letter("", person.address, compose.plain(header, wording.CIRCUIT_OPEN))
    return _outgoing(desk, case, ("alarm", sequence), letter, None)


def planned(desk: Desk, notices: Sequence[Outgoing], *, urgent: bool) -> tuple[Outgoing, ...]:
    """Give notices their time: at once when urgent, else within the hourly allowance."""
    now = desk.now()
    return tuple(replace(one, not_before=0 if urgent else desk.pace.notice(now)) for one in notices)


def account(routed: Routed, opened: Opened, case: Case, answer: str) -> wording.Account:
    """Put a decision in words for the keeper."""
    found, decision = routed.triage, routed.decision
    return wording.Account(
        reference=case.reference,
        kind=routed.kind,
        flags=sorted({*found.flags, *case.flags}),
        reasons=[
            _reason("language", found.language),
            _reason("country", found.country),
            _reason("category", found.category),
            *(f"{flag}: {', '.join(words)}" for flag, words in found.flag_evidence),
        ],
        rule=f"{decision.rule} ({decision.file}, line {decision.line})" if decision else "none was asked",
        answer=answer,
        remarks=_remarks(routed, opened, case.reference),
    )


def notice_about(routed: Routed, opened: Opened, case: Case, text: Rendered | None) -> Notice:
    """Write the notice about one opened mail."""
    if routed.answer.will_send and text is not None:
        answer = f"{text.template} in {text.language} goes out ({routed.answer.why})"
    else:
        answer = f"nothing was sent: {routed.answer.why}"
    return wording.write(account(routed, opened, case, answer), opened.message, opened.openpgp)


def parked_notice(case: Case) -> Notice:
    """Write the notice about a mail that could not be opened in three tries."""
    nothing = wording.Account(case.reference, "parked", (), (), "none was asked", "nothing was sent", (_PARKED,))
    return wording.write(nothing, None, OpenPGP())


_PARKED = "opening this mail failed three times. Try again with: mailroom case retry"


def _remarks(routed: Routed, opened: Opened, reference: str) -> list[str]:
    found = []
    if routed.answer.held:
        found.append(f"the answer is held ({routed.answer.held}). To let it go: mailroom case answer {reference}")
    if routed.link.related:
        found.append(f"this may belong to {routed.link.related.reference}, but comes from another address")
    if opened.authentication == "none":
        found.append("unauthenticated: nobody vouches that the sender is who the mail says")
    if opened.oversize:
        found.append("oversize: only its beginning was read; the mail is still in the mailbox")
    if opened.openpgp.encrypted and not opened.openpgp.decrypted:
        found.append("the mail is encrypted and could not be opened; it is kept as it came")
    return found


def _reason(name: str, finding: Finding) -> str:
    words = ", ".join(finding.evidence)
    return f"{name}: {finding.value or 'not known'} ({finding.confidence:.2f}{': ' + words if words else ''})"


def _header(desk: Desk, case: Case, what: tuple[str, int], addressed: tuple[str, str, str | None]) -> compose.Header:
    to, subject, answers = addressed
    return compose.Header(
        sender_address=desk.office.policy.address,
        sender_name=desk.office.policy.name,
        to=to,
        subject=subject,
        message_id=desk.cases.message_id(case, *what, desk.office.policy.domain),
        date=desk.office.clock(),
        in_reply_to=answers,
        automatic=True,
    )


def _outgoing(desk: Desk, case: Case, what: tuple[OutgoingKind, int], letter: Letter, held: str | None) -> Outgoing:
    token = desk.cases.token(case, *what)
    sender = compose.bounce_address(desk.office.policy.address, token) if desk.office.policy.envelope == "verp" else ""
    message_id = desk.cases.message_id(case, *what, desk.office.policy.domain)
    return Outgoing(*what, Letter(sender, letter.recipient, letter.content), message_id, token, held)


def _grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))
