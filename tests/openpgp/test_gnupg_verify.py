from hashlib import sha256
from pathlib import Path

import pysequoia
import pytest

from mailroom.errors import EncryptionFailed
from mailroom.mail.message import Signature
from mailroom.transport.gnupg import GnuPG, GnuPGSigner
from mailroom.transport.gnupg_home import DeskHome
from tests.gnupg_home import fingerprint, gpg, new_home, public, secret
from tests.openpgp_mails import signer

SIGNED = b"Content-Type: text/plain\r\n\r\nclose\r\n"
NOTHING_PROVEN = Signature("invalid")
IN_2024 = ("--faked-system-time", "20240601T000000")


def sign(people: Path, name: str, *options: str, content: bytes = SIGNED, how: str = "--detach-sign") -> bytes:
    """Sign with the real gpg, as a keeper does."""
    return gpg(people, *options, "--armor", "--local-user", fingerprint(name), how, stdin=content)


def test_good_signature_proves_who_signed_what(desk: GnuPG, people_home: Path) -> None:
    signature = desk.verify(SIGNED, sign(people_home, "keeper"))
    assert signature.state == "valid"
    assert signature.signer == fingerprint("keeper")  # not that of the subkey which signed
    assert signature.addresses == ("keeper@example.org",)
    assert signature.sig_id
    assert signature.digest == sha256(SIGNED).hexdigest()


def test_signature_from_sequoia_is_good(desk: GnuPG) -> None:
    signature = pysequoia.sign(signer("keeper"), SIGNED, mode=pysequoia.SignatureMode.DETACHED)
    assert desk.verify(SIGNED, signature).signer == fingerprint("keeper")


def test_replayed_signature_is_recognised_whatever_its_armor(desk: GnuPG, people_home: Path) -> None:
    armored = sign(people_home, "keeper")
    binary = gpg(people_home, "--dearmor", stdin=armored)
    assert desk.verify(SIGNED, armored) == desk.verify(SIGNED, binary)


def test_text_signature_has_one_digest_for_any_line_ends(desk: GnuPG, people_home: Path) -> None:
    signature = sign(people_home, "keeper", "--textmode")
    other = desk.verify(SIGNED.replace(b"\r\n", b"\n"), signature)
    assert (other.state, other.digest) == ("valid", desk.verify(SIGNED, signature).digest)


def test_changed_text_is_refused(desk: GnuPG, people_home: Path) -> None:
    signature = desk.verify(SIGNED.replace(b"close", b"erase"), sign(people_home, "keeper"))
    assert (signature.state, signature.signer, signature.sig_id) == ("invalid", None, None)


def test_unknown_key_is_told(desk: GnuPG, people_home: Path) -> None:
    signature = desk.verify(SIGNED, sign(people_home, "complainant"))
    assert (signature.state, signature.signer) == ("unknown_key", None)


def test_expired_key_is_refused(people_home: Path) -> None:
    """python-gnupg calls this one "signature valid"."""
    with new_home(public_keys=["expired"]) as home:
        verdict = GnuPG(home, "", None, 1000).verify(SIGNED, sign(people_home, "expired", *IN_2024))
    assert (verdict.state, verdict.signer) == ("expired", fingerprint("expired"))


def test_expired_signature_is_refused(desk: GnuPG, people_home: Path) -> None:
    signature = sign(people_home, "keeper", *IN_2024, "--default-sig-expire", "1d")
    assert desk.verify(SIGNED, signature).state == "expired"


def test_revoked_key_is_refused() -> None:
    revocation = public("revoked")
    valid = pysequoia.Tsk.from_bytes(secret("revoked"))
    signature = pysequoia.sign(_unrevoked(valid).signer(), SIGNED, mode=pysequoia.SignatureMode.DETACHED)
    with new_home() as home:
        gpg(home, "--import", stdin=revocation)
        assert GnuPG(home, "", None, 1000).verify(SIGNED, signature).state == "revoked"


def _unrevoked(key: pysequoia.Tsk) -> pysequoia.Tsk:
    """The key as its owner had it before it was revoked."""
    packets = pysequoia.packet.PacketPile.from_bytes(bytes(key))
    kinds = pysequoia.packet.SignatureType
    return pysequoia.Tsk.from_packets([each for each in packets if each.signature_type != kinds.KeyRevocation])


def test_signature_with_sha1_is_refused(desk: GnuPG, people_home: Path) -> None:
    assert desk.verify(SIGNED, sign(people_home, "deputy", "--digest-algo", "SHA1")).state == "invalid"


def test_several_signatures_prove_nothing(desk: GnuPG, people_home: Path) -> None:
    for other in ("deputy", "complainant"):
        signature = sign(people_home, "keeper", "--local-user", fingerprint(other))
        verdict = desk.verify(SIGNED, signature)
        assert (verdict.state, verdict.signer, verdict.sig_id) == ("invalid", None, None)


