from pathlib import Path

import pysequoia
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia.packet import PacketPile, Tag

from mailroom.errors import EncryptionFailed
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.sequoia import Sequoia
from tests.gnupg_home import fingerprint, gpg, new_home, public, secret

RECIPIENTS = ["desk", "keeper", "rsa"]


@pytest.fixture
def sequoia() -> Sequoia:
    return Sequoia()


@pytest.mark.parametrize("armor", [True, False])
def test_every_recipient_opens_it_with_gpg(sequoia: Sequoia, armor: bool) -> None:
    message = sequoia.encrypt(b"hello \xff", [public(name) for name in RECIPIENTS], armor=armor)
    assert message.startswith(b"-----BEGIN PGP MESSAGE-----") == armor
    for name in RECIPIENTS:
        with new_home([name]) as home:
            status = gpg(home, "--status-fd", "1", "--decrypt", stdin=message)
            assert b"[GNUPG:] GOODMDC" in status
            assert gpg(home, "--decrypt", stdin=message) == b"hello \xff"


def test_nobody_else_opens_it(sequoia: Sequoia) -> None:
    packets = list(PacketPile.from_bytes(sequoia.encrypt(b"hello", [public("keeper")], armor=False)))
    assert [packet.tag for packet in packets] == [Tag.PKESK, Tag.SEIP]


@pytest.mark.parametrize("name", ["expired", "revoked", "sign-only"])
def test_certificate_that_must_not_be_used_is_refused(sequoia: Sequoia, name: str) -> None:
    """pysequoia encrypts to expired and to revoked ones."""
    with pytest.raises(EncryptionFailed):
        sequoia.encrypt(b"hello", [public(name)], armor=True)
    with pytest.raises(EncryptionFailed):
        sequoia.encrypt(b"hello", [public("keeper"), public(name)], armor=True)


@pytest.mark.parametrize("certificate", [b"", b"hello", public("keeper")[:200], public("keeper") + public("desk")])
def test_bytes_that_are_not_one_certificate_are_refused(sequoia: Sequoia, certificate: bytes) -> None:
    with pytest.raises(EncryptionFailed):
        sequoia.encrypt(b"hello", [certificate], armor=True)


def test_no_recipient_is_refused(sequoia: Sequoia) -> None:
    with pytest.raises(EncryptionFailed):
        sequoia.encrypt(b"hello", [], armor=True)


def test_errors_name_nobody(sequoia: Sequoia) -> None:
    for name in ("expired", "revoked", "sign-only"):
        with pytest.raises(EncryptionFailed) as caught:
            sequoia.encrypt(b"hello", [public(name)], armor=True)
        assert fingerprint(name).lower() not in str(caught.value).lower()
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.fixture(scope="module")
def subkeys() -> tuple[bytes, bytes]:
    """A certificate whose one key for encryption has expired, and the same with a second one that has not."""
    with new_home() as home:
        then = ("--faked-system-time", "20240101T000000", "--pinentry-mode", "loopback", "--passphrase", "")
        gpg(home, *then, "--quick-generate-key", "old@example.net", "ed25519", "sign", "never")
        name = gpg(home, "--with-colons", "--list-keys").decode().partition("fpr:::::::::")[2][:40]
        gpg(home, *then, "--quick-add-key", name, "cv25519", "encr", "1y")
        expired = gpg(home, "--export", name)
        gpg(home, *then, "--quick-add-key", name, "cv25519", "encr", "never")
        return expired, gpg(home, "--export", name)


def test_expired_key_for_encryption_is_refused(sequoia: Sequoia, subkeys: tuple[bytes, bytes]) -> None:
    with pytest.raises(EncryptionFailed):
        sequoia.encrypt(b"hello", [subkeys[0]], armor=True)
    assert sequoia.certificate_for(subkeys[0], "old@example.net") is None


def test_expired_certificate_with_a_living_subkey_is_refused(sequoia: Sequoia) -> None:
    with new_home() as home:
        then = ("--faked-system-time", "20240101T000000", "--pinentry-mode", "loopback", "--passphrase", "")
        gpg(home, *then, "--quick-generate-key", "old@example.net", "ed25519", "sign", "1y")
        name = gpg(home, "--with-colons", "--list-keys").decode().partition("fpr:::::::::")[2][:40]
        gpg(home, *then, "--quick-add-key", name, "cv25519", "encr", "never")
        certificate = gpg(home, "--export", name)
    with pytest.raises(EncryptionFailed, match="expired"):
        sequoia.encrypt(b"hello", [certificate], armor=True)


