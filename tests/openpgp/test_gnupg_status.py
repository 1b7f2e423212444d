"""What gpg never says today, but must not be believed if it does."""

import pytest

from mailroom.transport.gnupg_status import Run, failure, judge

FINGERPRINT = "A" * 40
OPENED = "BEGIN_DECRYPTION/DECRYPTION_INFO 2 9 0/PLAINTEXT 62 0 /DECRYPTION_OKAY/GOODMDC/END_DECRYPTION"
SIGNED = (
    f"NEWSIG/SIG_ID abc 2026-01-01 1/GOODSIG AAAA name/VALIDSIG {FINGERPRINT} 2026-01-01 1 0 4 0 22 8 00 {FINGERPRINT}"
)


def run(lines: str, exit_status: int = 0) -> Run:
    parted = (line.partition(" ") for line in lines.split("/") if line)
    return Run(exit_status, tuple((name, rest) for name, _, rest in parted), b"text")


def test_sound_lines_are_believed() -> None:
    assert failure(run(OPENED), 1_000_000) is None
    assert judge(run(SIGNED), b"text").signer == FINGERPRINT


def test_aead_counts_as_integrity_protection() -> None:
    assert failure(run(OPENED.replace("INFO 2 9 0", "INFO 0 9 2")), 1_000_000) is None


@pytest.mark.parametrize(
    "lines",
    [
        OPENED.replace("PLAINTEXT 62 0 ", "PLAINTEXT 62 0 /PLAINTEXT 62 0 "),
        "PLAINTEXT 62 0 /" + OPENED.replace("PLAINTEXT 62 0 /", ""),
        OPENED.replace("PLAINTEXT 62 0 /", "") + "/PLAINTEXT 62 0 ",
        OPENED.replace("PLAINTEXT 62 0 /", ""),
        OPENED + "/" + OPENED,
        OPENED.replace("GOODMDC/", ""),
        OPENED.replace("DECRYPTION_OKAY/", ""),
        OPENED.replace("/END_DECRYPTION", ""),
        OPENED.replace("INFO 2 9 0", "INFO 0 9 0"),
        OPENED.replace("INFO 2 9 0", "INFO 0 9"),
        "",
    ],
)
def test_lines_that_are_not_sound_open_nothing(lines: str) -> None:
    assert failure(run(lines), 1_000_000) is not None


@pytest.mark.parametrize("exit_status", [1, 2, -9])
def test_sound_lines_with_a_bad_exit_prove_nothing(exit_status: int) -> None:
    assert failure(run(OPENED, exit_status), 1_000_000) is not None
    assert judge(run(SIGNED, exit_status), b"text").state == "invalid"


@pytest.mark.parametrize(
    "lines",
    [
        SIGNED.replace(" 00 ", " 10 "),
        SIGNED.replace(" 00 ", " 18 "),
        SIGNED.replace(f" 00 {FINGERPRINT}", ""),
        SIGNED.replace(f"00 {FINGERPRINT}", "00 AAAA"),
        SIGNED.replace("SIG_ID abc 2026-01-01 1/", ""),
        SIGNED.replace("NEWSIG/", ""),
        SIGNED.replace("NEWSIG", "NEWSIG/NEWSIG"),
        SIGNED + "/" + SIGNED,
        SIGNED + "/" + SIGNED[SIGNED.index("VALIDSIG") :],
        SIGNED + "/BADSIG AAAA name",
        SIGNED.replace("GOODSIG AAAA name/", ""),
    ],
)
def test_signature_lines_that_are_not_sound_prove_nothing(lines: str) -> None:
    assert judge(run(lines), b"text").state == "invalid"
