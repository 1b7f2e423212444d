"""What the mailbox does when a server says no, nothing, or too much."""

import asyncio
from base64 import b64encode
from contextlib import nullcontext
from typing import Any

import pytest

from mailroom.errors import MailboxError, ServerUnreachable
from mailroom.flow.filing import Location
from mailroom.mail.message import Arrival
from mailroom.transport.imap import Connection
from mailroom.transport.mailbox import ImapMailbox
from tests.servers.scripted import CLOSE, HANG, ScriptedImap
from tests.transport.conftest import OpenMailbox

ONE, TWO = Arrival("INBOX", 7, 1, 10), Arrival("INBOX", 7, 2, 10)
REFUSED = "{tag} NO [OVERQUOTA] no room in Private-Folder"
NO_EXTENSIONS = {"CAPABILITY": "* CAPABILITY IMAP4rev1\r\n{tag} OK"}


def _verbs(server: ScriptedImap) -> list[str]:
    return server.received[server.received.index('SELECT "INBOX"') + 1 :]


async def _every_call(mailbox: ImapMailbox, call: str) -> None:
    match call:
        case "arrivals":
            await mailbox.arrivals()
        case "move":
            await mailbox.move([ONE], "Private-Folder")
        case "fetch_beginning":
            await mailbox.fetch_beginning(ONE)
        case _:
            await getattr(mailbox, call)([ONE])


CALLS = ["arrivals", "fetch", "fetch_beginning", "delete", "move"]


@pytest.mark.parametrize("call", CALLS)
async def test_a_refusal_is_told_without_the_words_of_the_server(open_mailbox: OpenMailbox, call: str) -> None:
    async with ScriptedImap(
        {"UID ": REFUSED, "UID SEARCH": REFUSED, "UID FETCH": REFUSED, "CREATE": REFUSED}
    ) as server:
        with pytest.raises(MailboxError, match=r"refused [A-Z]+: NO OVERQUOTA$") as caught:
            await _every_call(open_mailbox("desk", port=server.port), call)
        assert "Private" not in str(caught.value)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("reply", ["* BYE going down", CLOSE, "* 1 FETCH (UID 1 BODY[] {900}\r\nhalf a mail" + CLOSE])
async def test_a_connection_lost_in_any_call_is_replaced_at_the_next(
    open_mailbox: OpenMailbox, call: str, reply: str
) -> None:
    async with ScriptedImap() as server:
        usual = dict(server.replies)
        server.replies |= {"UID ": reply, "UID SEARCH": reply, "UID FETCH": reply}
        mailbox = open_mailbox("desk", port=server.port)
        with pytest.raises(MailboxError, match="the connection was lost"):
            await _every_call(mailbox, call)
        server.replies = usual
        assert await mailbox.arrivals() == [ONE]


@pytest.mark.parametrize("step", ["SELECT", "UID FETCH", "UID SEARCH"])
async def test_a_silent_server_is_given_up(open_mailbox: OpenMailbox, step: str) -> None:
    async with ScriptedImap({step: HANG}) as server:
        mailbox = open_mailbox("desk", port=server.port, timeout=0.2)
        with pytest.raises(MailboxError, match="no answer in time"):
            await mailbox.arrivals()


@pytest.mark.parametrize("step", ["CAPABILITY", "LOGIN"])
@pytest.mark.parametrize(("reply", "why"), [(HANG, "no answer in time"), (CLOSE, "lost"), ("{tag} NO", "refused")])
async def test_no_login_means_unreachable(open_mailbox: OpenMailbox, step: str, reply: str, why: str) -> None:
    async with ScriptedImap({step: reply}) as server:
        mailbox = open_mailbox("desk", port=server.port, timeout=0.2)
        with pytest.raises(ServerUnreachable, match=why):
            await mailbox.arrivals()


@pytest.mark.parametrize("greeting", [HANG, CLOSE, "* BYE too busy", "* PREAUTH welcome", "220 smtp.example ESMTP"])
async def test_a_server_without_a_welcome_is_unreachable(open_mailbox: OpenMailbox, greeting: str) -> None:
    async with ScriptedImap(greeting=greeting) as server:
        with pytest.raises(ServerUnreachable, match=str(server.port)):
            await open_mailbox("desk", port=server.port, timeout=0.2).arrivals()
        assert server.received == []


async def test_a_host_without_server_is_unreachable(open_mailbox: OpenMailbox) -> None:
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:1: "):
        await open_mailbox("desk", port=1).arrivals()


