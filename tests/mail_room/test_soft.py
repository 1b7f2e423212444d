"""Soft signs of a machine hold the answer; people whose addresses only look alike are answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.mail.message import Attachment, Bounce, Message
from mailroom.mail.soft import soft_sign

OWN = frozenset({"desk@example.org"})


def soft(*fields: tuple[str, str], sender: str | None = "mara@example.net", bounce: Bounce | None = None) -> str | None:
    named = tuple((name.lower(), value) for name, value in fields)
    return soft_sign(Message(sender, "", None, "", None, None, (), "text", fields=named), OWN, bounce)


@pytest.mark.parametrize(
    "local",
    [
        *("noreply", "no-reply", "No.Reply", "no_reply", "donotreply", "do-not-reply", "do_not_reply", "DoNotReply"),
        *("dontreply", "noresponse", "no-response", "noreply+7f3a", "bounce", "bounces", "bounces+7=x", "notification"),
        *("notifications", "autoreply", "auto-responder", "mailerdaemon", "mail-daemon", "cron-daemon", "nagios"),
        *("no-responder", "nao-responda", "ne-pas-repondre", "nicht-antworten", "mail-delivery-system"),
        *("owner-talk", "talk-owner", "talk-request", "talk-bounces", "talk-bounces+mara=example.net"),
    ],
)
def test_an_address_that_no_person_reads_holds_the_answer(local: str) -> None:
    found = soft(sender=f"{local}@example.net")
    assert found is not None
    assert found.endswith("(From)")


@pytest.mark.parametrize(
    "local",
    [
        *(
            "noreply.fan",
            "not-noreply",
            "my.noreply",
            "daemon",
            "mara.daemon",
            "reply",
            "replyno",
            "notifications.mara",
        ),
        *(
            "bouncer",
            "bounce.house",
            "trampoline-bounces-mara",
            "owner",
            "request",
            "bounces-high",
            "postmaster",
            "root",
        ),
        *("nagiosfan", "support", "noor", "norespect", "mara+noreply"),
    ],
)
def test_an_address_that_only_holds_such_a_word_is_a_persons(local: str) -> None:
    assert soft(("To", "desk@example.org"), sender=f"{local}@example.net") is None


def test_a_list_is_known_by_who_sent_for_it() -> None:
    assert soft(("Sender", "Talk <talk-bounces@example.net>")) == "a list seems to have sent it (Sender)"
    assert soft(("Sender", "Office <office@example.net>")) is None


@pytest.mark.parametrize(
    ("to", "is_soft"),
    [
        ("talk-bounces@example.net", True),
        ("owner-talk@example.net, talk-request@example.net", True),
        ("talk-bounces@example.net, ombuds@example.net", False),
        ("talk-bounces@example.net, Desk <desk+x@example.org>", False),
        (", ".join(f"p{number}@example.net" for number in range(25)), True),
        (", ".join(f"p{number}@example.net" for number in range(24)), False),
        (", ".join(f"p{number}@example.net" for number in range(40)) + ", desk@example.org", False),
        ("undisclosed-recipients:;", False),
        ("ombuds@example.net", False),
        ("", False),
    ],
)
def test_a_blind_copy_is_answered_unless_it_went_to_many_or_to_a_list_s_own_address(to: str, is_soft: bool) -> None:
    assert (soft(("To", to)) is not None) == is_soft
    assert (soft(("Cc", to)) is not None) == is_soft


def test_a_mail_that_names_nobody_is_answered() -> None:
    assert soft() is None
    assert soft(sender=None) is None


def test_a_postmaster_is_held_only_for_what_reads_like_a_bounce() -> None:
    assert soft(bounce=Bounce(("mara@example.net",), True)) == "a postmaster wrote what reads like a bounce (From)"
    assert soft(bounce=Bounce((), False, ("m1@example.org",))) is not None
    assert soft(bounce=None, sender="postmaster@example.net") is None


def test_a_dmarc_report_with_a_word_beside_it_is_held() -> None:
    def with_file(name: str) -> str | None:
        file = Attachment(name, "application/gzip", 900)
        return soft_sign(Message("mara@example.net", "", None, "", None, None, (), "text", (file,)), OWN)

    assert with_file("mail.example!example.org!1772496000!1772582399.xml.gz") is not None
    assert with_file("evidence.xml.gz") is None


FIELD = st.tuples(st.sampled_from(["To", "Cc", "Sender", "From"]), st.text(max_size=60))


@given(st.lists(FIELD, max_size=5), st.none() | st.text(max_size=40))
def test_no_header_makes_it_raise_and_no_content_is_told(fields: list[tuple[str, str]], sender: str | None) -> None:
    found = soft(
        *((name, f"{value}zq9@zq9.example") for name, value in fields), sender=sender and f"{sender}@zq9.example"
    )
    assert found is None or "zq9" not in found
