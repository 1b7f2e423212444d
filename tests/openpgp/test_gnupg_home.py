import os
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from select import select

import pytest

from mailroom.errors import ConfigError
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.gnupg_home import DeskHome, prepare_home
from mailroom.transport.gnupg_status import read_keys
from mailroom.transport.sequoia import Sequoia
from tests.gnupg_home import PASSPHRASE, empty_home, fingerprint, gpg, public, secret


def test_home_is_closed_to_others_and_keeps_edited_files(tmp_path: Path) -> None:
    home = tmp_path / "h"
    prepare_home(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    (home / "gpg.conf").write_text("# mine\n")
    prepare_home(home)
    assert (home / "gpg.conf").read_text() == "# mine\n"


def test_settings_are_known_to_gpg_and_its_agent() -> None:
    with empty_home() as home:
        assert gpg(home, "--list-keys") == b""  # ends with an error on an unknown setting
        gpg(home, "--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key", "a@example.org", "ed25519")


def test_home_whose_socket_path_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too long"):
        prepare_home(tmp_path / ("x" * 100))


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_new_desk_key_opens_and_signs(passphrase: str | None) -> None:
    with empty_home() as home:
        keys = DeskHome(home, passphrase)
        made = keys.generate_desk_key("desk@example.org", "Büro für Hilfe 救助")
        (listed,) = keys.list_keys()
        assert (listed.fingerprint, listed.addresses, listed.secret) == (made, ("desk@example.org",), True)
        assert listed.expires is not None
        assert timedelta(days=1090) < listed.expires - datetime.now(UTC) < timedelta(days=1100)
        ciphertext = Sequoia().encrypt(b"hello", [keys.certificate(made)], armor=True)
        desk = GnuPG(home, made, passphrase, 1000)
        assert desk.decrypt(ciphertext).content == b"hello"
        assert desk.verify(b"text", desk.sign_detached(b"text")[0]).signer == made
        assert b"ed25519" in gpg(home, "--list-keys")
        assert "Büro für Hilfe 救助".encode() in gpg(home, "--display-charset", "utf-8", "--list-keys")


@pytest.mark.parametrize("name", ["", " ", "a\nExpire-Date: 0", "a <b@example.org>", "a@b"])
def test_name_that_could_say_more_than_a_name_is_refused(own_desk_home: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        DeskHome(own_desk_home).generate_desk_key("desk@example.org", name)


@pytest.mark.parametrize(
    "address", ["", "desk", "a@example.org\n%commit", "A <a@example.org>", "a@example.org b@example.org"]
)
def test_address_that_is_not_bare_is_refused(own_desk_home: Path, address: str) -> None:
    with pytest.raises(ConfigError):
        DeskHome(own_desk_home).generate_desk_key(address, "Desk")


def test_public_keys_are_imported(own_desk_home: Path) -> None:
    keys = DeskHome(own_desk_home)
    assert keys.import_public(public("rsa") + public("complainant")) == [fingerprint("rsa"), fingerprint("complainant")]
    assert {fingerprint("rsa"), fingerprint("complainant")} < {key.fingerprint for key in keys.list_keys()}


def test_private_key_is_not_taken_for_a_public_one(own_desk_home: Path) -> None:
    """A keeper's private key must never come to this machine, not even by mistake."""
    keys = DeskHome(own_desk_home)
    with pytest.raises(ConfigError, match="private"):
        keys.import_public(secret("complainant"))
    assert fingerprint("complainant") not in {key.fingerprint for key in keys.list_keys()}


def test_text_that_holds_no_keys_is_refused(own_desk_home: Path) -> None:
    for take in (DeskHome(own_desk_home).import_public, DeskHome(own_desk_home).import_secret):
        with pytest.raises(ConfigError):
            take(b"hello")


def test_retired_desk_key_is_imported_with_its_private_half(own_desk_home: Path) -> None:
    keys = DeskHome(own_desk_home)
    assert keys.import_secret(secret("complainant")) == [fingerprint("complainant")]
    ciphertext = Sequoia().encrypt(b"hello", [public("complainant")], armor=True)
    assert GnuPG(own_desk_home, fingerprint("desk"), None, 1000).decrypt(ciphertext).content == b"hello"
    with pytest.raises(ConfigError):
        keys.import_secret(public("rsa"))


def test_exported_key_is_that_key_alone(desk_home: Path) -> None:
    keys = DeskHome(desk_home)
    armored = keys.export_public(fingerprint("keeper"))
    assert armored.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert gpg(desk_home, "--dearmor", stdin=armored) == keys.certificate(fingerprint("keeper"))
    assert b"PRIVATE" not in keys.export_public(fingerprint("desk"))


@pytest.mark.parametrize("name", ["A" * 40, "keeper@example.org", "", fingerprint("keeper")[-16:]])
def test_key_is_exported_by_a_known_full_fingerprint_only(desk_home: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        DeskHome(desk_home).certificate(name)


def test_listing_tells_what_each_key_is() -> None:
    with empty_home() as home:
        gpg(home, "--import", stdin=b"".join(map(public, ("expired", "revoked", "keeper"))) + secret("desk"))
        keys = {key.fingerprint: key for key in DeskHome(home).list_keys()}
    expired, revoked = keys[fingerprint("expired")], keys[fingerprint("revoked")]
    assert expired.created == datetime(2024, 1, 1, tzinfo=UTC)
    assert expired.expires == datetime(2024, 12, 31, tzinfo=UTC)
    assert (revoked.revoked, revoked.addresses) == (True, ())
    assert keys[fingerprint("keeper")].addresses == ("keeper@example.org",)
    assert [key.fingerprint for key in keys.values() if key.secret] == [fingerprint("desk")]


def test_user_id_cannot_forge_a_listing() -> None:
    """gpg escapes colons and line feeds; Python would end lines elsewhere too."""
    forged = "a\u2028fpr" + "\\x3a" * 9 + "A" * 40 + "\\x3a <a@example.net>"
    listing = (
        f"pub:-:255:22:X:1:::-:::sc:::::ed25519:::0:\nfpr:::::::::{'B' * 40}:\nuid:-::::1::H::{forged}:::\n".encode()
    )
    (key,) = read_keys(listing)
    assert (key.fingerprint, key.addresses) == ("B" * 40, ("a@example.net",))


def test_user_id_with_two_addresses_has_none() -> None:
    listing = (
        b"pub:-:255:22:X:1:::-:::sc:::::ed25519:::0:\nfpr:::::::::%s:\nuid:-::::1::H::<a@x.example> <b@x.example>:::\n"
    )
    assert read_keys(listing % (b"B" * 40))[0].addresses == ()


def test_agent_stops() -> None:
    with empty_home() as home:
        keys = DeskHome(home)
        keys.generate_desk_key("desk@example.org", "Desk")
        answer = subprocess.run(
            ["gpg-connect-agent", "--homedir", str(home), "GETINFO pid", "/bye"], capture_output=True, check=True
        )
        agent = os.pidfd_open(int(answer.stdout.split()[1]))
        keys.stop_agent()
        assert select([agent], [], [], 10)[0] == [agent]  # a process that has ended can be read
        os.close(agent)
