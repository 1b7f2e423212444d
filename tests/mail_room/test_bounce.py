"""A bounce tells whom our mail did not reach, whether for good, and which mail came back; hostile ones cost little."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.mail.bounce import MAX_IDS, MAX_RECIPIENTS, may_bounce, read_bounce, told_apart
from mailroom.mail.message import Bounce, Machine, MachineSign

RETURNED = b"text/rfc822-headers\n\nFrom: desk@example.org\nMessage-ID: <m1@example.org>\n"


def report(status: bytes, returned: bytes = RETURNED, status_type: bytes = b"message/delivery-status") -> bytes:
    """Build a delivery report: a text, the status, what came back."""
    parts = (b"text/plain\n\nIt could not be delivered.\n", status_type + b"\n\n" + status, returned)
    head = b"From: mailer-daemon@example.net\nContent-Type: multipart/report; boundary=b\n\n"
    return head + b"".join(b"--b\nContent-Type: " + part + b"\n" for part in parts) + b"--b--\n"


def recipient(action: bytes, status: bytes = b"", final: bytes = b"rfc822; mara@Example.NET") -> bytes:
    return (
        b"Reporting-MTA: dns; x\n\nFinal-Recipient: " + final + b"\nAction: " + action + b"\nStatus: " + status + b"\n"
    )


@pytest.mark.parametrize(
    ("action", "status", "permanent"),
    [
        (b"failed", b"5.1.1", True),
        (b"Failed (bad address)", b"5.1.1", True),
        (b"failed", b"4.4.7", True),
        (b"error", b"", True),
        (b"delayed", b"4.4.1", False),
        (b"delayed", b"5.0.0", False),
        (b"", b"5.2.2", True),
        (b"unheard-of", b"4.2.2 (mailbox full)", False),
    ],
)
def test_the_action_says_whether_delivery_was_given_up_and_else_the_class_of_status(
    action: bytes, status: bytes, permanent: bool
) -> None:
    assert read_bounce(report(recipient(action, status))) == Bounce(
        ("mara@example.net",), permanent, ("m1@example.org",)
    )


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"])
@pytest.mark.parametrize("blank", [b"", b" \t"])
def test_every_recipient_is_read_whatever_ends_a_line(line_end: bytes, blank: bytes) -> None:
    two = recipient(b"failed") + b"\nFinal-Recipient: rfc822; a@example.net\nAction: failed\n"
    found = read_bounce(report(two.replace(b"\n\n", b"\n" + blank + b"\n")).replace(b"\n", line_end))
    assert found is not None
    assert (found.recipients, found.permanent) == (("mara@example.net", "a@example.net"), True)


@pytest.mark.parametrize("action", [b"delivered", b"relayed", b"expanded"])
def test_nobody_failed_where_the_mail_arrived_whatever_the_words_beside_it_say(action: bytes) -> None:
    for status in (b"2.0.0", b"5.0.0", b"4.0.0"):
        assert read_bounce(report(recipient(action, status))) == Bounce((), False, ("m1@example.org",))


@pytest.mark.parametrize(
    ("final", "address"),
    [
        (b"rfc822;mara@example.net", "mara@example.net"),
        (b"RFC822; <mara@example.net> (Mara)", "mara@example.net"),
        (b"mara@example.net", "mara@example.net"),
        (b"rfc822;\n mara@example.net", "mara@example.net"),
        (b"utf-8; m\\x{E4}ra@example.net", "m\u00e4ra@example.net"),
        (b"utf-8; m\xc3\xa4ra@example.net", "m\u00e4ra@example.net"),
        (b"utf-8; m\\x{D800}\\x{110000}ra@example.net", "mra@example.net"),
    ],
)
def test_a_recipient_is_read_in_every_spelling(final: bytes, address: str) -> None:
    found = read_bounce(report(recipient(b"failed", b"5.1.1", final), status_type=b"message/global-delivery-status"))
    assert found is not None
    assert found.recipients == (address,)


def test_whom_we_wrote_to_stands_before_whom_it_was_passed_on_to() -> None:
    status = b"Original-Recipient: rfc822; mara@example.net\n" + recipient(b"failed", final=b"rfc822; m@other.example")
    found = read_bounce(report(status.replace(b"Reporting-MTA: dns; x\n\n", b"")))
    assert found is not None
    assert found.recipients == ("mara@example.net", "m@other.example")


def test_who_is_lost_counts_before_who_is_late() -> None:
    both = recipient(b"delayed", final=b"rfc822; late@example.net") + b"\n" + recipient(b"failed")
    assert read_bounce(report(both)) == Bounce(("mara@example.net",), True, ("m1@example.org",))


@pytest.mark.parametrize(
    "returned",
    [
        RETURNED,
        b"message/rfc822\n\nReceived: x\nMessage-ID:\n <m1@example.org>\n\nThe text.\n",
        b"message/rfc822\nContent-Transfer-Encoding: base64\n\nTWVzc2FnZS1JRDogPG0xQGV4YW1wbGUub3JnPgo=\n",
        b"message/global-headers\n\nmessage-id: <m1@example.org>\n",
        b"message/disposition-notification\n\nOriginal-Message-ID: <m1@example.org>\nDisposition: x; displayed\n",
        b"message/delivery-status\n\nX-Original-Message-ID: <m1@example.org>\n",
        b"text/plain\n\n--- Below this line is a copy.\n\nTo: mara\nMessage-Id: <m1@example.org>\n",
    ],
)
def test_the_mail_that_came_back_is_known_by_its_id(returned: bytes) -> None:
    found = read_bounce(report(recipient(b"failed"), returned))
    assert found is not None
    assert found.original_ids == ("m1@example.org",)


def test_the_bounce_itself_is_not_what_came_back() -> None:
    found = read_bounce(b"Message-ID: <bounce@example.net>\n" + report(recipient(b"failed"), b"text/plain\n\nNo.\n"))
    assert found is not None
    assert found.original_ids == ()


TEXTS = {
    "Exim": b"X-Failed-Recipients: mara@example.net\n\nA message that you sent could not be delivered.\n",
    "qmail": b"\nHi. This is the qmail-send program at example.net.\nI'm afraid it did not work.\n\n"
    b"<mara@example.net>:\nno mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n",
    "Postfix": b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Description: Notification\n\n"
    b"Your message could not be delivered.\n\n\t\t\tThe Postfix program\n\n<mara@example.net>: unknown user\n\n--b--\n",
}


@pytest.mark.parametrize("program", TEXTS)
def test_a_bounce_of_words_is_read_in_the_shape_of_its_program(program: str) -> None:
    assert read_bounce(b"From: mailer-daemon@example.net\n" + TEXTS[program]) == Bounce(("mara@example.net",), True, ())


def test_the_words_of_a_bounce_are_read_in_every_transfer_encoding() -> None:
    plain = b"\t\t\tThe Postfix program\n\n<mara@example.net>: unknown user\n"
    encoded = b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(plain)
    mail = (
        TEXTS["Postfix"].partition(b"\n\n")[0] + b"\n\n--b\nContent-Description: Notification\n" + encoded + b"--b--\n"
    )
    assert read_bounce(b"From: mailer-daemon@example.net\n" + mail) == Bounce(("mara@example.net",), True, ())


def test_a_mail_that_names_nobody_is_no_bounce() -> None:
    assert read_bounce(b"From: postmaster@example.net\n\nHe wrote this:\nMessage-ID: <m1@example.com>\n") is None
    assert read_bounce(b"From: mara@example.net\n\nI am away until Monday.\n") is None
    assert read_bounce(b"") is None


def test_a_report_of_thousands_names_as_many_as_can_be_looked_at() -> None:
    status = b"".join(
        b"\nFinal-Recipient: rfc822; m%d@example.net\nAction: failed\n" % number for number in range(5000)
    )
    returned = b"message/rfc822\n\n" + b"".join(b"Message-ID: <%d@x.example>\n" % number for number in range(5000))
    found = read_bounce(report(status, returned))
    assert found is not None
    assert (len(found.recipients), len(found.original_ids)) == (MAX_RECIPIENTS, MAX_IDS)


SMAIL = b"From: mailer-daemon@example.net\n\nfailed addresses follow:\n%s mara@example.net\n"


@pytest.mark.parametrize(
    ("mail", "is_read"),
    [
        (SMAIL % (b" " * 200), True),
        (SMAIL % (b" " * 300), False),
        (SMAIL % (b"x\n" * 150), True),
        (SMAIL % (b"x\n" * 200), False),
        (report(b"Pad: %s\n\n" % (b"x" * 60_000) + recipient(b"failed")), True),
        (report(b"Pad: %s\n\n" % (b"x" * 66_000) + recipient(b"failed")), False),
        (report(recipient(b"failed")).replace(b"b\n\n", b"b\n\n" + b"--b\n\n\n" * 17, 1), True),
        (report(recipient(b"failed")).replace(b"b\n\n", b"b\n\n" + b"--b\n\n\n" * 20, 1), False),
    ],
)
def test_no_more_is_read_than_its_bounds(mail: bytes, is_read: bool) -> None:
    """On one line of 30 KB some patterns of flufl.bounce take ten seconds, and four times that on twice its length."""
    found = read_bounce(mail)
    assert (found is not None and found.recipients == ("mara@example.net",)) == is_read


HOSTILE = {
    "long lines": SMAIL % ((b"[" * 5000 + b"\n") * 2000),
    "blanks": SMAIL % (b" " * 5_000_000),
    "nested mails": b"Content-Type: message/rfc822\n\n" * 30_000,
    "nested multiparts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(3000)
    ),
    "a digest": b"Content-Type: multipart/digest; boundary=b\n\n" + b"--b\n\n" * 50_000,
    "many reports": b"Content-Type: multipart/report; boundary=b\n\n"
    + (b"--b\nContent-Type: message/delivery-status\n\n" + recipient(b"none") * 1000) * 200,
}


@pytest.mark.parametrize("mail", HOSTILE)
def test_a_hostile_bounce_names_nobody_and_ends(mail: str) -> None:
    found = read_bounce(HOSTILE[mail])
    assert found is None or not found.recipients


@given(st.binary(max_size=400), st.sampled_from([b"", report(recipient(b"failed")), *TEXTS.values()]))
def test_no_bytes_make_it_raise(content: bytes, mail: bytes) -> None:
    for place in (0, len(mail) // 2, len(mail)):
        read_bounce(mail[:place] + content + mail[place:])


def sign(kind: Machine, why: str) -> MachineSign:
    return MachineSign(kind, why)


@pytest.mark.parametrize(
    ("machine", "sender", "expected"),
    [
        (sign("bounce", "a report about mail (Content-Type)"), "x@example.net", True),
        (sign("automatic", "no answer can reach it (Return-Path)"), "x@example.net", True),
        (sign("automatic", "sent to a bounce address (To)"), "x@example.net", True),
        (sign("automatic", "no person wrote it (Auto-Submitted)"), "x@example.net", False),
        (sign("list", "a mailing list sent it (List-Id)"), "postmaster@example.net", False),
        (None, "Postmaster@example.net", True),
        (None, "mara@example.net", False),
        (None, None, False),
    ],
)
def test_only_what_may_be_a_bounce_is_read_as_one(
    machine: MachineSign | None, sender: str | None, expected: bool
) -> None:
    assert may_bounce(machine, sender) == expected


def test_words_make_a_bounce_only_of_a_machine_that_says_nothing_else() -> None:
    words, nobody = Bounce(("mara@example.net",), True), Bounce((), False, ("m1@example.org",))
    bare = sign("automatic", "no answer can reach it (Return-Path)")
    away = sign("automatic", "no person wrote it (Auto-Submitted)")
    assert told_apart(bare, words) == sign("bounce", bare.why)
    assert [told_apart(bare, nobody), told_apart(bare, None)] == [bare, bare]
    assert told_apart(away, words) == away
    assert told_apart(None, words) is None
