"""What is attached has its name and its type, whatever wrapped them."""

import base64

import pytest

from mailroom.mail.parse import parse


def mail(header: str, body: str = "text") -> bytes:
    return header.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode()


def multipart(*parts: str) -> bytes:
    """Make a multipart/mixed of parts written as "type and fields | body"."""
    split = [part.partition(" | ") for part in parts]
    body = "".join(f"--b\nContent-Type: {head}\n\n{text}\n" for head, _, text in split)
    return mail("Content-Type: multipart/mixed; boundary=b", f"{body}--b--")


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ("filename=a.txt; filename*=utf-8''r%C3%A9al.txt", "réal.txt"),
        ("filename*1*=%AC.txt; filename*0*=utf-8''%E2%82", "€.txt"),
        ("filename*0*=iso-2022-jp'ja'%1B$B%25; filename*1*=%22%1B(B.txt", "ア.txt"),
        ('filename*0="=?utf-8?B?w6k=?= "; filename*1="=?utf-8?B?w6k=?=.txt"', "éé.txt"),
        ("filename=my holiday photo.jpg", "my holiday photo.jpg"),
        ('filename="unterminated.txt', "unterminated.txt"),
        ('filename="..\\\\..\\\\x.txt"', "..\\..\\x.txt"),
        ('filename=""', None),
        ("filename*=utf-8''%", "%"),
    ],
)
def test_a_file_name_is_decoded_however_it_was_written(parameters: str, name: str | None) -> None:
    message = parse(mail(f"Content-Type: image/png\nContent-Disposition: attachment; {parameters}"))
    assert [each.name for each in message.attachments] == [name]


def test_a_raw_file_name_is_read_in_the_charset_of_the_text_before_it() -> None:
    name = "доказательство.jpg".encode("koi8-r")
    parts = [
        b"Content-Type: text/plain; charset=koi8-r\r\n\r\nx",
        b'Content-Type: image/jpeg; name="' + name + b'"\r\n\r\nx',
    ]
    body = b"\r\n".join(b"--b\r\n" + part for part in parts)
    message = parse(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body + b"\r\n--b--")
    assert [each.name for each in message.attachments] == ["доказательство.jpg"]


def test_an_attachment_is_called_what_its_bytes_are() -> None:
    code = base64.b64encode(b"%PDF-1.4\n" + bytes(9000)).decode()
    message = parse(multipart(f"image/png; name=x.png\nContent-Transfer-Encoding: base64 | {code}"))
    assert [(each.name, each.type, each.size) for each in message.attachments] == [("x.png", "application/pdf", 9009)]


@pytest.mark.parametrize(
    ("parts", "text", "names"),
    [
        (["text/plain\nContent-Disposition: attachment | words"], "words", []),
        (["text/plain; name=text_0.txt | words", "image/png; name=x | y"], "words", ["x"]),
        (["text/plain; name=letter.txt | words", "image/png; name=x | y"], "words", ["x"]),
        (["text/plain; name=e.txt\nContent-Disposition: attachment | words"], "", ["e.txt"]),
        (["text/plain | mine", "text/plain\nContent-Disposition: attachment | words"], "mine", [None]),
        (["text/enriched | <bold>words</bold>"], "words", []),
        (["text/markdown | words"], "words", []),
        (["text/rtf | {\\rtf1 words}"], "words", []),
        (["text/rtf; name=x.rtf | {\\rtf1 words}", "text/plain | mine"], "mine", ["x.rtf"]),
        (["multipart/alternative; boundary=i | --i--", "text/plain | mine"], "mine", []),
        (["application/ms-tnef; name=winmail.dat | none"], "", ["winmail.dat"]),
    ],
)
def test_a_mail_without_text_shows_what_a_mailer_sent_as_a_nameless_file(
    parts: list[str], text: str, names: list[str | None]
) -> None:
    message = parse(multipart(*parts))
    assert (message.text, [each.name for each in message.attachments]) == (text, names)


@pytest.mark.parametrize(
    ("plain", "is_stub"),
    [
        ("Please use an HTML-compatible e-mail viewer.", True),
        ("Your program does not support HTML.", True),
        (
            "Ihr Programm kann diese Nachricht nicht anzeigen, weil es kein HTML unterstützt. HTML-Nachricht folgt.",
            True,
        ),
        ("Ce message est au format HTML.", True),
        ("このメールはHTML形式です。", True),
        ("He put my name into the HTML of his page.", False),
        ("He sent me an HTML mail. " + "And then he wrote again. " * 20, False),
    ],
)
def test_a_plain_text_that_only_asks_for_an_html_reader_is_not_shown(plain: str, *, is_stub: bool) -> None:
    inner = (
        f"--i\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n--i\nContent-Type: text/html\n\n<p>words</p>\n--i--"
    )
    message = parse(mail("Content-Type: multipart/alternative; boundary=i", inner))
    assert message.text == ("words" if is_stub else plain.strip())


def test_a_boundary_that_is_used_twice_gives_each_text_once() -> None:
    inner = "multipart/alternative; boundary=b | --b\n\nplain\n--b\nContent-Type: text/html\n\nplain\n--b--"
    message = parse(multipart(inner, "image/png; name=x | y"))
    assert (message.text, [each.name for each in message.attachments]) == ("plain", ["x"])
    assert "boundary-used-twice" in message.defects


def test_a_page_that_is_called_text_is_read_as_a_page_and_a_text_that_is_called_a_page_keeps_its_lines() -> None:
    page = "<!DOCTYPE html>\n<html><body><p>one</p><p>two &amp; three</p></body></html>"
    assert parse(mail("Content-Type: text/plain", page)).text == "one\n\ntwo & three"
    assert parse(mail("Content-Type: text/html", "one\ntwo &amp; 3 < 4\n")).text == "one\ntwo & 3 < 4"
    assert parse(mail("Content-Type: text/plain", "He wrote <html> to me")).text == "He wrote <html> to me"
