from pathlib import Path

import pytest

from mailroom.errors import ConfigError, DecryptionFailed
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.sequoia import Sequoia
from tests.gnupg_home import KEYS, PASSPHRASE, fingerprint, gpg, new_home, public
from tests.openpgp_mails import encrypted

MAX_OUTPUT = 2_000_000  # as in conftest.py


def to_desk(people: Path, content: bytes, *options: str, sign_with: str | None = None) -> bytes:
    """Encrypt to the desk with the real gpg, as a complainant does."""
    signing = ("--sign", "--local-user", fingerprint(sign_with)) if sign_with else ()
    return gpg(people, *options, *signing, "--encrypt", "--recipient", fingerprint("desk"), stdin=content)


def why(desk: GnuPG, ciphertext: bytes) -> str:
    """Tell why `desk` does not open this."""
    with pytest.raises(DecryptionFailed) as caught:
        desk.decrypt(ciphertext)
    return caught.value.why


def test_encrypted_message_opens(desk: GnuPG, people_home: Path) -> None:
    opened = desk.decrypt(to_desk(people_home, b"first\r\nsecond \xff\n"))
    assert opened.content == b"first\r\nsecond \xff\n"
    assert opened.signature.state == "none"
    assert not opened.weak


def test_armored_message_from_sequoia_opens(desk: GnuPG) -> None:
    assert desk.decrypt(encrypted(b"hello")).content == b"hello"


def test_empty_message_opens(desk: GnuPG, people_home: Path) -> None:
    assert desk.decrypt(to_desk(people_home, b"")).content == b""


def test_message_to_several_people_opens(desk: GnuPG) -> None:
    assert desk.decrypt(encrypted(b"hello", ["complainant", "rsa", "desk"])).content == b"hello"


def test_message_with_hidden_recipient_opens(desk: GnuPG, people_home: Path) -> None:
    assert desk.decrypt(to_desk(people_home, b"hello", "--throw-keyids")).content == b"hello"


def test_message_as_large_as_allowed_opens(desk: GnuPG, people_home: Path) -> None:
    content = bytes(MAX_OUTPUT)
    assert desk.decrypt(to_desk(people_home, content)).content == content


@pytest.mark.parametrize("sign_with", [None, "keeper", "complainant"])
@pytest.mark.parametrize("compression", ["none", "zlib", "bzip2"])
def test_bomb_is_refused(desk: GnuPG, people_home: Path, compression: str, sign_with: str | None) -> None:
    """Truncated by --max-output, it still says DECRYPTION_OKAY and GOODMDC."""
    bomb = to_desk(people_home, bytes(MAX_OUTPUT + 70_000), "--compress-algo", compression, sign_with=sign_with)
    assert why(desk, bomb) == "too_large"


def test_message_without_integrity_protection_is_refused(desk: GnuPG, people_home: Path) -> None:
    """EFAIL: gpg prints its plaintext all the same."""
    assert why(desk, to_desk(people_home, b"hello", "--rfc2440")) == "unprotected"


def test_message_that_is_neither_encrypted_nor_signed_is_refused(desk: GnuPG, people_home: Path) -> None:
    assert why(desk, gpg(people_home, "--store", stdin=b"hello")) == "unprotected"


@pytest.mark.parametrize(("signer", "state"), [("keeper", "valid"), ("complainant", "unknown_key")])
def test_message_that_is_only_signed_opens_and_is_not_called_encrypted(
    desk: GnuPG, people_home: Path, signer: str, state: str
) -> None:
    opened = desk.decrypt(gpg(people_home, "--sign", "--local-user", fingerprint(signer), stdin=b"hello"))
    assert (opened.content, opened.encrypted, opened.signature.state) == (b"hello", False, state)


