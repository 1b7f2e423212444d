"""Why everything was decided as it was, in the form of the contract (DESIGN section 7, `mailroom explain --json`)."""

from datetime import datetime

from mailroom.flow.filing import Kind
from mailroom.flow.limiting import Answer
from mailroom.flow.routing import Routed
from mailroom.mail.message import Form, Message, Opened, OpenPGP
from mailroom.referral.choose import Decision
from mailroom.referral.templates import Rendered
from mailroom.triage.facts import Finding, Triage


def explanation(opened: Opened, routed: Routed, text: Rendered | None, *, encrypted: bool) -> dict[str, object]:
    """Give what `explain` prints about one mail, `path` left out; the same is sealed beside the filed mail."""
    return {
        "form": None,
        **reading(opened, routed.kind),
        **signs(opened),
        "triage": _triage(routed.triage),
        "rule": _rule(routed.decision),
        "reply": _reply(opened, routed, text, encrypted=encrypted),
    }


def reading(opened: Opened, kind: Kind) -> dict[str, object]:
    """Give what was read from the mail itself, before anything was decided; the golden mails expect exactly this."""
    return {
        "kind": kind,
        "message": _message(opened.message),
        "openpgp": _openpgp(opened.openpgp),
        "authentication": opened.authentication,
        "machine": opened.machine.why if opened.machine else None,
        **({"form": _form(opened.form)} if opened.form else {}),
    }


def signs(opened: Opened) -> dict[str, object]:
    """Give what a machine's report tells of our mail, and why a machine may have sent this one."""
    bounce = opened.bounce
    told = {"recipients": list(bounce.recipients), "permanent": bounce.permanent} if bounce else {}
    return {
        "soft": opened.soft,
        "bounce": {**told, "original_ids": list(bounce.original_ids)} if bounce else None,
    }


def rfc3339(at: datetime | None) -> str | None:
    """Write a time as RFC 3339 in UTC (https://www.rfc-editor.org/rfc/rfc3339#section-5.6)."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _message(message: Message) -> dict[str, object]:
    return {
        "from": message.sender,
        "reply_to": message.reply_to,
        "subject": message.subject,
        "date": rfc3339(message.date),
        "text": message.text,
        "attachments": [{"name": one.name, "type": one.type, "size": one.size} for one in message.attachments],
        "defects": list(message.defects),
    }


def _form(form: Form) -> dict[str, object]:
    return {
        "id": form.id,
        "named_sender": form.named_sender,
        "language": form.language,
        "choice": form.choice,
        "category": form.category,
        "flags": list(form.flags),
        "country": form.country,
        "links": list(form.links),
        "name": form.name,
        "reported": form.reported,
        "address": form.address,
        "rest": form.rest,
    }


def _openpgp(protection: OpenPGP) -> dict[str, object]:
    return {
        "encrypted": protection.encrypted,
        "decrypted": protection.decrypted,
        "weak": protection.weak,
        "signature": protection.signature.state,
        "signer": protection.signature.signer,
        "subject_protected": protection.subject_protected,
        "partial": protection.partial,
        "failure": protection.failure,
    }


def _triage(found: Triage) -> dict[str, object]:
    return {
        "language": _finding(found.language),
        "country": _finding(found.country),
        "category": _finding(found.category),
        "flags": list(found.flags),
        "flag_evidence": {flag: list(words) for flag, words in found.flag_evidence},
        "contact": found.contact,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "value": finding.value,
        "confidence": round(finding.confidence, 4),
        "evidence": list(finding.evidence),
        "source": finding.source,
    }


def _rule(decision: Decision | None) -> dict[str, object]:
    if decision is None:
        return {"id": None, "file": None, "line": None, "trace": []}
    trace = [{"rule": tried.rule, "hit": tried.hit, "why": tried.why} for tried in decision.trace]
    return {"id": decision.rule, "file": decision.file, "line": decision.line, "trace": trace}


def _reply(opened: Opened, routed: Routed, text: Rendered | None, *, encrypted: bool) -> dict[str, object]:
    answer: Answer = routed.answer
    decision = routed.decision
    services = [one.id for one in decision.services] if decision and answer.template == decision.template else []
    return {
        "will_send": answer.will_send,
        "why": answer.why,
        "held": answer.held,
        "to": opened.writer if answer.template else None,
        "template": answer.template,
        "language": text.language if text else None,
        "detail": decision.detail if decision and answer.template else None,
        "encrypted": encrypted,
        "subject": text.subject if text else None,
        "body": text.body if text else None,
        "services": services,
    }
