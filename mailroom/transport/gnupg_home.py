"""The desk's GNUPGHOME: made, filled and listed, for `mailroom init`, `mailroom keys` and `mailroom doctor`.

It holds the desk key (and retired ones) and the public keys of archive, keepers, admins and researchers; no
complainant's key ever, because gpg keeps traces of user ids even of a key that was deleted.
"""

import re
import subprocess
from pathlib import Path

from mailroom.errors import ConfigError, Problem
from mailroom.transport.gnupg import Gpg
from mailroom.transport.gnupg_status import Key, read_keys

# For a person who runs gpg in this home by hand; Mailroom itself passes what it needs on every command line.
_GPG_CONF = """\
# Never the network.
disable-dirmngr
no-auto-key-locate
no-auto-key-retrieve
no-auto-key-import
# Recipients are chosen by full fingerprint, not by what other keys say about them.
trust-model always
no-symkey-cache
"""
_AGENT_CONF = """\
# Serves a daemon: asks nobody, and forgets nothing while it runs.
allow-loopback-pinentry
no-allow-external-cache
default-cache-ttl 31536000
max-cache-ttl 31536000
disable-scdaemon
extra-socket none
browser-socket none
# Every use of a key with a passphrase costs this; gpg's own choice costs 0.1 s and more. A passphrase that stands
# in a file should be long and random, and then needs no slow hash.
s2k-count 65536
# Many keys in use at a time need more locked memory than the agent sets aside.
auto-expand-secmem
"""
# The longest socket path that every Unix takes (struct sockaddr_un), less the name of gpg-agent's own.
_MAX_HOME = 103 - len("/S.gpg-agent.ssh")
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\]+@[^\s<>@,;:\"()\[\]\\]+")


def prepare_home(home: Path) -> None:
    """Make a GNUPGHOME that only we can enter, with settings fit for a daemon. Files that are there are kept.

    Raises:
        ConfigError: the path is too long for the socket of gpg's agent.
    """
    if len(str(home.absolute()).encode()) > _MAX_HOME:
        raise ConfigError(Problem("openpgp.home", "", f"is too long: at most {_MAX_HOME} bytes, for gpg's socket."))
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    for name, text in (("gpg.conf", _GPG_CONF), ("gpg-agent.conf", _AGENT_CONF)):
        if not (home / name).exists():
            (home / name).write_text(text, encoding="ascii")


class DeskHome:
    """The keys in the desk's home. The arguments are those of `Gpg`."""

    def __init__(
        self, home: Path, passphrase: str | None = None, executable: str = "gpg", deadline: float = 60.0
    ) -> None:
        self._home = home
        self._gpg = Gpg(home, passphrase, executable, deadline)

    def generate_desk_key(self, address: str, name: str) -> str:
        """Make a key for `name <address>`, protected by the passphrase if there is one; give its fingerprint.

        ed25519 to sign, cv25519 to decrypt, for 3 years: a desk that nobody keeps any more stops collecting
        secrets, while `doctor` warns long before.

        Raises:
            ConfigError: name or address cannot stand in a user id, or gpg made no key.
        """
        # Each line is a setting of gpg, so nothing may bring a line of its own.
        if not name.isprintable() or set(name) & set("<>@()") or not name.strip():
            raise ConfigError(Problem("service.name", "", "must be one line without < > @ ( )."))
        if not address.isprintable() or not _ADDRESS.fullmatch(address):
            raise ConfigError(Problem("service.address", "", "must be a bare address, such as desk@example.org."))
        settings = {
            "key_type": "EDDSA", "key_curve": "ed25519", "key_usage": "cert,sign",
            "subkey_type": "ECDH", "subkey_curve": "cv25519", "subkey_usage": "encrypt",
            "name_real": name, "name_email": address, "expire_date": "3y",
        }  # fmt: skip
        lock = {"passphrase": self._gpg.passphrase} if self._gpg.passphrase else {"no_protection": True}
        run = self._gpg.run(["--gen-key"], self._gpg.gen_key_input(**settings, **lock).encode())
        made = run.value("KEY_CREATED").split()
        if run.exit_status != 0 or len(made) < 2:
            raise ConfigError(Problem("openpgp.home", "", "gpg could make no key there; is the disk writable?"))
        return made[1]

    def import_public(self, keys: bytes) -> list[str]:
        """Import public keys (binary or armored); give their fingerprints.

        Raises:
            ConfigError: not OpenPGP keys, or private ones: a keeper's private key has no place on this machine.
        """
        if any(key.secret for key in self._shown(keys)):
            raise ConfigError(
                Problem("these keys", "", "are private. Export the public half only: gpg --export --armor ADDRESS.")
            )
        return self._import(keys)

    def import_secret(self, keys: bytes) -> list[str]:
        """Import a retired desk key with its private half; give its fingerprint.

        It has to have the passphrase of this home, or none. Raises ConfigError for anything but private keys.
        """
        shown = self._shown(keys)
        if not shown or not all(key.secret for key in shown):
            raise ConfigError(Problem("this key", "", "has no private half. Use gpg --export-secret-keys --armor."))
        return self._import(keys)

    def export_public(self, fingerprint: str) -> bytes:
        """Give one public key, armored; raises ConfigError when it is not here."""
        return self._export(fingerprint, "--armor")

    def certificate(self, fingerprint: str, *, minimal: bool = False) -> bytes:
        """Give one public key, binary, as `Sequoia` takes it; raises ConfigError when it is not here.

        `minimal`: only what others need to write to its owner now, as it travels with every mail.
        """
        return self._export(fingerprint, *(("--export-options", "export-minimal") if minimal else ()))

    def list_keys(self) -> list[Key]:
        """List every key of the home."""
        return read_keys(self._gpg.run(["--list-keys", "--with-secret"]).output)

    def stop_agent(self) -> None:
        """End the agent that gpg left running for this home, with the keys that it unlocked."""
        command = ["gpgconf", "--homedir", str(self._home), "--kill", "gpg-agent"]
        subprocess.run(command, env=self._gpg.env, capture_output=True, check=False, timeout=10)  # noqa: S603  # ours

    def _shown(self, keys: bytes) -> list[Key]:
        return read_keys(self._gpg.run(["--import-options", "show-only", "--import"], keys).output)

    def _import(self, keys: bytes) -> list[str]:
        # What others signed about a key is of no use here, and may be a flood.
        run = self._gpg.run(["--import-options", "self-sigs-only", "--import"], keys)
        imported = [rest.split()[1] for rest in run.values("IMPORT_OK")]
        if not imported:
            raise ConfigError(Problem("these keys", "", "are no OpenPGP keys that gpg can use."))
        return list(dict.fromkeys(imported))

    def _export(self, fingerprint: str, *options: str) -> bytes:
        # Not export-minimal: it leaves out subkeys that have expired, and the archive is still sealed to them.
        exported = self._gpg.run([*options, "--export", f"0x{fingerprint}"]).output
        if not exported or not re.fullmatch(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}", fingerprint):
            raise ConfigError(Problem("openpgp.home", "", f"has no key {fingerprint}: use `mailroom keys import`."))
        return exported
