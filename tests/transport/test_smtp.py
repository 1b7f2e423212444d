import asyncio
from pathlib import Path
from typing import Any

import pytest

from mailroom.errors import DeliveryFailure, PermanentFailure, ServerUnreachable, TemporaryFailure
from mailroom.flow.filing import Letter
from mailroom.flow.ports import Courier
from tests.servers.certificate import write_certificate
from tests.servers.sink import CLOSE, HANG, Delivery, Sink
from tests.transport.conftest import OpenCourier

CONTENT = b"From: desk@example.org\r\nSubject: news\r\n\r\n.dot\r\n..dots\r\n\r\nGr\xc3\xbc\xc3\x9fe \xff\r\n"
LETTER = Letter("desk@example.org", "ada@example.net", CONTENT)
DELIVERY = Delivery("desk@example.org", ("ada@example.net",), CONTENT)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder: Path = tmp_path_factory.mktemp("certificate")
    write_certificate(folder / "cert.pem", folder / "key.pem")
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_it_fits_the_port(open_courier: OpenCourier) -> None:
    courier: Courier = open_courier(1)
    assert courier


async def test_letters_arrive_in_order_byte_for_byte_over_one_connection(sink: Sink, open_courier: OpenCourier) -> None:
    courier = open_courier(sink.port)
    bounce = Letter("", "bob@example.net", b"Subject: x\r\n\r\nhi\r\n")
    for letter in (LETTER, bounce, LETTER):
        await courier.send(letter)
    assert sink.deliveries == [DELIVERY, Delivery("", ("bob@example.net",), bounce.content), DELIVERY]
    assert sink.commands.count("CONNECT") == 1


async def test_the_server_learns_no_name_of_this_machine(sink: Sink, open_courier: OpenCourier) -> None:
    await open_courier(sink.port).send(LETTER)
    assert [command for command in sink.commands if command.startswith("EHLO")] == ["EHLO [127.0.0.1]"]


async def test_letters_sent_at_the_same_time_do_not_mix(sink: Sink, open_courier: OpenCourier) -> None:
    courier = open_courier(sink.port)
    letters = [Letter("desk@example.org", f"a{number}@example.net", b"%d\r\n" % number) for number in range(20)]
    await asyncio.gather(*(courier.send(letter) for letter in letters))
    assert [(one.rcpt_tos[0], one.content) for one in sink.deliveries] == [(x.recipient, x.content) for x in letters]
    assert sink.commands.count("CONNECT") == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("451 4.3.0 later", TemporaryFailure),
        ("552 5.3.4 too large", PermanentFailure),
        ("530 5.7.0 log in first", TemporaryFailure),
        ("535 5.7.8 who are you", TemporaryFailure),
        ("503 5.5.1 not now", TemporaryFailure),
        ("no smtp at all", TemporaryFailure),
    ],
)
async def test_a_refusal_tells_whether_to_try_again_and_the_next_letter_goes(
    sink: Sink, open_courier: OpenCourier, step: str, reply: str, failure: type[DeliveryFailure]
) -> None:
    courier = open_courier(sink.port)
    sink.answer(lambda at, _: reply if at == step else None)
    with pytest.raises(DeliveryFailure) as caught:
        await courier.send(LETTER)
    assert type(caught.value) is failure
    assert caught.value.code == (int(reply[:3]) if reply[0].isdigit() else -1)
    assert "ada" not in str(caught.value)
    sink.answer(lambda _at, _: None)
    await courier.send(LETTER)
    assert sink.deliveries == [DELIVERY]


@pytest.mark.parametrize(("step", "failure"), [("MAIL", TemporaryFailure), ("RCPT", PermanentFailure)])
async def test_a_refusal_of_our_own_address_costs_no_letter_but_one_of_hers_does(
    sink: Sink, open_courier: OpenCourier, step: str, failure: type[DeliveryFailure]
) -> None:
    courier = open_courier(sink.port)
    sink.answer(lambda at, _: "550 5.1.1 ada@example.net unknown" if at == step else None)
    with pytest.raises(DeliveryFailure) as caught:
        await courier.send(LETTER)
    assert type(caught.value) is failure
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", ["550 no", "451 later"])
async def test_after_a_refusal_the_session_is_reset_and_kept(
    sink: Sink, open_courier: OpenCourier, step: str, reply: str
) -> None:
    courier = open_courier(sink.port)
    sink.answer(lambda at, _: reply if at == step else None)
    for _ in range(2):
        with pytest.raises(DeliveryFailure):
            await courier.send(LETTER)
    assert sink.commands.count("CONNECT") == 1
    assert sink.commands.count("RSET") == 2


@pytest.mark.parametrize("reply", [HANG, CLOSE, "421 bye", "500 what"])
async def test_a_failing_reset_does_not_hide_the_verdict(sink: Sink, open_courier: OpenCourier, reply: str) -> None:
    courier = open_courier(sink.port, timeout=0.2)
    sink.answer(lambda at, _: {"RCPT": "550 no", "RSET": reply}.get(at))
    with pytest.raises(PermanentFailure):
        await courier.send(LETTER)
    sink.answer(lambda _at, _: None)
    await courier.send(LETTER)
    assert sink.commands.count("CONNECT") == 2


async def test_a_stale_connection_is_replaced_within_the_call(sink: Sink, open_courier: OpenCourier) -> None:
    courier = open_courier(sink.port)
    await courier.send(LETTER)
    await sink.drop()
    await courier.send(LETTER)
    await sink.stop()
    await sink.start()
    await courier.send(LETTER)
    assert sink.deliveries == [DELIVERY] * 3


