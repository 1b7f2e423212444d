import asyncio
import logging

import pytest

from mailroom.demo.servers import Account, ImapServer
from mailroom.errors import MailboxError, ServerUnreachable
from mailroom.flow.filing import Location
from mailroom.flow.ports import Mailbox
from mailroom.mail.message import Arrival
from mailroom.transport.mailbox import ImapMailbox
from tests.servers.dovecot import HOST, Dovecot
from tests.transport.conftest import ODD_USERS, OpenMailbox

MAIL = b"From: ada@example.org\r\nSubject: one\r\n\r\nhello\r\n"
TRICKY = (
    b"From: ada@example.org\r\nSubject: \xc3\xbc\xff\r\n\r\n"
    b"* 5 FETCH (UID 5 BODY[] {3}\r\n)\r\nA1 OK done\r\n+ go\r\n.\r\n* BYE\r\n{20}\r\nno line end"
)


async def _copies(mailbox: ImapMailbox) -> list[bytes]:
    return [mail.content for mail in await mailbox.fetch(await mailbox.arrivals())]


def test_it_fits_the_port(open_mailbox: OpenMailbox) -> None:
    mailbox: Mailbox = open_mailbox("desk")
    assert mailbox


async def test_arrivals_are_listed_by_uid_with_size_and_uidvalidity(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    for content in (MAIL, TRICKY, MAIL):
        dovecot.append(user, content)
    dovecot.append(user, MAIL, flags="(\\Deleted)")
    arrivals = await open_mailbox(user).arrivals()
    validity = dovecot.uidvalidity(user)
    assert arrivals == [Arrival("INBOX", validity, uid, 0) for uid in (1, 2, 3, 4)]
    assert [arrival.size for arrival in arrivals] == [len(MAIL), len(TRICKY), len(MAIL), len(MAIL)]
    assert [arrival.is_deleted for arrival in arrivals] == [False, False, False, True]


async def test_mail_that_came_after_the_first_listing_is_seen(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    mailbox = open_mailbox(user)
    assert await mailbox.arrivals() == []
    dovecot.append(user, MAIL)
    assert len(await mailbox.arrivals()) == 1


async def test_twenty_thousand_messages_are_listed(dovecot: Dovecot, user: str, open_mailbox: OpenMailbox) -> None:
    dovecot.fill(user, MAIL, 20_000)
    arrivals = await open_mailbox(user).arrivals()
    assert [arrival.uid for arrival in arrivals] == list(range(1, 20_001))
    assert {arrival.size for arrival in arrivals} == {len(MAIL)}


async def test_bytes_come_exact_and_stay_unseen(dovecot: Dovecot, user: str, open_mailbox: OpenMailbox) -> None:
    big = b"Subject: big\r\n\r\n" + b"(" * 70 + b"\r\n" + bytes(range(128, 256)) * 8_000
    for content in (TRICKY, MAIL, big):
        dovecot.append(user, content)
    assert await _copies(open_mailbox(user)) == [TRICKY, MAIL, big]
    assert dovecot.flags(user) == ["", "", ""]


async def test_a_message_that_is_gone_meanwhile_is_left_out(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    dovecot.append(user, MAIL)
    dovecot.append(user, TRICKY)
    mailbox = open_mailbox(user)
    arrivals = await mailbox.arrivals()
    client = dovecot.client(user)
    client.select()
    client.store("1", "+FLAGS", "\\Deleted")
    client.expunge()
    assert [mail.content for mail in await mailbox.fetch(arrivals)] == [TRICKY]
    with pytest.raises(MailboxError, match="gone"):
        await mailbox.fetch_beginning(arrivals[0])


async def test_exactly_these_are_deleted(dovecot: Dovecot, user: str, open_mailbox: OpenMailbox) -> None:
    mailbox = open_mailbox(user)
    for number in range(6):
        dovecot.append(user, MAIL, flags="(\\Deleted)" if number == 5 else "")
    arrivals = await mailbox.arrivals()
    await mailbox.delete([arrivals[0], arrivals[1], arrivals[3]])
    assert [uid for uid, _ in dovecot.messages(user)] == [3, 5, 6]
    assert dovecot.flags(user) == ["", "", "\\Deleted"]


async def test_nothing_to_do_asks_no_server(open_mailbox: OpenMailbox) -> None:
    mailbox = open_mailbox("desk", port=1)
    assert await mailbox.fetch([]) == []
    assert await mailbox.move([], "Filed") == {}
    await mailbox.delete([])


async def test_a_move_makes_the_folder_and_tells_where_each_mail_is_now(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    for content in (MAIL, TRICKY, MAIL):
        dovecot.append(user, content)
    mailbox = open_mailbox(user)
    first, second, third = await mailbox.arrivals()
    places = await mailbox.move([third, second], "Filed")
    validity = dovecot.uidvalidity(user, "Filed")
    assert places == {second: Location("Filed", validity, 1), third: Location("Filed", validity, 2)}
    assert dovecot.messages(user, "Filed") == [(1, TRICKY), (2, MAIL)]
    assert [uid for uid, _ in dovecot.messages(user)] == [1]
    assert dovecot.client(user).lsub()[1] == [b'() "/" Filed'], "mail programs show subscribed folders only"
    again = await mailbox.move([first], "Filed")
    assert again == {first: Location("Filed", validity, 3)}


async def test_a_moved_mail_can_be_deleted_where_it_lies(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    mailbox = open_mailbox(user)
    for _ in range(2):
        dovecot.append(user, MAIL)
    places = await mailbox.move(await mailbox.arrivals(), "Filed")
    place = next(iter(places.values()))
    await mailbox.delete([Arrival(place.mailbox, place.uidvalidity, place.uid, 0)])
    assert [uid for uid, _ in dovecot.messages(user, "Filed")] == [2]


@pytest.mark.parametrize(
    ("folder", "on_the_wire"),
    [
        ("Filed/2030", "Filed/2030"),
        ("Erledigt äß & Co", "Erledigt &AOQA3w- &- Co"),
        ('a "b" c', 'a \\"b\\" c'),
        ("日本語", "&ZeVnLIqe-"),
    ],
)
async def test_any_folder_name_can_be_moved_to(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox, folder: str, on_the_wire: str
) -> None:
    dovecot.append(user, MAIL)
    mailbox = open_mailbox(user)
    await mailbox.move(await mailbox.arrivals(), folder)
    assert dovecot.messages(user, on_the_wire) == [(1, MAIL)]
    there = open_mailbox(user, inbox=folder)
    assert await _copies(there) == [MAIL]


@pytest.mark.parametrize("folder", ["Filed/Old", "INBOX/Filed/Old", "INBOX.Filed.Old"])
async def test_a_folder_is_put_where_the_server_keeps_folders(
    prefixed: Dovecot, open_mailbox: OpenMailbox, folder: str
) -> None:
    user = prefixed.new_user()
    prefixed.append(user, MAIL)
    mailbox = open_mailbox(user, port=prefixed.port)
    places = await mailbox.move(await mailbox.arrivals(), folder)
    assert [place.mailbox for place in places.values()] == [folder]
    assert prefixed.messages(user, "INBOX.Filed.Old") == [(1, MAIL)]


@pytest.mark.parametrize("verb", ["delete", "move", "fetch"])
async def test_nothing_is_touched_when_the_uids_mean_other_messages(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox, verb: str
) -> None:
    mailbox = open_mailbox(user)
    dovecot.append(user, MAIL)
    arrivals = await mailbox.arrivals()
    await mailbox.close()
    dovecot.bump_uidvalidity(user)
    with pytest.raises(MailboxError, match="uidvalidity changed"):
        await (mailbox.move(arrivals, "Filed") if verb == "move" else getattr(mailbox, verb)(arrivals))
    assert dovecot.flags(user) == [""]
    assert dovecot.folders(user) == ["INBOX"]
    assert len(await mailbox.fetch(await mailbox.arrivals())) == 1


async def test_a_uidvalidity_that_changes_in_a_session_stops_the_deletion(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    mailbox = open_mailbox(user)
    dovecot.append(user, MAIL)
    arrivals = await mailbox.arrivals()
    dovecot.bump_uidvalidity(user)
    with pytest.raises(MailboxError):
        await mailbox.delete(arrivals)
    assert dovecot.flags(user) == [""]


async def test_after_a_restart_of_the_server_the_next_call_connects_again(open_mailbox: OpenMailbox) -> None:
    with Dovecot() as server:
        user = server.new_user()
        server.append(user, MAIL)
        mailbox = open_mailbox(user, port=server.port)
        arrivals = await mailbox.arrivals()
        server.stop()
        with pytest.raises((MailboxError, ServerUnreachable)):
            await mailbox.arrivals()
        with pytest.raises(ServerUnreachable, match=f"{HOST}:{server.port}"):
            await mailbox.arrivals()
        server.start()
        assert [mail.content for mail in await mailbox.fetch(arrivals)] == [MAIL]


@pytest.mark.parametrize("name", ODD_USERS)
async def test_any_user_name_and_password_can_log_in(dovecot: Dovecot, open_mailbox: OpenMailbox, name: str) -> None:
    assert await open_mailbox(name, ODD_USERS[name]).arrivals() == []


async def test_a_refused_login_tells_the_server_but_no_secret(user: str, open_mailbox: OpenMailbox) -> None:
    with pytest.raises(ServerUnreachable, match="refused the login: NO AUTHENTICATIONFAILED") as caught:
        await open_mailbox(user, "hunter2-secret").arrivals()
    assert "hunter2" not in str(caught.value)
    assert user not in str(caught.value)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_tls_with_a_trusted_certificate_works(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox, security: str
) -> None:
    dovecot.append(user, TRICKY)
    port = dovecot.tls_port if security == "tls" else dovecot.port
    mailbox = open_mailbox(user, port=port, security=security, cafile=str(dovecot.cafile))
    assert await _copies(mailbox) == [TRICKY]
    assert any(f"user=<{user}>" in line and ", TLS," in line for line in dovecot.log().splitlines())


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox, security: str
) -> None:
    port = dovecot.tls_port if security == "tls" else dovecot.port
    with pytest.raises(ServerUnreachable, match="certificate is not trusted"):
        await open_mailbox(user, port=port, security=security).arrivals()
    assert f"user=<{user}>" not in dovecot.log()


async def test_calls_at_the_same_time_wait_for_each_other(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox
) -> None:
    for _ in range(5):
        dovecot.append(user, MAIL)
    mailbox = open_mailbox(user)
    arrivals = await mailbox.arrivals()
    fetched = await asyncio.gather(*(mailbox.fetch([arrival]) for arrival in arrivals))
    assert [mail.arrival for found in fetched for mail in found] == arrivals


async def test_a_closed_mailbox_opens_again_when_needed(dovecot: Dovecot, user: str, open_mailbox: OpenMailbox) -> None:
    mailbox = open_mailbox(user)
    await mailbox.close()
    dovecot.append(user, MAIL)
    assert len(await mailbox.arrivals()) == 1
    await mailbox.close()
    await mailbox.close()
    assert len(await mailbox.arrivals()) == 1


async def test_no_log_line_holds_a_byte_of_a_mail_or_the_name_of_a_folder(
    dovecot: Dovecot, user: str, open_mailbox: OpenMailbox, caplog: pytest.LogCaptureFixture
) -> None:
    dovecot.append(user, b"Subject: canary\r\n\r\ncanary\r\n")
    with caplog.at_level(logging.DEBUG):
        mailbox = open_mailbox(user)
        await _copies(mailbox)
        await mailbox.move(await mailbox.arrivals(), "canary")
    assert "canary" not in caplog.text


async def test_pymap_serves_the_whole_life_of_a_mail(open_mailbox: OpenMailbox) -> None:
    async with ImapServer(Account("desk", "correct horse")) as server:
        mailbox = open_mailbox("desk", "correct horse", port=server.port)
        await server.receive([MAIL, TRICKY])
        first, second = await mailbox.arrivals()
        assert [mail.content for mail in await mailbox.fetch([first, second])] == [MAIL, TRICKY]
        places = await mailbox.move([first], "Filed")
        assert [place.mailbox for place in places.values()] == ["Filed"]
        await mailbox.delete([second])
        assert await mailbox.arrivals() == []
        assert await _copies(open_mailbox("desk", "correct horse", port=server.port, inbox="Filed")) == [MAIL]
        await mailbox.close()
