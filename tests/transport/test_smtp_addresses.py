"""No address may say more to the server than an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.errors import PermanentFailure
from mailroom.flow.filing import Letter
from mailroom.transport.smtp import _check
from tests.servers.sink import Delivery, Sink
from tests.transport.conftest import OpenCourier

CONTENT = b"Subject: x\r\n\r\nhi\r\n"

BAD_ADDRESSES = [
    "",
    "ada",
    "ada@",
    "@example.net",
    "ada@example.net\r\nDATA",
    "ada@example.net\n",
    "ada@example.net>",
    "<ada@example.net>",
    "ada@example.net> SIZE=1",
    "ada @example.net",
    "a@b@example.net",
    "ada@example.net,bob@example.net",
    "Ada <ada@example.net>",
    "ada@example.net (Ada)",
    '"a>b"@example.net',
    "ada@exam\x00ple.net",
    "ada@example.net\u2028",
    "\ud800@example.net",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
async def test_an_address_that_says_more_than_an_address_is_refused_unsent(
    sink: Sink, open_courier: OpenCourier, address: str
) -> None:
    courier = open_courier(sink.port)
    letters = [Letter("desk@example.org", address, CONTENT)]
    letters += [Letter(address, "ada@example.net", CONTENT)] if address else []
    for letter in letters:
        with pytest.raises(PermanentFailure):
            await courier.send(letter)
    assert sink.commands == []


@given(st.text(st.sampled_from("a.+'=/-_\"\\@<>() ,;:[]\r\nü\x00%")))
def test_an_address_that_passes_cannot_end_a_command(text: str) -> None:
    try:
        _check(text)
    except PermanentFailure:
        return
    local, _, domain = text.rpartition("@")
    assert not set(text) & set("<>\r\n\x00\\")
    assert not set(domain) & set(' "(),;:[]@')
    assert (local[0], local[-1]) == ('"', '"') or not set(local) & set(' "(),;:[]@')


@pytest.mark.parametrize(
    "recipient",
    ["a+b.c@example.net", "o'neil@example.net", "a=b/c%d@example.net", '"ada b"@example.net', "ädä@exämple.net"],
)
async def test_an_address_arrives_as_it_is(sink: Sink, open_courier: OpenCourier, recipient: str) -> None:
    await open_courier(sink.port).send(Letter("desk+b.t0ken@example.org", recipient, CONTENT))
    assert sink.deliveries == [Delivery("desk+b.t0ken@example.org", (recipient,), CONTENT)]


async def test_a_server_that_takes_only_ascii_addresses_is_not_asked_for_more(open_courier: OpenCourier) -> None:
    async with Sink(smtputf8=False) as sink:
        courier = open_courier(sink.port)
        with pytest.raises(PermanentFailure, match="ASCII"):
            await courier.send(Letter("desk@example.org", "ädä@example.net", CONTENT))
        assert "MAIL" not in sink.commands
        await courier.send(Letter("desk@example.org", "ada@example.net", CONTENT))