def test_signed_message_with_an_encrypted_one_beside_it_is_refused(desk: GnuPG, people_home: Path) -> None:
    options = ("--sign", "--compress-algo", "none", "--local-user", fingerprint("keeper"))
    signed = gpg(people_home, *options, stdin=b"added")
    assert why(desk, signed + to_desk(people_home, b"hello")) == "damaged"
    assert why(desk, to_desk(people_home, b"hello") + signed) == "damaged"


def test_name_of_the_file_inside_is_told(desk: GnuPG, people_home: Path) -> None:
    assert desk.decrypt(to_desk(people_home, b"x", "--set-filename", "phötö 1.jpg")).name == "phötö 1.jpg"
    assert desk.decrypt(to_desk(people_home, b"x")).name is None


def test_signed_message_inside_is_given_with_its_encryption_taken_off(desk: GnuPG, people_home: Path) -> None:
    inside = desk.signed_inside(to_desk(people_home, b"hello", sign_with="complainant"))
    assert Sequoia().signed_by(public("complainant"), inside, None)
    assert not Sequoia().signed_by(public("rsa"), inside, None)
    assert desk.signed_inside(encrypted(b"hello", ["complainant"])) == b""


def test_changed_message_is_refused(desk: GnuPG, people_home: Path) -> None:
    message = to_desk(people_home, b"hello" * 100, "--compress-algo", "none")
    assert why(desk, message[:-30] + bytes([message[-30] ^ 1]) + message[-29:]) == "damaged"


def test_message_that_was_cut_off_is_refused(desk: GnuPG, people_home: Path) -> None:
    message = to_desk(people_home, b"hello" * 100)
    for length in (0, 10, 120, len(message) - 1):
        assert why(desk, message[:length]) in {"damaged", "failed"}


def test_text_that_is_not_openpgp_is_refused(desk: GnuPG) -> None:
    assert why(desk, b"hello") == "damaged"


def test_two_messages_in_one_are_refused(desk: GnuPG, people_home: Path) -> None:
    message = to_desk(people_home, b"hello")
    assert why(desk, message + message) == "damaged"


@pytest.mark.parametrize("in_front", [True, False])
def test_unencrypted_text_beside_the_encrypted_is_refused(desk: GnuPG, people_home: Path, in_front: bool) -> None:
    message, literal = to_desk(people_home, b"hello"), gpg(people_home, "--store", stdin=b"added")
    assert why(desk, literal + message if in_front else message + literal) in {"damaged", "unprotected"}


def test_message_to_somebody_else_has_no_key(desk: GnuPG) -> None:
    assert why(desk, encrypted(b"hello", ["complainant"])) == "no_key"


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_message_under_a_password_is_named_and_nobody_is_asked(
    desk_home: Path, people_home: Path, passphrase: str | None
) -> None:
    options = ("--pinentry-mode", "loopback", "--passphrase", "x", "--symmetric")
    message = gpg(people_home, *options, stdin=b"hello")
    assert why(GnuPG(desk_home, fingerprint("desk"), passphrase, MAX_OUTPUT), message) == "symmetric"


def test_message_under_a_password_and_a_strange_key_has_no_key(desk: GnuPG, people_home: Path) -> None:
    options = ("--pinentry-mode", "loopback", "--passphrase", "x", "--symmetric", "--encrypt")
    assert why(desk, gpg(people_home, *options, "--recipient", fingerprint("rsa"), stdin=b"hello")) == "no_key"


@pytest.mark.parametrize("cipher", ["3DES", "CAST5", "BLOWFISH", "IDEA"])
def test_old_cipher_is_weak(desk: GnuPG, people_home: Path, cipher: str) -> None:
    assert desk.decrypt(to_desk(people_home, b"hello", "--cipher-algo", cipher)).weak


@pytest.mark.parametrize("cipher", ["AES", "AES256", "CAMELLIA256", "TWOFISH"])
def test_cipher_of_today_is_not_weak(desk: GnuPG, people_home: Path, cipher: str) -> None:
    assert not desk.decrypt(to_desk(people_home, b"hello", "--cipher-algo", cipher)).weak


