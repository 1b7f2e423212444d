"""`mailroom alarm`: what the unit of systemd runs when the service has failed."""

import asyncio
from email import message_from_bytes

from tests.e2e.conftest import Build
from tests.e2e.house import House
from tests.servers.dovecot import free_port
from tests.servers.sink import Sink

UNIT = "mailroom.service"


async def test_the_admins_are_told_that_the_service_has_stopped(furnish: Build, sink: Sink) -> None:
    house = furnish(admins__address="admin@example.net")
    await asyncio.to_thread(house.mailroom, "alarm", UNIT)
    [letter] = sink.deliveries
    mail = message_from_bytes(letter.content)
    assert letter.rcpt_tos == ("admin@example.net",)
    assert mail["Subject"] == "The mail desk needs a look"
    assert f"The service {UNIT} has stopped" in str(mail.get_payload())


async def test_a_name_that_is_no_unit_is_refused(house: House, sink: Sink) -> None:
    done = await asyncio.to_thread(house.mailroom, "alarm", "a unit\nwith lines", check=False)
    assert (done.returncode, sink.deliveries) == (1, [])


async def test_without_an_smtp_server_the_status_says_so(furnish: Build) -> None:
    done = await asyncio.to_thread(furnish(smtp__port=free_port()).mailroom, "alarm", UNIT, check=False)
    assert done.returncode == 3
