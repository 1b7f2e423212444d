"""No text is lost to a wrong label, a broken encoding or a broken encoded word."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.mail.charset import clean, decode
from mailroom.mail.encodedword import decode_words
from mailroom.mail.flowed import unflow
from mailroom.mail.transfer import decoded, decoded_size, encoding_named

RUSSIAN = "Один участник уже месяц пишет мне оскорбления и угрожает опубликовать мой адрес."
CHINESE = "最近两个月，有一个用户一直跟踪我的编辑，并在讨论页上骂我。"
JAPANESE = "先月から、ある利用者に会話ページで何度も中傷されています。"
SPANISH = "¿Qué puedo hacer? Él me sigue desde enero."


@given(
    st.binary(), st.one_of(st.none(), st.text(), st.sampled_from(["utf-7", "hz", "idna", "utf-16", "cp037", "zlib"]))
)
@settings(deadline=None)
def test_any_bytes_under_any_label_give_text(content: bytes, label: str | None) -> None:
    decode(content, label)[0].encode()


@given(st.text(), st.sampled_from(["utf-8", "UTF-8", None, "utf8", '"utf-8"']))
def test_utf8_is_read_as_it_was_written(text: str, label: str | None) -> None:
    if not text.startswith("\ufeff") and "\x1b" not in text:
        assert decode(text.encode(), label) == (text, True)


@pytest.mark.parametrize(
    ("text", "codec", "label", "honest"),
    [
        (SPANISH, "latin-1", "iso-8859-1", True),
        ("“€…”", "cp1252", "ISO-8859-1", True),
        (SPANISH, "utf-8", "iso-8859-1", False),
        (SPANISH, "utf-8", "us-ascii", False),
        (SPANISH, "cp1252", "utf-8", False),
        (SPANISH, "cp1252", None, False),
        (RUSSIAN, "koi8-r", "koi8-r", True),
        (RUSSIAN, "koi8-r", None, False),
        (RUSSIAN, "cp1251", "utf-8", False),
        (RUSSIAN, "iso8859-5", None, False),
        (RUSSIAN, "cp866", None, False),
        (RUSSIAN, "mac-cyrillic", "x-unknown", False),
        ("مرحبا، مستخدم يهددني منذ شهر وأنا خائفة من الخروج من البيت. ساعدوني.", "iso8859-6", None, False),
        (RUSSIAN, "utf-8", "koi8-r", False),
        (CHINESE, "gb18030", "gb2312", True),
        (CHINESE, "utf-8", "gb2312", False),
        (CHINESE, "gb18030", "no-such-charset", False),
        ("有人骂我，我很害怕，请帮助我好吗", "utf-8", "gb2312", False),
        ("联通", "gbk", "gb2312", True),
        (JAPANESE, "iso-2022-jp", None, False),
        (JAPANESE, "iso-2022-jp", "utf-8", False),
        (JAPANESE, "utf-8", "iso-2022-jp", False),
        (JAPANESE, "cp932", "shift_jis", True),
        (SPANISH, "utf-16", "utf-16", True),
        (SPANISH, "utf-16-le", "utf-16", True),
        (SPANISH, "utf-16-be", "utf-16", True),
        ("plain words", "ascii", "utf-16", True),
        ("plain words", "ascii", "cp037", True),
    ],
)
def test_text_survives_its_label(text: str, codec: str, label: str | None, honest: bool) -> None:
    assert decode(text.encode(codec), label) == (text, honest)


def test_a_codec_that_makes_surrogates_is_not_believed() -> None:
    assert decode(b"a+2AA-b", "utf-7") == ("a+2AA-b", False)


def test_one_damaged_byte_costs_no_more_than_itself() -> None:
    assert decode(RUSSIAN.encode() + b" \x92", "utf-8")[0] == f"{RUSSIAN} ’"


def test_controls_go_and_line_ends_become_one() -> None:
    assert clean("\ufeffa\r\nb\rc\x00\x07\td\x1b") == "a\nb\nc\td"


@given(st.binary(max_size=300))
def test_base64_and_its_size_without_padding_or_with_strange_bytes(content: bytes) -> None:
    code = base64.encodebytes(content)
    assert decoded(code, "base64") == (content, True)
    assert decoded(code.replace(b"=", b"").replace(b"\n", b"*\r\n"), "base64")[0] == content
    assert decoded_size(b"xx" + code, 2, 2 + len(code), "base64") == len(content)


def test_base64_pieces_after_padding_and_prose_are_kept() -> None:
    assert decoded(b"b25l\nIA==\ndHdv\n", "base64")[0] == b"one two"
    assert decoded(b"b25l\nIHR3\nbw==\n__\nA footer\n", "base64") == (b"one two\n__\nA footer", False)
    assert decoded(b"This is no base64 at all\n", "base64") == (b"This is no base64 at all\n", False)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (' "Base64" (x)', "base64"),
        ("quoted printable", "quoted-printable"),
        ("BASE-64", "base64"),
        ("8bit", "8bit"),
        ("", ""),
    ],
)
def test_a_transfer_encoding_is_known_by_its_misspelt_name(value: str, name: str) -> None:
    assert encoding_named(value) == name


def test_other_transfer_encodings() -> None:
    assert decoded(b"a=20b=\r\nc =E9 =zz", "quoted-printable") == (b"a bc \xe9 =zz", False)
    assert decoded(b"begin 644 x\n#86)C\n`\nend\n", "x-uuencode") == (b"abc", True)
    assert decoded_size(b"a=20b", 0, 5, "quoted-printable") == 3
    assert decoded_size(b"12345", 1, 4, "8bit") == 3


@pytest.mark.parametrize(
    ("value", "text", "sound"),
    [
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab", True),
        (b"=?utf-8?q?a?= x =?iso-8859-1?q?=E9?=", "a x é", True),
        (b"=?utf-8?q?a?=\t =?iso-8859-1?q?=E9?=", "aé", True),
        (b"=?utf-8*fr?Q?=C3=A9t=C3=A9?=", "été", True),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é", True),
        (b"=?utf-8?b?w6k?=", "é", True),
        (b"=?utf-8?q?two words?=", "two words", True),
        (b"=?utf-8?q?no end", "no end", False),
        (b"=?utf-8?q?=E9?=", "é", False),
        (b"=?nonsense?q?=C3=A9?=", "é", False),
        (b"1 =? 2 ?= 3", "1 =? 2 ?= 3", True),
        ("né".encode("latin-1"), "né", False),
    ],
)
def test_encoded_words_are_read_broken_or_not(value: bytes, text: str, sound: bool) -> None:
    assert decode_words(value) == (text, sound)


def test_flowed_paragraphs_come_together_and_the_signature_stays_alone() -> None:
    text = "one \ntwo\n> quoted \n> more\n>> deeper\n-- \nname \n  stuffed"
    assert unflow(text) == "one two\n> quoted more\n>> deeper\n-- \nname  stuffed"
    assert unflow("Donau \ndampf", delsp=True) == "Donaudampf"


@pytest.mark.parametrize(
    ("text", "codec", "label", "honest"),
    [
        ("①㈱高", "cp932", "windows-31j", True),
        ("łódź „x”", "cp1250", "iso-8859-2", False),
        ("łódź", "iso8859-2", "iso-8859-2", True),
        ("“é”", "cp1252", "iso-8859-15", False),
        (RUSSIAN, "cp1251", "win-1251", True),
        (RUSSIAN, "cp1251", "x-cp1251", True),
        (RUSSIAN, "mac-cyrillic", "x-mac-cyrillic", True),
        ("її ґанок", "koi8-u", "koi8-r", True),
        ("їжак є ґава", "koi8-u", "koi8", True),
        ("佢哋喺", "big5hkscs", "big5", True),
        ("똠방각하", "cp949", "ks_c_5601-1987", True),
        ("ไทย", "cp874", "windows-874", True),
        (SPANISH, "utf-8", "utf8mb4", True),
        (SPANISH, "utf-8", "charset=utf-8", True),
        (SPANISH, "utf-7", "unicode-1-1-utf-7", True),
        (SPANISH, "cp1252", "ISO-8859-1-Windows-3.1-Latin-1", True),
        ("שלום, הוא מאיים עלי כבר חודש ואני מפחדת", "cp1255", None, False),
    ],
)
def test_what_mailers_call_a_charset_is_understood(text: str, codec: str, label: str | None, honest: bool) -> None:
    assert decode(text.encode(codec), label) == (text, honest)


def test_utf7_is_never_guessed() -> None:
    assert decode(b"+AOk- is no letter here", None) == ("+AOk- is no letter here", True)


def test_iso_2022_jp_of_windows_is_read() -> None:
    circled = b"\x1b$B-!-j\x1b(I1\x1b$(Ba\x1b(J~"
    assert decode(b"\x1b$B-!\x1b(B and \x1b(I1\x1b(B", "iso-2022-jp") == ("① and ｱ", True)
    assert decode(circled[:-5] + b"\x1b(B", "iso-2022-jp")[0].startswith("①㈱ｱ")


def test_halves_of_an_emoji_come_together() -> None:
    assert decode(b"\xed\xa0\xbd\xed\xb8\xa2 \xc3\xa9", "utf-8") == ("😢 é", False)
    assert decode(b"\xed\xa0\xbd alone", None)[1] is False
