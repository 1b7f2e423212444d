"""We believe what our own mail server says about spam, and what it wrote nobody else can have written."""

import pytest

from mailroom.mail.authentication import MICROSOFT_365
from mailroom.mail.spam import spam_sign

US = "mx.example.org"
ARRIVED = ("received", "from out.example.net by mx.example.org with ESMTPS; Tue, 3 Mar 2026 10:00:00 +0000")
FILTERED = ("received", "from localhost by localhost (filter) with ESMTP; Tue, 3 Mar 2026 10:00:01 +0000")
FOREIGN = ("received", "from laptop by out.example.net with ESMTPSA; Tue, 3 Mar 2026 10:00:00 +0000")
FROM = ("from", "Mara <mara@example.net>")

SPAM = [
    ("x-spam-flag", "YES"),
    ("x-spam-status", "Yes, score=12.1 required=5.0 tests=ADVANCE_FEE autolearn=no"),
    ("x-spam", "Yes"),
    ("x-bogosity", "Spam, tests=bogofilter, spamicity=0.999"),
    ("x-bogosity", "Yes, tests=bogofilter"),
    ("x-dspam-result", "Spam"),
    ("x-crm114-status", "SPAM  ( pR: -20.1 )"),
    ("x-ms-exchange-organization-scl", "5"),
    ("x-ms-exchange-organization-scl", " 9"),
]
NO_SPAM = [
    ("x-spam-flag", "NO"),
    ("x-spam-status", "No, score=-1.9 required=5.0"),
    ("x-spam-level", "*********"),
    ("x-spam-score", "12"),
    ("x-spam", "not spam, she says yes"),
    ("x-bogosity", "Ham, tests=bogofilter"),
    ("x-bogosity", "Unsure, tests=bogofilter"),
    ("x-dspam-result", "Innocent"),
    ("x-crm114-status", "Good  ( pR: 20.1 )"),
    ("x-ms-exchange-organization-scl", "-1"),
    ("x-ms-exchange-organization-scl", "4"),
    ("x-ms-exchange-organization-scl", "51"),
    ("subject", "[SPAM] yes"),
]


@pytest.mark.parametrize("field", SPAM, ids=lambda field: f"{field[0]} {field[1][:6]}")
def test_what_our_server_calls_spam_is_suspected(field: tuple[str, str]) -> None:
    assert spam_sign([field, ARRIVED, FOREIGN, FROM], US) == field[0]


@pytest.mark.parametrize("field", NO_SPAM, ids=lambda field: f"{field[0]} {field[1][:6]}")
def test_what_our_server_does_not_call_spam_is_not_suspected(field: tuple[str, str]) -> None:
    assert spam_sign([field, ARRIVED, FOREIGN, FROM], US) is None


def test_a_filter_behind_our_server_is_believed() -> None:
    assert spam_sign([FILTERED, ("x-spam-flag", "YES"), ARRIVED, FOREIGN, FROM], US)


def test_a_filter_of_our_server_that_writes_below_the_header_is_believed() -> None:
    assert spam_sign([ARRIVED, FOREIGN, FROM, ("x-spam", "Yes")], US)


@pytest.mark.parametrize("authserv_id", [US, ""])
def test_a_filter_of_her_own_provider_silences_nobody(authserv_id: str) -> None:
    assert spam_sign([ARRIVED, FOREIGN, ("x-spam-flag", "YES"), FROM], authserv_id) is None


def test_without_authserv_id_the_topmost_named_hop_is_ours() -> None:
    assert spam_sign([FILTERED, ARRIVED, ("x-spam-flag", "YES"), FOREIGN, FROM], "")


@pytest.mark.parametrize("report", ["CIP:1.2.3.4;SCL:5;SRV:;", "SFV:SPM;H:out", "IPV:NLI;SCL:9"])
def test_what_microsoft_writes_counts_where_our_mailbox_is_there(report: str) -> None:
    field = ("x-forefront-antispam-report", report)
    assert spam_sign([field, FROM], MICROSOFT_365) == field[0]
    assert spam_sign([field, FROM], US) is None


@pytest.mark.parametrize("report", ["CIP:1.2.3.4;SCL:1;SFV:NSPM;", "SCL:-1", "SCL:59"])
def test_what_microsoft_takes_for_mail_of_people_is_not_suspected(report: str) -> None:
    assert spam_sign([("x-forefront-antispam-report", report), FROM], MICROSOFT_365) is None