async def test_without_starttls_nothing_is_sent_in_clear(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap() as server:
        with pytest.raises(ServerUnreachable, match="does not offer STARTTLS"):
            await open_mailbox("desk", port=server.port, security="starttls").arrivals()
        assert server.received == ["CAPABILITY"]


async def test_no_login_is_tried_where_none_is_allowed(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap({"CAPABILITY": "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n{tag} OK"}) as server:
        with pytest.raises(ServerUnreachable, match="allows no login"):
            await open_mailbox("desk", port=server.port).arrivals()
        assert server.received == ["CAPABILITY"]


async def test_any_name_and_password_pass_through_login(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap() as server:
        await open_mailbox('a "b\\ ü', 'p "\\ ß', port=server.port).arrivals()
        assert 'LOGIN {8}a "b\\ ü {7}p "\\ ß' in server.received


async def test_sasl_plain_is_used_where_it_is_offered(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap({"CAPABILITY": "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK"}) as server:
        await open_mailbox("dësk", "pass", port=server.port).arrivals()
        token = b64encode("\0dësk\0pass".encode()).decode()
        assert f"AUTHENTICATE PLAIN {token}" in server.received


async def test_bytes_of_any_value_pass_through(open_mailbox: OpenMailbox) -> None:
    content = bytes(range(256)) + b"\r\n* BYE\r\n)\r\n"
    mail = f"* 1 FETCH (UID 1 BODY[] {{{len(content)}}}\r\n{content.decode('latin-1')} FLAGS ())\r\n{{tag}} OK"
    async with ScriptedImap({"UID FETCH": mail}) as server:
        (found,) = await open_mailbox("desk", port=server.port).fetch([ONE])
        assert found.content == content


async def test_what_was_not_asked_for_is_ignored(open_mailbox: OpenMailbox) -> None:
    news = (
        "* 9 EXISTS\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* OK [ALERT] hello {x}\r\n* 1 FETCH (UID 1 BODY[] {2}\r\nhi)\r\n"
        "* 3 FETCH (UID 3 BODY[] {2}\r\nno)\r\n* 2 FETCH (UID 2 BODY[] NIL)\r\n{tag} OK"
    )
    async with ScriptedImap({"UID FETCH": news}) as server:
        found = await open_mailbox("desk", port=server.port).fetch([ONE, TWO])
        assert [(mail.arrival, mail.content) for mail in found] == [(ONE, b"hi")]


async def test_what_is_left_after_an_expunge_by_somebody_else_is_fetched(open_mailbox: OpenMailbox) -> None:
    gone = "* 1 FETCH (UID 1 BODY[] {2}\r\nhi)\r\n{tag} NO [EXPUNGEISSUED] some are gone"
    async with ScriptedImap({"UID FETCH": gone}) as server:
        found = await open_mailbox("desk", port=server.port).fetch([ONE, TWO])
        assert [mail.arrival for mail in found] == [ONE]


async def test_without_uidvalidity_no_message_is_trusted(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap({"SELECT": "* 3 EXISTS\r\n{tag} OK"}) as server:
        with pytest.raises(MailboxError, match="UIDVALIDITY"):
            await open_mailbox("desk", port=server.port).arrivals()


@pytest.mark.parametrize(("marked", "expunged"), [("1 2", True), ("2", True), ("1 2 3", False)])
async def test_without_uidplus_nobody_elses_deletion_is_expunged(
    open_mailbox: OpenMailbox, marked: str, expunged: bool
) -> None:
    replies = NO_EXTENSIONS | {"UID SEARCH DELETED": f"* SEARCH {marked}\r\n{{tag}} OK"}
    async with ScriptedImap(replies) as server:
        told: Any = (
            nullcontext() if expunged else pytest.raises(MailboxError, match="marked other mail there as deleted")
        )
        with told:
            await open_mailbox("desk", port=server.port).delete([ONE, TWO])
        steps = ["UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", "UID SEARCH DELETED"]
        assert _verbs(server) == steps + ["EXPUNGE"] * expunged


async def test_without_move_mails_are_copied_and_then_deleted(open_mailbox: OpenMailbox) -> None:
    replies = {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 UIDPLUS\r\n{tag} OK",
        "UID COPY": "{tag} OK [COPYUID 99 1:2 41,40] done",
    }
    async with ScriptedImap(replies) as server:
        places = await open_mailbox("desk", port=server.port).move([ONE, TWO], "Filed")
        assert places == {ONE: Location("Filed", 99, 41), TWO: Location("Filed", 99, 40)}
        deleted = ["UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 1:2"]
        assert _verbs(server) == ['UID COPY 1:2 "Filed"', *deleted]


async def test_a_failed_copy_deletes_nothing(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap(NO_EXTENSIONS | {"UID COPY": REFUSED, "CREATE": REFUSED}) as server:
        with pytest.raises(MailboxError):
            await open_mailbox("desk", port=server.port).move([ONE], "Filed")
        assert _verbs(server) == ['UID COPY 1 "Filed"', 'CREATE "Filed"']


@pytest.mark.parametrize("told", ["done", "[COPYUID 9 1:4294967295 1:4294967295] done", "[COPYUID 9 1:2 5] done"])
async def test_a_move_without_a_usable_copyuid_tells_no_place(open_mailbox: OpenMailbox, told: str) -> None:
    async with ScriptedImap({"UID MOVE": f"* OK {told}\r\n{{tag}} OK"}) as server:
        assert await open_mailbox("desk", port=server.port).move([ONE, TWO], "Filed") == {}


async def test_a_cancelled_call_leaves_no_half_answer_behind(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap({"UID SEARCH": HANG}) as server:
        mailbox = open_mailbox("desk", port=server.port)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await mailbox.arrivals()
        server.replies["UID SEARCH"] = "* SEARCH 1\r\n{tag} OK"
        assert await mailbox.arrivals() == [ONE]


async def test_closing_does_not_wait_for_a_silent_server(open_mailbox: OpenMailbox) -> None:
    async with ScriptedImap({"LOGOUT": HANG}) as server:
        mailbox = open_mailbox("desk", port=server.port, timeout=600)
        await mailbox.arrivals()
        async with asyncio.timeout(20):  # far more than the second that it may take
            await mailbox.close()
        assert server.received[-1] == "LOGOUT"


async def test_every_sign_of_life_moves_the_deadline_on() -> None:
    connection = Connection(timeout=600)
    async with asyncio.timeout(1) as deadline:
        connection._deadline = deadline
        connection.data_received(b"* OK still here\r\n")
        await asyncio.sleep(0)
    assert (deadline.when() or 0) > connection.loop.time() + 500


async def test_a_command_on_a_lost_connection_does_not_wait() -> None:
    connection = Connection(timeout=600)
    connection.connection_lost(None)
    with pytest.raises(ConnectionError):
        await connection.command("CAPABILITY")
