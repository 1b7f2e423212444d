from base64 import b64encode

import pytest

from mailroom.flow.unwrapping import MOST_BYTES, MOST_RUNS, unwrap
from mailroom.mail.body import read_body
from mailroom.mail.entity import read_entity
from mailroom.mail.openpgp import MOST_BLOCKS, pieces
from tests.openpgp.locks import (
    ARMOR,
    CRLF_ARMOR,
    NAMED,
    OCTETS,
    SENDER,
    TEXT,
    Lock,
    mixed,
    one_ciphertext,
    one_signature,
    only_lines,
    opened,
    text_mail,
)
from tests.openpgp_mails import (
    entity,
    inline_encrypted,
    inline_signed,
    signed_entity,
)


def test_inline_message_is_whole_when_alone() -> None:
    assert one_ciphertext(inline_encrypted(SENDER, "hello"))


@pytest.mark.parametrize(
    "mail",
    [
        text_mail(b"My name is in here:\r\n" + CRLF_ARMOR),
        text_mail(CRLF_ARMOR + b"-- \r\nsent from a phone"),
        mixed(TEXT + CRLF_ARMOR, TEXT + b"and more"),
        mixed(TEXT + b"see the file", OCTETS + CRLF_ARMOR),
    ],
    ids=["before", "after", "second part", "attached"],
)
def test_inline_message_with_other_text_is_partial(mail: bytes) -> None:
    assert only_lines(one_ciphertext(mail, partial=True)) == only_lines(ARMOR)


def test_every_inline_message_is_opened_in_its_place() -> None:
    found, lock = opened(text_mail(b"one\r\n" + CRLF_ARMOR + b"two\r\n" + CRLF_ARMOR + b"three"))
    assert found is not None
    assert len(lock.ciphertexts) == 2
    assert read_body(found.root).text.split() == ["one", "opened", "two", "opened", "three"]


def test_many_messages_are_not_all_opened_and_that_is_told() -> None:
    found, lock = opened(mixed(*(TEXT + CRLF_ARMOR for _ in range(20))))
    assert found is not None
    assert (len(lock.ciphertexts), found.failure) == (MOST_RUNS, "too_many")


