"""The sender is found in whatever old mailers write, and never half of an address."""

import pytest

from mailroom.mail.parse import parse


def mail(header: str, body: str = "text") -> bytes:
    return header.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode()


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Anna <Anna.B@Example.ORG>", "Anna.B@example.org"),
        ("anna@example.org (Anna)", "anna@example.org"),
        ("anna@münchen.example", "anna@münchen.example"),
        ("anna@xn--mnchen-3ya.example", "anna@xn--mnchen-3ya.example"),
        ('"boss@example.net" <anna@example.org>', "anna@example.org"),
        ("nobody, Anna <anna@example.org>", "anna@example.org"),
        ('"Vale, Anna" anna@example.org', "anna@example.org"),
        ("Anna <anna@example.org", "anna@example.org"),
        ("=?utf-8?b?A?= <anna@example.org>", "anna@example.org"),
        ("=?utf-8?b?A?= <anna@example.org>, b@example.org", "anna@example.org"),
        ("undisclosed-recipients: ;", None),
        ("Anna", None),
        ('"anna@example.org" <>', None),
    ],
)
def test_sender_is_the_first_usable_bare_address(field: str, expected: str | None) -> None:
    message = parse(mail(f"From: {field}\nX: y"))
    assert message.sender == expected
    assert ("bad-from" in message.defects) == (expected is None)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("=?utf-8?q?J=C3=B6rg_H=2E?= <j@example.org>", "Jörg H."),
        ('"=?iso-8859-1?q?J=F6rg?=" <j@example.org>', "Jörg"),
        ("=?gb2312?B?1uzpRg==?= <j@example.org>", "朱镕".encode("gb18030").decode("gb18030")),
        ("j@example.org", ""),
    ],
)
def test_sender_name_is_decoded(field: str, name: str) -> None:
    assert parse(mail(f"From: {field}")).sender_name == name


def test_raw_8bit_name_is_decoded_and_does_not_cost_the_address() -> None:
    message = parse("From: Jörg <j@example.org>\r\n\r\n".encode("latin-1"))
    assert (message.sender, message.sender_name) == ("j@example.org", "Jörg")


def test_sender_header_is_not_from() -> None:
    message = parse(mail("Sender: list@example.net\nReturn-Path: <x@example.net>\nReply-To: R <r@EXAMPLE.net>"))
    assert (message.sender, message.reply_to) == (None, "r@example.net")
    assert "missing-from" in message.defects


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("a@b@example.org", None),
        ("Anna <a@b@example.org>", None),
        ("anna@vale@example.org", None),
        ("anna@example.org.", "anna@example.org"),
        ("=?utf-8?Q?Vale,_Anna_(x)?= <anna@example.org>", "anna@example.org"),
        ("=?utf-8?B?QW5uYSA8YW5uYUBleGFtcGxlLm9yZz4=?=", "anna@example.org"),
        ("Group (x): Anna (<b@example.net>) <anna@example.org>;", "anna@example.org"),
    ],
)
def test_an_address_is_found_in_what_old_mailers_write_and_never_half_of_one(field: str, expected: str | None) -> None:
    assert parse(mail(f"From: {field}")).sender == expected


def test_one_address_twice_is_one_sender() -> None:
    assert "several-from" not in parse(mail("From: a@example.org, <a@example.org>")).defects


def test_a_raw_subject_without_label_is_read_with_the_help_of_the_body() -> None:
    body = "Один участник уже месяц угрожает мне и пишет, что знает, где я живу."
    content = b"Subject: " + "помогите".encode("koi8-r") + b"\r\n\r\n" + body.encode("koi8-r")
    assert parse(content).subject == "помогите"
    labelled = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n"
    )
    assert parse(b"Subject: " + "угрозы".encode("koi8-r") + b"\r\n" + labelled + b"x\r\n--b--").subject == "угрозы"
