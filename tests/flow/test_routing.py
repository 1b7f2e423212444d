"""What kind of mail it is, and whether it is answered: decided without any port, over the shipped rules and texts."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from mailroom.flow.desk import Guide, Office, Person, Policy
from mailroom.flow.filing import Budget, Case, Contact, Understood
from mailroom.flow.limiting import LARGE_PROVIDERS
from mailroom.flow.linking import Link
from mailroom.flow.routing import Routed, kind_of, route
from mailroom.mail.automatic import machine_sign
from mailroom.mail.message import AuthenticationState, Opened, OpenPGP, Signature
from mailroom.mail.parse import parse
from mailroom.triage.triage import triage

OWN = frozenset({"desk@example.org"})
POLICY = Policy("Letter desk", "desk@example.org", OWN, "F" * 40)
KEEPER = Person("keeper@example.org", "keeper", "A" * 40)
DEPUTY = Person("deputy@example.org", "deputy", "B" * 40)
ADMIN = Person("admin@example.org", "admin")
INSULTS = "Somebody insults me on the talk page every day."
STALKED = "He follows me home every evening and waits outside my house."


@pytest.fixture(scope="module")
def office(guide: Guide) -> Office:
    return Office(POLICY, (KEEPER, DEPUTY, ADMIN), guide, lambda: datetime(2026, 11, 23, tzinfo=UTC))


def mail(text: str, *fields: str, sender: str = "anna@example.net", **more: Any) -> Opened:
    """Open a mail as the reader does, but for OpenPGP and authentication, which the caller gives."""
    lines = [f"From: {sender}", "To: desk@example.org", "Subject: hello", *fields]
    message = parse("\r\n".join([*lines, "Content-Type: text/plain; charset=utf-8", "", text, ""]).encode())
    sign = machine_sign(message, message.field("content-type") or "", OWN)
    return Opened(message, machine=sign, **more)


def case(contact: Contact | None = None, status: str = "open") -> Case:
    return Case("K7QD-3M9X-T", b"key", 1, status, "anna@example.net", contact=contact, category="stalking", messages=1)


def routed(
    office: Office, opened: Opened, link: Link | None = None, budget: Budget | None = None, **policy: Any
) -> Routed:
    changed = dataclasses.replace(office, policy=dataclasses.replace(office.policy, **policy))
    understood = Understood(opened, triage(opened.message, office.guide.lexicon))
    return route(changed, understood, link or Link(), budget or Budget(0, 0))


HARD_SIGNS = [
    ("own", "X-Loop: desk@example.org"),
    ("own", "X-Loop: desk@example.org"),
    ("bounce", "Content-Type: multipart/report; report-type=delivery-status; boundary=x"),
    ("bounce", "Content-Type: multipart/report; report-type=feedback-report; boundary=x"),
    ("bounce", "Content-Type: message/disposition-notification"),
    ("list", "List-Id: <talk.example.net>"),
    ("list", "List-Unsubscribe: <https://example.net/out>"),
    ("list", "Precedence: BULK"),
    ("list", "Precedence: junk"),
    ("list", "X-Precedence: list"),
    ("automatic", "Precedence: auto_reply"),
    ("automatic", "Auto-Submitted: auto-generated"),
    ("automatic", "Auto-Submitted: auto-replied; owner-email=anna@example.net"),
    ("automatic", "Auto-Submitted: vacation"),
    ("automatic", "Return-Path: <>"),
    ("automatic", "X-Auto-Response-Suppress: All"),
    ("automatic", "X-Autoreply: yes"),
    ("automatic", "X-Autorespond: away"),
    ("automatic", "X-Loop: yes"),
    ("automatic", "X-OTRS-Loop: queue"),
    ("automatic", "X-RT-Loop-Prevention: rt.example.net"),
    ("automatic", "X-Roundup-Loop: hello"),
    ("automatic", "X-FC-Machinegenerated: true"),
    ("automatic", "Delivered-To: autoresponder"),
    ("automatic", "Delivered-To: desk+b.k7qd3m9x@example.org"),
]


@pytest.mark.parametrize(("kind", "field"), HARD_SIGNS)
@pytest.mark.parametrize("linked", [False, True])
def test_mail_with_a_hard_sign_of_a_machine_is_never_answered(
    office: Office, kind: str, field: str, linked: bool
) -> None:
    found = routed(office, mail(STALKED, field), Link(case=case()) if linked else Link())
    assert found.kind == kind
    assert (found.answer.will_send, found.answer.held, found.answer.template) == (False, None, None)


INNOCENT = [
    "Auto-Submitted: no",
    "Auto-Submitted: No (a person wrote this)",
    "Precedence: normal",
    "Precedence: first-class",
    "Return-Path: <anna@example.net>",
    "X-Auto-Response-Suppress: DR, RN, NRN",
    "X-MS-Exchange-Inbox-Rules-Loop: anna@example.net",
    "X-Failed-Recipients: someone@example.net",
    "X-Mailer: autoresponder",
    "X-Loop: forwarder@example.net",
    "X-Spam-Flag: YES",
    "Subject: Undelivered Mail Returned to Sender",
    "Subject: Automatic reply: out of office",
    "Subject: Re: Fwd: [SPAM] vacation",
    "Content-Language: tlh",
]


@pytest.mark.parametrize("field", INNOCENT)
def test_a_person_whose_mail_only_looks_like_a_machine_is_answered(office: Office, field: str) -> None:
    found = routed(office, mail(INSULTS, field))
    assert (found.kind, found.answer.will_send) == ("report", True)


def test_a_person_who_writes_to_postmaster_or_from_it_is_answered(office: Office) -> None:
    assert routed(office, mail(INSULTS, sender="postmaster@example.net")).answer.will_send


@pytest.mark.parametrize(
    ("machine", "sender", "linked", "kind"),
    [
        ("List-Id: <x.example.net>", "keeper@example.org", False, "command"),
        ("X-Loop: desk@example.org", "keeper@example.org", False, "own"),
        ("Content-Type: multipart/report; boundary=x", "keeper@example.org", True, "bounce"),
        ("Auto-Submitted: auto-replied", "DEPUTY@example.org", True, "command"),
        ("Auto-Submitted: auto-replied", "anna@example.net", True, "automatic"),
        ("List-Id: <x.example.net>", "anna@example.net", True, "list"),
        ("X-Nothing: 1", "keeper@example.org", True, "command"),
        ("X-Nothing: 1", "admin@example.org", False, "report"),
        ("X-Nothing: 1", "anna@example.net", True, "follow_up"),
        ("X-Nothing: 1", "anna@example.net", False, "report"),
    ],
)
def test_the_kind_is_the_first_that_fits(machine: str, sender: str, linked: bool, kind: str) -> None:
    link = Link(case=case()) if linked else Link()
    assert kind_of(mail(INSULTS, machine, sender=sender), link, [KEEPER, DEPUTY]) == kind


def test_a_mail_to_a_bounce_address_is_not_answered_even_without_a_machines_sign(office: Office) -> None:
    found = routed(office, mail(INSULTS), Link(case=case(), bounced=True))
    assert (found.answer.will_send, found.answer.held) == (False, None)


@pytest.mark.parametrize(
    ("state", "hold_unauthenticated", "held"),
    [
        ("pass", False, None),
        ("pass", True, None),
        ("none", False, None),
        ("none", True, "sender not authenticated"),
        ("fail", False, "authentication failed"),
        ("fail", True, "authentication failed"),
    ],
)
def test_a_forged_sender_is_held_and_an_unknown_one_only_where_configured(
    office: Office, state: AuthenticationState, hold_unauthenticated: bool, held: str | None
) -> None:
    found = routed(office, mail(INSULTS, authentication=state), hold_unauthenticated=hold_unauthenticated)
    assert (found.answer.held, found.answer.will_send) == (held, held is None)
    assert found.answer.template is not None


@pytest.mark.parametrize(
    ("budget", "sender", "held"),
    [
        (Budget(2, 0), "anna@example.net", None),
        (Budget(3, 0), "anna@example.net", "limit per address"),
        (Budget(3, 0), "anna@gmail.com", "limit per address"),
        (Budget(0, 59), "anna@example.net", None),
        (Budget(0, 60), "anna@example.net", "limit per domain"),
        (Budget(0, 60), "anna@EXAMPLE.NET", "limit per domain"),
        (Budget(0, 60), "anna@not-gmail.com", "limit per domain"),
        *((Budget(0, 60_000), f"anna@{domain}", None) for domain in sorted(LARGE_PROVIDERS)),
    ],
)
def test_who_had_her_answers_is_filed_and_the_next_answer_waits(
    office: Office, budget: Budget, sender: str, held: str | None
) -> None:
    found = routed(office, mail(INSULTS, sender=sender), budget=budget)
    assert (found.kind, found.answer.held) == ("report", held)
    assert found.answer.template is not None


@pytest.mark.parametrize("line", ["STOP", "stop", " Stop. ", "STOP K7QD-3M9X-T", "[K7QD-3M9X-T] STOP"])
@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("state", ["pass", "none", "fail"])
def test_stop_alone_on_a_line_silences_us_at_once(
    office: Office, line: str, linked: bool, state: AuthenticationState
) -> None:
    link = Link(case=case()) if linked else Link()
    found = routed(office, mail(f"{INSULTS}\r\n{line}\r\nThank you", authentication=state), link)
    assert (found.answer.will_send, found.answer.held, found.answer.template) == (False, None, None)


@pytest.mark.parametrize("text", ["Make him STOP now.", "Please stop him", "STOP HIM", "He said stop\tand laughed"])
def test_stop_inside_a_sentence_silences_nobody(office: Office, text: str) -> None:
    assert routed(office, mail(f"{INSULTS}\r\n{text}")).answer.will_send


@pytest.mark.parametrize("state", ["pass", "none"])
def test_once_stopped_a_follow_up_is_not_answered(office: Office, state: AuthenticationState) -> None:
    found = routed(office, mail("One thing more.", authentication=state), Link(case=case("none")))
    assert not found.answer.will_send


MORE = [
    # wish on the case, who vouches, signature, text that is sent (None: no answer)
    (None, "pass", "none", "full"),
    ("ok", "none", "none", "full"),
    ("unsafe", "pass", "none", "full"),
    ("unsafe", "none", "none", "receipt"),
    ("unsafe", "none", "unknown_key", "receipt"),
    ("unsafe", "none", "expired", "receipt"),
    ("none", "pass", "none", "full"),
    ("none", "none", "none", None),
    ("none", "none", "invalid", None),
]


@pytest.mark.parametrize(("wish", "state", "signature", "template"), MORE)
def test_more_gives_the_whole_text_but_nobody_unvouched_takes_a_caution_back(
    office: Office, wish: Contact | None, state: AuthenticationState, signature: Any, template: str | None
) -> None:
    opened = mail("MORE", authentication=state, openpgp=OpenPGP(signature=Signature(signature)))
    assert routed(office, opened, Link(case=case(wish))).answer.template == template


@pytest.mark.parametrize("text", ["My husband reads my mail.", "This address is not safe."])
@pytest.mark.parametrize("about", [INSULTS, STALKED])
def test_an_address_that_is_not_safe_gets_the_short_text(office: Office, text: str, about: str) -> None:
    assert routed(office, mail(f"{about} {text}")).answer.template == "minimal"


@pytest.mark.parametrize(
    "text",
    [
        "Someone posted my real name online. He sends death threats every day.",
        "After the death threats in the forum he is now standing outside my house. Please help.",
    ],
)
def test_a_tie_of_grave_categories_decides_nothing_and_gets_the_short_text(office: Office, text: str) -> None:
    found = routed(office, mail(text))
    assert (found.triage.category.value, found.answer.template) == ("unclassified", "minimal")


@pytest.mark.parametrize("sender", ["anna@exämple.net", "Anna <>", '"a b"@example.net', "anna@[192.0.2.1]"])
def test_who_has_no_address_that_can_be_written_to_is_filed_without_an_answer(office: Office, sender: str) -> None:
    found = routed(office, mail(INSULTS, sender=sender))
    assert (found.answer.will_send, found.answer.held) == (False, None)


def test_a_case_whose_language_was_not_known_takes_that_of_the_next_mail(office: Office) -> None:
    spanish = mail("Un hombre me sigue todos los días desde el trabajo hasta mi casa y tengo mucho miedo de salir.")
    found = routed(office, spanish, Link(case=dataclasses.replace(case(), language="und")))
    assert found.decision is not None
    assert found.decision.language == "es"
