"""What ties a mail to an earlier one."""

from dataclasses import replace

import pytest

from mailroom.mail.message import Message
from mailroom.mail.thread import is_answer, our_ids, reference_candidates

MAIL = Message(None, "", None, "", None, None, (), "")


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("Re: Your message [K7QD-3M9X-T]", ("K7QD-3M9X-T",)),
        ("[k7qd-3m9x-t] again", ("K7QD-3M9X-T",)),
        ("[K7QD3M9XT]", ("K7QD-3M9X-T",)),
        ("[ K7QD–3M9X–T ]", ("K7QD-3M9X-T",)),
        ("[KLQD-3MOX-I]", ("K1QD-3M0X-1",)),
        ("[AAAA-BBBB-C] [aaaabbbbc] [DDDD-EEEE-F]", ("AAAA-BBBB-C", "DDDD-EEEE-F")),
        ("[K7QD-3M9U-T]", ()),
        ("[K7QD-3M9X-TT]", ()),
        ("[K7QD-3M9X]", ()),
        ("K7QD-3M9X-T", ()),
        ("[K7QD-3M9X-Т]", ()),
    ],
)
def test_references_in_the_subject(subject: str, found: tuple[str, ...]) -> None:
    assert reference_candidates(replace(MAIL, subject=subject)) == found


def test_text_is_searched_only_when_the_subject_names_none_and_only_its_beginning() -> None:
    mail = replace(MAIL, subject="Re: [AAAA-BBBB-C]", text="my case is [K7QD-3M9X-T]")
    assert reference_candidates(mail) == ("AAAA-BBBB-C",)
    assert reference_candidates(replace(mail, subject="Re:")) == ("K7QD-3M9X-T",)
    assert reference_candidates(replace(MAIL, text="\n" * 39 + "[K7QD-3M9X-T]")) == ("K7QD-3M9X-T",)
    assert reference_candidates(replace(MAIL, text="\n" * 40 + "[K7QD-3M9X-T]")) == ()


def test_in_the_text_a_reference_may_stand_without_brackets_when_it_has_its_dashes() -> None:
    assert reference_candidates(replace(MAIL, text="it is k7qd-3m9x-t.")) == ("K7QD-3M9X-T",)
    assert reference_candidates(replace(MAIL, text="something K7QD3M9XT a-K7QD-3M9X-T K7QD-3M9X-T-2")) == ()


def test_candidates_are_bounded() -> None:
    text = " ".join(f"[AAAA-BBB{letter}-C]" for letter in "0123456789ABCDEFGH")
    assert len(reference_candidates(replace(MAIL, subject=text))) == 10


def test_our_ids_are_those_made_at_our_domain_exactly() -> None:
    ids = ("a@example.org", "b@Example.ORG", "c@sub.example.org", "d@notexample.org", "example.org", "e@x@example.org")
    assert our_ids(replace(MAIL, references=ids), "Example.org") == (
        "a@example.org",
        "b@Example.ORG",
        "e@x@example.org",
    )


@pytest.mark.parametrize(
    ("subject", "references", "expected"),
    [
        ("Help", (), False), ("Help", ("a@x.example",), True), ("Re: Help", (), True), ("AW: Hilfe", (), True),
        ("[list] Re[2]: x", (), True), ("رد: مساعدة", (), True), ("回复：帮助", (), True), ("Rewarding: x", (), False),
        ("Fwd: threat", ("a@x.example",), False), ("WG: Drohung", ("a@x.example",), False),
        ("转发：x", ("a@x.example",), False), ("VS: trussel", ("a@x.example",), False), ("ΑΠ: x", (), True),
        ("Vá: x", (), True), ("PD: groźba", ("a@x.example",), False), ("ΠΡΘ: x", ("a@x.example",), False),
        ("Trả lời: x", (), True), ("השב: x", (), True), ("Basel: x", (), False),
    ],
)  # fmt: skip
def test_an_answer_is_told_from_a_first_mail_and_from_a_forwarded_one(
    subject: str, references: tuple[str, ...], expected: bool
) -> None:
    assert is_answer(subject, references) is expected
