"""Made the throw-away keys of this folder: `python tests/keys/make.py [NAME...]`. Needs gpg 2.2 or later.

They are worth nothing: everybody has the secret halves. All but one have no passphrase. They are born in 2024
and, but for `expired`, never expire, so that no test depends on the day it runs.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
PASSPHRASE = "open sesame"
BORN = "20240101T000000"
CURVE = ("ed25519", "cert,sign", "never")
KEYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "desk": ("Desk <desk@example.org>", CURVE),
    "keeper": ("Keeper <keeper@example.org>", ("ed25519", "cert", "never")),
    "deputy": ("Deputy <deputy@example.org>", CURVE),
    "complainant": ("complainant@example.net", CURVE),
    "expired": ("Expired <expired@example.net>", ("ed25519", "cert,sign", "1y")),
    "revoked": ("Revoked <revoked@example.net>", CURVE),
    "sign-only": ("Sign Only <sign-only@example.net>", ("ed25519", "cert,sign", "never")),
    "rsa": ("RSA <rsa@example.net>", ("rsa2048", "cert,sign", "never")),
    "other-address": ("Other <somebody-else@example.net>", CURVE),
    "locked": ("Locked <locked@example.org>", CURVE),
    "rsa3072": ("rsa3072@example.net", ("rsa3072", "cert,sign", "never")),
    "rsa4096": ("rsa4096@example.net", ("rsa4096", "cert,sign", "never")),
    "nistp256": ("nistp256@example.net", ("nistp256", "cert,sign", "never")),
    "brainpool": ("brainpool@example.net", ("brainpoolP256r1", "cert,sign", "never")),
    "dsa-elgamal": ("dsa-elgamal@example.net", ("dsa2048", "cert,sign", "never")),
    "utf-8-name": ("Žofie Müller 山田 <zofie@example.net>", CURVE),
    "two-addresses": ("keeper@example.org <mallory@example.net>", CURVE),
    "old-subkey": ("old-subkey@example.net", CURVE),
    "new-subkey": ("new-subkey@example.net", CURVE),
}
SUBKEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "keeper": (("ed25519", "sign"), ("cv25519", "encr")),
    "rsa": (("rsa2048", "encr"),),
    "rsa3072": (("rsa3072", "encr"),),
    "rsa4096": (("rsa4096", "encr"),),
    "nistp256": (("nistp256", "encr"),),
    "brainpool": (("brainpoolP256r1", "encr"),),
    "dsa-elgamal": (("elg2048", "encr"),),
    "old-subkey": (("cv25519", "encr 1y"),),
    "new-subkey": (("cv25519", "encr 1y"), ("cv25519", "encr"), ("ed25519", "sign 1y"), ("ed25519", "sign")),
    "sign-only": (),
}


def gpg(home: Path, *args: str, passphrase: str = "", stdin: bytes = b"") -> bytes:
    """Run gpg in `home` without ever asking anybody; give its standard output."""
    command = ["gpg", "--homedir", str(home), "--no-options", "--batch", "--yes", "--quiet", "--trust-model", "always"]
    command += ["--pinentry-mode", "loopback", "--passphrase", passphrase, "--faked-system-time", BORN, *args]
    return subprocess.run(command, input=stdin, check=True, capture_output=True).stdout


def make(home: Path, name: str) -> None:
    """Make one key and write its two halves, armored."""
    user_id, (algorithm, usage, expiry) = KEYS[name]
    passphrase = PASSPHRASE if name == "locked" else ""
    gpg(home, "--quick-generate-key", user_id, algorithm, usage, expiry, passphrase=passphrase)
    listing = gpg(home, "--list-keys", "--with-colons", f"={user_id}").decode()
    fingerprint = next(line for line in listing.splitlines() if line.startswith("fpr")).split(":")[9]
    for kind, use in SUBKEYS.get(name, (("cv25519", "encr"),)):
        usage, _, until = use.partition(" ")
        gpg(home, "--quick-add-key", fingerprint, kind, usage, until or expiry, passphrase=passphrase)
    if name == "revoked":
        revocation = (home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes()
        gpg(home, "--import", stdin=revocation.replace(b":-----BEGIN", b"-----BEGIN"))
    secret = gpg(home, "--armor", "--export-secret-keys", fingerprint, passphrase=passphrase)
    (FOLDER / f"{name}.secret.asc").write_bytes(secret)
    (FOLDER / f"{name}.public.asc").write_bytes(gpg(home, "--armor", "--export", fingerprint))


def main() -> None:
    """Make all keys, or those that are named, in a home of their own, then throw the home away."""
    with tempfile.TemporaryDirectory(prefix="gh") as folder:
        home = Path(folder)
        for name in sys.argv[1:] or KEYS:
            make(home, name)
        subprocess.run(["gpgconf", "--homedir", folder, "--kill", "gpg-agent"], check=True)


if __name__ == "__main__":
    main()
