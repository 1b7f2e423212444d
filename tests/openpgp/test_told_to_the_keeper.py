"""The keeper's notice says in words how a mail was protected, and why it did not open."""

import pytest

from mailroom.errors import DecryptionFailed
from mailroom.keeper.notices import Account, write
from mailroom.mail.message import OpenPGP, Signature

ACCOUNT = Account("K7QD-3M9X-T", "report", (), (), "none was asked", "nothing was sent")
VALID = Signature("valid")


def told(protection: OpenPGP) -> str:
    text = write(ACCOUNT, None, protection).text
    return next(line for line in text.splitlines() if "protection: " in line).partition("protection: ")[2]


@pytest.mark.parametrize(
    ("protection", "words"),
    [
        (OpenPGP(), "not encrypted; signature: none"),
        (OpenPGP(signature=VALID), "not encrypted; signature: valid"),
        (OpenPGP(True, True, signature=VALID), "encrypted; signature: valid"),
        (OpenPGP(True, True, weak=True), "encrypted, but weakly; signature: none"),
        (OpenPGP(True, True, partial=True), "encrypted; only a part was: other words came in clear; signature: none"),
    ],
)
def test_protection_is_told_in_words(protection: OpenPGP, words: str) -> None:
    assert told(protection) == words


def test_only_what_a_key_of_the_desk_could_open_tells_how_the_desk_does() -> None:
    """Otherwise three passwords in a row would alarm the admins."""
    assert OpenPGP(True, True).is_for_a_key
    assert OpenPGP(True, failure="no_key").is_for_a_key
    assert not any(OpenPGP(True, failure=why).is_for_a_key for why in ("symmetric", "smime"))
    assert not OpenPGP().is_for_a_key


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("no_key", "a key that the desk does not have"),
        ("symmetric", "with a password"),
        ("damaged", "somebody changed it"),
        ("unprotected", "without protection against changes"),
        ("too_large", "more than the desk takes"),
        ("too_many", "too many encrypted parts"),
        ("smime", "S/MIME"),
        ("failed", "it failed"),
    ],
)
def test_why_a_mail_did_not_open_is_told_in_words(why: str, words: str) -> None:
    assert told(OpenPGP(True, failure=why)).startswith("could not be opened: ")
    assert words in told(OpenPGP(True, failure=why))
    assert f"something did not open: {told(OpenPGP(True, failure=why))[21:]}" in told(OpenPGP(True, True, failure=why))
    assert why == "smime" or why in str(DecryptionFailed.__doc__)
