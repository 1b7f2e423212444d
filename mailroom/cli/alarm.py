"""`mailroom alarm UNIT`: tell the admins that the service has stopped. The unit of systemd calls it (OnFailure=)."""

import asyncio
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from mailroom.assembly import smtp_settings
from mailroom.cli.options import ConfigOption, config_of
from mailroom.config import Config
from mailroom.errors import MailroomError
from mailroom.flow import alarming
from mailroom.keeper import alarms
from mailroom.office import office
from mailroom.transport.gnupg_home import DeskHome
from mailroom.transport.sequoia import Sequoia
from mailroom.transport.smtp import SmtpCourier


def alarm(
    context: typer.Context,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="The unit that has failed, such as mailroom.service.")],
    config: ConfigOption = None,
) -> None:
    """Tell the admins by mail that the service has stopped."""
    if not all(letter.isalnum() or letter in "@:-_.\\" for letter in unit) or len(unit) > 255:  # systemd.unit(5)
        raise MailroomError("this is not the name of a unit")
    asyncio.run(_told(config_of(context, config), unit))


async def _told(config: Config, unit: str) -> None:
    async with AsyncExitStack() as stack:
        courier = SmtpCourier(smtp_settings(config))
        stack.push_async_callback(courier.close)
        ours = office(config, DeskHome(config.openpgp.home))
        await alarming.send(ours, courier, Sequoia(), (alarms.SUBJECT, alarms.stopped_text(unit)))