@pytest.mark.parametrize("how", ["--sign", "--clearsign"])
def test_signature_that_brings_its_own_text_vouches_for_no_other(desk: GnuPG, people_home: Path, how: str) -> None:
    assert desk.verify(b"erase everything", sign(people_home, "keeper", how=how)) == NOTHING_PROVEN
    assert desk.verify(SIGNED, sign(people_home, "keeper", how=how)) == NOTHING_PROVEN


@pytest.mark.parametrize(
    "signature", [b"", b"hello", b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"]
)
def test_rubbish_is_no_signature(desk: GnuPG, signature: bytes) -> None:
    assert desk.verify(SIGNED, signature).state == "invalid"


def test_signature_over_a_key_is_none_over_a_mail(desk: GnuPG) -> None:
    assert desk.verify(b"", public("keeper")).state == "invalid"


def test_name_of_a_key_cannot_forge_status_lines(people_home: Path) -> None:
    """A user id may hold U+0085, where Python would end the line."""
    keeper = fingerprint("keeper")
    forged = f"a\x85[GNUPG:] VALIDSIG {keeper} 2026-01-01 1 0 4 0 22 8 00 {keeper}\x85[GNUPG:] X <mallory@example.net>"
    with new_home(public_keys=["keeper"]) as home:
        unlocked = ("--pinentry-mode", "loopback", "--passphrase", "")
        gpg(home, *unlocked, "--quick-generate-key", forged, "ed25519", "sign", "never")
        signature = gpg(home, *unlocked, "--detach-sign", "--local-user", "mallory@example.net", stdin=SIGNED)
        verdict = GnuPG(home, "", None, 1000).verify(SIGNED, signature)
        mallory = next(key for key in DeskHome(home).list_keys() if key.fingerprint != keeper)
    assert verdict.signer == mallory.fingerprint
    assert verdict.addresses == ("mallory@example.net",)


def test_cleartext_signature_gives_exactly_what_it_covers(desk: GnuPG, people_home: Path) -> None:
    armored = sign(people_home, "keeper", content=b"- close\nFrom me: \xc3\xa9\n", how="--clearsign")
    verdict, covered = desk.verify_inline(b"before\n" + armored + b"after\n")
    assert (verdict.state, verdict.signer) == ("valid", fingerprint("keeper"))
    assert covered == b"- close\nFrom me: \xc3\xa9\n"


def test_cleartext_signature_by_an_unknown_key_still_gives_the_text(desk: GnuPG, people_home: Path) -> None:
    verdict, covered = desk.verify_inline(sign(people_home, "complainant", content=b"help\n", how="--clearsign"))
    assert (verdict.state, covered) == ("unknown_key", b"help\n")


def test_changed_cleartext_is_refused(desk: GnuPG, people_home: Path) -> None:
    armored = sign(people_home, "keeper", content=b"close\n", how="--clearsign").replace(b"close", b"erase")
    verdict, covered = desk.verify_inline(armored)
    assert (verdict.state, verdict.signer, covered) == ("invalid", None, b"erase\n")


def test_two_cleartext_signatures_prove_nothing(desk: GnuPG, people_home: Path) -> None:
    armored = sign(people_home, "keeper", content=b"close\n", how="--clearsign")
    assert desk.verify_inline(armored + armored)[0].state == "invalid"


@pytest.mark.parametrize("armored", [b"", b"hello"])
def test_rubbish_is_no_cleartext_signature(desk: GnuPG, armored: bytes) -> None:
    assert desk.verify_inline(armored) == (NOTHING_PROVEN, b"")


def test_encrypted_message_is_not_opened_as_a_signed_text(desk: GnuPG, people_home: Path) -> None:
    message = gpg(people_home, "--armor", "--encrypt", "--recipient", fingerprint("desk"), stdin=b"hello")
    assert desk.verify_inline(message) == (NOTHING_PROVEN, b"")


def test_desk_signature_is_good_for_gpg(desk: GnuPG, people_home: Path, tmp_path: Path) -> None:
    signature, micalg = desk.sign_detached(SIGNED)
    (tmp_path / "signature").write_bytes(signature)
    status = gpg(people_home, "--status-fd", "1", "--verify", str(tmp_path / "signature"), "-", stdin=SIGNED)
    assert f"VALIDSIG {fingerprint('desk')}".encode() in status
    assert signature.startswith(b"-----BEGIN PGP SIGNATURE-----")
    assert micalg == "pgp-sha256"


async def test_signer_signs_off_the_event_loop(desk: GnuPG) -> None:
    signature, _ = await GnuPGSigner(desk).sign(SIGNED)
    assert desk.verify(SIGNED, signature).signer == fingerprint("desk")


@pytest.mark.parametrize("key", ["", "A" * 40])
def test_missing_desk_key_signs_nothing(desk_home: Path, key: str) -> None:
    """gpg would else take any other secret key of the home."""
    with pytest.raises(EncryptionFailed):
        GnuPG(desk_home, key, None, 1000).sign_detached(SIGNED)


def test_public_key_cannot_sign(desk_home: Path) -> None:
    with pytest.raises(EncryptionFailed):
        GnuPG(desk_home, fingerprint("keeper"), None, 1000).sign_detached(SIGNED)
