"""*Answered*: the letters that one mail causes, rendered before the commit so that they are in the one transaction."""

from dataclasses import replace

from mailroom.errors import EncryptionFailed
from mailroom.flow.desk import Desk, Office, Person
from mailroom.flow.filing import Case, Letter, Outgoing, OutgoingKind
from mailroom.flow.limiting import Answer
from mailroom.flow.routing import Routed, brings_key, reply_key
from mailroom.keeper import notices as wording
from mailroom.keeper.notices import Notice
from mailroom.log import get_logger
from mailroom.mail import compose
from mailroom.mail.message import Bounce, Form, Opened, OpenPGP
from mailroom.mail.openpgp_keys import armored, fingerprint
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
    """Whether the answer goes out encrypted: her mail was, opened or not, and there is a key to answer to."""
    question = opened.openpgp.encrypted and routed.answer.template is not None
    return question and reply_key(opened, routed.link.case) is not None


async def reply(desk: Desk, routed: Routed, opened: Opened, case: Case, text: Rendered) -> Outgoing | None:
    """Make the answer to the writer, protected no weaker than her mail; None when there is nobody to answer to."""
    to, key = opened.writer, reply_key(opened, routed.link.case)
    if to is None:
        return None
    sequence = await desk.cases.sequence(case, "reply")
    # She never saw the id of the mail that a form's site sent in her place.
    answered = None if opened.form and opened.form.named_sender else opened.message.message_id
    head = header(desk, case, ("reply", sequence), (to, text.subject, compose.threadable(answered)))
    enclosed = _enclosed(desk, text)
    if is_encrypted(routed, opened) and key is not None:
        content = await _protected(desk, head, compose.text_part(text.body, enclosed, text.subject), key)
    else:
        content = compose.with_header(head, compose.text_part(text.body, enclosed))
    return outgoing(desk, case, ("reply", sequence), Letter("", to, content), routed.answer.held)


def _enclosed(desk: Desk, text: Rendered) -> tuple[compose.Enclosure, ...]:
    """Send our public key along where she is asked to write again."""
    ours = desk.office.certificate if text.template in {"cannot_open", "ask_key"} else None
    return (compose.Enclosure("key.asc", "application/pgp-keys", armored(ours)),) if ours else ()


async def _protected(desk: Desk, head: compose.Header, entity: bytes, key: bytes) -> bytes:
    try:
        signature, micalg = await desk.signer.sign(entity)
        entity = compose.signed_entity(entity, signature, micalg)
    except EncryptionFailed:  # our own key has expired, say: an answer without signature is better than none
        _log.error("desk key cannot sign")
    return compose.encrypted(head, desk.encryptor.encrypt(entity, [key], armor=True))


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
    head = header(desk, case, ("alarm", sequence), (person.address, "The mail desk slows down", None))
    letter = Letter("", person.address, compose.plain(head, wording.CIRCUIT_OPEN))
    return outgoing(desk, case, ("alarm", sequence), letter, None)


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
            *(_form_lines(opened.form) if opened.form else ()),
            *(f"{flag}: {', '.join(words)}" for flag, words in found.flag_evidence),
        ],
        rule=f"{decision.rule} ({decision.file}, line {decision.line})" if decision else "none was asked",
        answer=answer,
        remarks=_remarks(routed, opened, case.reference),
        held=routed.answer.held,
    )


def notice_about(routed: Routed, opened: Opened, case: Case, text: Rendered | None) -> Notice:
    """Write the notice about one opened mail."""
    if routed.answer.will_send and text is not None:
        answer = f"{text.template} in {text.language} goes out ({routed.answer.why})"
    else:
        sign = f"; the sign: {opened.machine.why}" if opened.machine else ""
        answer = f"nothing was sent: {routed.answer.why}{sign}"
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
        other = "names none of our letters" if opened.bounce else "was passed on, or comes from another address"
        found.append(f"this may belong to {routed.link.related.reference}, but {other}")
    if routed.suspected:
        found.append(f"our mail server takes it for spam ({opened.spam})")
    if routed.kind == "bounce" and routed.link.bounced:
        found.append(_came_back(opened.bounce or Bounce()))
    if opened.authentication == "none":
        found.append("unauthenticated: nobody vouches that the sender is who the mail says")
    if opened.form and not opened.form.named_sender and opened.form.address not in (None, opened.message.sender):
        found.append(f"it looks like the form {opened.form.id}, but comes from no sender named in rules/forms")
    if opened.oversize:
        found.append("oversize: only its beginning was read; the mail is still in the mailbox")
    if opened.openpgp.closed:
        found.append("the mail could not be opened; it is kept as it came, and read as soon as there is a key for it")
    return [*found, *key_remarks(opened, routed.link.case)]


def key_remarks(opened: Opened, case: Case | None) -> list[str]:
    """Say when her OpenPGP key changed, or when somebody may have tried to change it."""
    known, new = case.reply_key if case else None, opened.sender_key
    if known is None or new is None or fingerprint(known) == fingerprint(new):
        return []
    ours, hers = _grouped(fingerprint(known)), _grouped(fingerprint(new))
    if brings_key(opened, case):
        return [f"her OpenPGP key changed: answers go to {hers} now, no longer to {ours}"]
    return [
        f"another OpenPGP key came, {hers}; answers still go to {ours}, since nobody vouches for it, or it is older"
    ]


def _came_back(bounce: Bounce) -> str:
    if not bounce.recipients:  # a read receipt, a success, a complaint of a provider
        return "this is a report about a letter of ours. It does not say that the letter was not delivered"
    if bounce.permanent:
        return "a letter of ours came back: not delivered, for good. It is not tried again"
    return "a letter of ours is late: not delivered yet. Mail servers still try"


def _reason(name: str, finding: Finding) -> str:
    words = ", ".join(finding.evidence)
    return f"{name}: {finding.value or 'not known'} ({finding.confidence:.2f}{': ' + words if words else ''})"


def _form_lines(form: Form) -> list[str]:
    """Say what stands in the fields of a form: of these the text that is shown says nothing."""
    fields = {"by": form.name, "mail": form.address, "about": form.reported, "country": form.country}
    said = "; ".join(f"{name}: {value}" for name, value in fields.items() if value)
    more = [*(f"link: {link}" for link in form.links), *(f"also: {line}" for line in form.rest.splitlines())]
    return [f"form: {form.id} ({said or 'no fields'})", *more]


def header(desk: Desk, case: Case, what: tuple[str, int], addressed: tuple[str, str, str | None]) -> compose.Header:
    """Make the header of a letter. `what`: its kind and number; `addressed`: recipient, subject, what it answers."""
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
        autocrypt=desk.office.certificate,
    )


def outgoing(desk: Desk, case: Case, what: tuple[OutgoingKind, int], letter: Letter, held: str | None) -> Outgoing:
    """Put a letter into its envelope for the outbox."""
    token = desk.cases.token(case, *what)
    sender = compose.bounce_address(desk.office.policy.address, token) if desk.office.policy.envelope == "verp" else ""
    message_id = desk.cases.message_id(case, *what, desk.office.policy.domain)
    return Outgoing(*what, Letter(sender, letter.recipient, letter.content), message_id, token, held)


def _grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))
