"""Pages that would become gigabytes of blanks, or hold what no page may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html  # type: ignore[import-untyped]  # lxml publishes no annotations

from mailroom.mail.html import _BLOCKS, _set, html_to_text
from mailroom.mail.layout import room

TEXTS = st.sampled_from(["a", "bb bb", "x" * 40, "", "one\ntwo", "<br>", "<b>bold</b>", "<p>own line</p>", "<li>point"])
CELLS = st.recursive(
    st.lists(TEXTS, max_size=4).map("".join),
    lambda inside: st.lists(st.lists(inside, max_size=4), max_size=4).map(
        lambda rows: f"<table>{''.join('<tr>' + ''.join(f'<td>{cell}' for cell in row) for row in rows)}</table>"
    ),
    max_leaves=20,
)


@given(CELLS)
def test_a_page_never_takes_more_than_the_room_that_was_reckoned(page: str) -> None:
    root = html.document_fromstring(f"<body>start{page}")
    reckoned = room(root, _BLOCKS)
    assert len(_set(root)) <= 2 * reckoned


WIDE_AND_HIGH = {
    "a wide cell over many rows": "<table><tr><td>" + "a" * 100_000 + "<tr><td>b" * 10_000,
    "a high cell beside many": "<table><tr><td>" + "<br>" * 20_000 + "<td>a" * 2000,
    "a wide line in a cell over many": "<table><tr><td>" + "<b>aaaa</b>" * 5000 + "<tr><td>b" * 10_000,
    "wide on a diagonal": "<table>" + "".join("<tr>" + "<td>" * n + "a" * 2000 for n in range(200)),
}


@pytest.mark.parametrize("name", WIDE_AND_HIGH)
def test_a_table_that_is_wide_and_high_is_read_without_layout(name: str) -> None:
    page = WIDE_AND_HIGH[name]
    assert len(html_to_text(page)) <= len(page)


def test_a_newsletter_keeps_its_layout() -> None:
    page = "<table>" + "<tr><td>A line of news, as long as such lines are<td>and one beside it" * 200 + "</table>"
    assert html_to_text(page).count("are  and one") == 200


@pytest.mark.parametrize("number", [0, 1, 8, 11, 12, 31, 0xD800, 0xFFFE, 0xFFFF, 0x110000])
@pytest.mark.parametrize("form", ["&#{};", "&#0{} ", "&#x{:X};", "&#x00{:x}<", "{:c}"])
def test_a_character_that_no_page_may_hold_is_left_out_wherever_it_stands(number: int, form: str) -> None:
    if form == "{:c}" and number > 0xFFFF:
        return
    odd = form.format(number)
    page = f'<p>before<script></script>{odd}</p><a href="http://a.example/{odd}">link</a><img alt="é{odd}">after'
    text = html_to_text(page)
    assert "before" in text
    assert "after" in text
    assert not set(text) & set(map(chr, [*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF]))
    text.encode()


def test_numbers_of_characters_mean_what_browsers_make_of_them() -> None:
    assert html_to_text("It&#146;s &#128;5 &#150; &#31a &#310;") == "It’s €5 – a \u0136"
