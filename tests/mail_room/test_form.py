from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.mail.entity import read_entity
from mailroom.mail.form import Shape, read_form
from mailroom.mail.message import Form
from mailroom.mail.parse import parse
from mailroom.triage.forms import parse_forms

RULES = Path(__file__).parents[2] / "rules"
MARK = "https://wiki.example/wiki/Special:EmailUser?wpTarget=Pine"
HEAD = (
    "Reporting user: Pine",
    "Reported user: Thorn",
    "Link to page: https://wiki.example/w/index.php?oldid=7",
    "",
    "Type of unacceptable user behavior: Sexual harassment",
)
END = ("", f"Respond to reporting user: {MARK}")
WEB = ("Name: Ann", "Email: ann@example.net", "Category: Stalking", "Country: Kenya", "Message: He waits outside.")


@cache
def shapes() -> tuple[Shape, ...]:
    """Give the forms that we ship, with a sender."""
    files = {f"forms/{path.name}": path.read_text("utf-8") for path in (RULES / "forms").glob("*.yaml")}
    return tuple(replace(shape, senders=frozenset({"wiki@wiki.example"})) for shape in parse_forms(files, None))


def read(*lines: str, sender: str = "wiki@wiki.example", header: str = "Reply-To: pine@example.net\n") -> Form | None:
    text = "\n".join(lines)
    head = f"From: {sender}\n{header}Subject: Report\nContent-Type: text/plain; charset=utf-8\n\n"
    content = (head + text).encode()
    return read_form(read_entity(content), parse(content), shapes())


def form(*lines: str, **options: str) -> Form:
    found = read(*lines, **options)
    assert found is not None
    return found


def test_each_field_of_a_report_is_read() -> None:
    found = form(*HEAD, "Details: He sends pictures.", "Every night.", *END)
    assert found == Form(
        id="reportincident",
        details="He sends pictures.\nEvery night.",
        named_sender=True,
        language="en",
        choice="Sexual harassment",
        category="sexual_harassment",
        links=("https://wiki.example/w/index.php?oldid=7",),
        name="Pine",
        reported="Thorn",
        address="pine@example.net",
    )


def test_fields_in_the_free_text_change_nothing() -> None:
    planted = (
        "Reported user: Somebody else",
        "Link to page: https://evil.example/",
        "",
        "Type of unacceptable user behavior: Spam or promotional content",
        "Details: nothing",
        f"Respond to reporting user: {MARK.replace('Pine', 'Eve')}",
        "Reply-To: victim@example.net",
    )
    plain, imitated = form(*HEAD, "Details: It hurts.", *END), form(*HEAD, "Details: It hurts.", *planted, *END)
    assert replace(imitated, details="") == replace(plain, details="")
    assert imitated.details == "\n".join(["It hurts.", *planted])


def test_a_quote_and_a_signature_in_the_free_text_stay_in_it() -> None:
    evidence = ("He wrote:", "-- ", "On Monday Thorn <thorn@example.net> wrote:", "> die")
    assert form(*HEAD, "Details: Look.", *evidence, *END).details == "\n".join(["Look.", *evidence])


def test_an_unknown_reported_user_is_no_other_line() -> None:
    found = form(HEAD[0], "Reported user: ", *HEAD[2:], "Details: It hurts.", *END)
    assert (found.reported, found.links) == (None, ("https://wiki.example/w/index.php?oldid=7",))


@pytest.mark.parametrize("colon", [":", " :", "："])
def test_a_report_is_known_by_its_places_in_any_language(colon: str) -> None:
    lines = ("甲", "乙", "丙", "", "丁", "戊", "己")
    values = (" Pine ", "Thorn ", "https://wiki.example/w/index.php?oldid=7", "", "性骚扰 ", "他每晚发图片", MARK)
    written = [f"{label}{colon}{value}" if label else "" for label, value in zip(lines, values, strict=True)]
    found = form(*written)
    assert (found.category, found.details, found.name) == ("sexual_harassment", "他每晚发图片", "Pine")


def test_places_alone_are_not_enough_without_the_mark() -> None:
    assert read("a: b", "c: d", "e: https://x.example/", "", "f: g", "h: i", "", "j: https://x.example/") is None


def test_labels_are_read_in_capitals_and_with_blanks() -> None:
    found = form(*(line.upper() for line in HEAD), "DETAILS :  It hurts.", *END)
    assert (found.category, found.details) == ("sexual_harassment", "It hurts.")


def test_an_emergency_raises_its_flag() -> None:
    found = form(*HEAD[:4], "Threat type: Threats of self-harm", "Details: She said goodbye.")
    assert (found.id, found.category, found.flags) == ("reportincident-emergency", "self_harm", ("imminent_danger",))


def test_an_unknown_choice_is_kept_in_words() -> None:
    found = form(*HEAD[:4], "Type of unacceptable user behavior: Something else", "Details: It hurts.", *END)
    assert (found.choice, found.category) == ("Something else", None)


def test_the_senders_that_the_operator_named_are_trusted_and_no_others() -> None:
    body = (*HEAD, "Details: It hurts.", *END)
    assert form(*body, sender="Wiki <WIKI@wiki.example>").named_sender
    for other in ("pine@example.net", "wiki@wiki.example.evil.example", "wiki@evil.example", "x@sub.wiki.example"):
        assert not form(*body, sender=other).named_sender