@pytest.mark.parametrize("reply", ["421 4.7.0 enough letters", CLOSE, HANG])
async def test_a_kept_connection_that_takes_no_more_letters_is_replaced(
    sink: Sink, open_courier: OpenCourier, reply: str
) -> None:
    courier = open_courier(sink.port, timeout=0.2)
    sink.answer(
        lambda at, _: reply if at == "MAIL" and sink.commands.count("CONNECT") == 1 and sink.deliveries else None
    )
    await courier.send(LETTER)
    await courier.send(LETTER)
    assert sink.deliveries == [DELIVERY] * 2
    assert sink.commands.count("CONNECT") == 2


@pytest.mark.parametrize("reply", ["421 4.7.0 not today", CLOSE, HANG])
async def test_a_new_connection_that_takes_no_letter_is_not_tried_again_at_once(
    sink: Sink, open_courier: OpenCourier, reply: str
) -> None:
    sink.answer(lambda at, _: reply if at == "MAIL" else None)
    with pytest.raises(TemporaryFailure):
        await open_courier(sink.port, timeout=0.2).send(LETTER)
    assert sink.commands.count("CONNECT") == 1


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
@pytest.mark.parametrize("reply", [HANG, CLOSE])
async def test_a_server_lost_in_the_middle_means_later_on_a_new_connection(
    sink: Sink, open_courier: OpenCourier, step: str, reply: str
) -> None:
    courier = open_courier(sink.port, timeout=0.2, data_timeout=0.2)
    sink.answer(lambda at, _: reply if at == step else None)
    with pytest.raises(TemporaryFailure, match=f"at {step}"):
        await courier.send(LETTER)
    assert sink.commands.count(step) == 1
    sink.answer(lambda _at, _: None)
    await courier.send(LETTER)
    assert (sink.deliveries, sink.commands.count("CONNECT")) == ([DELIVERY], 2)


async def test_a_cancelled_letter_leaves_no_half_session_behind(sink: Sink, open_courier: OpenCourier) -> None:
    courier = open_courier(sink.port)
    sink.answer(lambda at, _: HANG if at == "DATA" else None)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await courier.send(LETTER)
    sink.answer(lambda _at, _: None)
    await courier.send(LETTER)
    assert (sink.deliveries, sink.commands.count("CONNECT")) == ([DELIVERY], 2)


async def test_extensions_are_used_when_a_letter_needs_them(sink: Sink, open_courier: OpenCourier) -> None:
    courier = open_courier(sink.port)
    await courier.send(Letter("desk@example.org", "ada@example.net", b"Subject: x\r\n\r\nhi\r\n"))
    assert not {"SMTPUTF8", "BODY=8BITMIME"} & set(sink.commands)
    await courier.send(LETTER)
    assert "BODY=8BITMIME" in sink.commands
    await courier.send(Letter("desk@example.org", "ada@example.net", "Subject: ü\r\n\r\nhi\r\n".encode()))
    assert "SMTPUTF8" in sink.commands


async def test_the_right_password_opens_and_a_wrong_one_is_not_the_fault_of_the_letter(
    open_courier: OpenCourier,
) -> None:
    async with Sink(password="rîght") as sink:
        await open_courier(sink.port, "rîght", username="desk@example.org").send(LETTER)
        with pytest.raises(ServerUnreachable, match=r"refused the login \(535\)") as caught:
            await open_courier(sink.port, "hunter2", username="desk@example.org").send(LETTER)
        assert "hunter2" not in str(caught.value)
        assert "desk" not in str(caught.value)
        with pytest.raises(TemporaryFailure) as unasked:
            await open_courier(sink.port, password=None).send(LETTER)
        assert unasked.value.code == 530
        assert sink.deliveries == [DELIVERY]


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_tls_works_with_a_trusted_certificate_only(
    certificate: tuple[str, str], open_courier: OpenCourier, security: Any
) -> None:
    async with Sink(security=security, certificate=certificate) as sink:
        with pytest.raises(ServerUnreachable, match="certificate is not trusted"):
            await open_courier(sink.port, security=security).send(LETTER)
        courier = open_courier(sink.port, security=security, cafile=certificate[0])
        await courier.send(LETTER)
        assert sink.deliveries == [DELIVERY]
        await courier.close()


async def test_without_starttls_no_letter_is_sent(sink: Sink, open_courier: OpenCourier) -> None:
    with pytest.raises(ServerUnreachable, match="STARTTLS"):
        await open_courier(sink.port, security="starttls").send(LETTER)
    assert "MAIL" not in sink.commands


async def test_no_server_means_unreachable_with_its_place(open_courier: OpenCourier) -> None:
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:1: "):
        await open_courier(1).send(LETTER)


async def test_closing_says_quit_and_never_raises(sink: Sink, open_courier: OpenCourier) -> None:
    courier = open_courier(sink.port)
    await courier.close()
    await courier.send(LETTER)
    await courier.close()
    assert sink.commands[-1] == "QUIT"
    await courier.send(LETTER)
    await sink.stop()
    await courier.close()


async def test_closing_does_not_wait_for_a_silent_server(sink: Sink, open_courier: OpenCourier) -> None:
    courier = open_courier(sink.port, timeout=600)
    await courier.send(LETTER)
    sink.answer(lambda _at, _: HANG)
    async with asyncio.timeout(20):  # far more than the second that it may take
        await courier.close()
    assert sink.commands[-1] == "QUIT"
