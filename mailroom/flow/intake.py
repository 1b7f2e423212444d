"""Intake: one mail, from its bytes to a sealed case, its answer and its notice.

arrives   Mailbox.fetch            RawMail
opened    Opener.open              Understood
routed    routing.route            Routed
answered  answering.reply, .tell   Outgoing
filed     Cases.file               Filed: case, message and outbox in one transaction
removed   draining._remove         only after Cases.read_back
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from mailroom.flow import answering, commands, informing
from mailroom.flow.desk import Desk
from mailroom.flow.explanation import explanation
from mailroom.flow.filing import Case, Facts, Filing, Outgoing, Spending, Understood
from mailroom.flow.limiting import asked, payers, used, with_promises
from mailroom.flow.linking import Link, find_case
from mailroom.flow.opening import FindKey
from mailroom.flow.routing import Routed, brings_key, clear_facts, contact_wish, route
from mailroom.keeper.notices import Notice, spam_line
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
    desk.health.opened(encrypted=opened.openpgp.is_for_a_key, decrypted=opened.openpgp.decrypted)
    # Machines share one turn: bounces of one case may come from many mail servers at once.
    async with desk.turns.of("" if opened.machine else opened.writer or ""):
        if await desk.cases.seen(raw, opened):
            return "duplicates"
        routed = await decide(desk, understood)
        promised = payers(asked(understood, routed.link)) if routed.answer.will_send else ()
        with desk.pace.promised(promised):
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
    spending = asked(understood, link)
    spent = await desk.cases.budget(spending)
    # From here to the promise nothing is awaited: no other mail of this domain comes in between.
    return route(desk.office, understood, link, with_promises(spent, spending, desk.pace))


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
    case = _case(found or desk.cases.open(), opened, routed, desk.office.clock())
    routed, text = answering.settle(desk.office, routed, case.reference)
    wanted = text is not None and (routed.answer.will_send or routed.answer.held is not None)
    reply = await answering.reply(desk, routed, opened, case, text) if text and wanted else None
    told = await _told(desk, routed, opened, case, answering.notice_about(routed, opened, case, text))
    readable = not opened.openpgp.encrypted or opened.openpgp.decrypted
    encrypted = reply is not None and answering.is_encrypted(routed, opened)
    return Filing(
        case=case,
        kind=routed.kind,
        raw=raw,
        opened=opened,
        facts=clear_facts(desk.office.guide, opened, routed),
        explanation=explanation(opened, routed, text, encrypted=encrypted),
        outgoing=(*answering.paced(desk, case, reply), *told),
        sealed_to_archive=readable,
        spends=_spends(routed, opened, reply),
    )


async def _told(desk: Desk, routed: Routed, opened: Opened, case: Case, notice: Notice) -> tuple[Outgoing, ...]:
    """Tell the keeper of one mail: at once, or suspected spam once a day."""
    keepers = desk.office.role("keeper")
    urgent = bool(routed.triage.flags) and routed.kind != "bounce"  # it may bring back what she read already
    if routed.kind == "own" or routed.link.of_notice:  # a notice about a notice that came back would come back too
        return ()
    if routed.suspected and not urgent:
        language, category = routed.triage.language.value, routed.triage.category.value
        seen_as = ["language not known" if language in (None, "und") else str(language), category or "unclassified"]
        line = spam_line(case.reference, opened.writer, seen_as, forged=opened.authentication == "fail")
        return await informing.listed(desk, "spam", line, case, keepers)
    return await informing.inform(desk, notice, case, keepers, urgent=urgent)


def _spends(routed: Routed, opened: Opened, reply: Outgoing | None) -> Spending | None:
    if routed.kind not in ("report", "follow_up"):
        return None
    goes = reply is not None and not reply.held
    return used(asked(Understood(opened, routed.triage), routed.link), replace(routed.answer, will_send=goes))


def _case(case: Case, opened: Opened, routed: Routed, now: datetime) -> Case:
    """Bring the case up to what this mail says, as far as its sender may say it."""
    if routed.link.bounced and not routed.link.of_notice and opened.bounce:
        return replace(case, unreachable=case.unreachable or opened.bounce.permanent)
    if routed.kind not in ("report", "follow_up") or routed.link.bounced:
        return case
    return replace(
        case,
        status="open",
        unreachable=False,
        address=case.address or opened.writer,
        reply_key=opened.sender_key if brings_key(opened, case) else case.reply_key,
        key_dated=min(opened.message.date or now, now) if brings_key(opened, case) else case.key_dated,
        contact=contact_wish(opened, routed.triage, case),
    )


async def park(desk: Desk, raw: RawMail) -> None:
    """Seal a mail that breaks us under a case key, tell the keeper once, and let it leave the inbox."""
    if await desk.cases.seen(raw):
        return
    case = replace(desk.cases.open(), status="parked")
    told = await informing.inform(desk, answering.parked_notice(case), case, desk.office.role("keeper"))
    nothing: dict[str, object] = {"kind": "parked"}
    await desk.cases.file(Filing(case, "parked", raw, None, Facts(), nothing, told, sealed_to_archive=False))
    _log.warning("parked", case=case.reference)


def _outcome(filing: Filing) -> Outcome:
    if filing.kind == "command":
        return "commands"
    return "filed" if filing.case.id is None else "follow_ups"
