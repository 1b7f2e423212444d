"""Mail in a keeper's name. This version proves who wrote, and obeys nothing yet.

A From header proves nothing: without a valid signature by a keeper's key the mail is kept, refused, and the keeper
is told; its sender hears nothing (law 4).
"""

from dataclasses import replace

from mailroom.flow import informing
from mailroom.flow.desk import Desk, Person
from mailroom.flow.explanation import explanation
from mailroom.flow.filing import Case, Filing, Outgoing
from mailroom.flow.routing import Routed, clear_facts
from mailroom.keeper import notices
from mailroom.mail.message import Opened, RawMail


async def obey(desk: Desk, raw: RawMail, opened: Opened, routed: Routed) -> Filing:
    """Keep the mail in a closed case of its own, and tell the keeper what became of it."""
    case = replace(desk.cases.open(), status="closed")
    person = claimed(desk, opened)
    told = await _told(desk, opened, case, person)
    return Filing(
        case=case,
        kind="command",
        raw=raw,
        opened=opened,
        facts=clear_facts(desk.office.guide, opened, routed),
        explanation=explanation(opened, routed, None, encrypted=False),
        outgoing=told,
    )


async def _told(desk: Desk, opened: Opened, case: Case, person: Person) -> tuple[Outgoing, ...]:
    """Tell the person; of a forgery in the name of somebody who keeps no records, the keepers.

    A flood of forgeries is one alarm a day, and a list the day after.
    """
    if opened.machine is not None:
        return ()
    if proven(person, opened):
        return await informing.inform(desk, notices.no_commands(case.reference), case, [person])
    hers = person.role in ("keeper", "deputy")
    people = [person] if hers else desk.office.role("keeper")
    if desk.pace.forgery(desk.now()):
        return await informing.tell(desk, notices.refused(case.reference, person.role), case, people)
    return await informing.listed(desk, "forgery", f"{case.reference}: {person.role}", case, people)


def claimed(desk: Desk, opened: Opened) -> Person:
    """Find the one of our people whose address the mail bears."""
    return next(one for one in desk.office.people if one.writes_from(opened.message.sender))


def proven(person: Person, opened: Opened) -> bool:
    """Whether this person's configured key signed the whole of it."""
    signature = opened.openpgp.signature
    return signature.state == "valid" and signature.signer == person.fingerprint
