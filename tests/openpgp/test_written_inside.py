"""Without a keyring a signed text is shown all the same, without its armor."""

import pytest

from mailroom.cli.bench import bare_bench
from mailroom.mail.openpgp import written_inside

SIGNED = (
    b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nHe follows me.\n- -- Anna\n\nSince May.\n"
    b"-----BEGIN PGP SIGNATURE-----\n\niQIz\n=ZGd6\n-----END PGP SIGNATURE-----\n"
)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_the_text_is_given_without_armor_and_dashes_as_they_were(line_end: bytes) -> None:
    assert written_inside(SIGNED.replace(b"\n", line_end)) == b"He follows me.\n-- Anna\n\nSince May."


@pytest.mark.parametrize("line", [*SIGNED.splitlines()[:1], b"-----BEGIN PGP SIGNATURE-----", b""])
def test_of_damaged_armor_nothing_is_given(line: bytes) -> None:
    damaged = b"\n".join(one for one in SIGNED.split(b"\n") if one != line)
    assert written_inside(damaged) == b""


async def test_explain_without_a_configuration_shows_what_was_signed() -> None:
    with bare_bench() as bench:
        told = await bench.explain(b"From: anna@example.net\nSubject: help\n\n" + SIGNED)
    protection, message = told["openpgp"], told["message"]
    assert isinstance(protection, dict)
    assert isinstance(message, dict)
    assert protection["signature"] == "unknown_key"
    assert message["text"] == "He follows me.\n-- Anna\n\nSince May."