def test_no_more_is_opened_once_much_was() -> None:
    lock = Lock(bytes(MOST_BYTES // 2))
    found = unwrap(read_entity(mixed(*(NAMED % b"x.bin.gpg" + CRLF_ARMOR for _ in range(4)))), lock)
    assert found is not None
    assert (len(lock.ciphertexts), found.failure) == (2, "too_many")


def test_what_stands_behind_very_many_blocks_is_text() -> None:
    text = CRLF_ARMOR * 30 + b"the end"
    assert len(pieces(text)) == 2 * MOST_BLOCKS + 1
    assert pieces(text)[-1].content == CRLF_ARMOR * 10 + b"the end"


def test_many_signatures_are_not_all_verified_and_the_rest_is_invalid() -> None:
    found, lock = opened(mixed(*(signed_entity(entity("hello"), "keeper") for _ in range(20))))
    assert found is not None
    assert len(lock.signed) == MOST_RUNS
    assert [one.signature.state for one in found.verdicts[MOST_RUNS:]] == ["invalid"] * 15


def test_inline_message_is_found_in_any_transfer_encoding() -> None:
    field = "Content-Transfer-Encoding"
    quoted = CRLF_ARMOR.replace(b"=", b"=3D")
    for mail in (
        text_mail(b64encode(ARMOR), (field, "base64")),
        text_mail(quoted, (field, "quoted-printable")),
    ):
        assert only_lines(one_ciphertext(mail)) == only_lines(ARMOR)


def test_inline_message_in_html_is_found() -> None:
    page = b"<html><body><p>" + ARMOR.strip().replace(b"\n", b"<br>\r\n&nbsp;") + b"</p></body></html>"
    assert only_lines(one_ciphertext(text_mail(page, kind="text/html"))) == only_lines(ARMOR)


def test_html_twin_does_not_make_an_inline_message_less_whole() -> None:
    twin = b"Content-Type: text/html\r\n\r\n<pre>" + CRLF_ARMOR + b"</pre>"
    assert one_ciphertext(mixed(TEXT + CRLF_ARMOR, twin, kind="multipart/alternative"))


def test_message_in_html_alone_is_shown_beside_the_plain_text() -> None:
    page = b"Content-Type: text/html\r\n\r\n<pre>" + CRLF_ARMOR + b"</pre>"
    found, _ = opened(mixed(TEXT + b"open me", page, kind="multipart/alternative"))
    assert found is not None
    assert read_body(found.root).text.split() == ["open", "me", "opened"]


@pytest.mark.parametrize("headers", [b"", b"Version: X 1\r\nComment: y\r\n"])
def test_empty_line_above_the_data_is_put_back(headers: bytes) -> None:
    begin, _, data = CRLF_ARMOR.partition(b"\r\n\r\n")
    whole, lost = (begin + b"\r\n" + headers + middle + data for middle in (b"\r\n", b""))
    assert one_ciphertext(text_mail(whole)).split(b"\n\n")[-1] == one_ciphertext(text_mail(lost)).split(b"\n\n")[-1]
    assert one_ciphertext(text_mail(lost)).count(b"\n\n") == 1


def test_message_that_was_cut_off_is_still_a_message() -> None:
    assert one_ciphertext(text_mail(CRLF_ARMOR[:60]))


@pytest.mark.parametrize("name", ["encrypted.asc", "msg.pgp", "report.txt.asc"])
def test_message_as_a_file_without_text_is_the_text(name: str) -> None:
    found, lock = opened(mixed(NAMED % name.encode() + CRLF_ARMOR))
    assert found is not None
    assert (len(lock.ciphertexts), found.partial, read_body(found.root).text) == (1, False, "opened")


def test_encrypted_file_beside_text_is_an_attachment_without_the_suffix() -> None:
    found, _ = opened(mixed(TEXT + b"see the file", NAMED % b"photo.jpg.gpg" + b"\xc1\x5ebinary"))
    assert found is not None
    assert found.partial
    assert [(one.name, one.size) for one in read_body(found.root).attachments] == [("photo.jpg", 6)]


@pytest.mark.parametrize("name", [b"photo.jpg", b"key.gpg"])
def test_binary_file_that_is_no_message_is_left_alone(name: bytes) -> None:
    content = b"\xc1\x5ebinary" if name == b"photo.jpg" else b"\x99\x01a key"
    assert opened(mixed(TEXT + b"see the file", NAMED % name + content))[0] is None


@pytest.mark.parametrize("quote", [b"> ", b">", b"| ", b"I got -----"])
def test_quoted_armor_is_not_a_message(quote: bytes) -> None:
    body = b"".join(quote + line + b"\r\n" for line in ARMOR.splitlines())
    assert opened(text_mail(b"you wrote:\r\n" + body))[0] is None


def test_inline_signed_text_is_whole_when_alone() -> None:
    armored, _ = one_signature(inline_signed(SENDER, "close\n", "keeper"))
    assert b"\r\nclose\r\n" in armored


@pytest.mark.parametrize("around", [(b"before\r\n", b""), (b"", b"after\r\n")])
def test_inline_signed_text_with_other_text_is_not_whole(around: tuple[bytes, bytes]) -> None:
    mail = inline_signed(SENDER, "close\n", "keeper")
    begin = mail.index(b"-----BEGIN")
    one_signature(mail[:begin] + around[0] + mail[begin:] + around[1], whole=False)


def test_inline_signed_text_beside_unsigned_text_is_not_whole() -> None:
    signed = inline_signed(SENDER, "close\n", "keeper")
    one_signature(mixed(TEXT + b"erase everything", TEXT + signed[signed.index(b"-----BEGIN") :]), whole=False)


def test_signed_text_that_is_attached_does_not_vouch_for_the_shown_text() -> None:
    signed = inline_signed(SENDER, "close\n", "keeper")
    part = TEXT.replace(b"\r\n\r\n", b"\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n")
    found, lock = opened(mixed(TEXT + b"erase everything", part + signed[signed.index(b"-----BEGIN") :]))
    assert found is None
    assert lock.armored == []


def test_message_inside_a_forwarded_mail_is_not_this_mail() -> None:
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + inline_encrypted(SENDER, "hello")
    assert opened(mixed(TEXT + b"look", forwarded))[0] is None


def test_ordinary_mail_is_unprotected() -> None:
    assert opened(text_mail(b"Hello.\r\n"))[0] is None
