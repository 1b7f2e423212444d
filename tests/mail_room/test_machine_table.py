"""No machine is answered and every person is: the whole table of signs, through everything that `explain` asks."""

from collections.abc import Iterator
from typing import Any

import pytest

from mailroom.cli.bench import Bench, bare_bench
from tests.mail_room.machine_table import ROWS, WORDS, Row, part, parts

COMPLAINT = {
    "Return-Path": "<mara@example.net>",
    "Received": "from mail.example.net by mx.desk.example; Tue, 03 Mar 2026 10:00:00 +0000",
    "From": "Mara <mara@example.net>",
    "To": "desk@desk.example",
    "Subject": "Please help me",
    "Date": "Tue, 03 Mar 2026 10:00:00 +0000",
    "Message-ID": "<1@example.net>",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
}
TEXT = "A man of my group threatens me every day and posts my pictures. I do not know what to do. Please help me.\n"


# A machine perhaps, and people with addresses like it.
SOFT = (
    ("From: noreply@example.net", ("From: noreply.fan@example.net", "From: Noor Reply <noor@example.net>")),
    ("From: no-reply@example.net", ("Reply-To: no-reply@example.net",)),
    ("From: do_not_reply@example.net", ("Subject: No reply from the police",)),
    ("From: bounces@example.net", ("From: bouncer@example.net",)),
    ("From: notifications@example.net", ("From: notifications.mara@example.net",)),
    ("From: talk-request@example.net", ("From: request@example.net",)),
    ("Sender: talk-bounces@example.net", ("Sender: secretary@example.net",)),
    ("To: talk-bounces@example.net", ("To: talk-bounces@example.net, desk@desk.example", "To: ombuds@example.net")),
    (
        "From: postmaster@example.net\nX-Mailer: <SMTP32 v8.15>\n\nUnknown user: mara@example.net\n",
        ("From: postmaster@example.net", "From: postmaster@example.net\n\nPlease help me. Message-ID: <1@x.example>\n"),
    ),
    (
        "From: postmaster@example.net\n"
        + parts("mixed", WORDS, part("message/rfc822", "From: x@example.net\nMessage-ID: <2@x.example>\n")),
        ("From: mara@example.net\n" + parts("mixed", WORDS, part("message/rfc822", "Message-ID: <2@x.example>\n")),),
    ),
)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with bare_bench() as made:
        yield made


def mail(different: str) -> bytes:
    """Write the plain complaint, but for what is different."""
    head, blank, body = different.partition("\n\n")
    lines = [line for line in head.split("\n") if line]
    named = {line.partition(":")[0].lower() for line in lines}
    kept = [f"{name}: {value}" for name, value in COMPLAINT.items() if name.lower() not in named]
    return "\n".join([*lines, *kept, "", body if blank else TEXT]).encode()


async def explained(bench: Bench, different: str) -> dict[str, Any]:
    return await bench.explain(mail(different))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.sign)
async def test_a_machine_is_never_answered(row: Row, bench: Bench) -> None:
    told = await explained(bench, row.machine)
    assert (told["kind"], told["reply"]["will_send"]) == (row.kind, False)
    assert told["machine"]
    assert told["soft"] is None


@pytest.mark.parametrize(
    "different",
    [pytest.param(mail, id=f"{row.sign} {number}") for row in ROWS for number, mail in enumerate(row.people)],
)
async def test_a_person_who_looks_like_it_is_answered(different: str, bench: Bench) -> None:
    told = await explained(bench, different)
    assert (told["kind"], told["machine"], told["soft"]) == ("report", None, None)
    assert told["reply"]["will_send"]


@pytest.mark.parametrize("machine", [machine for machine, _ in SOFT])
async def test_what_may_be_a_machine_is_a_report_whose_answer_waits(machine: str, bench: Bench) -> None:
    told = await explained(bench, machine)
    assert (told["kind"], told["machine"], told["bounce"]) == ("report", None, None)
    assert told["soft"]
    assert (told["reply"]["will_send"], told["reply"]["held"]) == (False, "perhaps a machine")


@pytest.mark.parametrize("different", [person for _, people in SOFT for person in people])
async def test_a_person_with_an_address_like_it_is_answered(different: str, bench: Bench) -> None:
    told = await explained(bench, different)
    assert (told["kind"], told["soft"], told["reply"]["will_send"]) == ("report", None, True)


async def test_the_complaint_of_the_table_is_answered_as_it_stands(bench: Bench) -> None:
    assert (await explained(bench, "X-Nothing: here"))["reply"]["will_send"]
