"""The texts: what may stand in them, in which language they go out, and what never gets out."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.errors import ConfigError
from mailroom.referral.offer import Offer
from mailroom.referral.templates import Rendered, Texts, parse_texts
from tests.referral.samples import VALUES, problems, text, texts

OFFER = Offer("line", "Line", "Talks & <listens>", "All", "24/7", "en", "free", ("1", "2"), "https://line.example.org/")
ONE_LINE = "must be one line of text without brackets: the reference is added when it is sent."
REVIEWED = {"reviewed_by": "a person", "reviewed_on": "2026-05-01"}


def written(book: Texts, name: str = "full", language: str = "es", **how: Any) -> Rendered | None:
    settings = {"unreviewed": "send", "default_language": "en", **how}
    return book.render(name, language, VALUES, **settings)


def refusal(**changes: str) -> list[tuple[str, str, str, str | None]]:
    with pytest.raises(ConfigError) as caught:
        parse_texts(texts(**changes))
    return [(each.file, each.where, each.what, each.nearest) for each in problems(caught.value)]


def one_refusal(body: str) -> tuple[str, str, str | None]:
    ((file, where, what, nearest),) = refusal(es_full=text("es", body))
    assert file == "es/full.txt"
    return where, what, nearest


def test_text_goes_out_with_the_reference_at_the_end_of_its_own_subject() -> None:
    book = parse_texts(texts(es_full=text("es", "Hola\n{{ reference }}\n", version=3, subject="Su mensaje")))
    assert written(book) == Rendered(
        "Su mensaje [K7QD-3M9X-T]", "Hola\nK7QD-3M9X-T\n", "es", "full", version=3, reviewed=False
    )


@pytest.mark.parametrize(
    ("language", "found"),
    [("es", "es"), ("es-MX", "es"), ("sw", "en"), ("und", "en"), ("zh-Hant", "zh-Hans"), ("zh", "zh-Hans")],
)
def test_language_falls_back_to_its_base_then_the_macro_table_then_the_default(language: str, found: str) -> None:
    files = texts()
    files |= {key.replace("es/", "zh-Hans/"): text("zh-Hans") for key in files if key.startswith("es/")}
    assert parse_texts(files).language_for(language, "en") == found


def test_default_language_without_texts_falls_back_to_english() -> None:
    assert parse_texts(texts()).language_for("sw", "de") == "en"
    assert (
        parse_texts({key: value for key, value in texts().items() if key[:2] == "es"}).language_for("sw", "de") == "es"
    )


def test_unreviewed_text_is_followed_by_the_default_language() -> None:
    book = parse_texts(texts())
    both = written(book, unreviewed="bilingual")
    assert both is not None
    assert both.body == "es full\nK7QD-3M9X-T\n\n* * *\n\nen full\nK7QD-3M9X-T\n"
    assert (both.language, both.reviewed) == ("es", False)


def test_unreviewed_text_in_the_default_language_goes_out_once() -> None:
    both = written(parse_texts(texts()), language="en", unreviewed="bilingual")
    assert both is not None
    assert both.body == "en full\nK7QD-3M9X-T\n"


def test_reviewed_text_goes_out_alone_whatever_the_policy() -> None:
    book = parse_texts(texts(es_full=text("es", "es full\n", **REVIEWED)))
    for policy in ("bilingual", "send", "never"):
        found = written(book, unreviewed=policy)
        assert found is not None
        assert (found.body, found.language, found.reviewed) == ("es full\n", "es", True)


def test_policy_never_takes_the_reviewed_default_or_nothing() -> None:
    reviewed = parse_texts(texts(en_full=text("en", "Hello\n", **REVIEWED)))
    found = written(reviewed, unreviewed="never")
    assert found is not None
    assert (found.body, found.language, found.reviewed) == ("Hello\n", "en", True)
    assert written(parse_texts(texts()), unreviewed="never") is None
    half = parse_texts(texts(en_full=text("en", "Hello\n", reviewed_by="a person")))
    assert written(half, unreviewed="never") is None


def test_unreviewed_texts_are_named() -> None:
    book = parse_texts(texts(es_full=text("es", **REVIEWED)))
    assert "es/full" not in book.unreviewed
    assert "en/full" in book.unreviewed


def test_markers_vanish_and_gaps_close() -> None:
    body = "Hello\n\n[emergency]\nCall.\n\n{% if hours %}\nOpen.\n{% endif %}\n\n[care]\nYes [sic].\n\n\n"
    assert parse_texts(texts(es_full=text("es", body))).body("full", "es", VALUES) == "Hello\n\nCall.\n\nYes [sic].\n"


def test_plain_text_is_not_escaped() -> None:
    body = "{% for s in services %}\n{{ s.what }}: {% for c in s.contacts %}{{ c }};{% endfor %}\n{% endfor %}\n"
    book = parse_texts(texts(es_full=text("es", body)))
    assert book.body("full", "es", {**VALUES, "services": (OFFER,)}) == "Talks & <listens>: 1;2;\n"


@pytest.mark.parametrize(
    ("body", "line", "what", "nearest"),
    [
        ("a\n{{ referense }}", 9, "unknown name 'referense'.", "reference"),
        ("{{ name }}", 8, "unknown name 'name'.", None),
        ("{{ category }}", 8, "unknown name 'category'.", None),
        ("{{ keeper_name }}", 8, "unknown name 'keeper_name'.", None),
        ("{% for s in services %}{{ s.nam }}{% endfor %}", 8, "a service has no 'nam'.", "name"),
        ("{% for s in services %}{% endfor %}\n{{ s.name }}", 9, "only {{ name }}", None),
        ("{% if urgent %}", 8, "not a valid text: Unexpected end of template.", None),
        ("{{ services }}", 8, "this cannot be written out", None),
        ("{% for s in services %}{{ s }}{% endfor %}", 8, "this cannot be written out", None),
        ("{% for s in reference %}{{ s }}{% endfor %}", 8, "a `for` goes over services", None),
        ("{{ 'x' if urgent }}", 8, "this `if` needs an `else`.", None),
        ("{{ reference.__class__ }}", 8, "only {{ name }}", None),
        ("{{ services.append(1) }}", 8, "only {{ name }}", None),
        ("{{ reference | upper }}", 8, "only {{ name }}", None),
        ("{% include 'en/full' %}", 8, "only {{ name }}", None),
        ("{% if urgent %}{% set x = '1' %}{% endif %}", 8, "only {{ name }}", None),
        ("{% for x in range(9) %}{% endfor %}", 8, "a `for` goes over services", None),
    ],
)
def test_text_that_could_fail_or_tell_too_much_is_refused(body: str, line: int, what: str, nearest: str | None) -> None:
    found = one_refusal(body)
    assert (found[0], found[2]) == (f"line {line}", nearest)
    assert found[1].startswith(what)


@pytest.mark.parametrize(
    ("front", "where", "what", "nearest"),
    [
        ({"versoin": 2}, "line 7", "unknown key 'versoin'.", "version"),
        ({"version": 0}, "line 3", "version: must be greater than or equal to 1.", None),
        ({"subject": '"a\\nBcc: x"'}, "line 6", f"subject: {ONE_LINE}", None),
        ({"subject": '"[{{ reference }}]"'}, "line 6", f"subject: {ONE_LINE}", None),
        ({"reviewed_on": "soon"}, "line 5", "reviewed_on must be a date, such as 2026-01-31.", None),
    ],
)
def test_wrong_front_matter_is_refused(front: dict[str, Any], where: str, what: str, nearest: str | None) -> None:
    assert refusal(es_full=text("es", **front)) == [("es/full.txt", where, what, nearest)]


def test_text_in_the_folder_of_another_language_is_refused() -> None:
    what = "language 'fr' stands in another folder."
    assert refusal(es_full=text("fr")) == [("es/full.txt", "line 2", what, "es")]
    assert refusal(es_full=text("fr").replace("---\n", "---\n\n", 1)) == [("es/full.txt", "line 3", what, "es")]


def test_text_without_front_matter_is_refused() -> None:
    assert refusal(es_full="Hola\n") == [
        ("es/full.txt", "line 1", "a text begins with a block between two lines `---`.", None)
    ]


def test_every_language_must_hold_the_same_set() -> None:
    files = texts()
    del files["es/ask_key.txt"]
    files["en/extra.txt"] = text()
    with pytest.raises(ConfigError) as caught:
        parse_texts(files)
    assert [each.file for each in problems(caught.value)] == ["es/ask_key.txt", "es/extra.txt"]
    with pytest.raises(ConfigError, match="there are no texts"):
        parse_texts({})


PIECES = st.sampled_from(
    [
        "word ",
        "\n",
        "\n[care]\n",
        "{{ reference }}",
        "{{ hours }}",
        "{% if hours %}\nx\n{% else %}\ny\n{% endif %}\n",
        "{% for s in services -%}\n{{ s.name }} {{ s.cost }}\n{% for c in s.contacts %}{{ c }}{% endfor %}{% endfor %}",
        "{{ ' (' ~ country ~ ')' if country else '' }}",
        "{% set mark = '\\u200e' %}{{ mark }}{{ emergency }}",
    ]
)


@settings(deadline=None)
@given(
    st.lists(PIECES, max_size=12).map("".join),
    st.fixed_dictionaries(
        {
            "hours": st.sampled_from([None, "", "9-17"]),
            "country": st.sampled_from([None, "Kenya"]),
            "services": st.sampled_from([(), (OFFER,), (OFFER, OFFER)]),
            "urgent": st.booleans(),
        }
    ),
)
def test_accepted_text_always_renders_without_a_trace_of_its_making(body: str, values: dict[str, object]) -> None:
    book = parse_texts(texts(es_full=text("es", body)))
    found = book.render("full", "es", {**VALUES, **values}, unreviewed="bilingual", default_language="en")
    assert found is not None
    assert not re.search(r"\{\{|\{%|^\[[a-z_]+\]$|\n\n\n", found.body, re.MULTILINE)
    assert found.subject.endswith(" [K7QD-3M9X-T]")
