"""Set-ups broken on purpose at the mail servers: real Dovecot, an SMTP sink, scripted servers for what neither does."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from mailroom.doctor.examination import Extent
from mailroom.records.clock import utc
from tests.doctor.conftest import (
    NO_MAIL,
    RESULTS,
    Build,
    change,
    delivering,
    faults,
    findings,
    is_ours,
    only,
)
from tests.e2e.house import House
from tests.servers.dovecot import Dovecot, free_port
from tests.servers.scripted import CLOSE, HANG, ScriptedImap
from tests.servers.sink import Delivery, Sink, Step

OUR_ID = "abcdefghijklmnopqrstuvwx@example.org"
AT_ONCE = Extent(patience=0.2)


def port(server: str, number: int) -> Callable[[House], None]:
    def do(house: House) -> None:
        text = house.config.read_text()
        table = text[text.index(f"[{server}]") :]
        line = next(line for line in table.splitlines() if line.startswith("port = "))
        change(house, line, f"port = {number}")

    return do


def wrong_password(house: House) -> None:
    (house.folder / "password").write_text("not this one")


def failing_token_command(house: House) -> None:
    change(house, 'password_file = "password"', '# password_file = ""')
    change(house, "# token_command = []", 'token_command = ["false"]')


def no_inbox(house: House) -> None:
    change(house, '# inbox = "INBOX"', 'inbox = "Letters"')


def no_sent(house: House) -> None:
    change(house, '# sent = ""', 'sent = "Sent Items"')


def no_junk(house: House) -> None:
    change(house, '# junk = ""', 'junk = "Spam"')


def letter_in_sent(house: House) -> None:
    house.dovecot.client(house.user).create("Sent")
    house.dovecot.append(house.user, f"Message-ID: <{OUR_ID}>\r\n\r\ntext\r\n".encode(), "Sent")


BROKEN: dict[str, tuple[Callable[[House], None], str, str, str]] = {
    "no imap": (port("imap", free_port()), "imap reach", "refused", "host and port in [imap]"),
    "no smtp": (port("smtp", free_port()), "smtp reach", "refused", "host and port in [smtp]"),
    "password": (wrong_password, "imap login", "refused the login", "password_file in [imap]"),
    "token": (failing_token_command, "imap login", "exit status 1", "token_command by hand"),
    "inbox": (no_inbox, "imap inbox", "Letters does not open", "inbox in [imap]"),
    "sent": (no_sent, "sent copies", "no folder Sent Items", "[imap] sent"),
    "copies": (letter_in_sent, "sent copies", "keeps copies of our letters in Sent", 'sent = "Sent" in [imap]'),
    "junk": (no_junk, "junk folder", "no folder Spam", "[imap] junk"),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_what_is_broken_is_named_with_what_to_do(house: House, case: str) -> None:
    breaking, check, what, do = BROKEN[case]
    assert faults(await findings(house, NO_MAIL)) == set()
    breaking(house)
    found = await findings(house, NO_MAIL)
    assert faults(found) == {check}
    assert what in only(found, check).what
    assert do in only(found, check).do


async def test_a_check_without_its_ground_is_told_as_not_made(house: House) -> None:
    whole = {one.check for one in await findings(house)}
    port("imap", free_port())(house)
    found = await findings(house)
    assert {one.check for one in found} == whole - {"imap tls", "imap login"}
    assert only(found, "deletion", "note").what == "not checked, because there is no IMAP login"
    assert only(found, "suffix addresses", "note").what == "not checked, because that needs both servers"


async def test_a_certificate_counts_only_when_it_is_trusted(
    furnish: Build, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = furnish(imap__security="tls", imap__host="localhost", imap__port=dovecot.tls_port)
    found = await findings(house, NO_MAIL)
    assert faults(found) == {"imap tls"}
    assert "not trusted" in only(found, "imap tls").what
    assert "the name that the certificate is made out to" in only(found, "imap tls").do
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.cafile))
    assert faults(await findings(house, NO_MAIL)) == set()


async def test_tls_on_a_port_that_begins_in_clear_is_told_apart(furnish: Build, dovecot: Dovecot) -> None:
    found = await findings(furnish(imap__security="tls", imap__host="localhost"), NO_MAIL)
    assert 'set security = "starttls" in [imap]' in only(found, "imap tls").do


async def test_starttls_is_asked_for_and_its_absence_told(
    furnish: Build, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.cafile))
    assert faults(await findings(furnish(imap__security="starttls", imap__host="localhost"), NO_MAIL)) == set()
    async with ScriptedImap() as stripped:
        found = await findings(furnish(imap__security="starttls", imap__port=stripped.port), NO_MAIL)
    assert faults(found) == {"imap login"}
    assert "does not offer STARTTLS; nothing was sent in clear" in only(found, "imap login").what
    assert 'security = "tls"' in only(found, "imap login").do


async def test_a_server_that_hangs_up_in_the_middle_is_told(furnish: Build) -> None:
    async with ScriptedImap({"CREATE": CLOSE}) as rude:
        found = await findings(furnish(imap__port=rude.port), NO_MAIL)
    assert "connection was lost" in only(found, "imap session").what
    assert only(found, "deletion", "note").what == "not checked, because the IMAP session broke off"


@pytest.mark.parametrize("greeting", ["* OK ready", HANG])
async def test_a_server_that_falls_silent_is_given_up(furnish: Build, greeting: str) -> None:
    async with ScriptedImap({"CREATE": HANG}, greeting) as silent:
        found = await findings(furnish(imap__port=silent.port), Extent(send=False, seconds=0.3))
    fault = only(found, "imap login" if greeting == HANG else "imap session")
    assert "no answer in time" in fault.what
    assert only(found, "deletion", "note").what.startswith("not checked")


async def test_mail_that_is_kept_when_it_is_deleted_is_found(furnish: Build, hoarding_dovecot: Dovecot) -> None:
    house = furnish(on=hoarding_dovecot)
    found = await findings(house, NO_MAIL)
    assert faults(found) == {"deletion"}
    assert only(found, "deletion").what == "a deleted mail is still in Kept"
    assert "gone for good" in only(found, "deletion").do


async def test_the_probe_leaves_nothing_behind(house: House) -> None:
    await findings(house)
    assert house.dovecot.folders(house.user) == ["INBOX"]
    assert house.inbox() == []


@pytest.mark.parametrize(("minutes", "way"), [(3, "ahead of"), (-3, "behind")])
async def test_a_clock_that_is_wrong_is_told(house: House, minutes: int, way: str) -> None:
    found = await findings(house, NO_MAIL, lambda: utc() + timedelta(minutes=minutes))
    assert faults(found) == {"clock"}
    assert way in only(found, "clock").what
    assert "timedatectl set-ntp true" in only(found, "clock").do


async def test_an_smtp_password_that_is_wrong_is_told(furnish: Build) -> None:
    async with Sink(password="right") as strict:
        house = furnish(smtp__port=strict.port, smtp__username="desk", smtp__password_file="password")
        found = await findings(house, NO_MAIL)
        assert faults(found) == {"smtp login"}
        assert "password_file in [smtp]" in only(found, "smtp login").do
        (house.folder / "password").write_text("right")
        assert "smtp login" not in faults(await findings(house, NO_MAIL))


async def test_a_server_that_does_not_take_our_bounce_addresses_is_told(house: House, sink: Sink) -> None:
    def refuse(step: Step, delivery: Delivery) -> str | None:
        return "553 5.7.1 not yours" if step == "MAIL" and "+b." in delivery.mail_from else None

    sink.answer(refuse)
    found = await findings(house)
    assert faults(found) == {"smtp sender"}
    assert "553" in only(found, "smtp sender").what
    assert 'envelope = "null" in [replies]' in only(found, "smtp sender").do
    change(house, '# envelope = "verp"', 'envelope = "null"')
    sink.answer(delivering(house))
    assert faults(await findings(house)) == set()


def no_such_user(step: Step, delivery: Delivery) -> str | None:
    return "550 5.1.1 no such user" if step == "RCPT" and is_ours(delivery.rcpt_tos[0]) else None


@pytest.mark.parametrize("answer", [no_such_user, lambda _step, _delivery: None])
async def test_an_address_without_suffixes_is_told(
    house: House, sink: Sink, answer: Callable[[Step, Delivery], str | None]
) -> None:
    assert faults(await findings(house)) == set()
    sink.answer(answer)
    found = await findings(house, AT_ONCE)
    assert faults(found) == {"suffix addresses"}
    assert 'set envelope = "null" in [replies]' in only(found, "suffix addresses").do


async def test_a_junk_folder_that_takes_our_mail_is_told(house: House, sink: Sink) -> None:
    house.dovecot.client(house.user).create("Junk")
    sink.answer(delivering(house, folder="Junk"))
    found = await findings(house)
    assert faults(found) == {"suffix addresses"}
    assert "never junk" in only(found, "suffix addresses").do
    assert house.dovecot.messages(house.user, "Junk") == []


@pytest.mark.parametrize(
    ("results", "name"),
    [
        (b"Authentication-Results: mail.example.net 1; none\r\n", "mail.example.net"),
        (b"Authentication-Results: spf=pass smtp.mailfrom=example.org\r\n", "none-m365"),
    ],
)
async def test_the_name_that_our_server_writes_is_told(house: House, sink: Sink, results: bytes, name: str) -> None:
    sink.answer(delivering(house, results))
    found = await findings(house)
    assert faults(found) == {"authserv_id"}
    assert only(found, "authserv_id").do == f'Set authserv_id = "{name}" in [imap].'
    change(house, 'authserv_id = "mx.example.org"', '# authserv_id = ""')
    assert only(await findings(house), "authserv_id", "note").do == f'Set authserv_id = "{name}" in [imap].'
    change(house, '# authserv_id = ""', f'authserv_id = "{name}"')
    assert faults(await findings(house)) == set()


async def test_copies_that_the_provider_keeps_of_what_is_sent_are_found(house: House, sink: Sink) -> None:
    house.dovecot.client(house.user).create("Sent")
    deliver = delivering(house)

    def keep_too(step: Step, delivery: Delivery) -> str | None:
        if step == "DATA":
            house.dovecot.append(house.user, RESULTS + delivery.content, "Sent")
        return deliver(step, delivery)

    sink.answer(keep_too)
    found = await findings(house)
    assert faults(found) == {"sent copies"}
    assert only(found, "sent copies").do.startswith('Write sent = "Sent" in [imap]')
    change(house, '# sent = ""', 'sent = "Sent"')
    assert faults(await findings(house)) == set()
    assert house.dovecot.messages(house.user, "Sent") == []
