"""What happens with every kind of key that people have: to answer to it, and to believe its signature."""

from pathlib import Path

import pysequoia
import pytest
from pysequoia.packet import PacketPile, Tag

from mailroom.errors import ConfigError, EncryptionFailed
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.gnupg_home import DeskHome
from mailroom.transport.sequoia import Sequoia
from tests.gnupg_home import fingerprint, gpg, new_home, public

MAX_OUTPUT = 2_000_000
# An answer can be encrypted to these, and their owner opens it.
ANSWERED = {
    "complainant": "complainant@example.net",
    "keeper": "keeper@example.org",
    "rsa": "rsa@example.net",
    "rsa3072": "rsa3072@example.net",
    "rsa4096": "rsa4096@example.net",
    "nistp256": "nistp256@example.net",
    "utf-8-name": "zofie@example.net",
    "new-subkey": "new-subkey@example.net",
    "two-addresses": "mallory@example.net",
}
# To these nothing is encrypted; their owner is asked for another key.
REFUSED = {
    "expired": "expired@example.net",
    "revoked": "revoked@example.net",
    "sign-only": "sign-only@example.net",
    "old-subkey": "old-subkey@example.net",  # its only key for encryption has expired
    "brainpool": "brainpool@example.net",  # Sequoia is built without these curves
    "dsa-elgamal": "dsa-elgamal@example.net",  # Sequoia refuses DSA
}
# gpg believes the signatures of all these, once the key is in the desk's home.
SIGNERS = (
    *("complainant", "keeper", "rsa4096", "nistp256", "brainpool", "dsa-elgamal", "utf-8-name", "sign-only"),
    *("new-subkey", "old-subkey"),  # the one signs with the subkey that has not expired
)


@pytest.mark.parametrize("name", ANSWERED)
def test_owner_opens_what_is_encrypted_to_this_key(people_home: Path, name: str) -> None:
    certificate = Sequoia().certificate_for(public(name), ANSWERED[name].upper())
    assert certificate is not None
    message = Sequoia().encrypt(b"answer", [certificate], armor=True)
    assert gpg(people_home, "--decrypt", stdin=message) == b"answer"


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_encrypted_to_this_key(name: str) -> None:
    assert Sequoia().certificate_for(public(name), REFUSED[name]) is None
    with pytest.raises(EncryptionFailed):
        Sequoia().encrypt(b"answer", [public(name)], armor=True)


@pytest.mark.parametrize("name", SIGNERS)
def test_signature_of_this_key_is_believed(people_home: Path, name: str) -> None:
    signature = gpg(people_home, "--detach-sign", "--local-user", fingerprint(name), stdin=b"words")
    with new_home(public_keys=[name]) as home:
        found = GnuPG(home, "", None, MAX_OUTPUT).verify(b"words", signature)
    assert (found.state, found.signer) == ("valid", fingerprint(name))


def test_addresses_of_a_signer_are_those_between_angle_brackets(people_home: Path) -> None:
    """The user id is `keeper@example.org <mallory@example.net>`: a name is no address."""
    signature = gpg(people_home, "--detach-sign", "--local-user", fingerprint("two-addresses"), stdin=b"words")
    with new_home(public_keys=["two-addresses"]) as home:
        assert GnuPG(home, "", None, MAX_OUTPUT).verify(b"words", signature).addresses == ("mallory@example.net",)
    assert Sequoia().certificate_for(public("two-addresses"), "keeper@example.org") is None


def test_name_in_any_script_is_no_hindrance(people_home: Path) -> None:
    signature = gpg(people_home, "--detach-sign", "--local-user", fingerprint("utf-8-name"), stdin=b"words")
    with new_home(public_keys=["utf-8-name"]) as home:
        assert GnuPG(home, "", None, MAX_OUTPUT).verify(b"words", signature).addresses == ("zofie@example.net",)


@pytest.fixture(scope="module")
def v6() -> pysequoia.Tsk:
    """Make a key of RFC 9580, which GnuPG cannot read."""
    return pysequoia.Tsk.generate("v6@example.net", profile=pysequoia.Profile.RFC9580)


def test_owner_of_a_v6_key_is_answered(v6: pysequoia.Tsk) -> None:
    certificate = Sequoia().certificate_for(bytes(v6.extract_certificate()), "v6@example.net")
    assert certificate is not None
    message = Sequoia().encrypt(b"answer", [certificate], armor=True)
    assert pysequoia.decrypt(message, v6.decryptor()).bytes == b"answer"


def test_signature_of_a_v6_key_is_never_valid_but_the_key_can_vouch_for_itself(desk: GnuPG, v6: pysequoia.Tsk) -> None:
    signature = pysequoia.sign(v6.signer(), b"words", mode=pysequoia.SignatureMode.DETACHED)
    assert desk.verify(b"words", signature).state == "invalid"
    assert Sequoia().signed_by(bytes(v6.extract_certificate()), b"words", signature)


def test_v6_key_is_refused_by_the_desk_home_with_a_reason(v6: pysequoia.Tsk, own_desk_home: Path) -> None:
    with pytest.raises(ConfigError, match="no OpenPGP keys that gpg can use"):
        DeskHome(own_desk_home).import_public(bytes(v6.extract_certificate()))


def test_key_without_a_user_id_belongs_to_nobody() -> None:
    """It may be anybody's, so no answer is encrypted to it."""
    certificate = bytes(pysequoia.Tsk.generate().extract_certificate())
    assert Sequoia().certificate_for(certificate, "complainant@example.net") is None


def test_key_with_a_thousand_strange_signatures_is_used(people_home: Path) -> None:
    packets = [*PacketPile.from_bytes(public("complainant"))]
    first = next(number for number, packet in enumerate(packets) if packet.tag == Tag.Signature)
    hers = bytes(packets[first])
    strange = b"".join(hers[:-2] + bytes(divmod(number, 256)) for number in range(1000))
    flooded = b"".join(map(bytes, packets[: first + 1])) + strange + b"".join(map(bytes, packets[first + 1 :]))
    certificate = Sequoia().certificate_for(flooded, "complainant@example.net")
    assert certificate is not None
    message = Sequoia().encrypt(b"answer", [certificate], armor=True)
    assert gpg(people_home, "--decrypt", stdin=message) == b"answer"