def test_living_key_for_encryption_is_preferred(sequoia: Sequoia, subkeys: tuple[bytes, bytes]) -> None:
    message = sequoia.encrypt(b"hello", [subkeys[1]], armor=False)
    used = next(iter(PacketPile.from_bytes(message)))
    living = [packet for packet in PacketPile.from_bytes(subkeys[1]) if packet.tag == Tag.PublicSubkey]
    assert bytes.fromhex(str(living[1].key_id)) in bytes(used)
    assert bytes.fromhex(str(living[0].key_id)) not in bytes(used)


@pytest.mark.parametrize("address", ["complainant@example.net", "Complainant@EXAMPLE.net"])
def test_certificate_is_found_for_its_own_address(sequoia: Sequoia, address: str) -> None:
    found = sequoia.certificate_for(public("complainant"), address)
    assert found is not None
    assert pysequoia.Cert.from_bytes(found).fingerprint.upper() == fingerprint("complainant")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("other-address", "complainant@example.net"),
        ("complainant", "complainant@example.net.evil.example"),
        ("complainant", "plainant@example.net"),
        ("complainant", ""),
        ("desk", "Desk"),
        ("expired", "expired@example.net"),
        ("revoked", "revoked@example.net"),
        ("sign-only", "sign-only@example.net"),
    ],
)
def test_certificate_of_another_address_or_unusable_is_not_found(sequoia: Sequoia, name: str, address: str) -> None:
    assert sequoia.certificate_for(public(name), address) is None


@pytest.mark.parametrize(
    "user_id", ["<a@example.net> <b@example.net>", "a@example.net <b@example.net> x", "a@example.net,"]
)
def test_user_id_that_is_not_clear_about_its_address_is_not_used(sequoia: Sequoia, user_id: str) -> None:
    key = pysequoia.Tsk.generate(user_id=user_id)
    assert sequoia.certificate_for(bytes(key.extract_certificate()), "a@example.net") is None


def test_certificate_is_found_among_several(sequoia: Sequoia) -> None:
    keys = public("desk") + b"\n" + public("complainant")
    assert sequoia.certificate_for(keys, "complainant@example.net") is not None


def test_private_key_that_somebody_sent_is_not_kept(sequoia: Sequoia) -> None:
    found = sequoia.certificate_for(secret("complainant"), "complainant@example.net")
    assert found is not None
    kinds = {str(packet.tag) for packet in PacketPile.from_bytes(found)}
    assert not kinds & {str(Tag.SecretKey), str(Tag.SecretSubkey)}


def test_a_flood_of_keys_is_not_read(sequoia: Sequoia) -> None:
    keys = public("complainant") + b"\n" * 2_000_000
    assert sequoia.certificate_for(keys, "complainant@example.net") is None


def test_cache_is_bounded(sequoia: Sequoia) -> None:
    certificate = bytes(pysequoia.Cert.from_bytes(public("keeper")))
    for number in range(300):
        # Armor may carry comments: the same certificate under another name.
        armored = pysequoia.armor(certificate, pysequoia.ArmorKind.PublicKey).replace("\n", f"\nComment: {number}\n", 1)
        sequoia.encrypt(b"", [armored.encode()], armor=False)
    assert len(sequoia._parsed) == 256


@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_damaged_certificates_raise_nothing_else(position: int, damage: bytes) -> None:
    certificate = bytes(pysequoia.Cert.from_bytes(public("complainant")))
    damaged = certificate[:position] + damage + certificate[position + len(damage) :]
    sequoia = Sequoia()
    sequoia.certificate_for(damaged, "complainant@example.net")
    try:
        sequoia.encrypt(b"hello", [damaged], armor=False)
    except EncryptionFailed:
        return


def test_answer_signed_by_the_desk_opens_and_verifies_for_the_complainant(sequoia: Sequoia, desk: GnuPG) -> None:
    """A reply is signed by gpg inside and encrypted by Sequoia."""
    entity = b"Content-Type: text/plain\r\n\r\nWe are here.\r\n"
    signature, _ = desk.sign_detached(entity)
    message = sequoia.encrypt(entity + signature, [public("complainant")], armor=True)
    with new_home(["complainant"], ["desk"]) as home:
        opened = gpg(home, "--decrypt", stdin=message)
        (home / "signature").write_bytes(opened[len(entity) :])
        status = gpg(home, "--status-fd", "1", "--verify", str(home / "signature"), "-", stdin=opened[: len(entity)])
        assert Path(home / "signature").read_bytes() == signature
    assert f"VALIDSIG {fingerprint('desk')}".encode() in status
