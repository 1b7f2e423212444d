import asyncio
import logging
import os
import shutil
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from select import select

import pysequoia
import pytest

from mailroom.errors import ConfigError, DecryptionFailed, EncryptionFailed
from mailroom.transport.gnupg import GnuPG, GnuPGSigner
from tests.gnupg_home import fingerprint, gpg, new_home, public, secret
from tests.openpgp_mails import encrypted


def program(path: Path, text: str) -> str:
    """Write a shell script that stands where gpg should; asked for its version, it is the real gpg."""
    path.write_text(f'#!/bin/sh\ncase "$*" in *--list-config*) exec {shutil.which("gpg")} "$@";; esac\n{text}\n')
    path.chmod(0o755)
    return str(path)


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_gpg_that_hangs_is_killed_with_its_children(desk_home: Path, tmp_path: Path) -> None:
    hanging = program(tmp_path / "gpg", "sleep 1000 & wait")
    desk = GnuPG(desk_home, fingerprint("desk"), None, 1000, hanging, deadline=0.2)
    with pytest.raises(DecryptionFailed) as caught:
        desk.decrypt(encrypted(b"hello"))
    assert caught.value.why == "failed"
    assert desk.verify(b"text", b"signature").state == "invalid"
    assert desk.verify_inline(b"text")[1] == b""
    with pytest.raises(EncryptionFailed):
        desk.sign_detached(b"text")


def test_gpg_that_dies_after_all_good_lines_opens_nothing(desk_home: Path, tmp_path: Path) -> None:
    """What it printed may be half of the plaintext."""
    good = "BEGIN_DECRYPTION/DECRYPTION_INFO 2 9 0/PLAINTEXT 62 0 /DECRYPTION_OKAY/GOODMDC/END_DECRYPTION"
    said = "".join(f"echo '[GNUPG:] {line}' >&2\n" for line in good.split("/"))
    for ending, works in (("exit 0", True), ("exit 2", False), ("kill -9 $$", False)):
        desk = GnuPG(desk_home, "", None, 1000, program(tmp_path / "gpg", f"cat >/dev/null\necho half\n{said}{ending}"))
        if works:
            assert desk.decrypt(b"x").content == b"half\n"
            continue
        with pytest.raises(DecryptionFailed):
            desk.decrypt(b"x")


def test_gpg_that_reads_nothing_is_no_crash(desk_home: Path, tmp_path: Path) -> None:
    desk = GnuPG(desk_home, "", None, 1000, program(tmp_path / "gpg", "exit 2"))
    with pytest.raises(DecryptionFailed):
        desk.decrypt(bytes(5_000_000))


def test_gpg_that_vanished_is_no_crash(desk_home: Path, tmp_path: Path) -> None:
    gone = program(tmp_path / "gpg", "")
    desk = GnuPG(desk_home, "", None, 1000, gone)
    Path(gone).unlink()
    with pytest.raises(DecryptionFailed):
        desk.decrypt(encrypted(b"hello"))


def test_missing_gpg_or_home_is_a_configuration_error(desk_home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        GnuPG(tmp_path / "none", "", None, 1000)
    with pytest.raises(ConfigError):
        GnuPG(desk_home, "", None, 1000, executable=str(tmp_path / "no-gpg"))


def test_environment_names_no_other_home(desk_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))
    before = dict(os.environ)
    assert GnuPG(desk_home, fingerprint("desk"), None, 1000).decrypt(encrypted(b"hello")).content == b"hello"
    assert dict(os.environ) == before
    assert not list(tmp_path.iterdir())