def test_a_domain_stands_for_all_its_senders() -> None:
    content = ("From: a@wiki.example\n\n" + "\n".join(WEB)).encode()
    whole = [replace(shape, senders=frozenset({"@wiki.example"})) for shape in shapes()]
    found = read_form(read_entity(content), parse(content), whole)
    assert found is not None
    assert found.named_sender


@pytest.mark.parametrize(
    "header",
    ["", "Reply-To: a@example.net\nReply-To: b@example.net\n", "Reply-To: a@example.net, b@example.net\n"],
)
def test_without_exactly_one_reply_to_there_is_no_address(header: str) -> None:
    assert form(*HEAD, "Details: It hurts.", *END, header=header).address is None


def test_a_web_form_is_read_in_any_order() -> None:
    for lines in (WEB, (*WEB[3::-1], WEB[4])):
        found = form(*lines)
        assert (found.id, found.name, found.address) == ("web-form", "Ann", "ann@example.net")
        assert (found.category, found.country, found.details) == ("stalking", "Kenya", "He waits outside.")


def test_a_value_may_stand_below_its_label() -> None:
    found = form("Name", "Ann", "", "Email address", "ann@example.net", "", "Your message", "He waits.", "", "Daily.")
    assert (found.name, found.address, found.details) == ("Ann", "ann@example.net", "He waits.\n\nDaily.")


def test_what_is_no_field_is_kept() -> None:
    found = form("Submitted on Tuesday", "Subject: he hits me", *WEB[:2], "Phone: 123", "Message: Help.")
    assert (found.details, found.rest) == ("he hits me\nHelp.", "Submitted on Tuesday\nPhone: 123")


def test_what_a_program_adds_below_is_no_word_of_hers() -> None:
    found = form(*WEB, "", "-- ", "This was sent from a form on the site")
    assert (found.details, found.rest) == ("He waits outside.", "This was sent from a form on the site")
    many = ["a line of hers"] * 20
    assert form(*WEB, "--", *many).details == "\n".join(["He waits outside.", "--", *many])


def test_a_field_that_is_there_twice_is_believed_in_neither() -> None:
    assert form("Name: Ann", "Email: victim@example.net", *WEB[1:]).address is None
    assert form("Email: ann@example.net", *WEB).address == "ann@example.net"


def test_fields_below_the_message_are_text() -> None:
    found = form(*WEB, "Email: victim@example.net", "Country: France")
    assert (found.address, found.country) == ("ann@example.net", "Kenya")
    assert found.details.endswith("Country: France")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Ann <ann@EXAMPLE.net>", "ann@example.net"),
        ("ann@example.net, bob@example.net", None),
        ("ann at example", None),
        ("<ann@example.net> <bob@example.net>", None),
        ("@" * 5000, None),
    ],
)
def test_only_one_plain_address_is_taken_from_a_field(written: str, address: str | None) -> None:
    assert form("Name: Ann", f"Email: {written}", "Message: Help.").address == address


def test_a_flowed_text_is_read_as_it_flows() -> None:
    lines = (*HEAD, "Details: He sends pictures ", "every night.", *END)
    head = "From: a@example.net\nContent-Type: text/plain; charset=utf-8; format=flowed\n\n"
    content = (head + "\n".join(lines)).encode()
    found = read_form(read_entity(content), parse(content), shapes())
    assert found is not None
    assert found.details == "He sends pictures every night."


@pytest.mark.parametrize(
    "lines",
    [
        ("Hello,", "my name: Ann", "he wrote this message: die"),
        ("Message: he waits outside",),
        ("Email: ann@example.net",),
        (),
        ("Dear all,", "Reporting user: who knows?"),
        HEAD,
    ],
)
def test_a_letter_is_no_form(lines: tuple[str, ...]) -> None:
    assert read(*lines) is None


def test_what_stands_around_a_form_makes_it_a_letter() -> None:
    content = ("From: a@example.net\n\n" + "\n".join(WEB)).encode()
    shown = replace(parse(content), text="Name: somebody\n" + "\n".join(WEB))
    assert read_form(read_entity(content), shown, shapes()) is None


def test_a_hundred_thousand_lines_like_fields_are_read_in_one_pass() -> None:
    many = ["Email: x"] * 100_000
    assert read(*many) is None
    assert form(*WEB, *many).details.count("\n") == len(many)
    assert form(*HEAD, "Details: x", *many, *END).details.count("\n") == len(many)
    assert read("x" * 1_000_000 + ": y", ":" * 1_000_000, "Message" * 100_000) is None


LINES = st.sampled_from(
    [
        "Email: victim@example.net",
        "Reply-To: victim@example.net",
        "Message:",
        "Name",
        "",
        "-- ",
        "> Details: x",
        *HEAD,
        *END,
    ]
)
HOSTILE = st.lists(LINES | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30), max_size=12)


@given(HOSTILE)
@settings(deadline=None)
def test_no_free_text_changes_a_field(lines: list[str]) -> None:
    for head, end in ((HEAD, END), (WEB[:4], ())):
        first = "Details: Help." if end else "Message: Help."
        found, plain = form(*head, first, *lines, *end), form(*head, first, *end)
        assert replace(found, details="", rest="") == replace(plain, details="", rest="")


@given(HOSTILE)
@settings(deadline=None)
def test_any_lines_are_read_without_an_error(lines: list[str]) -> None:
    found = read(*lines)
    assert found is None or found.address in ("pine@example.net", "victim@example.net", None)
