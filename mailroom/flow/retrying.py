"""Trying again what nobody could read: parked mails, and mails that no key opened."""

from dataclasses import replace

from mailroom.errors import DecryptionFailed
from mailroom.flow.desk import Desk
from mailroom.flow.filing import Case, Kind
from mailroom.flow.intake import prepare
from mailroom.flow.limiting import asked
from mailroom.flow.linking import Link
from mailroom.flow.routing import route
from mailroom.mail.message import RawMail


async def retry(desk: Desk, case: Case, number: int, raw: RawMail) -> Kind:
    """Open the mail once more; file, answer and tell as if it had just arrived, in the case that it has.

    Raises:
        OpeningFailed: it still breaks the worker; nothing was changed.
        DecryptionFailed: there is still no key for it; nothing was changed.
    """
    understood = await desk.opener.open(raw)
    opened = understood.opened
    if opened.openpgp.closed:
        raise DecryptionFailed(opened.openpgp.failure or "failed")
    link = Link(case=case, again=number == 1)
    routed = route(desk.office, understood, link, await desk.cases.budget(asked(understood, link)))
    read = replace(case, status="open", flags=tuple(flag for flag in case.flags if flag != "sealed"))
    filing = await prepare(desk, raw, opened, routed, read)
    await desk.cases.refile(filing, number)
    return filing.kind