def test_nothing_of_a_mail_is_written_anywhere(
    own_desk_home: Path, people_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    desk = GnuPG(own_desk_home, fingerprint("desk"), None, 100_000)
    untouched = tmp_path.stat().st_mtime_ns
    signing = ("--sign", "--local-user", fingerprint("complainant"), "--set-filename", "canary-name")
    message = gpg(people_home, *signing, "--encrypt", "--recipient", fingerprint("desk"), stdin=b"canary-text")
    signature = gpg(people_home, "--detach-sign", "--local-user", fingerprint("complainant"), stdin=b"canary-text")
    desk.decrypt(message)
    desk.verify(b"canary-text", signature)
    desk.verify_inline(
        gpg(people_home, "--clearsign", "--local-user", fingerprint("complainant"), stdin=b"canary-text")
    )
    desk.sign_detached(b"canary-text")
    assert tmp_path.stat().st_mtime_ns == untouched  # not even a file that is gone again
    kept = files_of(own_desk_home)
    assert kept
    for word in (b"canary", b"complainant", fingerprint("complainant").encode()):
        assert not [path.name for path, content in kept.items() if word in content]


def test_no_key_is_looked_for_on_the_network(people_home: Path, tmp_path: Path) -> None:
    """The home's gpg.conf asks for it, and names a program that would tell."""
    signature = gpg(people_home, "--detach-sign", "--local-user", fingerprint("complainant"), stdin=b"text")
    (tmp_path / "signature").write_bytes(signature)
    called, told = tmp_path / "called", tmp_path / "told"
    os.mkfifo(told)
    asking = program(tmp_path / "dirmngr", f"touch {called}; echo > {told}")
    with new_home(public_keys=["keeper"]) as home:
        settings = f"auto-key-retrieve\nkeyserver hkp://127.0.0.1:9\ndirmngr-program {asking}\n"
        (home / "gpg.conf").write_text(settings)
        assert GnuPG(home, "", None, 1000).verify(b"text", signature).state == "unknown_key"
        assert not called.exists()
        # Plain gpg does ask there, else this test would prove nothing; it waits for an answer, we do not.
        command = ["gpg", "--homedir", str(home), "--batch", "--verify", str(tmp_path / "signature"), __file__]
        listening = os.open(told, os.O_RDONLY | os.O_NONBLOCK)
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as asker:
            assert select([listening], [], [], 10)[0]
            asker.kill()
        os.close(listening)
        assert called.exists()


def test_nobody_is_asked_for_a_passphrase(own_desk_home: Path, tmp_path: Path) -> None:
    """Not for a message under a password, nor for a locked key."""
    called = tmp_path / "called"
    asking = program(tmp_path / "pinentry", f"touch {called}")
    with (own_desk_home / "gpg-agent.conf").open("a") as settings:
        settings.write(f"pinentry-program {asking}\n")
    gpg(own_desk_home, "--import", stdin=secret("locked"))
    desk = GnuPG(own_desk_home, fingerprint("locked"), None, 1000)
    for message in (encrypted(b"hello", ["locked"]), pysequoia.encrypt(b"hello", passwords=["x"])):
        with pytest.raises(DecryptionFailed):
            desk.decrypt(message)
    with pytest.raises(EncryptionFailed):
        desk.sign_detached(b"text")
    assert not called.exists()
    gpg(own_desk_home, "--decrypt", stdin=encrypted(b"hello", ["locked"]), check=False)
    assert called.exists()  # plain gpg does ask there, else this test would prove nothing


def test_edited_settings_of_the_home_do_not_matter(own_desk_home: Path) -> None:
    (own_desk_home / "gpg.conf").write_text("comment canary\n")
    assert b"canary" in gpg(own_desk_home, "--armor", "--detach-sign", stdin=b"text")
    signature, _ = GnuPG(own_desk_home, fingerprint("desk"), None, 1000).sign_detached(b"text")
    assert b"canary" not in signature


def test_log_of_gpg_is_kept_apart_from_its_status(desk_home: Path, tmp_path: Path) -> None:
    """The log quotes what strangers wrote."""
    args = tmp_path / "args"
    desk = GnuPG(desk_home, "", None, 1000, program(tmp_path / "gpg", f'echo "$*" > {args}'))
    desk.verify(b"text", b"signature")
    assert "--status-fd 2" in args.read_text()
    assert "--logger-file /dev/null" in args.read_text()


def test_detached_signature_with_a_plaintext_proves_nothing_whatever_gpg_says(desk_home: Path, tmp_path: Path) -> None:
    keeper = fingerprint("keeper")
    good = f"NEWSIG/SIG_ID a b c/GOODSIG {keeper[-16:]} K/VALIDSIG {keeper} 2026-01-01 1 0 4 0 22 8 00 {keeper}"
    for lines, state in ((good, "valid"), (f"PLAINTEXT 62 0 /{good}", "invalid")):
        said = "".join(f"echo '[GNUPG:] {line}' >&2\n" for line in lines.split("/"))
        listing = f'case "$*" in *--list-keys*) exec {shutil.which("gpg")} "$@";; esac\n'
        desk = GnuPG(desk_home, "", None, 1000, program(tmp_path / "gpg", f"{listing}cat >/dev/null\n{said}"))
        assert desk.verify(b"text", b"signature").state == state


def test_nothing_reaches_the_log(desk: GnuPG, people_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk.verify(b"text", gpg(people_home, "--detach-sign", "--local-user", fingerprint("keeper"), stdin=b"text"))
    desk.verify(b"text", b"rubbish")
    assert not caplog.records


def test_one_keyring_serves_many_threads(desk: GnuPG, people_home: Path) -> None:
    def both(number: int) -> tuple[bytes, str | None]:
        text = b"%d" % number * 50_000
        opened = desk.decrypt(encrypted(text, sign_with=("keeper", "deputy")[number % 2]))
        return opened.content, opened.signature.signer

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(both, range(24)))
    expected = [fingerprint(("keeper", "deputy")[number % 2]) for number in range(24)]
    assert results == [(b"%d" % number * 50_000, expected[number]) for number in range(24)]


def test_new_keys_are_known_at_once(own_desk_home: Path) -> None:
    desk = GnuPG(own_desk_home, fingerprint("desk"), None, 1000)
    assert desk.decrypt(encrypted(b"hello", sign_with="keeper")).signature.addresses == ("keeper@example.org",)
    assert desk.decrypt(encrypted(b"hello", sign_with="rsa")).signature.state == "unknown_key"
    gpg(own_desk_home, "--import", stdin=public("rsa"))
    assert desk.decrypt(encrypted(b"hello", sign_with="rsa")).signature.addresses == ("rsa@example.net",)


class Counting(GnuPG):
    """Counts how many signatures are being made at a time."""

    now = most = 0
    lock = threading.Lock()

    def sign_detached(self, content: bytes) -> tuple[bytes, str]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        signed = super().sign_detached(content)
        with self.lock:
            self.now -= 1
        return signed


async def test_signer_runs_no_more_gpg_than_allowed(desk_home: Path) -> None:
    desk = Counting(desk_home, fingerprint("desk"), None, 1000)
    signer = GnuPGSigner(desk, limit=2)
    signed = await asyncio.gather(*(signer.sign(b"text") for _ in range(8)))
    assert len(signed) == 8
    assert desk.most == 2
