"""HTML becomes text that reads like the mail looked, and nothing more."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.mail.html import LIMIT, declared_charset, html_to_text
from mailroom.mail.quoted import own_text

TAGS = [
    "<p>", "</p>", "<table>", "<tr>", "<td>", "<ul>", "<li>", "<ol start=-9>", "<pre>", "<br>", "<!--", "-->", "&#0;",
    "<blockquote type=cite>", "</blockquote>", "<a href='https://x.example'>", "</a>", "<div style='display:none'>",
    "</div>", "&#55296;", "&nbsp;", "<img alt='😢'>", "<td colspan=99999999>", "<![CDATA[", "<?xml encoding='x'?>",
    "</html>", "words",
]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(TAGS)).map("".join)))
@settings(deadline=None)
def test_any_text_can_be_read_as_html(page: str) -> None:
    html_to_text(page).encode()


def test_words_lists_and_tables_are_readable() -> None:
    page = "<p>Hello&nbsp;<b>you</b>,</p><ul><li>one<li>two</ul>"
    page += "<ol><li>a<li>b</ol><table><tr><td>x<td>yy<tr><td>zz<td>w</table>"
    assert html_to_text(page) == "Hello you,\n\n  * one\n  * two\n 1. a\n 2. b\nx   yy\nzz  w"


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("<a href='https://x.example/a'>page</a>", "page <https://x.example/a>"),
        ("<a href='https://www.x.example/'>x.example</a>", "x.example"),
        ("<a href='https://evil.example/'>https://good.example/</a>", "https://good.example/ <https://evil.example/>"),
        ("<a href='mailto:a@x.example'>a@x.example</a>", "a@x.example"),
        ("<a href='https://x.example/'><img src='cid:1'></a>", "<https://x.example/>"),
        ("<a href='javascript:alert(1)'>click</a>", "click"),
        ("<a href='cid:1'>see</a> <a name='x'>here</a>", "see here"),
    ],
)
def test_a_link_is_kept_where_it_says_something_else_than_its_text(link: str, text: str) -> None:
    assert html_to_text(f"<p>{link}</p>") == text


@pytest.mark.parametrize(
    "unseen",
    [
        "<script>secret()</script>", "<style>.secret{}</style>", "<title>secret</title>", "<!-- secret -->",
        "<div style='DISPLAY : none !important'>secret</div>", "<p style='color:red;visibility:hidden'>secret</p>",
        "<span style='font-size:0px'>secret</span>", "<span style='font-size:0;'>secret</span>", "<i hidden>secret</i>",
        "<template>secret</template>", "<div style='mso-hide:all'><p>secret</p></div>",
        "<div style='max-height:0px;overflow:hidden'>secret</div>", "<p style='opacity:0'>secret</p>",
        "<div style='height:0; overflow : hidden'>secret</div>", "<p style='color: transparent'>secret</p>",
        "<p style='color:#FFF;background-color: white'>secret</p>",
        "<p style='position:absolute;left:-9999px'>secret</p>",
        "<!--[if mso]><p>secret</p><![endif]-->", "<!--[if gte mso 9]><xml><o:x>secret</o:x></xml><![endif]-->",
    ],
)  # fmt: skip
def test_what_nobody_saw_is_no_text(unseen: str) -> None:
    assert html_to_text(f"<html><body>{unseen}<p>seen</p></body></html>") == "seen"


@pytest.mark.parametrize(
    "seen",
    [
        "<p style='color:#fff'>seen</p>", "<td style='max-width:0;overflow:hidden;width:100%'>seen</td>",
        "<p style='line-height:0.5;opacity:0.9'>seen</p>", "<p style='background:white;color:black'>seen</p>",
        "<![if !mso]><p>seen</p><![endif]>", "<!--[if !mso]><!--><p>seen</p><!--<![endif]-->",
        "<noscript>seen</noscript>", "<p style='height:0'>seen</p>", "<o:p>seen</o:p>",
    ],
)  # fmt: skip
def test_what_may_be_seen_is_text(seen: str) -> None:
    assert html_to_text(f"<html><body>{seen}</body></html>") == "seen"


def test_small_but_visible_text_is_text() -> None:
    assert html_to_text("<p style='font-size:0.9em'>seen</p><p style='font-size:08pt'>too</p>") == "seen\n\ntoo"


def test_quoted_mail_is_marked_and_an_indented_paragraph_is_not() -> None:
    page = "<p>new</p><div class='gmail_quote'>On x wrote:<blockquote>old<br>mail</blockquote></div>"
    page += "<blockquote>mine</blockquote>"
    assert html_to_text(page) == "new\n\nOn x wrote:\n> old\n> mail\nmine"


def test_emoji_sent_as_pictures_are_text_and_other_pictures_are_not() -> None:
    assert html_to_text("<p>oh <img alt='😢'> no <img alt='logo.png' src='https://t.example/1'></p>") == "oh 😢 no"


@pytest.mark.parametrize(
    "page",
    [
        "before" + "<div>" * 100_000 + "after",
        "before" + "<table><tr><td>" * 2_000 + "after",
        "before" + "<b>x</b>" * 60_000,
        "before" + "<blockquote type=cite>" * 300 + "after",
        "before" + "<p>x" * (LIMIT // 2),
        "before" + "<div class='yahoo_quoted'>" * 100 + "<p>x" * 20_000,
        "before" + "<div class='gmail_attr' style='border:none;border-top:solid'>" * 100 + "<p>x" * 20_000,
    ],
)
def test_a_monstrous_page_is_still_read(page: str) -> None:
    text = html_to_text(page)
    assert text.startswith("before")
    assert len(text) <= 2 * LIMIT


def test_a_page_too_deep_for_layout_keeps_words_and_lines() -> None:
    assert html_to_text("<div>" * 400 + "<p>one</p><p>two <a href='https://x.example'>link</a></p>").split("\n\n") == [
        "one", "two link <https://x.example>",
    ]  # fmt: skip


def test_only_the_beginning_of_a_huge_page_is_read() -> None:
    assert html_to_text("<p>x</p>" + " " * LIMIT + "<p>after</p>") == "x"


def test_no_attribute_can_blow_up_the_layout() -> None:
    assert html_to_text("<div style='padding-left:999999em;margin-top:999999em'>x</div>") == "x"


def test_declared_charset_is_found() -> None:
    assert declared_charset(b'<html><meta http-equiv="Content-Type" content="text/html; charset=koi8-r">') == "koi8-r"
    assert declared_charset(b"<meta charset='gb2312'>") == "gb2312"
    assert declared_charset(b"<p>charset=utf-8") is None


QUOTED = {
    "gmail": "<div class='gmail_quote'><div class='gmail_attr'>{}<br></div><blockquote class='gmail_quote'>old"
    "</blockquote></div>",
    "thunderbird": "<div class='moz-cite-prefix'>{}<br></div><blockquote type='cite'><p>old</p></blockquote>",
    "yahoo": "<div class='ydp1yahoo_quoted'><div><div>{}</div><div><div>old</div></div></div></div>",
    "proton": "<div class='protonmail_quote'><blockquote class='protonmail_quote'>{}<br>old</blockquote></div>",
    "apple": "<div><blockquote type='cite'><div>{}</div><div>old</div></blockquote></div>",
    "outlook": "<div id='x_divRplyFwdMsg'><b>{}</b> Desk<br><b>Kuthunyelwe:</b> x</div><p>old</p>",
    "outlook-desktop": "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p><b>{}</b> Desk</p></div><p>old</p>",
}


@pytest.mark.parametrize("page", QUOTED.values(), ids=QUOTED)
def test_the_marks_of_a_client_tell_quoted_mail_in_any_language(page: str) -> None:
    text = html_to_text("<div>new</div>" + page.format("UDesk ubhalile ngo-3 Feb:"))
    assert own_text(text) == "new"
    assert "old" in own_text(text, answer=False)


def test_known_words_over_quoted_mail_stay_as_they_are() -> None:
    outlook = "<div id='divRplyFwdMsg'><b>Von:</b> Desk<br><b>Gesendet:</b> x</div>"
    assert html_to_text(f"<p>new</p>{outlook}<p>old</p>") == "new\n\nVon: Desk\nGesendet: x\n\nold"
    gmail = QUOTED["gmail"].format("Am 3. Feb. 2026 schrieb Desk:")
    assert html_to_text(gmail) == "Am 3. Feb. 2026 schrieb Desk:\n> old"