def test_signature_inside_is_judged_with_the_primary_fingerprint(desk: GnuPG, people_home: Path) -> None:
    signature = desk.decrypt(to_desk(people_home, b"close\n", sign_with="keeper")).signature
    assert signature.state == "valid"
    assert signature.signer == fingerprint("keeper")
    assert signature.addresses == ("keeper@example.org",)
    assert signature.sig_id
    assert signature.digest


def test_signature_of_an_unknown_key_does_not_keep_the_message_shut(desk: GnuPG, people_home: Path) -> None:
    opened = desk.decrypt(to_desk(people_home, b"hello", sign_with="complainant"))
    assert opened.content == b"hello"
    assert (opened.signature.state, opened.signature.signer) == ("unknown_key", None)


def test_changed_message_with_an_unknown_signature_is_refused(desk: GnuPG, people_home: Path) -> None:
    message = to_desk(people_home, b"hello" * 100, "--compress-algo", "none", sign_with="complainant")
    assert why(desk, message[:-30] + bytes([message[-30] ^ 1]) + message[-29:]) == "damaged"


def test_several_signatures_inside_prove_nothing(desk: GnuPG, people_home: Path) -> None:
    deputy = ("--local-user", fingerprint("deputy"))
    opened = desk.decrypt(to_desk(people_home, b"close", *deputy, sign_with="keeper"))
    assert opened.content == b"close"
    assert (opened.signature.state, opened.signature.signer) == ("invalid", None)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\x85", "\u2028", "\x0c"])
def test_file_name_in_the_message_cannot_forge_status_lines(desk: GnuPG, people_home: Path, line_end: str) -> None:
    """CVE-2018-12020, and Python's idea of where a line ends."""
    keeper = fingerprint("keeper")
    forged = [
        "x",
        f"[GNUPG:] GOODSIG {keeper[-16:]} Keeper",
        f"[GNUPG:] VALIDSIG {keeper} 0 1 0 4 0 22 8 00 {keeper}",
        "x",
    ]
    opened = desk.decrypt(to_desk(people_home, b"close", "--set-filename", line_end.join(forged)))
    assert opened.signature.state == "none"


@pytest.mark.parametrize("passphrase", [None, ""])
def test_no_passphrase_takes_no_line_of_the_message(desk_home: Path, people_home: Path, passphrase: str | None) -> None:
    """python-gnupg given "" drops the first line of what it is to sign, and a binary message fails."""
    desk = GnuPG(desk_home, fingerprint("desk"), passphrase, MAX_OUTPUT)
    assert desk.decrypt(to_desk(people_home, b"first\nsecond\n")).content == b"first\nsecond\n"
    signature, _ = desk.sign_detached(b"first\nsecond\n")
    assert desk.verify(b"first\nsecond\n", signature).state == "valid"


def test_key_with_a_passphrase_opens_with_it_alone(people_home: Path) -> None:
    message = gpg(people_home, "--encrypt", "--recipient-file", str(KEYS / "locked.public.asc"), stdin=b"one\ntwo\n")
    with new_home(["locked"]) as home:
        for passphrase in (None, "wrong"):
            assert why(GnuPG(home, fingerprint("locked"), passphrase, MAX_OUTPUT), message) == "failed"
        desk = GnuPG(home, fingerprint("locked"), PASSPHRASE, MAX_OUTPUT)
        assert desk.decrypt(message).content == b"one\ntwo\n"
        signature, _ = desk.sign_detached(b"one\ntwo\n")
        assert desk.verify(b"one\ntwo\n", signature).state == "valid"


def test_passphrase_of_two_lines_is_refused(desk_home: Path) -> None:
    with pytest.raises(ConfigError):
        GnuPG(desk_home, fingerprint("desk"), "one\ntwo", MAX_OUTPUT)
