"""Made the throw-away keys of this folder: `python tests/keys/make.py`. Needs gpg 2.2 or later.

They are worth nothing: everybody has the secret halves. All but one have no passphrase. They are born in 2024
and, but for `expired`, never expire, so that no test depends on the day it runs.
"""

import subprocess
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
}
SUBKEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "keeper": (("ed25519", "sign"), ("cv25519", "encr")),
    "rsa": (("rsa2048", "encr"),),
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
        gpg(home, "--quick-add-key", fingerprint, kind, use, expiry, passphrase=passphrase)
    if name == "revoked":
        revocation = (home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes()
        gpg(home, "--import", stdin=revocation.replace(b":-----BEGIN", b"-----BEGIN"))
    secret = gpg(home, "--armor", "--export-secret-keys", fingerprint, passphrase=passphrase)
    (FOLDER / f"{name}.secret.asc").write_bytes(secret)
    (FOLDER / f"{name}.public.asc").write_bytes(gpg(home, "--armor", "--export", fingerprint))


def main() -> None:
    """Make all keys in a home of their own, then throw the home away."""
    with tempfile.TemporaryDirectory(prefix="gh") as folder:
        home = Path(folder)
        for name in KEYS:
            make(home, name)
        subprocess.run(["gpgconf", "--homedir", folder, "--kill", "gpg-agent"], check=True)


if __name__ == "__main__":
    main()
