"""Intake: one mail, from its bytes to a sealed case, its answer and its notice.

arrives   Mailbox.fetch            RawMail
opened    Opener.open              Understood
routed    routing.route            Routed
answered  answering.reply, .tell   Outgoing
filed     Cases.file               Filed: case, message and outbox in one transaction
removed   draining._remove         only after Cases.read_back
"""

from contextlib import nullcontext
from dataclasses import replace
from typing import Literal

from mailroom.flow import answering, commands
from mailroom.flow.desk import Desk
from mailroom.flow.explanation import explanation
from mailroom.flow.filing import Budget, Case, Facts, Filing, Understood
from mailroom.flow.opening import FindKey
from mailroom.flow.pace import Payer
from mailroom.flow.ports import Cases
from mailroom.flow.routing import Link, Routed, clear_facts, contact_wish, find_case, route
from mailroom.log import get_logger
from mailroom.mail.message import Opened, RawMail

Outcome = Literal["filed", "follow_ups", "commands", "parked", "duplicates", "deferred"]

_log = get_logger(__name__)


async def take_in(desk: Desk, raw: RawMail) -> Outcome:
    """Take one mail through the flow, up to its commit.

    Raises:
        OpeningFailed: the worker could not open it.
    """
    understood = await desk.opener.open(raw)
    opened = understood.opened
    desk.health.opened(encrypted=opened.openpgp.encrypted, decrypted=opened.openpgp.decrypted)
    async with desk.turns.of(opened.message.sender or ""):
        if await desk.cases.seen(raw):
            return "duplicates"
        routed = await decide(desk, understood)
        with desk.pace.promised(_payer(opened)) if routed.answer.will_send else nullcontext():
            if routed.kind == "command":
                filing = await commands.obey(desk, raw, opened, routed)
            else:
                filing = await prepare(desk, raw, opened, routed)
            await desk.cases.file(filing)
    desk.news.set()
    _log.info("filed", case=filing.case.reference, kind=filing.kind)
    return _outcome(filing)


async def decide(desk: Desk, understood: Understood) -> Routed:
    """Find the case of a mail and route it."""
    link = with_usable_key(
        desk.encryptor.certificate_for, await find_case(desk.cases, desk.office.policy, understood.opened)
    )
    spent = await budget(desk.cases, understood.opened)
    # From here to the promise nothing is awaited: no other mail of this domain comes in between.
    promised = desk.pace.promises(_payer(understood.opened))
    return route(desk.office, understood, link, replace(spent, to_domain=spent.to_domain + promised))


def _payer(opened: Opened) -> Payer:
    return (opened.message.sender or "").rpartition("@")[2].casefold(), opened.authentication == "pass"


async def budget(cases: Cases, opened: Opened) -> Budget:
    """Ask what this sender was given already."""
    sender = opened.message.sender
    return await cases.budget(sender, vouched=opened.authentication == "pass") if sender else Budget(0, 0)


def with_usable_key(find_key: FindKey, link: Link) -> Link:
    """Leave out a reply key that has expired or was revoked since: then a new one is asked for."""
    case = link.case
    if case is None or case.reply_key is None or case.address is None:
        return link
    usable = find_key(case.reply_key, case.address)
    return link if usable else replace(link, case=replace(case, reply_key=None))


async def prepare(desk: Desk, raw: RawMail, opened: Opened, routed: Routed, known: Case | None = None) -> Filing:
    """Put together everything that is committed for one mail. `known` is the case of a mail that is tried again."""
    found = known or routed.link.case
    case = _case(found or desk.cases.open(), opened, routed)
    routed, text = answering.settle(desk.office, routed, case.reference)
    wanted = text is not None and (routed.answer.will_send or routed.answer.held is not None)
    reply = await answering.reply(desk, routed, opened, case, text) if text and wanted else None
    notice = answering.notice_about(routed, opened, case, text)
    keepers = desk.office.role("keeper")
    # A notice about a notice that came back would come back too.
    told = () if routed.kind == "own" or routed.link.of_notice else await answering.tell(desk, notice, case, keepers)
    readable = not opened.openpgp.encrypted or opened.openpgp.decrypted
    encrypted = reply is not None and answering.is_encrypted(routed, opened)
    return Filing(
        case=case,
        kind=routed.kind,
        raw=raw,
        opened=opened,
        facts=clear_facts(desk.office.guide, opened, routed.triage, routed.kind),
        explanation=explanation(opened, routed, text, encrypted=encrypted),
        outgoing=(
            *answering.paced(desk, case, reply),
            *answering.planned(desk, told, urgent=bool(routed.triage.flags)),
        ),
        sealed_to_archive=readable,
        spends=opened.message.sender if reply and not reply.held else None,
    )


def _case(case: Case, opened: Opened, routed: Routed) -> Case:
    """Bring the case up to what this mail says, as far as its sender may say it."""
    if routed.kind not in ("report", "follow_up") or routed.link.bounced:
        return case
    trusted = opened.authentication == "pass"
    return replace(
        case,
        status="open",
        address=case.address or opened.message.sender,
        reply_key=(opened.sender_key if trusted or case.id is None else None) or case.reply_key,
        contact=contact_wish(opened, routed.triage, case),
    )


async def park(desk: Desk, raw: RawMail) -> None:
    """Seal a mail that breaks us under a case key, tell the keeper once, and let it leave the inbox."""
    if await desk.cases.seen(raw):
        return
    case = replace(desk.cases.open(), status="parked")
    told = await answering.tell(desk, answering.parked_notice(case), case, desk.office.role("keeper"))
    nothing: dict[str, object] = {"kind": "parked"}
    outgoing = answering.planned(desk, told, urgent=False)
    await desk.cases.file(Filing(case, "parked", raw, None, Facts(), nothing, outgoing, sealed_to_archive=False))
    _log.warning("parked", case=case.reference)


def _outcome(filing: Filing) -> Outcome:
    if filing.kind == "command":
        return "commands"
    return "filed" if filing.case.id is None else "follow_ups"
